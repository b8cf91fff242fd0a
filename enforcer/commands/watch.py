"""`watch`: runs polls as a service."""

import logging
import signal
import sys
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

import click

from enforcer.commands import context
from enforcer.commands.workspace_context import connected
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import Stop
from enforcer.ledger.database import Ledger, empty_copy
from enforcer.ledger.lock import LedgerSettingsError, LedgerUnavailable, ledger_lock
from enforcer.mail.sender import next_try
from enforcer.metrics.recorded import update_textfile
from enforcer.operations import systemd
from enforcer.operations.outage import note_recovery, run_without_ledger
from enforcer.operations.supervise import Supervision, mail_service, supervised
from enforcer.operations.watch import RETRY_AFTER, TickSummary, watch
from enforcer.settings import Settings, SettingsError
from enforcer.tick.run import run_tick
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
from labkit import clock
from labkit.clock import Deadline
from labkit.extras import cli
from labkit.text import escaped

log = logging.getLogger(__name__)

BUDGET = timedelta(seconds=30)
LOCK_PAUSE = timedelta(seconds=5)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=1)
"""First and longest pause before an unavailable ledger is tried again; each pause is twice the previous one."""
REHEARSED_STEP_SECONDS = 0.2
"""Interval for reading a rehearsal's clock."""
STEP_SECONDS = 10.0
"""Longest single wait; it is short, because the clock may be set or the machine may sleep."""


@click.command(
    "watch",
    epilog="""
    \b
    Examples:
      python -m enforcer watch
      systemctl start teaching-lab-watch      # the same as a service; see docs/operations.md
    """,
)
def command() -> None:
    """Run as a service: list the clusters once a minute, and poll when a cluster has changed or an action is due.

    No cluster runs more than a minute past a limit. SIGTERM and Ctrl-C stop it between two actions. `poll` can run at
    the same time. Exits 0 when stopped by a signal and 2 for invalid settings.
    """
    settings = context.settings(needs_workspace=True)
    cli.now()  # prints a message and exits if LAB_CLOCK does not respond
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, frame: ending.set())
    service = Service(settings, ending)
    systemd.notify(cli.environment(), systemd.READY)
    watch(now=service.now, wait_until=service.wait_until, clusters=service.clusters, tick=service.tick)
    systemd.notify(cli.environment(), systemd.STOPPING)
    log.info("the watch ends")


class Service:
    """What the loop needs: clock, workspace, and one tick at a time."""

    def __init__(self, settings: Settings, ending: threading.Event) -> None:
        self._settings = settings
        self._ending = ending
        self._environ = cli.environment()
        self._workspace: Workspace | None = None
        self._last: datetime | None = None
        self._memory: Ledger | None = None
        """Ledger in memory, used while the ledger is unavailable."""
        self._pause = FIRST_PAUSE
        self._has_worked = False
        """Whether the ledger has been opened before."""

    def now(self) -> datetime:
        """Return the time. If a rehearsal's clock does not respond, return the last known time."""
        try:
            self._last = clock.now(self._environ)
        except clock.ClockError as error:
            if self._last is None:
                raise
            log.warning("%s", error)
        return self._last

    def wait_until(self, instant: datetime) -> bool:
        """Wait until an instant. Return False as soon as shutdown is requested."""
        step = REHEARSED_STEP_SECONDS if self._environ.get("LAB_CLOCK") else STEP_SECONDS
        while (left := (instant - self.now()).total_seconds()) > 0:
            systemd.notify(self._environ, systemd.ALIVE)
            if self._ending.wait(min(left, step)):
                return False
        return not self._ending.is_set()

    def clusters(self, moment: datetime) -> Iterable[ObservedCluster] | None:
        """Return the clusters in the workspace; None if they cannot be listed."""
        try:
            return self._connect().clusters(now=moment)
        except SettingsError as error:
            cli.fail(*error.problems)
        except WorkspaceError as error:
            print(escaped(error), file=sys.stderr)
            return None

    def tick(self) -> TickSummary | timedelta:
        """Run a poll. Return how long to wait if another run holds the lock or the workspace cannot be used."""
        try:
            with ledger_lock(self._settings.ledger_location) as alone:
                if alone:
                    return self._tick_alone()
        except LedgerUnavailable as error:
            with supervised(self._settings, now=self.now()) as run:
                raise error
            return self._tick_without_ledger(run)
        except LedgerSettingsError as error:
            if not self._has_worked:
                raise
            with supervised(self._settings, now=self.now()) as run:
                raise LedgerUnavailable(error) from None  # the ledger worked before, so the settings are correct
            return self._tick_without_ledger(run)
        log.info("another run holds the lock; next attempt in %d seconds", LOCK_PAUSE.total_seconds())
        return LOCK_PAUSE

    def _tick_without_ledger(self, run: Supervision) -> timedelta:
        """Stop clusters over a limit. Return how long to wait before the ledger is tried again."""
        if self._memory is None:
            self._memory = empty_copy()
        trouble = run.ledger_error or LedgerUnavailable(RuntimeError("the poll ended unexpectedly"))
        is_rehearsal = bool(self._environ.get("LAB_CLOCK"))
        workspace = self._workspace_or_error()
        run_without_ledger(
            self._settings, trouble, run, workspace, self._memory, deadline=Deadline(BUDGET), is_rehearsal=is_rehearsal
        )
        if isinstance(workspace, WorkspaceError):
            self._workspace = None
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return self._pause

    def _tick_alone(self) -> TickSummary | timedelta:
        settings = self._settings
        deadline, now = Deadline(BUDGET), self.now()
        summary: TickSummary | None = None
        with supervised(settings, now=now) as run, context.ledger_of(settings) as ledger:
            self._has_worked = True
            note_recovery(settings, ledger)
            is_rehearsal, mail = bool(self._environ.get("LAB_CLOCK")), mail_service(settings)
            workspace, time = run.prepare_workspace(self._workspace_or_error(), is_rehearsal=is_rehearsal)
            result = run_tick(
                settings, ledger, workspace, mail, now=time.now, deadline=deadline, is_confirmed=time.is_confirmed
            )
            run.report(result)
            run.report_problem(update_textfile(settings, ledger, now=time.now, snapshot=result.snapshot))
            if result.snapshot:
                had_to_stop = any(isinstance(action, Stop) for action in result.actions)
                due = next_try(ledger, settings, now=time.now)
                problems = tuple(failure for failure in result.problems if failure != result.hold_notice)
                summary = TickSummary(result.snapshot, problems, had_to_stop, due, is_holding=bool(result.hold_notice))
            else:
                # Credentials may have been replaced meanwhile.
                self._workspace = None
        if run.ledger_error:
            return self._tick_without_ledger(run)
        self._memory, self._pause = None, FIRST_PAUSE
        return summary or RETRY_AFTER

    def _workspace_or_error(self) -> Workspace | WorkspaceError:
        try:
            return self._connect()
        except SettingsError as error:
            cli.fail(*error.problems)
        except WorkspaceError as error:
            return error

    def _connect(self) -> Workspace:
        """Return the workspace, connecting at the first call. Raises WorkspaceError."""
        if self._workspace is None:
            self._workspace = connected(self._settings)
        return self._workspace
