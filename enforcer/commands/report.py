"""`report`: a day as a page, as a mail, or as a table."""

import base64
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from enforcer import process, tables
from enforcer.commands import context, options
from enforcer.settings import Settings
from labkit.files import replaced_bytes

if TYPE_CHECKING:
    from enforcer.domain.snapshot import Picture
    from enforcer.ledger.database import Ledger

SUFFIXES = (".html", ".eml", ".txt", ".csv", ".png")


@click.command(
    "report",
    epilog="""
    \b
    Examples:
      python -m enforcer report --day 2026-11-01 --output report.html
      python -m enforcer report --day 2026-11-01 --output report.eml   # as the mail: text, HTML, picture, CSV
      python -m enforcer report > yesterday.html
      python -m enforcer report --day 2026-11-01 --json
    """,
)
@click.option("--day", type=options.Day(), metavar="DAY", help="Such as 2026-11-01; yesterday where none is given.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Written readable for you alone; its ending says what it becomes: .html, .eml, .txt, .csv or .png. "
    "Without it the page goes to standard output.",
)
@options.as_json
def command(day: date | None, output: Path | None, as_json: bool) -> None:
    """What every cluster did on a day, from what the ledger holds. Changes nothing and sends nothing.

    Today is shown up to now, as the last poll saw it.
    """
    if output and output.suffix.lower() not in SUFFIXES:
        raise click.UsageError(f"{output} must end in one of {', '.join(SUFFIXES)}")
    if output and as_json:
        raise click.UsageError("give --output or --json")
    settings = context.settings()
    now = process.now()
    with context.copy_of(settings) as ledger:
        from enforcer.ledger.history import recall

        picture = recall(ledger, settings, now=now)
        day = day or picture.today - timedelta(days=1)
        if day > picture.today:
            raise click.UsageError(f"{day} has not come yet")
        if as_json:
            from enforcer.reports.day_report import report_json, report_of

            tables.print_json(report_json(report_of(ledger, picture, day)))
            return
        content = render_day(ledger, settings, picture, day, output.suffix.lower() if output else ".html")
    if output is None:
        sys.stdout.write(content.decode())
        return
    try:
        with replaced_bytes(output) as file:
            file.write(content)
    except OSError as error:
        process.refuse(f"{output} cannot be written: {error.strerror}.")


def render_day(ledger: "Ledger", settings: Settings, picture: "Picture", day: date, suffix: str) -> bytes:
    """The report of a day from the open ledger, as what its suffix says."""
    from enforcer.mail.messages import render
    from enforcer.reports.day_report import report_letter, report_of, to_csv, to_message, values_of

    report = report_of(ledger, picture, day)
    if suffix == ".csv":
        return to_csv(report)
    if suffix == ".eml":
        return to_message(report_letter(report, settings)).as_bytes()
    if suffix == ".txt":
        return render("report", values_of(report, picture=""), settings.letters)[1].encode()
    from enforcer.reports.chart import draw

    png = draw(report)
    if suffix == ".png":
        return png
    inline = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return render("report", values_of(report, picture=inline), settings.letters)[2].encode()
