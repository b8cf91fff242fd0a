"""`report`: creates a daily report as a web page, email, table or chart."""

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
      python -m enforcer report --day 2026-11-01 --output report.eml   # as an email: text, HTML, chart, CSV
      python -m enforcer report > yesterday.html
      python -m enforcer report --day 2026-11-01 --json
    """,
)
@click.option(
    "--day", type=cli.DateParamType(), metavar="DAY", help="Day to report, such as 2026-11-01. [default: yesterday]"
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Output file, which only you can read. The suffix sets the format: .html, .eml, .txt, .csv or .png. Without "
    "this option, the HTML page is printed. `anonymise` recognises the file names report.html and report-DAY.html.",
)
@cli.json_option
def command(day: date | None, output: Path | None, as_json: bool) -> None:
    """Create the report for a day from the ledger: what every cluster did. Changes nothing and sends nothing.

    The report for today ends at the last poll. Exits 1 if the ledger has no course or no data for the day.
    """
    if output and output.suffix.lower() not in SUFFIXES:
        raise click.UsageError(f"{output} must end in one of {', '.join(SUFFIXES)}")
    if output and as_json:
        raise click.UsageError("--output and --json cannot be combined")
    settings = context.settings()
    now = cli.now()
    with context.copy_of(settings) as ledger:
        snapshot = course_on_record(ledger, settings, now=now)
        day = day or snapshot.today - timedelta(days=1)
        if day > snapshot.today:
            raise click.UsageError(f"{day} is in the future")
        report = report_of(ledger, snapshot, day)
        if report.is_unknown:
            print(
                f"the ledger has no data for {day}: no poll ran before the day ended, and no cluster ran",
                file=sys.stderr,
            )
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
