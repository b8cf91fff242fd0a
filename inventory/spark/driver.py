"""Runs a scan on Spark: keeps tasks running, stores their results, and replaces lost sessions."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from inventory.scan.run import ScanRun
from inventory.scan.visit import ScanProgress, Visit
from inventory.spark import serialization
from inventory.spark.errors import SessionLost, SparkError
from inventory.spark.rate_share import RateBudget, RateShare
from inventory.spark.serialization import TaskEnd
from inventory.spark.session import ExecutorSession, SessionOpener
from inventory.spark.work_queue import WorkQueue
from inventory.spark.worker import TaskSpec
from inventory.tree.listing import SOURCES, Failure, Folder, Source

log = logging.getLogger(__name__)
TASK_SECONDS = 5.0
"""Seconds per task. A lost task loses this much work, and a free slot may wait this long for folders in a large
home."""
SHORT_TASK_SECONDS = 1.5
"""Seconds per task while other slots are idle."""
MAX_FILES = 50_000
"""Number of files after which a task ends, if it returns file rows."""
MAX_SLOTS = 32
"""Maximum number of concurrent tasks; the rate limit of an API is reached with far fewer."""
WAIT_SECONDS = 0.4
DRAIN_SECONDS = 20.0
"""Seconds that running tasks have to end after a stop."""
MAX_ATTEMPTS = 3
"""Maximum number of consecutive sessions without a result before the scan continues without Spark."""
RETRY_PAUSE_SECONDS = 2.0


@dataclass
class _RunningTask:
    """A running task and its rate shares."""

    units: tuple[Folder, ...]
    shares: Mapping[Source, RateShare]


@dataclass(frozen=True)
class SparkOptions:
    """How to list folders on executors."""

    max_requests_per_second: float | None = None
    """Maximum requests per second for each API, for all tasks together."""
    with_files: bool = False
    mounts: str | None = None
    workers: int = 64
    """Maximum concurrent requests for each API, for all tasks together."""
    parallel: bool = True
    """False means one task that sends one request at a time."""
    timeout: float = 60.0


@dataclass
class SparkScan:
    """Scans the remaining folders like `scan_work.FolderScan`, in sessions from `opener`.

    If no further session can be opened, the remaining folders are listed without Spark.
    """

    opener: SessionOpener
    session: ExecutorSession | None
    """The current session. The caller opens the first one, so that errors at startup are reported, and closes the last
    one. None if it was lost and no further session could be opened."""
    scan_run: ScanRun
    options: SparkOptions
    stop: threading.Event
    progress: ScanProgress = field(default_factory=ScanProgress)

    def __post_init__(self) -> None:
        roots = self.scan_run.roots
        sources = [source for source in SOURCES if source in {root.source for root in roots}]
        self._folders = self.scan_run.remaining_folders()
        self._queue = WorkQueue(self._folders, sources, {root.key for root in roots})
        self._budgets = {source: RateBudget(self.options.max_requests_per_second) for source in sources}
        self._running: dict[Future[list[str]], _RunningTask] = {}
        self._failed_attempts = 0

    def run(self, report: Callable[[ScanProgress], None] = lambda progress: None) -> bool:
        """List until no folder is left or `stop` is set. Return whether no folder is left.

        Raises SparkError for an error that a retry cannot fix.
        """
        threads = ThreadPoolExecutor(MAX_SLOTS, thread_name_prefix="spark")
        try:
            while self.session:
                try:
                    self._use_session(self.session, threads, report)
                    return not len(self._queue)
                except SessionLost as lost:
                    self.session = self._next_session(self.session, lost)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            if self._running and self.session:
                self.session.interrupt()
        if self.stop.is_set():
            return False
        log.warning("no further session can be opened with %s; continuing without Spark", self.opener.server_label.name)
        return self.scan_run.local_scan(self._folders, self.stop, self.progress).run(report)

    def _use_session(
        self, session: ExecutorSession, threads: ThreadPoolExecutor, report: Callable[[ScanProgress], None]
    ) -> None:
        """Run tasks in one session. Raises SessionLost after its running tasks have ended."""
        interrupt_at = None
        while True:
            if not self.stop.is_set():
                self._start_tasks(session, threads)
            elif interrupt_at is None:
                interrupt_at = time.monotonic() + DRAIN_SECONDS
            elif time.monotonic() > interrupt_at:
                session.interrupt()
            if not self._running:
                return
            ended, _ = wait(self._running, timeout=WAIT_SECONDS, return_when=FIRST_COMPLETED)
            lost = self._collect(ended)
            self._report_progress(report)
            if lost:
                session.interrupt()
                rest, _ = wait(self._running)
                self._collect(rest)
                if not self.stop.is_set():
                    raise lost

    def _start_tasks(self, session: ExecutorSession, threads: ThreadPoolExecutor) -> None:
        slots = min(session.slots, MAX_SLOTS) if self.options.parallel else 1
        while (free := slots - len(self._running)) > 0 and len(self._queue):
            tasks = min(free, len(self._queue))
            units = self._queue.next_units(tasks)
            shares = {source: budget.lend(tasks) for source, budget in self._budgets.items()}
            spec = TaskSpec(
                folders=units,
                recursive=self._queue.is_recursive(units),
                seconds=TASK_SECONDS if tasks == free else SHORT_TASK_SECONDS,
                max_files=MAX_FILES if self.options.with_files else 20 * MAX_FILES,
                with_files=self.options.with_files,
                shares=shares,
                workers=max(2, self.options.workers // slots),
                parallel=self.options.parallel,
                credential_file=session.credential_file,
                mounts=self.options.mounts,
                timeout=self.options.timeout,
            )
            self._running[threads.submit(session.run_task, spec)] = _RunningTask(units, shares)

    def _collect(self, ended: Collection[Future[list[str]]]) -> SessionLost | None:
        """Store the results of finished tasks; return the error of a lost task, if any. Raises SparkError."""
        lost = None
        for future in ended:
            task = self._running.pop(future)
            try:
                found = [serialization.parse_line(line) for line in future.result()]
            except (SessionLost, SparkError) as error:
                self._queue.requeue(task.units)
                for source, share in task.shares.items():
                    self._budgets[source].release(share)
                if isinstance(error, SparkError) and not self.stop.is_set():
                    raise
                lost = error if isinstance(error, SessionLost) else lost
                continue
            self._store(task, [each for each in found if isinstance(each, Visit)])
            for end in (each for each in found if isinstance(each, TaskEnd)):
                self._update_budgets(task, end)
        return lost

    def _store(self, task: _RunningTask, visits: Sequence[Visit]) -> None:
        self.scan_run.store(visits)
        self._queue.complete(task.units, visits)
        if visits:
            self._failed_attempts = 0
        for visit in visits:
            self.progress.visits += 1
            if not isinstance(visit.result, Failure):
                files = visit.result.files
                self.progress.files += files if isinstance(files, int) else len(files)
            elif not visit.result.missing:
                self.progress.failures += 1

    def _update_budgets(self, task: _RunningTask, end: TaskEnd) -> None:
        self.progress.requests.update(end.requests)
        self.progress.rate_limited.update(end.rate_limited)
        for source, share in task.shares.items():
            self._budgets[source].release(
                share,
                requests=end.requests.get(source, 0),
                rate_limited=end.rate_limited.get(source, 0),
                rate=end.rates.get(source),
            )

    def _report_progress(self, report: Callable[[ScanProgress], None]) -> None:
        in_flight = sum(len(task.units) for task in self._running.values())
        self.progress.waiting = len(self._queue) + in_flight
        self.progress.unfinished_users = len(self._folders.open_folders)
        self.progress.rates = {source: budget.rate for source, budget in self._budgets.items()}
        report(self.progress)

    def _next_session(self, session: ExecutorSession, lost: SessionLost) -> ExecutorSession | None:
        """Open a new session after a pause; return None if this fails or the scan was stopped."""
        session.close()
        reason = lost
        while not self.stop.is_set():
            self._failed_attempts += 1
            if self._failed_attempts > MAX_ATTEMPTS:
                return None
            log.warning("%s; continuing from the checkpoint in a new session", reason)
            self.stop.wait(RETRY_PAUSE_SECONDS * (self._failed_attempts - 1))
            try:
                return self.opener.open()
            except SessionLost as error:
                reason = error
            except SparkError as error:
                log.warning("%s", error)
                return None
        return None
