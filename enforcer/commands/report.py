"""`report`: a day as a page, as a mail, or as a table."""

import sys
from datetime import date, timedelta
from pathlib import Path

import click

from enforcer.commands import context
from enforcer.commands.ledger_context import course_on_record
from enforcer.reports.formats import render_day, report_json
from enforcer.reports.recorded import report_of
from labkit import exit_status
from labkit.extras import cli
from labkit.files import atomic_binary_file

SUFFIXES = (".html", ".eml", ".txt", ".csv", ".png")


@click.command(
    "report",
    epilog="""
    \b
    Examples:
      python -m enforcer report --day 2026-11-01 --output report-2026-11-01.html
      python -m enforcer report --day 2026-11-01 --output report.eml   # as the mail: text, HTML, picture, CSV
      python -m enforcer report > yesterday.html
      python -m enforcer report --day 2026-11-01 --json
    """,
)
@click.option(
    "--day", type=cli.DateParamType(), metavar="DAY", help="Such as 2026-11-01; yesterday where none is given."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Written readable for you alone; its ending says what it becomes: .html, .eml, .txt, .csv or .png. "
    "Without it the page goes to standard output. `purge` knows the names report.html and report-DAY.html.",
)
@cli.json_option
def command(day: date | None, output: Path | None, as_json: bool) -> None:
    """What every cluster did on a day, from what the ledger holds. Changes nothing and sends nothing.

    Today is shown up to now, as the last poll saw it. Exits 1 if the ledger knows no course, or nothing of the day.
    """
    if output and output.suffix.lower() not in SUFFIXES:
        raise click.UsageError(f"{output} must end in one of {', '.join(SUFFIXES)}")
    if output and as_json:
        raise click.UsageError("give --output or --json")
    settings = context.settings()
    now = cli.now()
    with context.copy_of(settings) as ledger:
        snapshot = course_on_record(ledger, settings, now=now)
        day = day or snapshot.today - timedelta(days=1)
        if day > snapshot.today:
            raise click.UsageError(f"{day} has not come yet")
        report = report_of(ledger, snapshot, day)
        if report.is_unknown:
            print(f"the ledger knows nothing of {day}: no poll ran before its end, and no cluster ran", file=sys.stderr)
            raise SystemExit(exit_status.PARTLY_FAILED)
    if as_json:
        cli.print_json(report_json(report))
        return
    content = render_day(report, output.suffix.lower() if output else ".html", settings)
    if output is None:
        sys.stdout.write(content.decode())
        return
    try:
        with atomic_binary_file(output) as file:
            file.write(content)
    except OSError as error:
        cli.fail(f"{output} cannot be written: {error.strerror}.")
