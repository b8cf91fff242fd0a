"""The chart for a day: a bar for each cluster, with marks at its soft and hard limits. Slow to import: matplotlib."""

import io
from datetime import timedelta

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from enforcer.domain.quota import MINUTE
from enforcer.reports.day_report import DayReport
from labkit.files import marker_line
from labkit.text import one_line

USED, OVERRUN, UNCOUNTED, SOFT, HARD = "#3b7dd8", "#c0392b", "#cfd6df", "#e0a100", "#1f2933"
WIDTH_INCHES, BAR_INCHES, MARGIN_INCHES = 8.6, 0.3, 1.25
DOTS_PER_INCH = 110
LABEL_LENGTH = 24


def draw(report: DayReport) -> bytes:
    """Return the chart as PNG."""
    rows = report.rows
    figure = Figure(figsize=(WIDTH_INCHES, MARGIN_INCHES + BAR_INCHES * max(1, len(rows))), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for position, row in enumerate(rows):
        used, overrun = row.of.used / MINUTE, row.of.overrun / MINUTE
        axes.barh(position, used - overrun, height=0.62, color=USED)
        axes.barh(position, overrun, left=used - overrun, height=0.62, color=OVERRUN)
        axes.barh(position, row.of.uncounted / MINUTE, left=used, height=0.62, color=UNCOUNTED)
        for limit, colour in ((row.soft, SOFT), (row.hard, HARD)):
            if limit is not None:
                axes.vlines(limit / MINUTE, position - 0.42, position + 0.42, colors=colour, linewidth=2.2)
    # Names are entered by people: a "$" in them must not start a formula.
    names = [one_line(row.of.group, LABEL_LENGTH) + (" *" if row.of.estimates else "") for row in rows]
    axes.set_yticks(range(len(rows)), names, parse_math=False, fontsize=9)
    axes.set_ylim(max(1, len(rows)) - 0.4, -0.6)
    axes.set_xlim(0, _longest(report) * 1.04)
    axes.set_xlabel("minutes" + (" (* estimate)" if any(row.of.estimates for row in rows) else ""), fontsize=9)
    axes.xaxis.grid(True, color="#e4e7eb")
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    figure.legend(
        handles=[
            Patch(color=USED, label="used"),
            Patch(color=OVERRUN, label="overrun"),
            Patch(color=UNCOUNTED, label="uncounted"),
            Line2D([], [], color=SOFT, linewidth=2.2, label="soft limit"),
            Line2D([], [], color=HARD, linewidth=2.2, label="hard limit"),
        ],
        loc="outside upper center",
        ncols=5,
        frameon=False,
        fontsize=9,
    )
    stream = io.BytesIO()
    # The metadata omit the version of matplotlib, so that the same day gives the same bytes.
    metadata = {"Software": None, "Comment": marker_line("report", report.day)}
    figure.savefig(stream, format="png", dpi=DOTS_PER_INCH, metadata=metadata)
    return stream.getvalue()


def _longest(report: DayReport) -> float:
    lengths: list[timedelta] = [timedelta(minutes=10)]
    for row in report.rows:
        lengths += [row.of.used + row.of.uncounted, row.hard or timedelta()]
    return max(lengths) / MINUTE
