"""Sends request after request with many workers until no work is left. Threads and time are here; what to do is decided
elsewhere: a `Work` says what is next and what an answer means, `limiter.Limiter` when it may be asked.
"""

import heapq
import itertools
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from inventory.transport.answer import Answer, Broken
from inventory.transport.limiter import Limiter
from inventory.transport.retry import Again, Locked, is_limit

BATCH_SECONDS = 0.4
"""How much work is kept at once, and so how much a kill can lose at most."""
LONGEST_SLEEP = 0.25
"""Seconds after which a worker that waits for its turn looks whether it was stopped, or the rate has risen."""
Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass
class Errand(Generic[Task]):
    """One task and what it has cost so far."""

    task: Task
    api: str
    requests: int = 0
    refusals: int = 0
    """How many of the requests were refused because of the rate."""
    seconds: float = 0.0
    """Spent waiting for answers."""


class Work(Protocol[Task, Result]):
    """What is to be done. A task is one request, repeated until it has a result, which may bring further tasks.

    `ask` is called by the workers, everything else by the thread that runs the engine.
    """

    def take(self, apis: Sequence[str]) -> tuple[str, Task] | None:
        """The next task of one of these APIs, and which; None while there is none."""
        ...

    def ask(self, api: str, task: Task) -> Answer | Broken:
        """Send the request. May raise Broken as well."""
        ...

    def judge(self, task: Task, outcome: Answer | Broken, tries: int) -> Result | Again | Locked:
        """What the outcome of the `tries`th request means."""
        ...

    def lost(self, task: Task, reason: str) -> Result:
        """What becomes of a task that is never asked, because the credential is not accepted any more."""
        ...

    def finish(self, errand: Errand[Task], result: Result) -> None:
        """A task has its result."""
        ...

    def keep(self) -> None:
        """Store for good what was finished since; called from time to time and at the end."""
        ...

    def retire(self) -> None:
        """The calling worker asks for nothing more."""
        ...

    def __len__(self) -> int:
        """How many tasks are known and not taken."""
        ...


@dataclass(frozen=True)
class Pool:
    """So many workers for some APIs, each of which has a limit of its own."""

    apis: Sequence[str]
    workers: int


@dataclass
class _Crew(Generic[Task]):
    """A pool at work. Few more tasks than workers are handed out, so that stopping is quick."""

    pool: Pool
    tasks: "queue.SimpleQueue[Errand[Task] | None]" = field(default_factory=queue.SimpleQueue)
    due: deque[Errand[Task]] = field(default_factory=deque)
    """Retries whose time has come."""
    out: int = 0


class Gate:
    """A limiter that threads pass one after another."""

    def __init__(self, limiter: Limiter, stop: threading.Event) -> None:
        self._limiter, self._stop = limiter, stop
        self._turn, self._lock = threading.Lock(), threading.Lock()

    def enter(self) -> float | None:
        """Wait for the turn; the instant of it, or None if everything was stopped meanwhile."""
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


@dataclass(frozen=True)
class _Done(Generic[Result]):
    """A result that took no request."""

    result: Result


_Outcome = Answer | Broken | _Done[Result] | BaseException | None


