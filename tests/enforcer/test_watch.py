"""The times at which the service lists and ticks: with plain values, a fake clock, and an emulated workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from enforcer.domain.allowances import Allowance, Window
from enforcer.domain.course import Course, CourseGroup, WorkingTime
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import Calendar, Quota
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import Observation, Role, Session
from enforcer.operations.watch import TickSummary, has_changed, next_due, watch

TZ = ZoneInfo("Asia/Jerusalem")
DAY = date(2026, 11, 2)
M = timedelta(minutes=1)
S = timedelta(seconds=1)
QUOTA = Quota(150 * M, 180 * M)


def at(clock: str) -> datetime:
    return datetime.combine(DAY, time.fromisoformat(clock), TZ).astimezone(UTC)


def cluster(number: int = 1, *, running: bool = True, moved: str = "") -> ObservedCluster:
    name = f"group_{number:02}"
    seen = Observation(at("10:00"), running)
    return ObservedCluster(f"id-{number}", f"cluster_{number:02}", name, "94290", "2026w", "terraform", seen, moved)


def snapshot(
    now: str,
    *sessions: Session,
    quota: Quota = QUOTA,
    allowances: tuple[Allowance, ...] = (),
    running: bool = True,
) -> Snapshot:
    group = CourseGroup("group_01", 1, "Team", quota)
    course = Course("94290", "2026w", "Lab", Calendar(TZ, DAY, DAY, 6), False, {"group_01": group})
    members = {"group_01": frozenset({"dana@example.ac.il"})}
    return Snapshot(at(now), course, QUOTA, (cluster(running=running),), {"id-1": list(sessions)}, allowances, members)


def with_working_hours(snapshot: Snapshot) -> Snapshot:
    hours = WorkingTime(frozenset(range(7)), time(8), time(18), (), TZ)
    return replace(snapshot, course=replace(snapshot.course, working_time=hours))


def mine(start: str, end: str | None = None, by: str = "dana@example.ac.il") -> Session:
    role = Role.STUDENT if by == "dana@example.ac.il" else Role.STAFF
    return Session(at(start), at(end) if end else None, by, role=role)


LESSON = Allowance("a", None, DAY, DAY, Window(None, time(10), time(12)), "lesson", "ta", at("08:00"))


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        pytest.param(snapshot("10:00"), at("10:15"), id="nothing runs"),
        pytest.param(snapshot("23:55"), at("23:59") + M, id="midnight"),
        pytest.param(snapshot("10:00", mine("07:35")), at("10:05"), id="the soft limit"),
        pytest.param(snapshot("10:00", mine("07:02:03")), at("10:02:03"), id="the hard limit, to the second"),
        pytest.param(snapshot("10:00", mine("06:00", "08:55"), running=False), at("10:15"), id="one that is off"),
        pytest.param(snapshot("10:00", mine("07:02", by="ta@example.ac.il")), at("10:15"), id="staff's session"),
        pytest.param(snapshot("10:00", mine("06:00")), at("10:15"), id="over already, nothing more to reach"),
        pytest.param(snapshot("09:50", allowances=(LESSON,)), at("10:00"), id="a window begins"),
        pytest.param(snapshot("11:50", mine("07:10"), allowances=(LESSON,)), at("12:00"), id="a window ends"),
        pytest.param(with_working_hours(snapshot("07:50")), at("08:00"), id="working hours begin"),
        pytest.param(with_working_hours(snapshot("10:00")), at("10:15"), id="within working hours"),
        pytest.param(snapshot("10:00", mine("09:50"), quota=replace(QUOTA, week=12 * M)), at("10:02"), id="the week"),
        pytest.param(snapshot("10:02:02.999", mine("07:02:03")), at("10:02:03.999"), id="never closer than a second"),
    ],
)
def test_the_next_tick_is_due_at_the_earliest_possible_change(reported: Snapshot, expected: datetime) -> None:
    assert next_due(TickSummary(reported)) == expected


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        (TickSummary(snapshot("10:00"), ("503",)), at("10:01")),
        (TickSummary(snapshot("10:00"), next_message_due=at("10:04")), at("10:04")),
        (TickSummary(snapshot("10:00"), next_message_due=at("09:59")), at("10:01")),
        (TickSummary(snapshot("10:00"), next_message_due=at("11:00")), at("10:15")),
    ],
)
def test_failures_and_pending_messages_are_retried(summary: TickSummary, expected: datetime) -> None:
    assert next_due(summary) == expected


def test_a_start_stop_creation_or_deletion_is_detected_as_change() -> None:
    before = [cluster(1), cluster(2)]

    assert not has_changed(before, [cluster(2), cluster(1)])
    assert has_changed(before, [cluster(1)])
    assert has_changed(before, [*before, cluster(3)])
    assert has_changed(before, [cluster(1), cluster(2, running=False)])
    assert has_changed(before, [cluster(1), cluster(2, moved="1:2:3")])


class Rehearsal:
    """A clock that jumps to the end of each wait, and a log of calls."""

    def __init__(self, ends: datetime, now: datetime) -> None:
        self.time, self.ends = now, ends
        self.lists: list[datetime] = []
        self.ticks: list[datetime] = []
        self.answers: dict[datetime, TickSummary | timedelta] = {}
        self.listed: dict[datetime, Iterable[ObservedCluster] | None] = {}

    def wait_until(self, instant: datetime) -> bool:
        self.time = max(self.time, instant)
        return self.time < self.ends

    def clusters(self, moment: datetime) -> Iterable[ObservedCluster] | None:
        self.lists.append(moment)
        return self.listed.get(moment, (cluster(running=False),))

    def tick(self) -> TickSummary | timedelta:
        self.ticks.append(self.time)
        idle = snapshot("10:00", running=False)
        return self.answers.get(self.time, TickSummary(replace(idle, now=self.time)))

    def run(self) -> None:
        watch(now=lambda: self.time, wait_until=self.wait_until, clusters=self.clusters, tick=self.tick)


def test_an_idle_service_lists_every_minute_and_ticks_every_15() -> None:
    day = Rehearsal(at("10:31"), at("10:00"))

    day.run()

    assert day.ticks == [at("10:00"), at("10:15"), at("10:30")]
    assert day.lists == [at("10:00") + n * M for n in range(31) if n % 15]


def test_a_tick_runs_at_once_after_a_cluster_changed() -> None:
    day = Rehearsal(at("10:04"), at("10:00"))
    day.listed[at("10:02")] = [cluster(moved="started")]

    day.run()

    assert day.ticks == [at("10:00"), at("10:02")]


BROKEN = ("/lab/allowances/a.json is not an allowance",)


def ticks_of_a_day(until: str, answers: Callable[[datetime], tuple[tuple[str, ...], bool]]) -> list[datetime]:
    """Return the times of ticks from 10:00 on, given the failures and stops of each tick."""
    day = Rehearsal(at(until), at("10:00"))

    def tick() -> TickSummary:
        failures, had_to_stop = answers(day.time)
        day.ticks.append(day.time)
        return TickSummary(replace(snapshot("10:00", running=False), now=day.time), failures, had_to_stop)

    watch(now=lambda: day.time, wait_until=day.wait_until, clusters=day.clusters, tick=tick)
    return day.ticks


def test_a_known_failure_is_retried_less_and_less_often() -> None:
    assert ticks_of_a_day("10:46", lambda _: (BROKEN, False)) == [
        at(clock) for clock in ("10:00", "10:01", "10:03", "10:07", "10:15", "10:30", "10:45")
    ]


def test_a_new_failure_is_retried_after_a_minute() -> None:
    def answers(moment: datetime) -> tuple[tuple[str, ...], bool]:
        return (*BROKEN, *(["503"] if moment == at("10:07") else [])), False

    assert ticks_of_a_day("10:11", answers) == [
        at(clock) for clock in ("10:00", "10:01", "10:03", "10:07", "10:08", "10:10")
    ]


def test_a_failed_stop_is_retried_every_minute() -> None:
    assert ticks_of_a_day("10:05", lambda _: (("stop of group_01: 503",), True)) == [
        at("10:00") + n * M for n in range(5)
    ]


def test_a_failed_list_request_is_not_a_change() -> None:
    day = Rehearsal(at("10:04"), at("10:00"))
    day.listed[at("10:02")] = None

    day.run()

    assert day.ticks == [at("10:00")]


def test_a_tick_blocked_by_another_run_is_retried_soon() -> None:
    day = Rehearsal(at("10:01"), at("10:00"))
    day.answers[at("10:00")] = 5 * S

    day.run()

    assert day.ticks == [at("10:00"), at("10:00:05")]


def test_a_tick_runs_at_once_after_the_clock_was_set_back() -> None:
    day = Rehearsal(at("10:03"), at("10:00"))
    was_set_back = False

    def set_back(instant: datetime) -> bool:
        nonlocal was_set_back
        if instant == at("10:02") and not was_set_back:
            was_set_back, day.time = True, at("09:01")
            return True
        return day.wait_until(instant)

    watch(now=lambda: day.time, wait_until=set_back, clusters=day.clusters, tick=day.tick)

    assert day.ticks[:3] == [at("10:00"), at("09:01"), at("09:16")]
