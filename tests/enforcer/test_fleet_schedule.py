"""Whose turn is next in a fleet: the longest waiting lab first, and slow labs never delay the others."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from enforcer.fleet.schedule import (
    LATE,
    LEAST_BUDGET,
    USUAL_BUDGET,
    WaitingLab,
    next_due,
    next_labs,
    slow_workers,
    tick_budget,
)
from example_counts import at_most_examples

NOW = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
S = timedelta(seconds=1)
PERIOD = 60 * S

seconds = st.integers(-120, 120)
labs = st.lists(st.tuples(seconds, st.booleans()), max_size=30).map(
    lambda drawn: [WaitingLab(f"lab-{n}", NOW + due * S, is_slow) for n, (due, is_slow) in enumerate(drawn)]
)


@at_most_examples(100)
@given(labs, st.integers(1, 8), st.data())
def test_the_longest_waiting_labs_get_the_free_workers(
    waiting: list[WaitingLab], workers: int, data: st.DataObject
) -> None:
    running = data.draw(st.integers(0, workers))
    slow_running = data.draw(st.integers(0, running))

    chosen = next_labs(waiting, NOW, workers=workers, running=running, slow_running=slow_running)

    due = sorted((lab for lab in waiting if lab.due <= NOW), key=lambda lab: (lab.due, lab.name))
    left = [lab for lab in due if lab not in chosen]
    slow = sum(lab.is_slow for lab in chosen)
    assert chosen == [lab for lab in due if lab in chosen]
    assert len(chosen) <= workers - running
    assert slow <= max(0, slow_workers(workers) - slow_running)
    if len(chosen) < workers - running:
        assert all(lab.is_slow for lab in left), "a worker is free although a lab waits"
    if chosen:
        assert all(lab.is_slow or lab.due >= chosen[-1].due for lab in left)


@dataclass
class Simulation:
    """Labs that take turns on a simulated clock: fast ones of a second each, slow ones of half a minute."""

    fast: int
    slow: int
    workers: int

    def longest_waits(self, until: timedelta) -> tuple[timedelta, timedelta]:
        """Return the longest time that a fast and a slow lab waited after it was due."""
        due = {f"fast-{n}": NOW for n in range(self.fast)} | {f"slow-{n}": NOW for n in range(self.slow)}
        length = {name: S if name.startswith("fast") else 30 * S for name in due}
        running: list[tuple[datetime, str]] = []
        longest = {"fast": timedelta(), "slow": timedelta()}
        now = NOW
        while now < NOW + until:
            while running and running[0][0] <= now:
                ended, name = heapq.heappop(running)
                due[name] = ended + PERIOD
            busy = {name for _, name in running}
            waiting = [WaitingLab(name, at, name.startswith("slow")) for name, at in due.items() if name not in busy]
            slow = sum(name.startswith("slow") for name in busy)
            for lab in next_labs(waiting, now, workers=self.workers, running=len(busy), slow_running=slow):
                kind = lab.name.partition("-")[0]
                longest[kind] = max(longest[kind], now - lab.due)
                heapq.heappush(running, (now + length[lab.name], lab.name))
            busy = {name for _, name in running}
            moments = [ended for ended, _ in running[:1]]
            following = next_due(lab for lab in waiting if lab.name not in busy and lab.due > now)
            now = min([*moments, *([following] if following else [])])
        return longest["fast"], longest["slow"]


@at_most_examples(30)
@given(st.integers(1, 40), st.integers(0, 20), st.integers(2, 8))
def test_no_lab_waits_longer_than_the_turns_of_the_labs_before_it(fast: int, slow: int, workers: int) -> None:
    reserved = workers - slow_workers(workers)

    of_fast, of_slow = Simulation(fast, slow, workers).longest_waits(timedelta(minutes=20))

    assert of_fast <= (-(-fast // reserved) + 1) * S
    assert of_slow <= -(-(slow + 1) // slow_workers(workers)) * 30 * S + (-(-fast // workers) + 1) * S


def starts(labs: int, workers: int) -> list[timedelta]:
    """Return when each lab's first turn begins if all are due at once, and each tick takes all of its time."""
    due = [WaitingLab(f"lab-{n:03}", NOW) for n in range(labs)]
    free_at, begun = [NOW] * workers, []
    while due:
        now = heapq.heappop(free_at)
        heapq.heappush(free_at, now + tick_budget(due, now, workers=workers))
        due.pop(0)
        begun.append(now - NOW)
    return begun


@at_most_examples(100)
@given(st.integers(1, 12), st.data())
def test_labs_that_are_due_at_once_all_begin_in_time(workers: int, data: st.DataObject) -> None:
    labs = data.draw(st.integers(1, int(LATE / LEAST_BUDGET) * workers))
    assert max(starts(labs, workers)) <= LATE


def test_a_single_lab_has_the_usual_time() -> None:
    assert tick_budget([WaitingLab("a", NOW)], NOW, workers=8) == USUAL_BUDGET
    assert tick_budget([], NOW, workers=8) == USUAL_BUDGET
    assert tick_budget([WaitingLab(f"{n}", NOW) for n in range(50)], NOW, workers=8) == timedelta(seconds=11.52)


def test_nothing_is_due_without_labs() -> None:
    assert next_due([]) is None
    assert next_labs([], NOW, workers=4, running=0, slow_running=0) == []
