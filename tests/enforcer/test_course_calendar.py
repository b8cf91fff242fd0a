"""The course's calendar: entries change limits and windows, and allowances by staff override them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.domain.allowances import (
    Allowance,
    LimitOverride,
    Window,
    allowances_from,
    parse_window,
    windows_between,
)
from enforcer.domain.course import Course, course_from_file
from enforcer.domain.day import cluster_day
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import Limit, Period, Quota, limit_on
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import Observation, Session, day_bounds
from enforcer.domain.usage import usage_of
from enforcer.tick.restricted import limit_usages_with
from example_counts import at_most_examples
from labkit.course_file import (
    BLOCKED,
    FREE,
    LIMITS,
    UNLIMITED,
    USUAL,
    WEEKDAYS,
    WHOLE_DAY,
    CalendarEntry,
    CourseFile,
    GroupEntry,
    GroupLimits,
    Hours,
    WorkingHours,
    parse_hours,
)

MIN = timedelta(minutes=1)
ZONE = ZoneInfo("Asia/Jerusalem")
FALL_BACK, SPRING_FORWARD = date(2026, 10, 25), date(2027, 3, 26)
"""Days of 25 and 23 hours in Asia/Jerusalem; the clocks change at 02:00."""
SUNDAY = date(2026, 11, 1)
MONDAY = SUNDAY + timedelta(days=1)
QUOTA = Quota(150 * MIN, 180 * MIN, 600 * MIN, 6000 * MIN)
COURSE = CourseFile(
    "94290", "2026w", "Lab", "Asia/Jerusalem", date(2026, 10, 18), date(2027, 4, 29), "Sunday", False,
    tuple(
        GroupEntry(f"group_0{number}", number, None, f"Team {number}", GroupLimits(150, 180, 600, 6000))
        for number in (1, 2)
    ),
)  # fmt: skip
MORNING = Hours(time(10), time(12))


def entry(effect: str, first: date = SUNDAY, last: date | None = None, **values: object) -> CalendarEntry:
    return replace(CalendarEntry("exam", "Exam", first, last or first, effect), **values)  # type: ignore[arg-type]


def by_staff(change: timedelta | LimitOverride | Window, group: str | None = "group_01") -> Allowance:
    return Allowance("a1", group, SUNDAY, SUNDAY, change, "illness", "staff@x", datetime(2026, 10, 30, tzinfo=UTC))


def course_with(*entries: CalendarEntry) -> Course:
    return course_from_file(replace(COURSE, calendar=entries), ZONE)


def limit(
    day: date, period: Period, *entries: CalendarEntry, given: tuple[Allowance, ...] = (), group: str = "group_01"
) -> Limit | None:
    course = course_with(*entries)
    return limit_on(day, period, group, QUOTA, course.calendar, (*course.scheduled, *given))


OTHER = entry(LIMITS, soft_minutes=200, hard_minutes=300)
OF_GROUP = entry(LIMITS, hard_minutes=60, groups=("group_01",))


@pytest.mark.parametrize(
    ("entries", "given", "expected"),
    [
        ([entry(USUAL)], [], (150, 180)),
        ([entry(BLOCKED)], [], (0, 0)),
        ([entry(UNLIMITED)], [], None),
        ([OTHER], [], (200, 300)),
        ([OF_GROUP], [], (30, 60)),
        ([OF_GROUP, OTHER], [], (30, 60)),
        ([OTHER, entry(LIMITS, hard_minutes=60)], [], (30, 60)),
        ([OTHER, entry(UNLIMITED)], [], None),
        ([entry(BLOCKED), entry(UNLIMITED)], [], (0, 0)),
        ([entry(BLOCKED, groups=("group_02",))], [], (150, 180)),
        ([entry(BLOCKED, MONDAY)], [], (150, 180)),
        ([entry(BLOCKED, SUNDAY, date(2027, 1, 1), weekday="Monday")], [], (150, 180)),
        ([entry(BLOCKED, SUNDAY, date(2027, 1, 1), weekday="Sunday")], [], (0, 0)),
        ([entry(UNLIMITED), entry(BLOCKED, is_imported=True)], [], None),
        ([entry(BLOCKED, is_imported=True)], [], (0, 0)),
        ([OTHER, entry(UNLIMITED, is_imported=True)], [], (200, 300)),
        ([entry(BLOCKED)], [by_staff(LimitOverride.UNLIMITED)], None),
        ([entry(UNLIMITED)], [by_staff(LimitOverride.BLOCKED)], (0, 0)),
        ([entry(BLOCKED)], [by_staff(60 * MIN)], (30, 60)),
        ([OTHER], [by_staff(60 * MIN)], (260, 360)),
        ([OTHER], [by_staff(-60 * MIN)], (140, 240)),
        ([OTHER], [by_staff(LimitOverride.BLOCKED)], (0, 0)),
        ([entry(UNLIMITED)], [by_staff(60 * MIN)], None),
        ([entry(FREE)], [], (150, 180)),
    ],
)
def test_the_limit_of_a_day_in_the_calendar(
    entries: list[CalendarEntry], given: list[Allowance], expected: tuple[float, float] | None
) -> None:
    found = limit(SUNDAY, Period.DAY, *entries, given=tuple(given))

    assert (found and (found.soft / MIN, found.hard / MIN)) == expected


def test_the_calendar_does_not_change_the_limit_of_the_week() -> None:
    weeks = [limit(SUNDAY, Period.WEEK, one) for one in (entry(USUAL), OTHER, entry(BLOCKED), entry(UNLIMITED))]

    assert [week and (week.soft / MIN, week.hard / MIN) for week in weeks] == [(570, 600)] * 3 + [None]


def test_the_description_of_a_limit_names_the_calendar_entry() -> None:
    given = (by_staff(60 * MIN),)
    limits = [
        limit(SUNDAY, Period.DAY, OTHER),
        limit(SUNDAY, Period.DAY, OTHER, given=given),
        limit(SUNDAY, Period.DAY, entry(BLOCKED, kind="blackout", title="")),
        limit(SUNDAY, Period.DAY, entry(BLOCKED), given=given),
    ]

    assert [str(one) for one in limits] == [
        "300 instead of 180 minutes: Exam",
        "300 instead of 180 + 60 minutes: Exam; illness",
        "0 instead of 180 minutes: blackout",
        "0 instead of 180 + 60 minutes: Exam; illness",
    ]


def windows(day: date, *entries: CalendarEntry, given: tuple[Allowance, ...] = ()) -> list[str]:
    """Return the group's windows of a day as local times."""
    found = windows_between(*day_bounds(day, ZONE), "group_01", (*allowances_from(entries), *given), ZONE)
    return [f"{b.astimezone(ZONE):%d %H:%M}-{e.astimezone(ZONE):%d %H:%M}" for b, e in found]


