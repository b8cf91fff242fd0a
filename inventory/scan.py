"""Lists folder after folder with many workers until none is left. Threads and time are here; what to do is decided
elsewhere: `listing.Walk` says what is next, `limiter.Limiter` when, `attempts.judge` what an answer means.
"""

import heapq
import itertools
import queue
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from inventory.attempts import Again, Locked, is_limit, judge
from inventory.client import Answer, Broken
from inventory.limiter import Limiter
from inventory.listing import SOURCES, Failure, Folder, Listing, Source, Walk

ADDRESSES: dict[Source, str] = {"dbfs": "/api/2.0/dbfs/list", "workspace": "/api/2.0/workspace/list"}
BATCH_SECONDS = 0.4
"""How much work is kept at once, and so how much a kill can lose at most."""
LONGEST_SLEEP = 0.25
"""Seconds after which a worker that waits for its turn looks whether the scan was stopped, or the rate has risen."""


@dataclass(frozen=True)
class Visit:
    """What became of one folder, and what it cost."""

    folder: Folder
    found: Listing | Failure
    requests: int = 0
    refusals: int = 0
    """How many of the requests were refused because of the rate."""
    seconds: float = 0.0
    """Spent waiting for answers."""


@dataclass
class Progress:
    """How far the scan is. `waiting` folders are known and not listed; more may turn up."""

    visits: int = 0
    failures: int = 0
    files: int = 0
    waiting: int = 0
    requests: Counter[Source] = field(default_factory=Counter)
    refusals: Counter[Source] = field(default_factory=Counter)
    rates: dict[Source, float] = field(default_factory=dict)
    """What the limiters permit, requests a second."""
    open_users: int = 0
    """Users of whom something is waiting."""


@dataclass
class _Task:
    folder: Folder
    requests: int = 0
    refusals: int = 0
    seconds: float = 0.0


@dataclass
class _Pool:
    """Workers for some file systems. Few more tasks than workers are handed out, so that stopping is quick."""

    sources: Sequence[Source]
    workers: int
    tasks: "queue.SimpleQueue[_Task | None]" = field(default_factory=queue.SimpleQueue)
    due: deque[_Task] = field(default_factory=deque)
    """Retries whose time has come."""
    out: int = 0


class _Gate:
    """A limiter that threads pass one after another."""

    def __init__(self, limiter: Limiter, stop: threading.Event) -> None:
        self._limiter, self._stop = limiter, stop
        self._turn, self._lock = threading.Lock(), threading.Lock()

    def enter(self) -> float | None:
        """Wait for the turn; the instant of it, or None if the scan was stopped meanwhile."""
        with self._turn:
            while not self._stop.is_set():
                with self._lock:
                    now = time.monotonic()
                    wait = self._limiter.wait(now)
                if wait == 0:
                    return now
                time.sleep(min(wait, LONGEST_SLEEP))
        return None

    def tell(self, outcome: Answer | Broken, sent_at: float) -> None:
        """Let the limiter learn from an answer."""
        if isinstance(outcome, Broken):
            return
        with self._lock:
            now = time.monotonic()
            if is_limit(outcome):
                self._limiter.refused(now, sent_at=sent_at, retry_after=outcome.retry_after)
            else:
                self._limiter.allowed(now)


class Api(Protocol):
    """What is asked of a client; see `client.Client`."""

    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """One request. Raises Broken."""
        ...

    def close(self) -> None:
        """The calling thread asks for nothing more."""
        ...


