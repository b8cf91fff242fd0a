"""Renders a report as one HTML page without external resources or scripts. Imports matplotlib, which is slow."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from inventory.output import charts
from inventory.results.formatting import format_size
from inventory.results.report import Amount, Report
from labkit.files import atomic_text_file
from labkit.text import escaped

TEMPLATES = Path(__file__).parent / "templates"
MAX_HOMES = 1000
"""Maximum number of homes in the table; the page gives the number of others, which are in the CSV."""


def render_page(report: Report) -> str:
    """Return the page. All names in it are escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"size": format_size, "escaped": escaped}
    page = environment.get_template("report.html.j2")
    return page.render(report=report, charts=_charts(report), max_rows=MAX_HOMES, largest=report.largest)


def write_page(report: Report, output: Path) -> None:
    """Write the page atomically. Raises OSError."""
    page = render_page(report)
    with atomic_text_file(output) as file:
        file.write(page)


def _charts(report: Report) -> Mapping[str, Markup]:
    # Safe: matplotlib escapes text in its SVG.
    if not report.total.files:
        return {}
    drawn = {"homes": charts.homes_chart(report.largest)}
    amounts: dict[str, Sequence[Amount] | None] = {"kinds": report.kinds, "ages": report.ages}
    drawn |= {name: charts.amounts_chart(rows, name) for name, rows in amounts.items() if rows}
    return {name: Markup(svg) for name, svg in drawn.items()}
