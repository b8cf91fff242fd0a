"""`poll`: one tick."""

import sys
from datetime import datetime, timedelta
from functools import partial

import click

from enforcer import desk
from enforcer.guard import carrier_of, guarded, tell_admin
from enforcer.lock import only_one
from enforcer.quota import describe
from enforcer.settings import Settings, SettingsError
from enforcer.stopwatch import Stopwatch
from enforcer.tables import harmless

BUDGET_SECONDS = 30.0


@click.command(
    "poll",
    epilog="""
    \b
    Examples:
      python -m enforcer poll
      python -m enforcer poll --dry-run
    """,
)
@click.option("--budget", default=BUDGET_SECONDS, show_default=True, type=click.FloatRange(1), help="Seconds at most.")
@click.option("--dry-run", is_flag=True, help="Print what would be done; change neither workspace, ledger nor mail.")
def command(budget: float, dry_run: bool) -> None:
    """One tick: warn, stop, restrict and restore what is due.

    Exits 0 when all is well, 1 when something failed and is still due, 2 for settings. A second poll that starts
    while one runs says so and exits 0.
    """
    settings = desk.settings()
    if dry_run:
        # It works on a copy: neither has to wait for the other.
        raise SystemExit(tick(budget=timedelta(seconds=budget), dry_run=True, settings=settings))
    with only_one(settings.ledger) as alone:
        if not alone:
            print("another poll is at work; nothing to do here", file=sys.stderr)
            return
        raise SystemExit(tick(budget=timedelta(seconds=budget), dry_run=False, settings=settings))


def tick(*, settings: Settings, budget: timedelta, dry_run: bool) -> int:
    """Return the exit status. Imports the SDK, so only the holder of the lock comes here."""
    watch = Stopwatch(budget)
    now = desk.now()
    if dry_run:
        return _rehearse(settings, now)
    return guarded(settings, partial(_tick, settings, now, watch), now=now)


def _rehearse(settings: Settings, now: datetime) -> int:
    """Print what would be done, by a copy of the ledger."""
    from enforcer.poll import poll
    from enforcer.telling import Teller, warned
    from enforcer.workspace import WorkspaceError

    workspace = desk.workspace_of(settings)
    with desk.copy_of(settings):
        try:
            outcome = poll(workspace, settings, now=now, warned=warned(now), tell=Teller(settings), dry_run=True)
        except SettingsError as error:
            desk.refuse(*error.problems)
        except WorkspaceError as error:
            print(harmless(str(error)), file=sys.stderr)
            return desk.PARTLY
    for action in outcome.actions:
        print(harmless(describe(action)))
    return say(*outcome.failures)


def _tick(settings: Settings, now: datetime, watch: Stopwatch) -> int:
    from enforcer.poll import poll
    from enforcer.run import run
    from enforcer.workspace import connect

    with desk.ledger_of(settings):
        try:
            done = run(
                settings,
                lambda: connect(settings.host),
                lambda workspace, warned, tell: poll(workspace, settings, now=now, warned=warned, tell=tell),
                carrier=carrier_of(settings),
                now=now,
                watch=watch,
            )
        except SettingsError as error:
            desk.refuse(*error.problems)
    if done.unable:
        tell_admin(settings, done.unable, now=now)
    return say(*done.failures)


def say(*failures: str) -> int:
    """Print these sentences; return the exit status that goes with them."""
    for failure in failures:
        print(harmless(failure), file=sys.stderr)
    return desk.PARTLY if failures else desk.DONE