@pytest.mark.parametrize(
    ("entries", "given", "expected"),
    [
        ([entry(FREE, hours=MORNING)], [], ["01 10:00-01 12:00"]),
        ([entry(FREE)], [], ["01 00:00-02 00:00"]),
        (
            [entry(FREE, date(2026, 10, 18), date(2027, 1, 1), weekday="Sunday", hours=MORNING)],
            [],
            ["01 10:00-01 12:00"],
        ),
        ([entry(FREE, date(2026, 10, 18), date(2027, 1, 1), weekday="Monday", hours=MORNING)], [], []),
        ([entry(FREE, hours=MORNING, groups=("group_02",))], [], []),
        ([entry(FREE, hours=MORNING), entry(BLOCKED)], [], []),
        ([entry(FREE, hours=MORNING), entry(BLOCKED, is_imported=True)], [], ["01 10:00-01 12:00"]),
        ([entry(FREE, hours=MORNING, is_imported=True), entry(BLOCKED)], [], []),
        ([entry(FREE, hours=MORNING)], [by_staff(LimitOverride.BLOCKED)], []),
        ([entry(BLOCKED)], [by_staff(parse_window("10:00-12:00"))], ["01 10:00-01 12:00"]),
        ([entry(FREE, hours=MORNING), entry(BLOCKED)], [by_staff(LimitOverride.UNLIMITED)], ["01 10:00-01 12:00"]),
    ],
)
def test_the_windows_of_a_day_in_the_calendar(
    entries: list[CalendarEntry], given: list[Allowance], expected: list[str]
) -> None:
    assert windows(SUNDAY, *entries, given=tuple(given)) == expected


