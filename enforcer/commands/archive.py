"""`archive`: exports a term as files."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from enforcer.commands import context
from enforcer.commands.ledger_context import course_on_record
from enforcer.reports.formats import render_day
from enforcer.reports.recorded import report_of
from enforcer.retention import archive
from enforcer.retention.archive import ArchiveFacts
from labkit.extras import cli
from labkit.text import escaped


@click.command(
    "archive",
    epilog="""
    \b
    Examples:
      python -m enforcer archive --output archive/94290-2026w
      python -m enforcer archive --output archive/94290-2026w --dry-run --json

    LAB_COURSE and LAB_TERM select the course; the default is the course of the last poll. Run end-of-day first, so that
    the last days of the term are settled. README.md in the archive describes every column; docs/term-end.md says what
    may be kept.
    """,
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A new or empty folder. It is written atomically, and only you can read it.",
)
@cli.json_option
@cli.dry_run_option
def command(output: Path, as_json: bool, dry_run: bool) -> None:
    """Write history, actions and messages of the term as CSV and Parquet, with reports, course file and allowances.

    Reads only the ledger and does not change it. Data that names people, such as messages and their recipients, is in
    the subfolder `people`, which can be deleted when it may no longer be kept. Exits 1 if the ledger has no course.
    """
    settings = context.settings()
    now = cli.now()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        cli.fail(f"{output} already exists; an archive is never overwritten: choose a different folder.")
    with context.copy_of(settings) as ledger:

        def render(day: date, suffix: str) -> bytes:
            return render_day(report_of(ledger, snapshot, day), suffix, settings)

        snapshot = course_on_record(ledger, settings, now=now)
        days = archive.days_of(ledger, snapshot)
        facts = archive.facts_of(ledger, snapshot)
        if not dry_run:
            try:
                with click.progressbar(days, label="reports", file=sys.stderr, hidden=not sys.stderr.isatty()) as each:
                    archive.write(output, ledger, snapshot, days=each, render=render)
            except OSError as error:
                cli.fail(f"{output} cannot be written: {error.strerror or error}.")
    _print_result(output, facts, days, is_made=not dry_run, as_json=as_json)


def _print_result(output: Path, facts: ArchiveFacts, days: list[date], *, is_made: bool, as_json: bool) -> None:
    if as_json:
        cli.print_json(archive_json(output, facts, days, is_made=is_made))
        return
    result = "is in" if is_made else "would be written to"
    up_to = f"settled up to {facts.settled_up_to}" if facts.settled_up_to else "no day is settled"
    print(escaped(f"{facts.course} {facts.term} {result} {output}, with {len(days)} reports; {up_to}"))


def archive_json(output: Path, facts: ArchiveFacts, days: list[date], *, is_made: bool) -> dict[str, Any]:
    """Return the result as the JSON object defined in docs/json.md."""
    return {"output": str(output), "made": is_made, **facts.as_json(), "reports": len(days)}
