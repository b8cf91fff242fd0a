"""Drives a scan on Spark: keeps its tasks busy, stores what they find, and outlives the sessions in which they run."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from inventory.scan.run import Run
from inventory.scan.visit import Progress, Visit
from inventory.spark import serialization
from inventory.spark.errors import SessionLost, SparkError
from inventory.spark.rate_share import Budget, Share
from inventory.spark.serialization import End
from inventory.spark.session import Opener, Session
from inventory.spark.work_queue import Deal
from inventory.spark.worker import Order
from inventory.tree.listing import SOURCES, Failure, Folder, Source

log = logging.getLogger(__name__)
TASK_SECONDS = 5.0
"""How long a task goes on: as much can be lost with it, and so long a slot can wait for a share of a large home."""
SHORT_TASK_SECONDS = 1.5
"""The same where other tasks have nothing to do."""
MOST_FILES = 50_000
"""After so many files a task ends, where rows of single files travel."""
MOST_SLOTS = 32
"""Tasks at once; an API is at its limit long before."""
TICK = 0.4
PATIENCE = 20.0
"""Seconds that tasks in flight have to come back when the scan is stopped."""
ATTEMPTS = 3
"""Sessions in a row in which nothing gets done, before the scan goes on without Spark."""
PAUSE = 2.0


@dataclass
class _Task:
    """One task in flight."""

    units: tuple[Folder, ...]
    shares: Mapping[Source, Share]


@dataclass(frozen=True)
class Manner:
    """How the folders are listed."""

    ceiling: float | None = None
    """Requests a second of each API, of all tasks together."""
    with_files: bool = False
    mounts: str | None = None
    workers: int = 64
    """Requests in flight of each API, of all tasks together."""
    parallel: bool = True
    """False: one task, one request after another."""
    timeout: float = 60.0


@dataclass
class SparkScan:
    """One run over what remains of a scan, like `scan_work.Scan`, in sessions of `opener`.

    Where no session can be had any more, the rest is listed from here, without Spark.
    """

    opener: Opener
    session: Session | None
    """The first one, which the caller has opened: what is wrong from the beginning is for a person to mend. In the end
    it is the last one, for the caller to close; None if no more could be had."""
    scan: Run
    manner: Manner
    stop: threading.Event
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        roots = self.scan.roots
        sources = [source for source in SOURCES if source in {root.source for root in roots}]
        self._walk = self.scan.remaining()
        self._deal = Deal(self._walk, sources, {root.place for root in roots})
        self._budgets = {source: Budget(self.manner.ceiling) for source in sources}
        self._flights: dict[Future[list[str]], _Task] = {}
        self._fruitless = 0

    def run(self, report: Callable[[Progress], None] = lambda progress: None) -> bool:
        """List until nothing is left, or until `stop` is set. Returns whether nothing is left.

        Raises SparkError for what no further attempt can mend.
        """
        threads = ThreadPoolExecutor(MOST_SLOTS, thread_name_prefix="spark")
        try:
            while self.session:
                try:
                    self._drive(self.session, threads, report)
                    return not len(self._deal)
                except SessionLost as lost:
                    self.session = self._next_session(self.session, lost)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            if self._flights and self.session:
                self.session.interrupt()
        if self.stop.is_set():
            return False
        log.warning("%s gives no session any more; going on from here, without it", self.opener.place.name)
        return self.scan.lister(self._walk, self.stop, self.progress).run(report)

    def _drive(self, session: Session, threads: ThreadPoolExecutor, report: Callable[[Progress], None]) -> None:
        """Use one session. Raises SessionLost when it is no more and everything in flight has ended."""
        given_up_at = None
        while True:
            if not self.stop.is_set():
                self._send(session, threads)
            elif given_up_at is None:
                given_up_at = time.monotonic() + PATIENCE
            elif time.monotonic() > given_up_at:
                session.interrupt()
            if not self._flights:
                return
            ended, _ = wait(self._flights, timeout=TICK, return_when=FIRST_COMPLETED)
            lost = self._take_in(ended)
            self._tell(report)
            if lost:
                session.interrupt()
                rest, _ = wait(self._flights)
                self._take_in(rest)
                if not self.stop.is_set():
                    raise lost

    def _send(self, session: Session, threads: ThreadPoolExecutor) -> None:
        slots = min(session.slots, MOST_SLOTS) if self.manner.parallel else 1
        while (free := slots - len(self._flights)) > 0 and len(self._deal):
            tasks = min(free, len(self._deal))
            units = self._deal.take(tasks)
            shares = {source: budget.lend(tasks) for source, budget in self._budgets.items()}
            order = Order(
                folders=units,
                deep=self._deal.is_deep(units),
                seconds=TASK_SECONDS if tasks == free else SHORT_TASK_SECONDS,
                most_files=MOST_FILES if self.manner.with_files else 20 * MOST_FILES,
                with_files=self.manner.with_files,
                shares=shares,
                workers=max(2, self.manner.workers // slots),
                parallel=self.manner.parallel,
                credential=session.credential,
                mounts=self.manner.mounts,
                timeout=self.manner.timeout,
            )
            self._flights[threads.submit(session.perform, order)] = _Task(units, shares)

    def _take_in(self, ended: Collection[Future[list[str]]]) -> SessionLost | None:
        """Store what tasks have found; the reason for which one has found nothing. Raises SparkError."""
        lost = None
        for future in ended:
            task = self._flights.pop(future)
            try:
                found = [serialization.read(line) for line in future.result()]
            except (SessionLost, SparkError) as error:
                self._deal.undone(task.units)
                for source, share in task.shares.items():
                    self._budgets[source].give_back(share)
                if isinstance(error, SparkError) and not self.stop.is_set():
                    raise
                lost = error if isinstance(error, SessionLost) else lost
                continue
            self._store(task, [each for each in found if isinstance(each, Visit)])
            for end in (each for each in found if isinstance(each, End)):
                self._learn(task, end)
        return lost

    def _store(self, task: _Task, visits: Sequence[Visit]) -> None:
        self.scan.store(visits)
        self._deal.done(task.units, visits)
        if visits:
            self._fruitless = 0
        for visit in visits:
            self.progress.visits += 1
            if not isinstance(visit.found, Failure):
                files = visit.found.files
                self.progress.files += files if isinstance(files, int) else len(files)
            elif not visit.found.missing:
                self.progress.failures += 1

    def _learn(self, task: _Task, end: End) -> None:
        self.progress.requests.update(end.requests)
        self.progress.refusals.update(end.refusals)
        for source, share in task.shares.items():
            self._budgets[source].give_back(
                share,
                requests=end.requests.get(source, 0),
                refusals=end.refusals.get(source, 0),
                rate=end.rates.get(source),
            )

    def _tell(self, report: Callable[[Progress], None]) -> None:
        in_flight = sum(len(task.units) for task in self._flights.values())
        self.progress.waiting = len(self._deal) + in_flight
        self.progress.open_users = len(self._walk.open)
        self.progress.rates = {source: budget.rate for source, budget in self._budgets.items()}
        report(self.progress)

    def _next_session(self, session: Session, lost: SessionLost) -> Session | None:
        """Another one, after a while; None when that does not help, or nobody wants it any more."""
        session.close()
        reason = lost
        while not self.stop.is_set():
            self._fruitless += 1
            if self._fruitless > ATTEMPTS:
                return None
            log.warning("%s; going on from the checkpoint in a new session", reason)
            self.stop.wait(PAUSE * (self._fruitless - 1))
            try:
                return self.opener.open()
            except SessionLost as error:
                reason = error
            except SparkError as error:
                log.warning("%s", error)
                return None
        return None
