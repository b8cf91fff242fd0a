"""`import-history`: imports daily totals from the legacy system."""

import sys
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import click

from enforcer.commands import context
from enforcer.ledger.database import Ledger
from enforcer.ledger.legacy.history import LegacyError, LegacyHistory, read_history
from enforcer.ledger.legacy.legacy_import import ImportResult, import_days
from enforcer.ledger.lock import ledger_lock
from enforcer.settings import Settings
from enforcer.tick.history import load_past_snapshot
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped

SHOWN = 20
"""Maximum number of skipped days to list."""


@click.command(
    "import-history",
    epilog="""
    \b
    Examples:
      python -m enforcer import-history ~/.local/share/iem_teachinglab/cluster_uptimes.db --dry-run
      python -m enforcer import-history cluster_uptimes.db
      LAB_COURSE=94290 LAB_TERM=2025w python -m enforcer import-history cluster_uptimes.db --json
    """,
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@cli.json_option
@cli.dry_run_option
def command(file: Path, as_json: bool, dry_run: bool) -> None:
    """Import daily totals from FILE, the legacy system's database (cluster_uptimes.db), into the ledger.

    Each total for a cluster and day becomes a settled day, marked as imported and as an estimate; usage, report and
    archive show it. Days that this enforcer settled do not change. If the workspace still has a
    day's events, the next end-of-day replaces its estimate by the exact total. Imported totals do not count towards
    week and term limits, which count only sessions. The import can be repeated. Clusters that the ledger does not know
    are stored under LAB_COURSE and LAB_TERM, or under the course of the last poll. FILE is not changed. Exits 1 if a
    row could not be imported.
    """
    settings = context.settings()
    now = cli.now()
    try:
        history = read_history(file)
    except LegacyError as error:
        cli.fail(str(error))
    if dry_run:
        with context.copy_of(settings) as ledger:
            result = _import(ledger, settings, history, now)
    else:
        with ledger_lock(settings.ledger_location) as alone:
            if not alone:
                print("a poll is running; nothing was imported, try again", file=sys.stderr)
                raise SystemExit(exit_status.PARTLY_FAILED)
            with context.ledger_of(settings) as ledger:
                result = _import(ledger, settings, history, now)
    if as_json:
        cli.print_json(_json(file, history, result, is_done=not dry_run))
    else:
        _show(history, result, is_done=not dry_run)
    raise SystemExit(exit_status.PARTLY_FAILED if history.invalid else exit_status.DONE)


def _import(ledger: Ledger, settings: Settings, history: LegacyHistory, now: datetime) -> ImportResult:
    snapshot = load_past_snapshot(ledger, settings, now=now)
    course, tz = snapshot.course, snapshot.course.calendar.tz
    return import_days(
        ledger,
        history,
        course=course.id or settings.course or "",
        term=course.term or settings.term or "",
        tz=tz,
        today=_today(now, tz),
        now=now,
    )


def _today(now: datetime, tz: tzinfo) -> date:
    return now.astimezone(tz).date()


def _show(history: LegacyHistory, result: ImportResult, *, is_done: bool) -> None:
    lines = []
    if result.imported:
        total = sum((one.used for one in result.imported), timedelta()) / timedelta(hours=1)
        clusters = len({one.cluster_id for one in result.imported})
        span = f"{result.imported[0].day} to {result.imported[-1].day}"
        lines.append(
            f"{'imported' if is_done else 'would be imported'}: {len(result.imported)} days of {clusters} "
            f"clusters, {span}, {total:.1f} hours"
        )
    if result.already_imported:
        lines.append(f"already imported: {result.already_imported} days")
    if result.skipped:
        lines.append(f"skipped: {len(result.skipped)} days")
    if history.running_totals:
        lines.append(
            f"skipped: the running totals of {history.running_totals} clusters; today is counted from the workspace's "
            "events"
        )
    for line in lines or ["the file has no daily totals"]:
        print(line)
    for reason in result.skipped[:SHOWN]:
        print(escaped(reason), file=sys.stderr)
    if len(result.skipped) > SHOWN:
        print(f"and {len(result.skipped) - SHOWN} more; --json lists all", file=sys.stderr)


def _json(file: Path, history: LegacyHistory, result: ImportResult, *, is_done: bool) -> dict[str, Any]:
    """Return the result as the JSON object defined in docs/json.md."""
    ms = timedelta(milliseconds=1)
    return {
        "file": str(file),
        "imported": is_done,
        "imported_days": [
            {"cluster_id": one.cluster_id, "day": one.day.isoformat(), "used_ms": one.used // ms}
            for one in result.imported
        ],
        "already_imported": result.already_imported,
        "skipped": list(result.skipped),
        "running_totals": history.running_totals,
    }
