"""Sends many requests at once: worker threads, rate limits, retries and shutdown.

A `Work` provides the tasks and classifies their outcomes; a `limiter.Limiter` limits the rate of each API. The
function that sends requests is passed to `WorkerPools.run` and runs in every worker.
"""

import heapq
import itertools
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from inventory.transport.limiter import Limiter
from inventory.transport.response import Response, TransportError
from inventory.transport.retry import Retry, Unauthorized, is_rate_limited

FLUSH_SECONDS = 0.4
"""Seconds between two flushes; a killed process loses at most the work done in this time."""
MAX_SLEEP_SECONDS = 0.25
"""Maximum seconds for which a waiting worker sleeps before it checks again for a stop or a higher rate."""
Task = TypeVar("Task")
Result = TypeVar("Result")


class RateGate:
    """A limiter that threads pass one at a time."""

    def __init__(self, limiter: Limiter, stop: threading.Event) -> None:
        self._limiter, self._stop = limiter, stop
        self._turn, self._lock = threading.Lock(), threading.Lock()

    def acquire(self) -> float | None:
        """Wait for the next slot; return its time, or None if `stop` was set."""
        with self._turn:
            while not self._stop.is_set():
                with self._lock:
                    now = time.monotonic()
                    wait = self._limiter.acquire(now)
                if wait == 0:
                    return now
                time.sleep(min(wait, MAX_SLEEP_SECONDS))
        return None

    def record(self, outcome: Response | TransportError, sent_at: float) -> None:
        """Pass the outcome of a request to the limiter."""
        if isinstance(outcome, TransportError):
            return
        with self._lock:
            now = time.monotonic()
            if is_rate_limited(outcome):
                self._limiter.record_rate_limit(now, sent_at=sent_at, retry_after=outcome.retry_after)
            else:
                self._limiter.record_success(now)


@dataclass
class WorkItem(Generic[Task, Result]):
    """One task and its cost so far.

    A worker sets the `outcome`: `if item.wait_for_turn(): with item: item.outcome = ...`. The `with` measures the
    request and stores a TransportError as the outcome. A worker that needs no request sets `result` instead.
    """

    task: Task
    api: str
    gate: RateGate
    requests: int = 0
    rate_limited: int = 0
    """Number of requests that were rate limited."""
    seconds: float = 0.0
    """Seconds spent waiting for responses."""
    outcome: Response | TransportError | None = None
    """The outcome of the last request; None if no request was sent because of a stop."""
    result: Result | None = None
    """The result of a task that needed no request."""
    _sent_at: float = 0.0

    def wait_for_turn(self) -> bool:
        """Wait until the API's limiter permits a request. Return False if `stop` was set."""
        self.outcome = None
        sent_at = self.gate.acquire()
        self._sent_at = sent_at or 0.0
        return sent_at is not None

    def __enter__(self) -> None:
        """Start to measure the request."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Record the outcome. Any error other than TransportError is raised."""
        if isinstance(error, TransportError):
            self.outcome = error
        elif error is not None:
            return False
        assert self.outcome is not None, "the worker did not set an outcome"
        self.gate.record(self.outcome, self._sent_at)
        self.seconds += time.monotonic() - self._sent_at
        return True


class Work(Protocol[Task, Result]):
    """A source of tasks. A task is one request, repeated until it has a result, which may add further tasks.

    All methods are called by the thread that runs the pools.
    """

    def next_item(self, apis: Sequence[str]) -> tuple[str, Task] | None:
        """Return the next task for one of these APIs, with the API; None if no task is available now."""
        ...

    def classify(self, task: Task, outcome: Response | TransportError, tries: int) -> Result | Retry | Unauthorized:
        """Classify the outcome of the `tries`th attempt."""
        ...

    def abandon(self, task: Task, reason: str) -> Result:
        """Return the result of a task that is not sent because the credential is no longer accepted."""
        ...

    def complete(self, item: WorkItem[Task, Result], result: Result) -> None:
        """Process the result of a task."""
        ...

    def flush(self) -> None:
        """Store completed tasks durably; called regularly and at the end."""
        ...

    def __len__(self) -> int:
        """Return the number of known tasks that `next_item` has not returned yet."""
        ...


@dataclass(frozen=True)
class Pool:
    """The number of workers for one or more APIs, each of which has its own limiter."""

    apis: Sequence[str]
    workers: int


@dataclass
class _PoolState(Generic[Task, Result]):
    """A running pool. At most a few more items than workers are in progress, so that stopping is quick."""

    pool: Pool
    items: queue.SimpleQueue[WorkItem[Task, Result] | None] = field(default_factory=queue.SimpleQueue)
    requeued: deque[WorkItem[Task, Result]] = field(default_factory=deque)
    """Items to retry."""
    in_flight: int = 0


Items = Iterator[WorkItem[Task, Result]]


