"""`end-of-day`: closes the days that are over."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from enforcer import process
from enforcer.commands import context, options
from enforcer.commands.poll import action_json, say
from enforcer.domain.quota import Action, WarningKey, describe
from enforcer.lock import only_one
from enforcer.operations.supervise import carrier_of, guarded, tell_admin
from enforcer.settings import Settings, SettingsError
from enforcer.tables import print_json
from labkit import exit_status
from labkit.clock import Deadline
from labkit.text import escaped

if TYPE_CHECKING:
    from enforcer.tick.carry_out import Outcome, Tell
    from enforcer.workspace.client import Workspace

Warned = Callable[[], frozenset[WarningKey]]
BUDGET = timedelta(minutes=2)
LOCK_SECONDS = 60.0
"""A poll takes less; whoever holds the lock for longer is no poll."""


@click.command(
    "end-of-day",
    epilog="""
    \b
    Examples:
      python -m enforcer end-of-day                    # from cron, some minutes after midnight
      python -m enforcer end-of-day --day 2026-11-01   # no further than this day
      python -m enforcer end-of-day --dry-run
      python -m enforcer end-of-day --json
    """,
)
@click.option("--day", type=options.Day(), metavar="DAY", help="The last day to settle; yesterday where none is given.")
@options.dry_run
@options.as_json
def command(day: date | None, dry_run: bool, as_json: bool) -> None:
    """Settle every day that is over and was not settled: fix its totals, lift restrictions, send its report.

    Safe at any hour, twice, and after a week off. Exits 0 when all is well, 1 when something is still due, 2 for
    settings.
    """
    settings = context.settings()
    if dry_run:
        raise SystemExit(_rehearse(settings, day, as_json=as_json))
    with _patiently(settings.ledger) as alone:
        if not alone:
            print(f"another process has held the lock for {LOCK_SECONDS:.0f} seconds; try again", file=sys.stderr)
            raise SystemExit(exit_status.PARTLY_FAILED)
        raise SystemExit(_close_days(settings, day, as_json=as_json))


@contextmanager
def _patiently(place: str) -> Iterator[bool]:
    """The lock, also where a poll has it just now."""
    ends = time.monotonic() + LOCK_SECONDS
    while True:
        with only_one(place) as alone:
            if alone or time.monotonic() > ends:
                yield alone
                return
        time.sleep(0.5)


def _close_days(settings: Settings, up_to: date | None, *, as_json: bool) -> int:
    deadline = Deadline(BUDGET)
    now = process.now()
    return guarded(settings, partial(_settle, settings, up_to, now, deadline, as_json=as_json), now=now)


def _settle(settings: Settings, up_to: date | None, now: datetime, deadline: Deadline, *, as_json: bool) -> int:
    from enforcer.tick.run import run
    from enforcer.tick.settle import Settlement, settle
    from enforcer.workspace.client import connect

    settlements: list[Settlement] = []

    with context.ledger_of(settings) as ledger:

        def work(workspace: "Workspace", warned: Warned, tell: "Tell") -> "Outcome":
            settlement = settle(ledger, workspace, settings, now=now, up_to=up_to, warned=warned, tell=tell)
            settlements.append(settlement)
            return settlement.outcome

        try:
            done = run(
                ledger,
                settings,
                lambda: connect(settings.host),
                work,
                carrier=carrier_of(settings),
                now=now,
                deadline=deadline,
            )
        except SettingsError as error:
            process.refuse(*error.problems)
    if done.unable:
        tell_admin(settings, done.unable, now=now)
    days = [day for settlement in settlements for day in settlement.days]
    actions = [action for settlement in settlements for action in settlement.outcome.actions]
    failures = [*done.failures, *(failure for settlement in settlements for failure in settlement.failures)]
    if as_json:
        print_json(_json(days, actions, failures, is_done=True))
    else:
        for day in days:
            print(f"{day} is settled")
    return say(*failures)


def _rehearse(settings: Settings, up_to: date | None, *, as_json: bool) -> int:
    """Print what would be done, by a copy of the ledger."""
    from enforcer.tick.notify import Teller, warned
    from enforcer.tick.settle import settle
    from enforcer.workspace.client import WorkspaceError

    now = process.now()
    workspace = context.workspace_of(settings)
    with context.copy_of(settings) as ledger:
        try:
            settlement = settle(
                ledger,
                workspace,
                settings,
                now=now,
                up_to=up_to,
                warned=warned(ledger, now),
                tell=Teller(ledger, settings),
                dry_run=True,
            )
        except SettingsError as error:
            process.refuse(*error.problems)
        except WorkspaceError as error:
            return say(str(error))
    actions, failures = settlement.outcome.actions, [*settlement.outcome.failures, *settlement.failures]
    if as_json:
        print_json(_json(settlement.days, actions, failures, is_done=False))
    else:
        for action in actions:
            print(escaped(describe(action)))
        for day in settlement.days:
            print(f"{day} would be settled")
    return say(*failures)


def _json(days: Iterable[date], actions: Iterable[Action], failures: Iterable[str], *, is_done: bool) -> dict[str, Any]:
    """The object that docs/json.md defines."""
    return {
        "settled": is_done,
        "days": [day.isoformat() for day in days],
        "actions": [action_json(action) for action in actions],
        "failures": list(failures),
    }
