"""`poll`: runs one tick."""

import sys
from contextlib import ExitStack
from datetime import timedelta

import click

from enforcer.commands import context
from enforcer.commands._tick_output import action_json, print_actions, print_failures
from enforcer.ledger.lock import LedgerUnavailable, ledger_lock
from enforcer.settings import Settings, SettingsError
from labkit.clock import Deadline
from labkit.extras import cli

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
@click.option(
    "--budget",
    default=BUDGET_SECONDS,
    show_default=True,
    type=cli.FloatParamType(1, 3600, unit="seconds"),
    help="Maximum duration in seconds.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print what would be done, without changing the workspace or ledger or sending mail.",
)
@click.option(
    "--stop-now",
    is_flag=True,
    help="Stop clusters over a limit at once, even if they are most of the running clusters.",
)
@cli.json_option
def command(budget: float, dry_run: bool, stop_now: bool, as_json: bool) -> None:
    """Check all clusters once: warn, stop, restrict and restore as needed.

    Exits 0 if everything was done, 1 if something failed and is still pending, 2 for invalid settings. If another poll
    is running, reports it and exits 0.
    """
    settings = context.settings(needs_workspace=True)
    if dry_run:
        # A dry run uses a copy of the ledger, so that it need not wait for a running poll.
        raise SystemExit(_rehearse(settings, as_json=as_json))
    deadline = Deadline(timedelta(seconds=budget))
    with ExitStack() as stack:
        trouble = None
        try:
            alone = stack.enter_context(ledger_lock(settings.ledger_location))
        except LedgerUnavailable as error:
            alone, trouble = True, error
        if not alone:
            print("another poll is already running", file=sys.stderr)
            if as_json:
                cli.print_json([])
            return
        now = cli.now()
        # Slow to import, so only the process that holds the lock imports it.
        from enforcer.commands.workspace_context import workspace_or_error
        from enforcer.metrics.recorded import update_textfile
        from enforcer.operations.outage import note_recovery, run_without_ledger
        from enforcer.operations.supervise import mail_service, supervised
        from enforcer.tick.run import run_tick

        is_rehearsal = bool(cli.environment().get("LAB_CLOCK"))
        result = None
        with supervised(settings, now=now) as run:
            if trouble:
                raise trouble
            with context.ledger_of(settings) as ledger:
                note_recovery(settings, ledger)
                workspace, time = run.prepare_workspace(workspace_or_error(settings), is_rehearsal=is_rehearsal)
                result = run_tick(
                    settings,
                    ledger,
                    workspace,
                    mail_service(settings),
                    now=time.now,
                    deadline=deadline,
                    is_confirmed=time.is_confirmed,
                    stop_now=stop_now,
                )
                run.report(result)
                run.report_problem(update_textfile(settings, ledger, now=time.now, snapshot=result.snapshot))
        if run.ledger_error:
            with context.empty_ledger() as memory:
                result = run_without_ledger(
                    settings,
                    run.ledger_error,
                    run,
                    workspace_or_error(settings),
                    memory,
                    deadline=Deadline(deadline.budget),
                    is_rehearsal=is_rehearsal,
                )
        if as_json:
            cli.print_json([action_json(action) for action in (result.actions if result else ())])
        raise SystemExit(run.status)


def _rehearse(settings: Settings, *, as_json: bool) -> int:
    """Print what would be done, using a copy of the ledger. Return the exit status."""
    from enforcer.commands.workspace_context import workspace_of
    from enforcer.tick.run import plan_tick
    from enforcer.workspace.errors import WorkspaceError

    now = cli.now()
    workspace = workspace_of(settings)
    with context.copy_of(settings) as ledger:
        try:
            planned = plan_tick(settings, ledger, workspace, now=now)
        except SettingsError as error:
            cli.fail(*error.problems)
        except WorkspaceError as error:
            return print_failures([str(error)])
    if as_json:
        cli.print_json([action_json(action) for action in planned.actions])
    elif planned.actions or planned.failures:
        print_actions(planned.actions)
    else:
        print("nothing to do", file=sys.stderr)
    return print_failures(planned.failures)
