"""Limits in force, usage of limits, and due actions."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.domain.allowances import Allowance, LimitOverride, Window, parse_window, windows_between
from enforcer.domain.quota import (
    Action,
    Calendar,
    Level,
    Limit,
    LimitUsage,
    Period,
    Quota,
    QuotaStatus,
    Restore,
    Restrict,
    Stop,
    Warn,
    counted,
    decide,
    limit_key,
    limit_on,
    limit_usages_on,
)
from enforcer.domain.uptime import Session
from example_counts import at_most_examples

MIN = timedelta(minutes=1)
JERUSALEM = ZoneInfo("Asia/Jerusalem")
CALENDAR = Calendar(JERUSALEM, date(2026, 10, 18), date(2027, 1, 29), first_weekday=6)
QUOTA = Quota(150 * MIN, 180 * MIN, 600 * MIN, 6000 * MIN)
SUNDAY = date(2026, 11, 1)


def allowance(change: Any, first: date = SUNDAY, last: date | None = None, group: str | None = "group_07") -> Allowance:
    given = datetime(2026, 10, 30, tzinfo=UTC)
    return Allowance("a1", group, first, last or first, change, "project deadline", "staff@x", given)


def minutes(limit: Limit | None) -> tuple[float, float] | None:
    return (limit.soft / MIN, limit.hard / MIN) if limit else None


def on(day: date, period: Period, *allowances: Allowance, quota: Quota = QUOTA) -> tuple[float, float] | None:
    return minutes(limit_on(day, period, "group_07", quota, CALENDAR, allowances))


SATURDAY = SUNDAY + timedelta(days=6)
MONDAY = SUNDAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "period", "allowances", "expected"),
    [
        (SUNDAY, Period.DAY, [], (150, 180)),
        (SUNDAY, Period.WEEK, [], (570, 600)),
        (SUNDAY, Period.TERM, [], (5970, 6000)),
        (SUNDAY, Period.DAY, [allowance(60 * MIN)], (210, 240)),
        (MONDAY, Period.DAY, [allowance(60 * MIN)], (150, 180)),
        (MONDAY, Period.WEEK, [allowance(60 * MIN)], (630, 660)),
        (SUNDAY, Period.WEEK, [allowance(60 * MIN, SUNDAY, MONDAY)], (690, 720)),
        (SATURDAY, Period.WEEK, [allowance(10 * MIN, SATURDAY, SATURDAY + timedelta(days=3))], (580, 610)),
        (SUNDAY, Period.TERM, [allowance(10 * MIN, SATURDAY, SATURDAY + timedelta(days=3))], (6010, 6040)),
        (SUNDAY, Period.DAY, [allowance(60 * MIN), allowance(-90 * MIN)], (120, 150)),
        (SUNDAY, Period.DAY, [allowance(-500 * MIN)], (0, 0)),
        (SUNDAY, Period.DAY, [allowance(60 * MIN, group="group_08")], (150, 180)),
        (SUNDAY, Period.DAY, [allowance(60 * MIN, group=None)], (210, 240)),
        (SUNDAY, Period.DAY, [allowance(LimitOverride.UNLIMITED), allowance(60 * MIN)], None),
        (SUNDAY, Period.WEEK, [allowance(LimitOverride.UNLIMITED)], None),
        (MONDAY, Period.WEEK, [allowance(LimitOverride.UNLIMITED)], (570, 600)),
        (SUNDAY, Period.DAY, [allowance(LimitOverride.BLOCKED), allowance(LimitOverride.UNLIMITED)], (0, 0)),
        (SUNDAY, Period.DAY, [allowance(parse_window("10:00-12:00"))], (150, 180)),
    ],
)
def test_the_limit_on_a_day(
    day: date, period: Period, allowances: list[Allowance], expected: tuple[float, float] | None
) -> None:
    assert on(day, period, *allowances) == expected


def test_no_limit_is_in_force_if_none_is_set() -> None:
    assert on(SUNDAY, Period.WEEK, quota=Quota(150 * MIN, 180 * MIN)) is None


def test_the_text_of_a_limit_contains_its_allowances() -> None:
    limits = [
        limit_on(SUNDAY, Period.DAY, "group_07", QUOTA, CALENDAR, allowances)
        for allowances in ([], [allowance(60 * MIN)], [allowance(-30 * MIN)], [allowance(LimitOverride.BLOCKED)])
    ]

    assert [str(limit) for limit in limits] == [
        "180 minutes",
        "180 + 60 minutes: project deadline",
        "180 - 30 minutes: project deadline",
        "0 instead of 180 minutes: project deadline",
    ]


def test_a_week_starts_on_the_weekday_set_for_the_course() -> None:
    days = [CALENDAR.days(Period.WEEK, day) for day in (SATURDAY - timedelta(days=7), SUNDAY, SATURDAY)]

    assert [first for first, _ in days] == [SUNDAY - timedelta(days=7), SUNDAY, SUNDAY]


def local(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), JERUSALEM).astimezone(UTC)


def limit_usages(now: datetime, sessions: list[Session], *allowances: Allowance) -> dict[str, float]:
    day = now.astimezone(JERUSALEM).date()
    found = limit_usages_on(
        day,
        sessions,
        group="group_07",
        quota=QUOTA,
        calendar=CALENDAR,
        allowances=allowances,
        count_all=True,
        now=now,
    )
    return {usage.limit.period.value: usage.used / MIN for usage in found}


def test_time_inside_a_window_does_not_count() -> None:
    session = Session(local(MONDAY, 9, 30), local(MONDAY, 12, 30))
    lesson = allowance(parse_window("Mon 10:00-12:00"), SUNDAY, SATURDAY)

    assert limit_usages(local(MONDAY, 20), [session], lesson) == {"day": 60, "week": 60, "term": 60}


HOURS = st.integers(0, 30)


@given(st.lists(st.tuples(HOURS, HOURS | st.none()), max_size=5), st.sets(HOURS, max_size=8), HOURS, HOURS)
def test_every_session_is_counted_outside_windows(
    lengths: list[tuple[int, int | None]], edges: set[int], begin: int, length: int
) -> None:
    start, hour = local(MONDAY, 0), timedelta(hours=1)
    sessions = [Session(start + a * hour, None if n is None else start + (a + n) * hour) for a, n in lengths]
    marks = sorted(edges)
    windows = [(start + a * hour, start + b * hour) for a, b in zip(marks[::2], marks[1::2], strict=False)]
    begins, ends, now = start + begin * hour, start + (begin + length) * hour, start + 24 * hour

    used = counted(begins, ends, sessions, reversed(windows), now=now, count_all=True)

    def is_counted(session: Session, moment: datetime) -> bool:
        runs = session.start <= moment < (session.end or now)
        return runs and begins <= moment < ends and not any(first <= moment < last for first, last in windows)

    moments = [start + number * hour for number in range(60)]
    assert used == hour * sum(is_counted(session, moment) for session in sessions for moment in moments)


def test_a_window_across_midnight_applies_to_both_days() -> None:
    session = Session(local(SUNDAY, 23), local(MONDAY, 3))
    exam = allowance(parse_window("23:30-01:00"), SUNDAY)

    assert limit_usages(local(SUNDAY, 23, 45), [session], exam)["day"] == 30
    assert limit_usages(local(MONDAY, 20), [session], exam) == {"day": 120, "week": 150, "term": 150}


def test_time_on_an_unlimited_day_counts_towards_the_week() -> None:
    session = Session(local(SUNDAY, 8), local(SUNDAY, 20))

    assert limit_usages(local(SUNDAY, 21), [session], allowance(LimitOverride.UNLIMITED)) == {}
    assert limit_usages(local(MONDAY, 9), [session], allowance(LimitOverride.UNLIMITED))["week"] == 720


def test_limit_usages_are_sorted_with_the_tightest_first() -> None:
    sessions = [Session(local(SUNDAY, 8), local(SUNDAY, 18)), Session(local(MONDAY, 8), local(MONDAY, 9))]

    assert list(limit_usages(local(MONDAY, 9), sessions)) == ["week", "day", "term"]


@at_most_examples(25)
@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 400)), max_size=6),
    st.lists(
        st.builds(
            lambda weekday, begins, ends, first, length: allowance(
                Window(weekday, time(begins // 60, begins % 60), time(ends // 60, ends % 60)),
                first,
                first + timedelta(days=length),
            ),
            st.none() | st.integers(0, 6),
            st.integers(0, 719),
            st.integers(720, 1439),
            st.dates(date(2026, 10, 23), date(2026, 10, 27)),
            st.integers(0, 3),
        ),
        max_size=3,
    ),
    st.booleans(),
)
def test_counted_time_equals_a_minute_by_minute_count(
    spans: list[tuple[int, int]], windows: list[Allowance], forbidden: bool
) -> None:
    """Compare around 25 October 2026, when clocks in Jerusalem go back."""
    begins = datetime(2026, 10, 23, 21, tzinfo=UTC)
    ends = begins + 3000 * MIN
    allowances = [*windows, allowance(LimitOverride.BLOCKED, date(2026, 10, 26))] if forbidden else windows
    sessions = []
    last = 0
    for start, length in sorted(spans):
        start = max(start, last)
        last = start + length
        sessions.append(Session(begins + start * MIN, begins + last * MIN))

    def is_in_a_window(instant: datetime) -> bool:
        for day in (instant.astimezone(JERUSALEM).date() - timedelta(days=n) for n in (0, 1)):
            today = [a for a in allowances if a.covers("group_07", day)]
            if any(a.change is LimitOverride.BLOCKED for a in today):
                continue
            for a in today:
                window = a.change.on(day, JERUSALEM) if isinstance(a.change, Window) else None
                if window and window[0] <= instant < window[1]:
                    return True
        return False

    slow = sum(
        any(s.start <= begins + n * MIN < (s.end or ends) for s in sessions) and not is_in_a_window(begins + n * MIN)
        for n in range(3000)
    )

    found = windows_between(begins, ends, "group_07", allowances, JERUSALEM)
    assert counted(begins, ends, sessions, found, now=ends, count_all=True) == slow * MIN


def usage(used: float, period: Period = Period.DAY, soft: float = 150, hard: float = 180) -> LimitUsage:
    return LimitUsage(Limit(period, SUNDAY, SUNDAY, soft * MIN, hard * MIN, hard * MIN), used * MIN)


def standing(
    used: float, *, running: bool = True, level: Level | None = Level.RESTART, window: bool = False
) -> QuotaStatus:
    return QuotaStatus("c7", "group_07", running, level, (usage(used),), window)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (standing(0), []),
        (standing(149.99), []),
        (standing(150), [Warn("c7", "group_07", usage(150))]),
        (standing(150, running=False), [Warn("c7", "group_07", usage(150))]),
        (standing(180), [Restrict("c7", "group_07", usage(180)), Stop("c7", "group_07", usage(180))]),
        (standing(180, level=Level.ATTACH), [Stop("c7", "group_07", usage(180))]),
        (standing(180, level=None), [Stop("c7", "group_07", usage(180))]),
        (standing(180, running=False), [Restrict("c7", "group_07", usage(180))]),
        (standing(180, running=False, level=Level.ATTACH), []),
        (standing(20, level=Level.ATTACH), [Restore("c7", "group_07")]),
        (standing(160, level=Level.ATTACH), [Restore("c7", "group_07"), Warn("c7", "group_07", usage(160))]),
        (standing(500, window=True), []),
        (standing(500, window=True, level=Level.ATTACH), [Restore("c7", "group_07")]),
        (QuotaStatus("c7", "group_07", True, Level.ATTACH, (), False), [Restore("c7", "group_07")]),
    ],
)
def test_decide_returns_the_due_actions(where: QuotaStatus, expected: list[Action]) -> None:
    assert list(decide([where], frozenset())) == expected


def test_a_hard_limit_of_zero_restricts_at_once() -> None:
    nothing = usage(0, soft=0, hard=0)

    assert list(decide([QuotaStatus("c7", "group_07", False, Level.RESTART, (nothing,), False)], frozenset())) == [
        Restrict("c7", "group_07", nothing)
    ]


def test_a_warning_is_due_once_for_each_limit() -> None:
    warning = Warn("c7", "group_07", usage(160))

    assert list(decide([standing(160)], frozenset({limit_key(warning.group, warning.limit_usage.limit)}))) == []
    raised = QuotaStatus("c7", "group_07", True, Level.RESTART, (usage(215, soft=210, hard=240),), False)
    assert len(decide([raised], frozenset({limit_key(warning.group, warning.limit_usage.limit)}))) == 1


def test_every_stop_comes_before_any_warning() -> None:
    near = QuotaStatus("c1", "group_01", True, Level.RESTART, (usage(160),), False)

    kinds = [type(action) for action in decide([near, standing(200)], frozenset())]

    assert kinds == [Restrict, Stop, Warn]