def test_a_free_day_is_as_long_as_the_day_when_the_clocks_change() -> None:
    days = [FALL_BACK, SPRING_FORWARD]
    free = [
        windows_between(*day_bounds(day, ZONE), "group_01", allowances_from([entry(FREE, day)]), ZONE) for day in days
    ]

    assert [[(ends - begins) for begins, ends in found] for found in free] == [
        [timedelta(hours=25)],
        [timedelta(hours=23)],
    ]


def test_hours_that_the_clocks_skip_are_no_window() -> None:
    skipped = Hours(time(2, 15), time(2, 45))

    assert windows(SPRING_FORWARD, entry(FREE, SPRING_FORWARD, hours=skipped)) == ["26 03:15-26 03:45"]
    assert windows(SPRING_FORWARD, entry(FREE, SPRING_FORWARD, hours=Hours(time(2, 30), time(3, 10)))) == []


def test_staff_lift_a_block_for_one_group() -> None:
    snapshot = snapshot_of([entry(BLOCKED)], [by_staff(LimitOverride.UNLIMITED)], [], at=(SUNDAY, 12))
    status_1, status_2 = snapshot.quota_statuses({})

    assert [usage.is_over for usage in status_1.limit_usages] == []
    assert [usage.is_over for usage in status_2.limit_usages] == [True, False, False]


def test_a_group_may_use_its_cluster_after_the_last_blocked_day() -> None:
    given = [replace(by_staff(LimitOverride.BLOCKED), first_day=date(2026, 11, 4), last_day=date(2026, 11, 5))]
    snapshot = snapshot_of([entry(BLOCKED, SUNDAY, SUNDAY + timedelta(days=2))], given, [], at=(SUNDAY, 12))
    days = [snapshot.first_usable_day(group, MONDAY) for group in ("group_01", "group_02")]

    assert days == [date(2026, 11, 6), date(2026, 11, 4)]
    always = snapshot_of([entry(BLOCKED, SUNDAY, date(2028, 1, 1))], [], [], at=(SUNDAY, 12))
    assert always.first_usable_day("group_01", MONDAY) == MONDAY


def snapshot_of(
    entries: list[CalendarEntry], given: list[Allowance], sessions: list[Session], *, at: tuple[date, int]
) -> Snapshot:
    now = datetime.combine(at[0], time(at[1]), ZONE).astimezone(UTC)
    seen = Observation(now, running=False)
    clusters = tuple(
        ObservedCluster(f"id-{n}", f"cluster_0{n}", f"group_0{n}", "94290", "2026w", "terraform", seen, "")
        for n in (1, 2)
    )
    return Snapshot(now, course_with(*entries), QUOTA, clusters, {"id-1": sessions}, tuple(given), None)


def working_moment(now: datetime, *entries: CalendarEntry) -> str:
    hours = WorkingHours(tuple(WEEKDAYS[number] for number in (6, 0, 1, 2, 3)), Hours(time(8), time(18)))
    working_time = course_from_file(replace(COURSE, calendar=entries, working_hours=hours), ZONE).working_time
    assert working_time
    return f"{working_time.next_moment('group_01', now.astimezone(UTC)).astimezone(ZONE):%a %d %H:%M}"


HOLIDAY = entry(USUAL, MONDAY, MONDAY + timedelta(days=1), kind="holiday")


