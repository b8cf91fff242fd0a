"""`end-of-day`: settles past days."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import click

from enforcer.commands import context
from enforcer.commands._tick_output import action_json, print_actions, print_failures
from enforcer.commands.workspace_context import workspace_of, workspace_or_error
from enforcer.ledger import queries
from enforcer.ledger.lock import ledger_lock
from enforcer.metrics.recorded import update_textfile
from enforcer.operations.outage import note_recovery
from enforcer.operations.supervise import mail_service, supervised
from enforcer.settings import Settings, SettingsError
from enforcer.tick.history import load_past_snapshot
from enforcer.tick.run import TickResult, plan_tick, run_tick
from enforcer.workspace.errors import WorkspaceError
from labkit import exit_status
from labkit.clock import Deadline
from labkit.extras import cli

BUDGET = timedelta(minutes=2)
LOCK_SECONDS = 60.0
"""Maximum wait for the lock, longer than any poll takes."""


@click.command(
    "end-of-day",
    epilog="""
    \b
    Examples:
      python -m enforcer end-of-day                    # from cron, a few minutes after midnight
      python -m enforcer end-of-day --day 2026-11-01   # only up to this day
      python -m enforcer end-of-day --dry-run
      python -m enforcer end-of-day --json
    """,
)
@click.option("--day", type=cli.DateParamType(), metavar="DAY", help="The last day to settle. [default: yesterday]")
@cli.dry_run_option
@cli.json_option
def command(day: date | None, dry_run: bool, as_json: bool) -> None:
    """Settle every past day that is not settled yet: fix its totals, lift restrictions, send its report.

    Can run at any hour, repeatedly, and after a week without polls. Exits 0 if everything was done, 1 if something is
    still pending, 2 for invalid settings.
    """
    settings = context.settings(needs_workspace=True)
    if day:
        _must_be_over(settings, day)
    if dry_run:
        raise SystemExit(_rehearse(settings, day, as_json=as_json))
    with _patiently(settings.ledger_location) as alone:
        if not alone:
            print(f"another process has held the lock for {LOCK_SECONDS:.0f} seconds; try again", file=sys.stderr)
            raise SystemExit(exit_status.PARTLY_FAILED)
        deadline, now = Deadline(BUDGET), cli.now()
        with supervised(settings, now=now) as run, context.ledger_of(settings) as ledger:
            note_recovery(settings, ledger)
            is_rehearsal, mail = bool(cli.environment().get("LAB_CLOCK")), mail_service(settings)
            workspace, time = run.prepare_workspace(workspace_or_error(settings), is_rehearsal=is_rehearsal)
            result = run_tick(
                settings,
                ledger,
                workspace,
                mail,
                now=time.now,
                deadline=deadline,
                settles=True,
                up_to=day,
                is_confirmed=time.is_confirmed,
            )
            run.report(result)
            run.report_problem(update_textfile(settings, ledger, now=time.now, snapshot=result.snapshot))
            _print(result, "is settled", last=queries.last_settled_day(ledger), is_done=True, as_json=as_json)
        raise SystemExit(run.status)


@contextmanager
def _patiently(place: str) -> Iterator[bool]:
    """Hold the lock for the block; wait first if a poll holds it."""
    ends = time.monotonic() + LOCK_SECONDS
    while True:
        with ledger_lock(place) as alone:
            if alone or time.monotonic() > ends:
                yield alone
                return
        time.sleep(0.5)


def _rehearse(settings: Settings, up_to: date | None, *, as_json: bool) -> int:
    """Print what would be done, using a copy of the ledger. Return the exit status."""
    now = cli.now()
    workspace = workspace_of(settings)
    with context.copy_of(settings) as ledger:
        try:
            planned = plan_tick(settings, ledger, workspace, now=now, settles=True, up_to=up_to)
        except SettingsError as error:
            cli.fail(*error.problems)
        except WorkspaceError as error:
            return print_failures([str(error)])
        last = queries.last_settled_day(ledger)
    if not as_json:
        print_actions(planned.actions)
    _print(planned, "would be settled", last=last, is_done=False, as_json=as_json)
    return print_failures(planned.failures)


def _must_be_over(settings: Settings, day: date) -> None:
    """Raise click.UsageError for a day that is not over in the course's time zone."""
    with context.copy_of(settings) as ledger:
        today = load_past_snapshot(ledger, settings, now=cli.now()).today
    if day >= today:
        raise click.UsageError(
            f"{day} is not over yet: --day is the last day to settle, at the latest {today - timedelta(days=1)}"
        )


def _print(result: TickResult, what: str, *, last: date | None, is_done: bool, as_json: bool) -> None:
    """Print the result. `last` is the last settled day."""
    if as_json:
        cli.print_json(_json(result, is_done=is_done))
        return
    for day in result.settled_days:
        print(f"{day} {what}")
    if not result.settled_days and not result.failures:
        print(
            f"there is no day to settle; {f'{last} is the last settled day' if last else 'no day has been settled yet'}"
        )


def _json(result: TickResult, *, is_done: bool) -> dict[str, Any]:
    """Return the result as the JSON object defined in docs/json.md."""
    return {
        "settled": is_done,
        "days": [day.isoformat() for day in result.settled_days],
        "actions": [action_json(action) for action in result.actions],
        "failures": list(result.failures),
    }