class Scan:
    """One run over everything that `walk` knows.

    `keep` is called from time to time with what was visited since; it stores that for good before it returns.
    `workers` is how many for each of the two file systems; without `parallel` a single one does everything. `chance`
    gives numbers from 0 to 1, by which the delay before a retry is drawn.
    """

    def __init__(
        self,
        client: Api,
        walk: Walk,
        keep: Callable[[Sequence[Visit]], None],
        *,
        limiters: Mapping[Source, Limiter],
        workers: int = 64,
        parallel: bool = True,
        stop: threading.Event,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client, self._walk, self._keep, self._stop = client, walk, keep, stop
        self._limiters = limiters
        self._gates = {source: _Gate(limiter, stop) for source, limiter in limiters.items()}
        groups: list[Sequence[Source]] = [[source] for source in SOURCES] if parallel else [SOURCES]
        self._pools = [_Pool(sources, workers if parallel else 1) for sources in groups]
        self._outcomes: queue.SimpleQueue[tuple[_Pool, _Task, Answer | Broken | BaseException | None]]
        self._outcomes = queue.SimpleQueue()
        self._later: list[tuple[float, int, _Pool, _Task]] = []
        self._order = itertools.count()
        self._batch: list[Visit] = []
        self._locked = ""
        self._chance = chance
        self.progress = Progress()

    def run(self, report: Callable[[Progress], None] = lambda progress: None) -> bool:
        """List until nothing is left, or until `stop` is set and what is in flight has come back.

        Returns whether nothing is left. `report` is called a few times a second.
        """
        threads = [
            threading.Thread(target=self._work, args=(pool,), daemon=True)
            for pool in self._pools
            for _ in range(pool.workers)
        ]
        for thread in threads:
            thread.start()
        try:
            self._drive(report)
        finally:
            for pool in self._pools:
                for _ in range(pool.workers):
                    pool.tasks.put(None)
        for thread in threads:
            thread.join()
        return not (self._later or len(self._walk) or any(pool.due for pool in self._pools))

    def _drive(self, report: Callable[[Progress], None]) -> None:
        flush_at = time.monotonic() + BATCH_SECONDS
        while True:
            now = time.monotonic()
            if not self._stop.is_set():
                self._hand_out(now)
            out = any(pool.out for pool in self._pools)
            if not out and (self._stop.is_set() or not self._later):
                break
            if now >= flush_at:
                self._flush(report)
                flush_at = time.monotonic() + BATCH_SECONDS
            patience = min([flush_at - now, *(entry[0] - now for entry in self._later[:1])])
            self._take_in(max(0.0, patience))
        self._flush(report)

    def _hand_out(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            _, _, pool, retry = heapq.heappop(self._later)
            pool.due.append(retry)
        for pool in self._pools:
            while pool.out < 2 * pool.workers:
                task: _Task | None = pool.due.popleft() if pool.due else self._next(pool)
                if task is None:
                    break
                if self._locked:
                    self._finish(task, Failure(task.folder.path, self._locked))
                    continue
                pool.out += 1
                pool.tasks.put(task)

    def _next(self, pool: _Pool) -> _Task | None:
        folder = self._walk.take(*pool.sources)
        return _Task(folder) if folder else None

    def _take_in(self, patience: float) -> None:
        """Handle what has come back; wait for the first of it."""
        try:
            back = self._outcomes.get(timeout=patience)
            while True:
                self._handle(*back)
                back = self._outcomes.get_nowait()
        except queue.Empty:
            return

    def _handle(self, pool: _Pool, task: _Task, outcome: Answer | Broken | BaseException | None) -> None:
        pool.out -= 1
        if outcome is None:
            pool.due.append(task)
            return
        if not isinstance(outcome, Answer | Broken):
            raise outcome
        source = task.folder.source
        task.requests += 1
        self.progress.requests[source] += 1
        if is_limit(outcome):
            task.refusals += 1
            self.progress.refusals[source] += 1
        meaning = judge(task.folder, outcome, task.requests, self._chance)
        if isinstance(meaning, Again):
            heapq.heappush(self._later, (time.monotonic() + meaning.delay, next(self._order), pool, task))
        elif isinstance(meaning, Locked):
            self._locked = meaning.reason
            self._finish(task, Failure(task.folder.path, meaning.reason))
        else:
            self._finish(task, meaning)

    def _finish(self, task: _Task, found: Listing | Failure) -> None:
        self._walk.visited(task.folder, found)
        if isinstance(found, Listing):
            self.progress.files += len(found.files)
        elif not found.missing:
            self.progress.failures += 1
        self.progress.visits += 1
        self._batch.append(Visit(task.folder, found, task.requests, task.refusals, task.seconds))

    def _flush(self, report: Callable[[Progress], None]) -> None:
        if self._batch:
            self._keep(self._batch)
            self._batch = []
        self.progress.waiting = len(self._walk) + len(self._later) + sum(p.out + len(p.due) for p in self._pools)
        self.progress.open_users = len(self._walk.open)
        self.progress.rates = {source: limiter.rate for source, limiter in self._limiters.items()}
        report(self.progress)

    def _work(self, pool: _Pool) -> None:
        """What one thread does. Whatever goes wrong travels to the main thread, which knows what to do."""
        outcome: Answer | Broken | BaseException | None
        while (task := pool.tasks.get()) is not None:
            try:
                outcome = self._ask(task)
            except BaseException as error:  # noqa: BLE001 - raised again in the main thread
                outcome = error
            self._outcomes.put((pool, task, outcome))
        self._client.close()

    def _ask(self, task: _Task) -> Answer | Broken | None:
        source = task.folder.source
        sent_at = self._gates[source].enter()
        if sent_at is None:
            return None
        outcome: Answer | Broken
        try:
            outcome = self._client.get(ADDRESSES[source], {"path": task.folder.path})
        except Broken as error:
            outcome = error
        self._gates[source].tell(outcome, sent_at)
        task.seconds += time.monotonic() - sent_at
        return outcome
