"""The loop of a fleet: gives each lab its turns, the longest waiting first. A failure in one lab affects no other."""

import logging
import queue
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from enforcer.domain.observations import ObservedCluster
from enforcer.fleet.labs_file import LabEntry
from enforcer.fleet.schedule import LATE, SLOW_TURN, WaitingLab, next_due, next_labs, tick_budget
from enforcer.operations.watch import RETRY_AFTER, TICK_INTERVAL, TickSummary, WatchTurns
from enforcer.settings import SettingsError
from labkit.extras.cli import CommandError
from labkit.logs import lab_name, print_problem

log = logging.getLogger(__name__)

WORKERS = 8
"""Turns at once; each has threads of its own for its requests."""
STEP_SECONDS = 10.0
"""Longest single wait; short, because the clock may be set or the machine may sleep."""
REHEARSED_STEP_SECONDS = 0.2
HUNG_AFTER_SECONDS = 240.0
"""A turn that takes longer is considered hung: the watchdog is no longer notified, so systemd restarts the process."""


class LabService(Protocol):
    """The work of one lab, as `watch` does it."""

    def clusters(self, moment: datetime) -> Iterable[ObservedCluster] | None: ...

    def tick(self, budget: timedelta) -> TickSummary | timedelta: ...

    def report_crash(self, error: BaseException) -> None:
        """Mail the admin of the lab that a turn ended unexpectedly. Never raises."""
        ...


@dataclass
class _Lab:
    entry: LabEntry
    turns: WatchTurns
    service: LabService | None = None
    """None until the lab's settings have been read, and after they turned out to be invalid."""
    put_off_until: datetime | None = None
    """When to retry after a failed turn; None without a failure."""
    is_slow: bool = False
    is_hung: bool = False
    """Whether the log already reports that the current turn hangs."""
    began: float | None = None
    """When the current turn began, in seconds of the monotonic clock; None between turns."""

    @property
    def seconds_running(self) -> float:
        """How long the current turn has taken."""
        return time.monotonic() - self.began if self.began is not None else 0.0

    def waiting(self, now: datetime) -> WaitingLab:
        return WaitingLab(self.entry.name, self.put_off_until or self.turns.due_at(now), self.is_slow)


@dataclass
class FleetSummary:
    """Counts since the start."""

    turns: int = 0
    longest_wait: timedelta = field(default_factory=timedelta)
    """Longest time by which a turn began late."""


class Fleet:
    """The labs and their turns. `make` reads a lab's settings and returns its service, or raises SettingsError.

    `now` is the lab's clock, which all labs share; `alive` is called at least every ten seconds unless a turn hangs.
    """

    def __init__(
        self,
        entries: Sequence[LabEntry],
        make: Callable[[LabEntry], LabService],
        *,
        now: Callable[[], datetime],
        alive: Callable[[], None],
        workers: int = WORKERS,
        step_seconds: float = STEP_SECONDS,
    ) -> None:
        self._make, self._now, self._alive = make, now, alive
        self._workers, self._step_seconds = workers, step_seconds
        begin = now()
        self._labs = {entry.name: _Lab(entry, WatchTurns(begin)) for entry in entries}
        self._inbox: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        """Names of labs that have ended their turn; None requests shutdown."""
        self._is_ending = False
        self.summary = FleetSummary()

    def stop(self) -> None:
        """Request shutdown. Turns that have begun are completed. Can be called by a signal handler."""
        self._is_ending = True
        self._inbox.put(None)

    def run(self) -> None:
        """Give turns until `stop` is called."""
        with ThreadPoolExecutor(self._workers, thread_name_prefix="lab") as pool:
            while not self._is_ending:
                now = self._now()
                self._begin_turns(pool, now)
                if not self._is_hung():
                    self._alive()
                self._wait(now)

    def _begin_turns(self, pool: ThreadPoolExecutor, now: datetime) -> None:
        running = [lab for lab in self._labs.values() if lab.began is not None]
        waiting = [lab.waiting(now) for lab in self._labs.values() if lab.began is None]
        budget = tick_budget([lab for lab in waiting if lab.due <= now], now, workers=self._workers)
        slow_running = sum(1 for lab in running if lab.is_slow or lab.seconds_running > SLOW_TURN.total_seconds())
        for chosen in next_labs(waiting, now, workers=self._workers, running=len(running), slow_running=slow_running):
            lab = self._labs[chosen.name]
            self._note_wait(lab, now - chosen.due)
            lab.began = time.monotonic()
            pool.submit(self._take_turn, lab, now, budget)

    def _note_wait(self, lab: _Lab, late: timedelta) -> None:
        self.summary.turns += 1
        self.summary.longest_wait = max(self.summary.longest_wait, late)
        if late > LATE:
            with lab_name(lab.entry.name):
                log.warning(
                    "the turn begins %d seconds late, because the turns of other labs took long", late.total_seconds()
                )

    def _wait(self, now: datetime) -> None:
        """Wait until a turn ends, the next one is due, or shutdown is requested."""
        labs = self._labs.values()
        seconds = self._step_seconds
        if sum(1 for lab in labs if lab.began is not None) < self._workers:
            due = next_due(lab.waiting(now) for lab in labs if lab.began is None)
            # A lab that is due already waits for a free worker, so only the end of a turn matters.
            if due is not None and due > now:
                seconds = min(seconds, (due - now).total_seconds())
        try:
            ended = [self._inbox.get(timeout=seconds)]
            while True:
                ended.append(self._inbox.get_nowait())
        except queue.Empty:
            return

    def _take_turn(self, lab: _Lab, moment: datetime, budget: timedelta) -> None:
        with lab_name(lab.entry.name):
            began = time.monotonic()
            try:
                lab.put_off_until = self._attempt(lab, moment, budget)
            finally:
                lab.is_slow, lab.is_hung = time.monotonic() - began > SLOW_TURN.total_seconds(), False
                lab.began = None
                self._inbox.put(lab.entry.name)

    def _attempt(self, lab: _Lab, moment: datetime, budget: timedelta) -> datetime | None:
        """Take a lab's turn. Return when to try again if it failed, else None."""
        try:
            if lab.service is None:
                lab.service = self._make(lab.entry)
            lab.turns.take(moment, clusters=lab.service.clusters, tick=partial(lab.service.tick, budget))
            return None
        except SettingsError as error:
            for problem in error.problems:
                print_problem(problem)
        except CommandError as error:
            print_problem(error.format_message())
        except SystemExit:
            pass  # its reason has been printed
        except Exception as error:  # noqa: BLE001 - an error in one lab must not end the others
            log.exception("the turn ended unexpectedly")
            if lab.service is not None:
                lab.service.report_crash(error)
            return moment + RETRY_AFTER
        log.error("quotas are not enforced; the settings are read again in %d minutes", TICK_INTERVAL.seconds // 60)
        lab.service = None
        return moment + TICK_INTERVAL

    def _is_hung(self) -> bool:
        """Return whether a turn hangs, and log its lab."""
        hung = [lab for lab in self._labs.values() if lab.seconds_running > HUNG_AFTER_SECONDS]
        for lab in hung:
            if not lab.is_hung:
                lab.is_hung = True
                log.error("%s: the turn hangs; systemd will restart the watch", lab.entry.name)
        return bool(hung)
