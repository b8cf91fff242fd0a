"""`watch`: runs polls as a service, for one lab or for several."""

import logging
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import click

from enforcer.commands import context
from enforcer.commands.workspace_context import connected, connected_as
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import Stop
from enforcer.fleet.lab_environment import read_environment
from enforcer.fleet.labs_file import LabEntry, LabsFileError, read_labs
from enforcer.fleet.run import REHEARSED_STEP_SECONDS, STEP_SECONDS, Fleet
from enforcer.fleet.shared import SharedResources
from enforcer.ledger.database import Ledger, empty_copy
from enforcer.ledger.lock import LedgerSettingsError, LedgerUnavailable, ledger_lock
from enforcer.mail.sender import next_try
from enforcer.metrics.recorded import update_textfile
from enforcer.operations import systemd
from enforcer.operations.board_file import BoardFile
from enforcer.operations.outage import note_recovery, run_without_ledger
from enforcer.operations.supervise import Supervision, mail_service, supervised
from enforcer.operations.watch import RETRY_AFTER, TickSummary, watch
from enforcer.settings import Settings, SettingsError
from enforcer.tick.run import run_tick
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
from labkit import clock, exit_status
from labkit.clock import Deadline
from labkit.extras import cli, sdk
from labkit.logs import lab_name, print_problem
from labkit.workspace.choice import WORKSPACE_VARIABLES

log = logging.getLogger(__name__)

BUDGET = timedelta(seconds=30)
LOCK_PAUSE = timedelta(seconds=5)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=1)
"""First and longest pause before an unavailable ledger is retried; each pause is twice the previous one."""
FLEET_CONNECTIONS = 4
"""Connections to the workspace of one lab of a fleet: hundreds of idle ones would exhaust the process's files."""


@click.command(
    "watch",
    epilog="""
    \b
    Examples:
      python -m enforcer watch
      systemctl start teaching-lab-watch             # the same as a service; see docs/operations.md
      python -m enforcer watch --labs labs.toml      # several labs in one process
      python -m enforcer watch --labs labs.toml --check
    """,
)
@click.option(
    "--labs",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Watch the labs in this file; see docs/operations.md.",
)
@click.option("--check", is_flag=True, help="Only check the file in --labs and the settings of its labs, and exit.")
def command(labs: Path | None, check: bool) -> None:
    """Run as a service: list the clusters once a minute, and poll when a cluster has changed or an action is due.

    No cluster runs more than a minute past a limit. SIGTERM and Ctrl-C stop it between two actions. `poll` can run at
    the same time. Exits 0 when stopped by a signal and 2 for invalid settings. With --labs, a lab with invalid settings
    is reported and the others are watched.
    """
    if check and labs is None:
        raise click.UsageError("--check needs --labs")
    if labs is not None:
        _watch_labs(labs, only_check=check)
        return
    settings = context.settings(needs_workspace=True)
    cli.now()  # prints a message and exits if LAB_CLOCK does not respond
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, frame: ending.set())
    service = Service(settings)

    def wait_until(instant: datetime) -> bool:
        """Wait until an instant, or until the clock is set back. Return False as soon as shutdown is requested."""
        step = REHEARSED_STEP_SECONDS if cli.environment().get("LAB_CLOCK") else STEP_SECONDS
        began = service.now()
        while (left := (instant - (now := service.now())).total_seconds()) > 0 and now >= began:
            systemd.notify(cli.environment(), systemd.ALIVE)
            if ending.wait(min(left, step)):
                return False
        return not ending.is_set()

    systemd.notify(cli.environment(), systemd.READY)
    watch(now=service.now, wait_until=wait_until, clusters=service.clusters, tick=service.tick)
    systemd.notify(cli.environment(), systemd.STOPPING)
    log.info("the watch ends")


def _watch_labs(path: Path, *, only_check: bool) -> None:
    """Watch all labs in the file until a signal; exit with status 2 if the file or all labs are invalid."""
    process = cli.environment()
    try:
        entries = read_labs(path)
    except LabsFileError as error:
        cli.fail(*error.problems)
    now = LastKnownClock(process)
    shared = SharedResources(now)
    invalid = _invalid_labs(entries, process, shared)
    if only_check:
        if invalid:
            raise SystemExit(exit_status.BAD_INPUT)
        print(f"{path} is valid: {len(entries)} labs")
        return
    if len(invalid) == len(entries):
        cli.fail(f"no lab in {path} can be watched; correct the settings.")
    # No lab may use a workspace that only the process specifies, and no child process may see it.
    for name in WORKSPACE_VARIABLES:
        process.pop(name, None)
    sdk.load_logins()
    cli.now()  # prints a message and exits if LAB_CLOCK does not respond

    def make(entry: LabEntry) -> Service:
        lab = read_environment(entry, process)
        settings = shared.claim(lab)

        def connect() -> Workspace:
            # The files are read again, because credentials may have been replaced meanwhile.
            current = read_environment(entry, process)
            workspace = connected_as(
                settings, current.choice, current.sdk_variables, is_isolated=True, connections=FLEET_CONNECTIONS
            )
            shared.share_limiters(workspace)
            return workspace

        return Service(settings, lab.variables, connect)

    step = REHEARSED_STEP_SECONDS if process.get("LAB_CLOCK") else STEP_SECONDS
    fleet = Fleet(entries, make, now=now, alive=lambda: systemd.notify(process, systemd.ALIVE), step_seconds=step)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, frame: fleet.stop())
    log.info("the watch of %d labs begins", len(entries))
    systemd.notify(process, systemd.READY)
    fleet.run()
    systemd.notify(process, systemd.STOPPING)
    late = fleet.summary.longest_wait.total_seconds()
    log.info("the watch ends after %d turns; the latest began %.1f seconds late", fleet.summary.turns, late)


