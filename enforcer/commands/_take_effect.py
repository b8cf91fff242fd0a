"""Shared by `allow`, `block` and `revoke`: a tick that puts the written file into effect."""

import sys
import time
from datetime import timedelta

from enforcer.commands import context
from enforcer.commands.workspace_context import workspace_or_error
from enforcer.ledger.lock import ledger_lock
from enforcer.operations.supervise import mail_service, supervised
from enforcer.settings import Settings
from enforcer.tick.run import run_tick
from labkit import exit_status
from labkit.clock import Deadline
from labkit.extras import cli

WAIT_SECONDS = 40.0
"""Maximum wait for the lock, longer than a poll, which takes 30 seconds at most."""
BUDGET = timedelta(seconds=30)


def take_effect(settings: Settings, *, seconds: float = WAIT_SECONDS) -> int:
    """Run a tick once no other is running. Return its exit status, or 1 if the other tick takes too long."""
    # Uses the machine's clock, because LAB_CLOCK may not move.
    ends = time.monotonic() + seconds
    while True:
        with ledger_lock(settings.ledger_location) as alone:
            if alone:
                return _tick(settings)
        if time.monotonic() >= ends:
            print("another poll is taking too long; the change takes effect at the next poll", file=sys.stderr)
            return exit_status.PARTLY_FAILED
        time.sleep(0.2)


def _tick(settings: Settings) -> int:
    deadline, now = Deadline(BUDGET), cli.now()
    with supervised(settings, now=now) as run, context.ledger_of(settings) as ledger:
        is_rehearsal, mail = bool(cli.environment().get("LAB_CLOCK")), mail_service(settings)
        workspace, time = run.prepare_workspace(workspace_or_error(settings), is_rehearsal=is_rehearsal)
        result = run_tick(
            settings, ledger, workspace, mail, now=time.now, deadline=deadline, is_confirmed=time.is_confirmed
        )
        run.report(result)
    return run.status