class WorkerPools(Generic[Task, Result]):
    """Runs all tasks of a `Work`. `requests` and `rate_limited` are counted by API.

    Once `should_drain` returns True, no further task is started; started tasks are finished, including retries.
    """

    def __init__(
        self,
        work: Work[Task, Result],
        *,
        pools: Sequence[Pool],
        limiters: Mapping[str, Limiter],
        stop: threading.Event,
        should_drain: Callable[[], bool] = lambda: False,
    ) -> None:
        self._work, self._stop, self._limiters, self._should_drain = work, stop, limiters, should_drain
        self._gates = {api: RateGate(limiter, stop) for api, limiter in limiters.items()}
        self._pool_states: list[_PoolState[Task, Result]] = [_PoolState(pool) for pool in pools]
        self._returned: queue.SimpleQueue[tuple[_PoolState[Task, Result], WorkItem[Task, Result]] | BaseException]
        self._returned = queue.SimpleQueue()
        self._delayed: list[tuple[float, int, _PoolState[Task, Result], WorkItem[Task, Result]]] = []
        self._sequence = itertools.count()
        self._unauthorized_reason = ""
        self.requests: Counter[str] = Counter()
        self.rate_limited: Counter[str] = Counter()

    @property
    def rates(self) -> dict[str, float]:
        """The permitted rates in requests per second, by API."""
        return {api: limiter.rate for api, limiter in self._limiters.items()}

    @property
    def waiting(self) -> int:
        """The number of known tasks that are not finished."""
        return (
            len(self._work)
            + len(self._delayed)
            + sum(state.in_flight + len(state.requeued) for state in self._pool_states)
        )

    def run(self, worker: Callable[[Items[Task, Result]], None], report: Callable[[], None] = lambda: None) -> bool:
        """Work until no task is left, or until `stop` is set and no request is in flight. Return whether none is left.

        Each worker thread runs `worker` once, with its items. `report` is called a few times a second, after a flush.
        """
        threads = [
            threading.Thread(target=self._run_worker, args=(state, worker), daemon=True)
            for state in self._pool_states
            for _ in range(state.pool.workers)
        ]
        for thread in threads:
            thread.start()
        try:
            self._run_loop(report)
        finally:
            for state in self._pool_states:
                for _ in range(state.pool.workers):
                    state.items.put(None)
        for thread in threads:
            thread.join()
        return not (self._delayed or len(self._work) or any(state.requeued for state in self._pool_states))

    def _run_worker(self, state: _PoolState[Task, Result], worker: Callable[[Items[Task, Result]], None]) -> None:
        """Run one worker thread. Exceptions are re-raised in the main thread."""
        try:
            worker(self._items(state))
        except BaseException as error:  # noqa: BLE001 - re-raised in the main thread
            self._returned.put(error)

    def _items(self, state: _PoolState[Task, Result]) -> Items[Task, Result]:
        """Yield the items of one worker; an item is returned when the worker asks for the next one."""
        while (item := state.items.get()) is not None:
            yield item
            self._returned.put((state, item))

    def _run_loop(self, report: Callable[[], None]) -> None:
        flush_at = time.monotonic() + FLUSH_SECONDS
        while True:
            now = time.monotonic()
            if not self._stop.is_set():
                self._dispatch(now)
            in_flight = any(state.in_flight for state in self._pool_states)
            if not in_flight and (self._stop.is_set() or not self._delayed):
                self._flush(report)
                # Further tasks may have been waiting for this flush.
                if self._stop.is_set() or self._should_drain() or not len(self._work):
                    break
                continue
            if now >= flush_at:
                self._flush(report)
                flush_at = time.monotonic() + FLUSH_SECONDS
            timeout = min([flush_at - now, *(entry[0] - now for entry in self._delayed[:1])])
            self._collect(max(0.0, timeout))

    def _dispatch(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            _, _, state, retry = heapq.heappop(self._delayed)
            state.requeued.append(retry)
        for state in self._pool_states:
            while state.in_flight < 2 * state.pool.workers:
                item = state.requeued.popleft() if state.requeued else self._next_item(state)
                if item is None:
                    break
                if self._unauthorized_reason:
                    self._work.complete(item, self._work.abandon(item.task, self._unauthorized_reason))
                    continue
                state.in_flight += 1
                state.items.put(item)

    def _next_item(self, state: _PoolState[Task, Result]) -> WorkItem[Task, Result] | None:
        taken = None if self._should_drain() else self._work.next_item(state.pool.apis)
        return WorkItem(taken[1], taken[0], self._gates[taken[0]]) if taken else None

    def _collect(self, timeout: float) -> None:
        """Wait for a returned item, and handle all returned items."""
        try:
            returned = self._returned.get(timeout=timeout)
            while True:
                if isinstance(returned, BaseException):
                    raise returned
                self._handle(*returned)
                returned = self._returned.get_nowait()
        except queue.Empty:
            return

    def _handle(self, state: _PoolState[Task, Result], item: WorkItem[Task, Result]) -> None:
        state.in_flight -= 1
        if item.result is not None:
            self._work.complete(item, item.result)
            return
        if item.outcome is None:
            state.requeued.append(item)
            return
        item.requests += 1
        self.requests[item.api] += 1
        if is_rate_limited(item.outcome):
            item.rate_limited += 1
            self.rate_limited[item.api] += 1
        classified = self._work.classify(item.task, item.outcome, item.requests)
        if isinstance(classified, Retry):
            heapq.heappush(self._delayed, (time.monotonic() + classified.delay, next(self._sequence), state, item))
        elif isinstance(classified, Unauthorized):
            self._unauthorized_reason = classified.reason
            self._work.complete(item, self._work.abandon(item.task, classified.reason))
        else:
            self._work.complete(item, classified)

    def _flush(self, report: Callable[[], None]) -> None:
        self._work.flush()
        report()
