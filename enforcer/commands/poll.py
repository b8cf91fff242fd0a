"""`poll`: one tick."""

import sys
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import click

from enforcer import process
from enforcer.commands import context, options
from enforcer.domain.quota import Action, Restore, describe
from enforcer.domain.usage import MILLISECOND, minutes
from enforcer.lock import only_one
from enforcer.operations.supervise import carrier_of, guarded, tell_admin
from enforcer.settings import Settings, SettingsError
from enforcer.tables import print_json
from labkit import exit_status
from labkit.clock import Deadline
from labkit.text import escaped

BUDGET_SECONDS = 30.0


@click.command(
    "poll",
    epilog="""
    \b
    Examples:
      python -m enforcer poll
      python -m enforcer poll --dry-run
      python -m enforcer poll --dry-run --json
    """,
)
@click.option("--budget", default=BUDGET_SECONDS, show_default=True, type=click.FloatRange(1), help="Seconds at most.")
@click.option("--dry-run", is_flag=True, help="Print what would be done; change neither workspace, ledger nor mail.")
@options.as_json
def command(budget: float, dry_run: bool, as_json: bool) -> None:
    """One tick: warn, stop, restrict and restore what is due.

    Exits 0 when all is well, 1 when something failed and is still due, 2 for settings. A second poll that starts
    while one runs says so and exits 0.
    """
    settings = context.settings()
    if dry_run:
        # It works on a copy: neither has to wait for the other.
        raise SystemExit(tick(budget=timedelta(seconds=budget), dry_run=True, settings=settings, as_json=as_json))
    with only_one(settings.ledger) as alone:
        if not alone:
            print("another poll is at work; nothing to do here", file=sys.stderr)
            if as_json:
                print_json([])
            return
        raise SystemExit(tick(budget=timedelta(seconds=budget), dry_run=False, settings=settings, as_json=as_json))


def tick(*, settings: Settings, budget: timedelta, dry_run: bool, as_json: bool = False) -> int:
    """Return the exit status. Imports the SDK, so only the holder of the lock comes here.

    Prints what is due where nothing is done about it, and with `as_json` in any case.
    """
    deadline = Deadline(budget)
    now = process.now()
    if dry_run:
        return _rehearse(settings, now, as_json=as_json)
    return guarded(settings, partial(_tick, settings, now, deadline, as_json=as_json), now=now)


def _rehearse(settings: Settings, now: datetime, *, as_json: bool) -> int:
    """Print what would be done, by a copy of the ledger."""
    from enforcer.tick.carry_out import poll
    from enforcer.tick.notify import Teller, warned
    from enforcer.workspace.client import WorkspaceError

    workspace = context.workspace_of(settings)
    with context.copy_of(settings) as ledger:
        try:
            outcome = poll(
                ledger,
                workspace,
                settings,
                now=now,
                warned=warned(ledger, now),
                tell=Teller(ledger, settings),
                dry_run=True,
            )
        except SettingsError as error:
            process.refuse(*error.problems)
        except WorkspaceError as error:
            print(escaped(str(error)), file=sys.stderr)
            return exit_status.PARTLY_FAILED
    if as_json:
        print_json([action_json(action) for action in outcome.actions])
    else:
        for action in outcome.actions:
            print(escaped(describe(action)))
    return say(*outcome.failures)


def _tick(settings: Settings, now: datetime, deadline: Deadline, *, as_json: bool) -> int:
    from enforcer.tick.carry_out import poll
    from enforcer.tick.run import run
    from enforcer.workspace.client import connect

    with context.ledger_of(settings) as ledger:
        try:
            done = run(
                ledger,
                settings,
                lambda: connect(settings.host),
                lambda workspace, warned, tell: poll(ledger, workspace, settings, now=now, warned=warned, tell=tell),
                carrier=carrier_of(settings),
                now=now,
                deadline=deadline,
            )
        except SettingsError as error:
            process.refuse(*error.problems)
    if done.unable:
        tell_admin(settings, done.unable, now=now)
    if as_json:
        print_json([action_json(action) for action in done.outcome.actions] if done.outcome else [])
    return say(*done.failures)


def action_json(action: Action) -> dict[str, Any]:
    """The object that docs/json.md defines."""
    use = None if isinstance(action, Restore) else action.use
    return {
        "action": type(action).__name__.lower(),
        "cluster_id": action.cluster_id,
        "group": action.group,
        "period": use.limit.period.value if use else None,
        "used_ms": use.used // MILLISECOND if use else None,
        "limit_minutes": minutes(use.limit.hard) if use else None,
        "says": describe(action),
    }


def say(*failures: str) -> int:
    """Print these sentences; return the exit status that goes with them."""
    for failure in failures:
        print(escaped(failure), file=sys.stderr)
    return exit_status.PARTLY_FAILED if failures else exit_status.DONE
