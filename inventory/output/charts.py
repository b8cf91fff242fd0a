"""Charts for a report, as SVG for an HTML page. Imports matplotlib, which is slow."""

import io
import math
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from inventory.results.formatting import format_size
from inventory.results.report import SOURCE_NAMES, Amount, amounts_by_source
from inventory.results.result_csv import ResultRow
from inventory.tree.listing import SOURCES
from labkit.text import escaped

COLOURS = {"dbfs": "#d98e04", "workspace": "#3b7dd8"}
PLAIN, INK, FAINT, GRID = "#3b7dd8", "#1f2933", "#52606d", "#e4e7eb"
WIDTH_INCHES, BAR_INCHES, MARGIN_INCHES = 4.6, 0.27, 0.75
"""Narrow, so that its text is readable on a phone, where the chart is as wide as the screen."""
MAX_HOMES = 18
LABEL_LENGTH = 24
ROUND_NUMBERS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
SETTINGS: Any = {
    # Text is not converted to outlines: it can be searched, and the reader's fonts show any script.
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": GRID,
    "axes.labelcolor": FAINT,
    "xtick.color": FAINT,
    "ytick.color": INK,
}


def homes_chart(largest: Sequence[ResultRow]) -> str:
    """Return a bar chart of the largest homes, by file system if known. At least one home is required."""
    shown = largest[:MAX_HOMES]
    figure, axes = _new_axes(len(shown))
    amounts = [amounts_by_source(entry) for entry in shown]
    if all(amounts):
        left = [0] * len(shown)
        for source in SOURCES:
            sizes = [amount[source][1] for amount in amounts if amount]
            axes.barh(
                range(len(shown)), sizes, left=left, height=0.66, color=COLOURS[source], label=SOURCE_NAMES[source]
            )
            left = [begin + added for begin, added in zip(left, sizes, strict=True)]
        figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=8, handlelength=1, handleheight=1)
    else:
        axes.barh(range(len(shown)), [entry.size for entry in shown], height=0.66, color=PLAIN)
    axes.xaxis.set_major_locator(MultipleLocator(_tick_step(max(entry.size for entry in shown))))
    _label(axes, _shorten([entry.user for entry in shown]))
    return _svg(figure, "homes")


def amounts_chart(rows: Sequence[Amount], name: str) -> str:
    """Return a bar chart of amounts; the bars show bytes, the labels also the number of files."""
    figure, axes = _new_axes(len(rows))
    sizes = [row.size for row in rows]
    bars = axes.barh(range(len(rows)), sizes, height=0.66, color=PLAIN)
    labels = [f"{format_size(row.size)} in {row.files:,}" if row.files else "none" for row in rows]
    axes.bar_label(bars, labels, padding=3, fontsize=8, color=FAINT)
    _label(axes, [row.name for row in rows])
    # Space for the label of the longest bar.
    axes.set_xlim(0, max([*sizes, 1]) * 1.75)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    return _svg(figure, name)


def _tick_step(largest: int) -> int:
    """Return the distance between ticks, a round number of kB, MB or GB that gives three to seven ticks."""
    unit: int = 1024 ** int(math.log(max(largest, 1), 1024))
    return unit * next(factor for factor in ROUND_NUMBERS if largest / unit / factor <= 5)


def _shorten(names: Sequence[str]) -> list[str]:
    """Return the names without the domain, if all have the same domain."""
    domains = {name.rpartition("@")[2] for name in names if "@" in name.strip("@")}
    alike = len(domains) == 1 and all("@" in name.strip("@") for name in names)
    return [name.rpartition("@")[0] if alike else name for name in names]


def _new_axes(bars: int) -> tuple[Figure, Axes]:
    with matplotlib.rc_context(SETTINGS):
        height = MARGIN_INCHES + BAR_INCHES * max(1, bars)
        figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained", facecolor="none")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot(facecolor="none")
    axes.set_ylim(max(1, bars) - 0.4, -0.6)
    axes.set_axisbelow(True)
    axes.xaxis.grid(True, color=GRID)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: format_size(int(number))))
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _label(axes: Axes, names: Sequence[str]) -> None:
    # Names come from users: a "$" must not start a formula.
    short = [name if len(name) <= LABEL_LENGTH else name[: LABEL_LENGTH - 1] + "…" for name in map(escaped, names)]
    axes.set_yticks(range(len(short)), short, parse_math=False)


def _svg(figure: Figure, name: str) -> str:
    """Return the SVG element without metadata or ids, so that equal input gives equal output."""
    stream = io.StringIO()
    with matplotlib.rc_context(SETTINGS | {"svg.hashsalt": name}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return re.sub(r'<g id="[^"]*"', "<g", text)
