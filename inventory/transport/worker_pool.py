"""Sends many requests at once: workers, their turns, retries, and when to stop.

Threads and time are here. A `Work` says what is next and what an answer means, `limiter.Limiter` how often an API may
be asked. The request itself is in the function that every worker runs: who has the work passes it to `WorkerPools.run`.
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
"""How much work is stored at once, and so how much a kill can lose at most."""
MAX_SLEEP_SECONDS = 0.25
"""Seconds after which a worker that waits for its turn looks whether it was stopped, or the rate has risen."""
Task = TypeVar("Task")
Result = TypeVar("Result")


class RateGate:
    """A limiter that threads pass one after another."""

    def __init__(self, limiter: Limiter, stop: threading.Event) -> None:
        self._limiter, self._stop = limiter, stop
        self._turn, self._lock = threading.Lock(), threading.Lock()

    def acquire(self) -> float | None:
        """Wait for the turn; the instant of it, or None if everything was stopped meanwhile."""
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
        """Let the limiter learn from an answer."""
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
    """One task and what it has cost so far.

    A worker gives it an `outcome`: `if item.wait_for_turn(): with item: item.outcome = ...`. The `with` measures the
    request and stores a TransportError as the outcome. A worker that needs no request sets `result` instead.
    """

    task: Task
    api: str
    gate: RateGate
    requests: int = 0
    rate_limited: int = 0
    """How many of the requests were refused because of the rate."""
    seconds: float = 0.0
    """Spent waiting for answers."""
    outcome: Response | TransportError | None = None
    """Of the last request; None: there was none, because everything was stopped."""
    result: Result | None = None
    """What took no request."""
    _sent_at: float = 0.0

    def wait_for_turn(self) -> bool:
        """Wait until the API may be asked. Returns False if everything was stopped meanwhile."""
        self.outcome = None
        sent_at = self.gate.acquire()
        self._sent_at = sent_at or 0.0
        return sent_at is not None

    def __enter__(self) -> None:
        """The request is sent now."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """The outcome is there. Any error but TransportError is raised."""
        if isinstance(error, TransportError):
            self.outcome = error
        elif error is not None:
            return False
        assert self.outcome is not None, "a request has an outcome"
        self.gate.record(self.outcome, self._sent_at)
        self.seconds += time.monotonic() - self._sent_at
        return True


class Work(Protocol[Task, Result]):
    """What is to be done. A task is one request, repeated until it has a result, which may bring further tasks.

    All of it is called by the thread that runs the pools.
    """

    def next_item(self, apis: Sequence[str]) -> tuple[str, Task] | None:
        """The next task of one of these APIs, and which; None while there is none."""
        ...

    def classify(self, task: Task, outcome: Response | TransportError, tries: int) -> Result | Retry | Unauthorized:
        """What the outcome of the `tries`th request means."""
        ...

    def abandon(self, task: Task, reason: str) -> Result:
        """The result of a task that is never sent, because the credential is not accepted any more."""
        ...

    def complete(self, item: WorkItem[Task, Result], result: Result) -> None:
        """Take the result of a task."""
        ...

    def flush(self) -> None:
        """Store for good what is complete; called from time to time and at the end."""
        ...

    def __len__(self) -> int:
        """How many tasks are known and not taken."""
        ...


@dataclass(frozen=True)
class Pool:
    """How many workers there are for some APIs, each of which has a limit of its own."""

    apis: Sequence[str]
    workers: int


@dataclass
class _PoolState(Generic[Task, Result]):
    """A pool at work. Few more items than workers are handed out, so that stopping is quick."""

    pool: Pool
    items: queue.SimpleQueue[WorkItem[Task, Result] | None] = field(default_factory=queue.SimpleQueue)
    requeued: deque[WorkItem[Task, Result]] = field(default_factory=deque)
    """Items to be handed out again."""
    in_flight: int = 0


Items = Iterator[WorkItem[Task, Result]]


class WorkerPools(Generic[Task, Result]):
    """One run over all of a `Work`. `requests` and `refusals` are counted by API while it runs.

    Once `enough` says so, no further task is begun; those that were begun are finished, with all their retries.
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
        """What the limiters permit, requests a second."""
        return {api: limiter.rate for api, limiter in self._limiters.items()}

    @property
    def waiting(self) -> int:
        """How many tasks are known and not finished."""
        return (
            len(self._work)
            + len(self._delayed)
            + sum(crew.in_flight + len(crew.requeued) for crew in self._pool_states)
        )

    def run(self, worker: Callable[[Items[Task, Result]], None], report: Callable[[], None] = lambda: None) -> bool:
        """Work until nothing is left, or until `stop` is set and what is in flight has come back.

        Every worker runs `worker` once, with the items that it is to send. Returns whether nothing is left. `report` is
        called a few times a second, after what is complete was stored.
        """
        threads = [
            threading.Thread(target=self._run_worker, args=(crew, worker), daemon=True)
            for crew in self._pool_states
            for _ in range(crew.pool.workers)
        ]
        for thread in threads:
            thread.start()
        try:
            self._run_loop(report)
        finally:
            for crew in self._pool_states:
                for _ in range(crew.pool.workers):
                    crew.items.put(None)
        for thread in threads:
            thread.join()
        return not (self._delayed or len(self._work) or any(crew.requeued for crew in self._pool_states))

    def _run_worker(self, state: _PoolState[Task, Result], worker: Callable[[Items[Task, Result]], None]) -> None:
        """What one thread does. An exception is raised again in the main thread, which knows what to do."""
        try:
            worker(self._items(state))
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            self._returned.put(error)

    def _items(self, state: _PoolState[Task, Result]) -> Items[Task, Result]:
        """The items for one worker; each goes back when the worker asks for the next."""
        while (item := state.items.get()) is not None:
            yield item
            self._returned.put((state, item))

    def _run_loop(self, report: Callable[[], None]) -> None:
        flush_at = time.monotonic() + FLUSH_SECONDS
        while True:
            now = time.monotonic()
            if not self._stop.is_set():
                self._dispatch(now)
            in_flight = any(crew.in_flight for crew in self._pool_states)
            if not in_flight and (self._stop.is_set() or not self._delayed):
                self._flush(report)
                # What was stored may be what further tasks waited for.
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
            _, _, crew, retry = heapq.heappop(self._delayed)
            crew.requeued.append(retry)
        for crew in self._pool_states:
            while crew.in_flight < 2 * crew.pool.workers:
                item = crew.requeued.popleft() if crew.requeued else self._next_item(crew)
                if item is None:
                    break
                if self._unauthorized_reason:
                    self._work.complete(item, self._work.abandon(item.task, self._unauthorized_reason))
                    continue
                crew.in_flight += 1
                crew.items.put(item)

    def _next_item(self, state: _PoolState[Task, Result]) -> WorkItem[Task, Result] | None:
        taken = None if self._should_drain() else self._work.next_item(state.pool.apis)
        return WorkItem(taken[1], taken[0], self._gates[taken[0]]) if taken else None

    def _collect(self, timeout: float) -> None:
        """Handle what has come back; wait for the first of it."""
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