@pytest.mark.parametrize(
    ("day", "clock", "entries", "expected"),
    [
        (SUNDAY, time(8), [], "Sun 01 08:00"),
        (SUNDAY, time(17, 59), [], "Sun 01 17:59"),
        (SUNDAY, time(18), [], "Mon 02 08:00"),
        (SUNDAY, time(3), [], "Sun 01 08:00"),
        (SUNDAY + timedelta(days=4), time(20), [], "Sun 08 08:00"),
        (SUNDAY, time(20), [HOLIDAY], "Wed 04 08:00"),
        (MONDAY, time(12), [HOLIDAY], "Wed 04 08:00"),
        (MONDAY, time(12), [replace(HOLIDAY, groups=("group_02",))], "Mon 02 12:00"),
        (MONDAY, time(12), [replace(HOLIDAY, weekday="Tuesday")], "Mon 02 12:00"),
        (MONDAY, time(12), [replace(HOLIDAY, kind="exam")], "Mon 02 12:00"),
        (FALL_BACK - timedelta(days=1), time(20), [], "Sun 25 08:00"),
        (MONDAY, time(12), [replace(HOLIDAY, last_day=date(2027, 6, 1))], "Mon 02 12:00"),
    ],
)
def test_the_next_working_moment(day: date, clock: time, entries: list[CalendarEntry], expected: str) -> None:
    assert working_moment(datetime.combine(day, clock, ZONE), *entries) == expected


def test_every_moment_is_working_time_without_working_hours() -> None:
    snapshot = snapshot_of([HOLIDAY], [], [], at=(MONDAY, 3))

    assert (snapshot.course.working_time, snapshot.next_working_moment("group_01")) == (None, snapshot.now)


DAYS = st.integers(-1, 1).map(lambda number: FALL_BACK + timedelta(days=number))
HOURS = st.sampled_from([WHOLE_DAY, *map(parse_hours, ("10:00-12:00", "04:30-05:30", "22:00-00:30", "11:00-23:00"))])
ENTRIES = st.builds(
    lambda effect, first, length, weekday, hours, groups, imported: CalendarEntry(
        "class",
        "",
        first,
        first + timedelta(days=length),
        effect,
        weekday,
        hours if effect == FREE else WHOLE_DAY,
        groups,
        None,
        240 if effect == LIMITS else None,
        imported,
    ),
    st.sampled_from([USUAL, FREE, UNLIMITED, BLOCKED, LIMITS]),
    DAYS,
    st.integers(0, 2),
    st.none() | st.sampled_from(WEEKDAYS),
    HOURS,
    st.sampled_from([(), ("group_01",), ("group_02",)]),
    st.booleans(),
)
GIVEN = st.builds(
    lambda group, first, change: Allowance(
        "a", group, first, first, change, "r", "s", datetime(2026, 1, 1, tzinfo=UTC)
    ),
    st.sampled_from([None, "group_01"]),
    DAYS,
    st.sampled_from([60 * MIN, -60 * MIN, *LimitOverride, parse_window("09:00-11:00"), parse_window("22:00-02:30")]),
)
LISTS = st.tuples(st.lists(ENTRIES, max_size=4), st.lists(GIVEN, max_size=3))


def rank(one: CalendarEntry | Allowance) -> int:
    return 2 if isinstance(one, Allowance) else 0 if one.is_imported else 1


def is_on(one: CalendarEntry | Allowance, day: date) -> bool:
    if isinstance(one, Allowance):
        return one.first_day <= day <= one.last_day
    is_for_group = not one.groups or "group_01" in one.groups
    return is_for_group and one.first_day <= day <= one.last_day and one.weekday in (None, WEEKDAYS[day.weekday()])


def effect_of(one: CalendarEntry | Allowance) -> str:
    if isinstance(one, Allowance):
        named: dict[object, str] = {LimitOverride.BLOCKED: BLOCKED, LimitOverride.UNLIMITED: UNLIMITED}
        return FREE if isinstance(one.change, Window) else named.get(one.change, USUAL)
    return one.effect


def expected_override(changes: list[CalendarEntry | Allowance], day: date) -> tuple[str, int]:
    """Return the effect on a day's limit and the rank of its source, one rule after another."""
    for source in (2, 1, 0):
        effects = {effect_of(one) for one in changes if rank(one) == source and is_on(one, day)}
        for effect in (BLOCKED, UNLIMITED, LIMITS):
            if effect in effects:
                return effect, source
    return USUAL, -1


