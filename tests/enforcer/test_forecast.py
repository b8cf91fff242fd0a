"""The forecast: past days by weekday, the calendar, and too little evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.domain.allowances import Allowance, LimitOverride, parse_window
from enforcer.domain.course import course_from_file
from enforcer.reports.forecast import Band, DayMark, Forecast, ForecastDay, forecast, marks_of
from labkit.course_file import (
    BLOCKED,
    FREE,
    LIMITS,
    UNLIMITED,
    CalendarEntry,
    CourseFile,
    parse_hours,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONDAY = date(2026, 11, 2)
OFF, USUAL = DayMark.OFF, DayMark.USUAL
COURSE = CourseFile("94290", "2026w", "Lab", "UTC", MONDAY, MONDAY + 100 * DAY, "Monday", False)
DAYS = [MONDAY + number * DAY for number in range(7)]

marks = st.dictionaries(st.integers(-30, 60).map(lambda n: MONDAY + n * DAY), st.sampled_from(DayMark))
totals = st.dictionaries(
    st.integers(-40, 5).map(lambda n: MONDAY + n * DAY), st.timedeltas(timedelta(), 24 * HOUR), max_size=46
)


def weeks(*values: float, weekday: int = 0) -> dict[date, timedelta]:
    """Return totals of the weeks before MONDAY: `values` hours on one weekday, oldest first, and zero on the others."""
    first = MONDAY - 7 * len(values) * DAY
    return {
        first + number * DAY: (values[number // 7] * HOUR if number % 7 == weekday else timedelta())
        for number in range(7 * len(values))
    }


def bands(of: Forecast) -> list[tuple[float, float, float] | None]:
    return [
        None if one.band is None else (one.band.low / HOUR, one.band.expected / HOUR, one.band.high / HOUR)
        for one in of.days
    ]


def test_a_future_day_adds_mean_and_quartiles_of_its_weekday():
    result = forecast(weeks(1, 2, 3, 8, 6), today=MONDAY, last_day=MONDAY + 7 * DAY, marks={})
    assert result.used == 20 * HOUR
    assert bands(result) == [(22, 24, 26)] * 7 + [(24, 28, 32)]


def test_a_mean_above_the_third_quartile_widens_the_band():
    result = forecast(weeks(0, 0, 0, 0, 10), today=MONDAY, last_day=MONDAY, marks={})
    assert bands(result) == [(10, 12, 12)]


def test_the_band_is_unknown_with_fewer_than_two_weeks():
    known = weeks(3, 3)
    del known[min(known)]
    result = forecast(known, today=MONDAY, last_day=MONDAY + DAY, marks={MONDAY: OFF})
    assert result == Forecast(3 * HOUR, 13, (ForecastDay(MONDAY, OFF, None), ForecastDay(MONDAY + DAY, USUAL, None)))
    assert (result.is_known, result.at_end, result.first_day_over(HOUR)) == (False, None, None)


def test_a_day_off_is_flat_and_no_evidence():
    past = weeks(4, 4, 4)
    holiday = MONDAY - 7 * DAY
    past[holiday] = timedelta()
    days_off = {holiday: OFF, MONDAY: OFF}
    result = forecast(past, today=MONDAY, last_day=MONDAY + 7 * DAY, marks=days_off)
    assert bands(result) == [(8, 8, 8)] * 7 + [(12, 12, 12)]
    assert result.evidence_days == 20


def test_usage_on_a_day_off_counts_as_used():
    past = weeks(4, 4, 4)
    result = forecast(past, today=MONDAY, last_day=MONDAY, marks={MONDAY - 7 * DAY: OFF})
    assert (result.used, bands(result)) == (12 * HOUR, [(16, 16, 16)])


def test_a_weekday_without_evidence_is_like_all_past_days():
    past = {MONDAY - number * DAY: 2 * HOUR for number in range(1, 22)}
    mondays_off = {day: OFF for day in past if day.weekday() == 0}
    result = forecast(past, today=MONDAY, last_day=MONDAY, marks=mondays_off)
    assert bands(result) == [(44, 44, 44)]


def test_today_is_at_least_what_is_used_so_far():
    past = weeks(2, 2) | {MONDAY: 5 * HOUR, MONDAY + DAY: 9 * HOUR}
    result = forecast(past, today=MONDAY, last_day=MONDAY + DAY, marks={})
    assert bands(result) == [(9, 9, 9), (9, 9, 9)]


def test_the_day_of_a_limit_is_the_first_with_as_much_expected_usage():
    result = forecast(weeks(2, 4), today=MONDAY, last_day=MONDAY + 30 * DAY, marks={})
    days = [result.first_day_over(limit * HOUR) for limit in (6, 9, 12, 15, 22)]
    assert days == [MONDAY, MONDAY, MONDAY + 7 * DAY, MONDAY + 14 * DAY, None]


def test_after_the_term_there_is_nothing_to_forecast():
    result = forecast(weeks(2, 4), today=MONDAY, last_day=MONDAY - DAY, marks={})
    assert result == Forecast(6 * HOUR, 14, ())


@given(totals=totals, marks=marks, length=st.integers(-3, 60))
def test_the_band_is_ordered_never_falls_and_is_flat_on_days_off(totals, marks, length):
    result = forecast(totals, today=MONDAY, last_day=MONDAY + length * DAY, marks=marks)
    assert [one.day for one in result.days] == [MONDAY + n * DAY for n in range(length + 1)]
    assert all((one.band is not None) == result.is_known for one in result.days)
    before = Band(result.used, result.used, result.used)
    for one in result.days if result.is_known else ():
        assert one.band is not None
        assert one.band.low <= one.band.expected <= one.band.high
        assert before.low <= one.band.low
        assert before.expected <= one.band.expected
        assert before.high <= one.band.high
        if one.mark is OFF and one.day != MONDAY:
            assert one.band == before
        before = one.band


@given(totals=totals, marks=marks, random=st.randoms(use_true_random=False))
def test_the_order_of_the_days_has_no_effect(totals, marks, random):
    items, marked = list(totals.items()), list(marks.items())
    expected = forecast(totals, today=MONDAY, last_day=MONDAY + 40 * DAY, marks=marks)
    random.shuffle(items)
    random.shuffle(marked)
    assert forecast(dict(items), today=MONDAY, last_day=MONDAY + 40 * DAY, marks=dict(marked)) == expected


@given(used=st.timedeltas(timedelta(), 24 * HOUR), count=st.integers(2, 8))
def test_equal_days_give_a_band_without_width(used, count):
    past = {MONDAY - number * DAY: used for number in range(1, 7 * count + 1)}
    result = forecast(past, today=MONDAY, last_day=MONDAY + 9 * DAY, marks={})
    assert [one.band for one in result.days] == [
        Band(total, total, total) for total in (used * (7 * count + number) for number in range(1, 11))
    ]


def entry(kind: str, effect: str = "usual", **values: object) -> CalendarEntry:
    return replace(CalendarEntry(kind, kind, MONDAY, MONDAY, effect), **values)  # type: ignore[arg-type]


def by_staff(change: object, group: str | None = None) -> Allowance:
    return Allowance("1", group, MONDAY, MONDAY, change, "", "", datetime(2026, 11, 1, tzinfo=UTC))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entries", "given_by_staff", "expected"),
    [
        ([], [], ("usual", "usual")),
        ([entry("holiday")], [], ("off", "off")),
        ([entry("blackout", BLOCKED)], [], ("off", "off")),
        ([entry("blackout", BLOCKED, is_imported=True), entry("class", LIMITS, hard_minutes=60)], [], ("usual",) * 2),
        ([entry("class", LIMITS, hard_minutes=0)], [], ("off", "off")),
        ([entry("exam", UNLIMITED)], [], ("exam", "exam")),
        ([entry("exam", hours=parse_hours("10:00-12:00"))], [], ("exam", "exam")),
        ([entry("class", FREE, hours=parse_hours("10:00-12:00"))], [], ("usual", "usual")),
        ([entry("class", UNLIMITED)], [], ("unlimited", "unlimited")),
        ([entry("holiday", groups=("group_01",))], [], ("off", "usual")),
        ([entry("holiday", weekday="Tuesday")], [], ("usual", "usual")),
        ([entry("holiday"), entry("exam")], [], ("off", "off")),
        ([entry("blackout", BLOCKED)], [by_staff(LimitOverride.UNLIMITED, "group_01")], ("unlimited", "off")),
        ([entry("holiday")], [by_staff(LimitOverride.UNLIMITED)], ("unlimited", "unlimited")),
        ([entry("exam", UNLIMITED)], [by_staff(LimitOverride.BLOCKED)], ("off", "off")),
        ([], [by_staff(LimitOverride.BLOCKED, "group_01")], ("off", "usual")),
        ([], [by_staff(HOUR), by_staff(parse_window("10:00-12:00"))], ("usual", "usual")),
    ],
)
def test_holidays_and_blocks_are_off_and_staff_override_the_calendar(entries, given_by_staff, expected):
    course = course_from_file(replace(COURSE, calendar=tuple(entries)), ZoneInfo("UTC"))
    found = tuple(marks_of(course, given_by_staff, DAYS, group)[MONDAY].value for group in ("group_01", None))
    assert found == expected
    assert set(marks_of(course, given_by_staff, DAYS[1:], "group_01").values()) == {USUAL}
