"""`poll`: one tick."""

import sys
from datetime import timedelta

import click

from enforcer import desk
from enforcer.lock import only_one
from enforcer.quota import describe
from enforcer.settings import Settings, SettingsError
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
    from enforcer.poll import poll
    from enforcer.workspace import WorkspaceError

    now = desk.now()
    workspace = desk.workspace_of(settings)
    with desk.copy_of(settings) if dry_run else desk.ledger_of(settings):
        try:
            outcome = poll(
                workspace, settings, now=now, warned=frozenset, tell=lambda picture, action: None, dry_run=dry_run
            )
        except SettingsError as error:
            desk.refuse(*error.problems)
        except WorkspaceError as error:
            print(error, file=sys.stderr)
            return desk.PARTLY
    if dry_run:
        for action in outcome.actions:
            print(harmless(describe(action)))
    for failure in outcome.failures:
        print(harmless(failure), file=sys.stderr)
    return desk.PARTLY if outcome.failures else desk.DONE