@given(LISTS)
@at_most_examples(60)
def test_limits_follow_the_order_of_precedence(lists: tuple[list[CalendarEntry], list[Allowance]]) -> None:
    entries, given = lists
    for day in (FALL_BACK - timedelta(days=1), FALL_BACK, FALL_BACK + timedelta(days=3)):
        effect, source = expected_override([*entries, *given], day)
        shift = sum((one.change for one in given if isinstance(one.change, timedelta) and is_on(one, day)), timedelta())
        base = {BLOCKED: timedelta(), LIMITS: 240 * MIN, USUAL: 180 * MIN}
        if effect == UNLIMITED:
            expected = None
        elif (effect, source) == (BLOCKED, 2):
            expected = timedelta()
        else:
            expected = max(timedelta(), base[effect] + shift)
        found = limit(day, Period.DAY, *entries, given=tuple(given))
        assert (found and found.hard) == expected


@given(LISTS)
@at_most_examples(60)
def test_windows_agree_with_the_clock_on_the_wall(lists: tuple[list[CalendarEntry], list[Allowance]]) -> None:
    entries, given = lists
    changes: list[CalendarEntry | Allowance] = [*entries, *given]
    first, last = FALL_BACK - timedelta(days=2), FALL_BACK + timedelta(days=4)
    begins, ends = day_bounds(first, ZONE)[0], day_bounds(last, ZONE)[1]
    found = windows_between(begins, ends, "group_01", (*allowances_from(entries), *given), ZONE)
    moment = begins
    while moment < ends:
        assert any(b <= moment < e for b, e in found) == is_free(changes, moment.astimezone(ZONE)), moment
        moment += 30 * MIN


def is_free(changes: list[CalendarEntry | Allowance], wall: datetime) -> bool:
    """Return whether a time on the wall is in a window that begins on this day or on the day before."""
    for one in changes:
        if effect_of(one) != FREE:
            continue
        hours = one.change if isinstance(one, Allowance) else one.hours
        assert isinstance(hours, Window | Hours)
        clock = wall.time()
        for day, is_inside in (
            (wall.date(), hours.begins <= clock and (clock < hours.ends or hours.ends <= hours.begins)),
            (wall.date() - timedelta(days=1), hours.ends <= hours.begins and clock < hours.ends),
        ):
            effect, source = expected_override(changes, day)
            if is_inside and is_on(one, day) and not (effect == BLOCKED and source >= rank(one)):
                return True
    return False


SESSIONS = st.lists(st.tuples(st.integers(-60, 50), st.integers(1, 40)), max_size=3)


@given(LISTS, SESSIONS)
@at_most_examples(60)
def test_usage_reports_and_deployments_agree(
    lists: tuple[list[CalendarEntry], list[Allowance]], lengths: list[tuple[int, int]]
) -> None:
    midnight = day_bounds(FALL_BACK, ZONE)[0]
    sessions = [Session(midnight + 30 * begin * MIN, midnight + 30 * (begin + n) * MIN) for begin, n in lengths]
    snapshot = snapshot_of(*lists, sessions, at=(FALL_BACK + timedelta(days=1), 20))
    decided = snapshot.limit_usages_of("group_01")
    for day in (FALL_BACK, FALL_BACK + timedelta(days=1)):
        usage, row = usage_of(snapshot, snapshot.clusters[0], day), cluster_day(snapshot, snapshot.clusters[0], day)
        assert (usage.used, usage.uncounted) == (row.used, row.uncounted)
        of_day = usage.limit_usages.get(Period.DAY)
        assert (row.day_limit, row.tightest_usage and row.tightest_usage.left) == (of_day and of_day.limit, usage.left)
        assert of_day is None or of_day.used == usage.used
    assert set(usage.limit_usages.values()) == set(decided) == set(limit_usages_with(snapshot, "group_01", None))