def _invalid_labs(entries: Iterable[LabEntry], process: Mapping[str, str], shared: SharedResources) -> list[str]:
    """Print the problems of each lab's settings, and return the names of the labs that have some.

    If two labs contradict each other, the later one is invalid.
    """
    invalid = []
    for entry in entries:
        try:
            shared.claim(read_environment(entry, process))
        except SettingsError as error:
            invalid.append(entry.name)
            with lab_name(entry.name):
                for problem in error.problems:
                    print_problem(problem)
    return invalid


class LastKnownClock:
    """Returns the time. If a rehearsal's clock does not respond, returns the last known time."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._last: datetime | None = None

    def __call__(self) -> datetime:
        try:
            self._last = clock.now(self._environ)
        except clock.ClockError as error:
            if self._last is None:
                raise
            log.warning("%s", error)
        return self._last


class Service:
    """What the loop needs: clock, workspace, and one tick at a time.

    `environ` and `connect` are those of the process by default; a lab of a fleet has its own.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str] | None = None,
        connect: Callable[[], Workspace] | None = None,
    ) -> None:
        self._settings = settings
        self._environ = cli.environment() if environ is None else environ
        self._new_connection = connect or (lambda: connected(settings))
        self._workspace: Workspace | None = None
        self.now = LastKnownClock(self._environ)
        self._memory: Ledger | None = None
        """Ledger in memory, used while the ledger is unavailable."""
        self._pause = FIRST_PAUSE
        self._board = BoardFile(settings)
        self._has_worked = False
        """Whether the ledger has been opened before."""

    def clusters(self, moment: datetime) -> Iterable[ObservedCluster] | None:
        """Return the clusters in the workspace; None if they cannot be listed."""
        try:
            return self._connect().clusters(now=moment)
        except SettingsError as error:
            cli.fail(*error.problems)
        except WorkspaceError as error:
            print_problem(error)
            return None

    def tick(self, budget: timedelta = BUDGET) -> TickSummary | timedelta:
        """Run a poll that takes at most `budget`.

        Return its summary, or how long to wait if another run holds the lock or the workspace cannot be used.
        """
        try:
            with ledger_lock(self._settings.ledger_location) as alone:
                if alone:
                    return self._tick_alone(budget)
        except LedgerUnavailable as error:
            with supervised(self._settings, now=self.now()) as run:
                raise error
            return self._tick_without_ledger(run, budget)
        except LedgerSettingsError as error:
            if not self._has_worked:
                raise
            with supervised(self._settings, now=self.now()) as run:
                raise LedgerUnavailable(error) from None  # the ledger worked before, so the settings are correct
            return self._tick_without_ledger(run, budget)
        log.info("another run holds the lock; next attempt in %d seconds", LOCK_PAUSE.total_seconds())
        return LOCK_PAUSE

    def _tick_without_ledger(self, run: Supervision, budget: timedelta) -> timedelta:
        """Stop clusters over a limit. Return how long to wait before the ledger is retried."""
        if self._memory is None:
            self._memory = empty_copy()
        trouble = run.ledger_error or LedgerUnavailable(RuntimeError("the poll ended unexpectedly"))
        is_rehearsal = bool(self._environ.get("LAB_CLOCK"))
        workspace = self._workspace_or_error()
        run_without_ledger(
            self._settings, trouble, run, workspace, self._memory, deadline=Deadline(budget), is_rehearsal=is_rehearsal
        )
        if isinstance(workspace, WorkspaceError):
            self._workspace = None
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return self._pause

    def _tick_alone(self, budget: timedelta) -> TickSummary | timedelta:
        settings = self._settings
        deadline, now = Deadline(budget), self.now()
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
            self._board.refresh(ledger, now=time.now)
            if result.snapshot:
                had_to_stop = any(isinstance(action, Stop) for action in result.actions)
                due = next_try(ledger, settings, now=time.now)
                problems = tuple(failure for failure in result.problems if failure != result.hold_notice)
                summary = TickSummary(result.snapshot, problems, had_to_stop, due, is_holding=bool(result.hold_notice))
            else:
                # Credentials may have been replaced meanwhile.
                self._workspace = None
        if run.ledger_error:
            return self._tick_without_ledger(run, budget)
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
            self._workspace = self._new_connection()
        return self._workspace

    def report_crash(self, error: BaseException) -> None:
        """Mail the admin that a turn ended unexpectedly."""
        Supervision(self._settings, now=self.now()).notify_admin(error)