class Engine(Generic[Task, Result]):
    """One run over all of a `Work`. `requests` and `refusals` are counted by API while it runs.

    `at_hand` is called by the workers before a request: a result that takes none, or None. Once `enough` says so, no
    further task is begun; those that were begun are finished, with all their retries.
    """

    def __init__(
        self,
        work: Work[Task, Result],
        *,
        pools: Sequence[Pool],
        limiters: Mapping[str, Limiter],
        stop: threading.Event,
        at_hand: Callable[[Task], Result | None] = lambda task: None,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        self._work, self._stop, self._limiters = work, stop, limiters
        self._at_hand, self._enough = at_hand, enough
        self._gates = {api: Gate(limiter, stop) for api, limiter in limiters.items()}
        self._crews: list[_Crew[Task]] = [_Crew(pool) for pool in pools]
        self._outcomes: queue.SimpleQueue[tuple[_Crew[Task], Errand[Task], _Outcome[Result]]] = queue.SimpleQueue()
        self._later: list[tuple[float, int, _Crew[Task], Errand[Task]]] = []
        self._order = itertools.count()
        self._locked = ""
        self.requests: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    @property
    def rates(self) -> dict[str, float]:
        """What the limiters permit, requests a second."""
        return {api: limiter.rate for api, limiter in self._limiters.items()}

    @property
    def waiting(self) -> int:
        """How many tasks are known and not finished."""
        return len(self._work) + len(self._later) + sum(crew.out + len(crew.due) for crew in self._crews)

    def run(self, report: Callable[[], None] = lambda: None) -> bool:
        """Work until nothing is left, or until `stop` is set and what is in flight has come back.

        Returns whether nothing is left. `report` is called a few times a second, after what is finished was kept.
        """
        threads = [
            threading.Thread(target=self._labour, args=(crew,), daemon=True)
            for crew in self._crews
            for _ in range(crew.pool.workers)
        ]
        for thread in threads:
            thread.start()
        try:
            self._drive(report)
        finally:
            for crew in self._crews:
                for _ in range(crew.pool.workers):
                    crew.tasks.put(None)
        for thread in threads:
            thread.join()
        return not (self._later or len(self._work) or any(crew.due for crew in self._crews))

    def _drive(self, report: Callable[[], None]) -> None:
        keep_at = time.monotonic() + BATCH_SECONDS
        while True:
            now = time.monotonic()
            if not self._stop.is_set():
                self._hand_out(now)
            out = any(crew.out for crew in self._crews)
            if not out and (self._stop.is_set() or not self._later):
                self._keep(report)
                # What was kept may be what further tasks waited for.
                if self._stop.is_set() or self._enough() or not len(self._work):
                    break
                continue
            if now >= keep_at:
                self._keep(report)
                keep_at = time.monotonic() + BATCH_SECONDS
            patience = min([keep_at - now, *(entry[0] - now for entry in self._later[:1])])
            self._take_in(max(0.0, patience))

    def _hand_out(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            _, _, crew, retry = heapq.heappop(self._later)
            crew.due.append(retry)
        for crew in self._crews:
            while crew.out < 2 * crew.pool.workers:
                errand = crew.due.popleft() if crew.due else self._next(crew)
                if errand is None:
                    break
                if self._locked:
                    self._work.finish(errand, self._work.lost(errand.task, self._locked))
                    continue
                crew.out += 1
                crew.tasks.put(errand)

    def _next(self, crew: _Crew[Task]) -> Errand[Task] | None:
        taken = None if self._enough() else self._work.take(crew.pool.apis)
        return Errand(taken[1], taken[0]) if taken else None

    def _take_in(self, patience: float) -> None:
        """Handle what has come back; wait for the first of it."""
        try:
            back = self._outcomes.get(timeout=patience)
            while True:
                self._handle(*back)
                back = self._outcomes.get_nowait()
        except queue.Empty:
            return

    def _handle(self, crew: _Crew[Task], errand: Errand[Task], outcome: "_Outcome[Result]") -> None:
        crew.out -= 1
        if outcome is None:
            crew.due.append(errand)
            return
        if isinstance(outcome, _Done):
            self._work.finish(errand, outcome.result)
            return
        if not isinstance(outcome, Answer | Broken):
            raise outcome
        errand.requests += 1
        self.requests[errand.api] += 1
        if is_limit(outcome):
            errand.refusals += 1
            self.refusals[errand.api] += 1
        meaning = self._work.judge(errand.task, outcome, errand.requests)
        if isinstance(meaning, Again):
            heapq.heappush(self._later, (time.monotonic() + meaning.delay, next(self._order), crew, errand))
        elif isinstance(meaning, Locked):
            self._locked = meaning.reason
            self._work.finish(errand, self._work.lost(errand.task, meaning.reason))
        else:
            self._work.finish(errand, meaning)

    def _keep(self, report: Callable[[], None]) -> None:
        self._work.keep()
        report()

    def _labour(self, crew: _Crew[Task]) -> None:
        """What one thread does. Whatever goes wrong travels to the main thread, which knows what to do."""
        outcome: _Outcome[Result]
        while (errand := crew.tasks.get()) is not None:
            try:
                outcome = self._ask(errand)
            except BaseException as error:  # noqa: BLE001 - raised again in the main thread
                outcome = error
            self._outcomes.put((crew, errand, outcome))
        self._work.retire()

    def _ask(self, errand: Errand[Task]) -> "Answer | Broken | _Done[Result] | None":
        began = time.monotonic()
        if (found := self._at_hand(errand.task)) is not None:
            errand.seconds += time.monotonic() - began
            return _Done(found)
        gate = self._gates[errand.api]
        sent_at = gate.enter()
        if sent_at is None:
            return None
        outcome: Answer | Broken
        try:
            outcome = self._work.ask(errand.api, errand.task)
        except Broken as error:
            outcome = error
        gate.tell(outcome, sent_at)
        errand.seconds += time.monotonic() - sent_at
        return outcome
