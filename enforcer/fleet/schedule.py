"""Decides which labs take their turn next. Pure.

The lab that has waited longest comes first. Labs whose last turn was slow use at most half of the workers, so that the
others need not wait for them.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

SLOW_TURN = timedelta(seconds=5)
"""A lab is slow if its last turn took longer."""
LATE = timedelta(seconds=90)
"""No turn should begin later than this after it was due."""
LEAST_BUDGET, USUAL_BUDGET = timedelta(seconds=10), timedelta(seconds=30)
"""Shortest and longest time for a tick. What a tick has no time for is done at the next one."""
SPARE = 0.2
"""Share of `LATE` that is kept for ticks that take longer than their time."""


@dataclass(frozen=True)
class WaitingLab:
    """A lab that waits for its next turn."""

    name: str
    due: datetime
    """When its next turn is due."""
    is_slow: bool = False


def next_labs(
    waiting: Iterable[WaitingLab], now: datetime, *, workers: int, running: int, slow_running: int
) -> list[WaitingLab]:
    """Return the labs that take their turn now, in this order.

    `running` labs have a turn now, `slow_running` of them are slow; each of them uses one of the `workers`.
    """
    free, free_for_slow = workers - running, slow_workers(workers) - slow_running
    chosen: list[WaitingLab] = []
    for lab in sorted((lab for lab in waiting if lab.due <= now), key=lambda lab: (lab.due, lab.name)):
        if len(chosen) >= free:
            break
        if lab.is_slow:
            if free_for_slow <= 0:
                continue
            free_for_slow -= 1
        chosen.append(lab)
    return chosen


def tick_budget(due: Collection[WaitingLab], now: datetime, *, workers: int) -> timedelta:
    """Return the time for a tick that begins now, so that all labs that are due begin in time.

    After the start, or after an outage, all labs are due at once; otherwise the time is the usual one.
    """
    waited = max((now - lab.due for lab in due), default=timedelta())
    left = max(timedelta(), LATE * (1 - SPARE) - waited)
    return min(USUAL_BUDGET, max(LEAST_BUDGET, left * workers / max(1, len(due))))


def slow_workers(workers: int) -> int:
    """Return how many workers the slow labs may use at once: half of them, and at least one."""
    return max(1, workers // 2)


def next_due(waiting: Iterable[WaitingLab]) -> datetime | None:
    """Return when the next turn is due; None if no lab is waiting."""
    return min((lab.due for lab in waiting), default=None)
