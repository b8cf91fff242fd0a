"""Allowance files and their windows."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.domain.allowances import (
    Allowance,
    AllowanceError,
    LimitOverride,
    Revocation,
    Window,
    format_entry,
    in_force,
    parse_entry,
    parse_window,
    windows_between,
)
from example_counts import at_most_examples

JERUSALEM = ZoneInfo("Asia/Jerusalem")
GIVEN = datetime(2026, 10, 30, 8, tzinfo=UTC)
DAY = date(2026, 11, 2)


def allowance(change: Any, first: date = DAY, last: date = DAY, id: str = "a1", group: str | None = None) -> Allowance:
    return Allowance(id, group, first, last, change, "exam", "staff@x", GIVEN)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("Mon 10:00-12:00", Window(0, time(10), time(12))),
        ("monday 9:30 - 11:00", Window(0, time(9, 30), time(11))),
        ("22:00-02:00", Window(None, time(22), time(2))),
    ],
)
def test_common_notations_of_windows_are_parsed(text: str, window: Window) -> None:
    assert parse_window(text) == window


@pytest.mark.parametrize("text", ["", "10-12", "Mon", "Xyz 10:00-12:00", "10:00-25:00", "10:00-10:00", "10:61-12:00"])
def test_an_invalid_window_is_rejected_with_a_message(text: str) -> None:
    with pytest.raises(AllowanceError, match="window"):
        parse_window(text)


changes = (
    st.integers(-1000, 1000).map(lambda minutes: timedelta(minutes=minutes))
    | st.sampled_from(LimitOverride)
    | st.builds(Window, st.none() | st.integers(0, 6), st.just(time(9, 30)), st.just(time(11)))
)
entries = st.builds(
    Allowance,
    st.text("abc-123", min_size=1),
    st.none() | st.just("group_07"),
    st.just(DAY),
    st.dates(DAY, date(2027, 1, 1)),
    changes,
    st.text(),
    st.text(),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
) | st.builds(Revocation, st.text("abc", min_size=1), st.text("abc", min_size=1), st.text(), st.text(), st.just(GIVEN))


@at_most_examples(25)
@given(entries)
def test_a_written_entry_is_read_back_unchanged(entry: Allowance | Revocation) -> None:
    assert parse_entry(format_entry(entry), "x.json") == entry


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x.json is not an allowance: Expecting value"),
        ("[]", "x.json is not an allowance: "),
        ('{"version": 1}', "x.json: reason is missing"),
        (format_entry(allowance(60 * timedelta(minutes=1))).replace('"version": 1', '"version": 2'), "version 2"),
        (
            format_entry(allowance(LimitOverride.BLOCKED)).replace("true", "false"),
            "x.json: exactly one of minutes, unlimited",
        ),
        (format_entry(allowance(LimitOverride.BLOCKED)).replace("+00:00", ""), "has no time zone"),
        (
            format_entry(allowance(LimitOverride.BLOCKED)).replace(
                '"first_day": "2026-11-02"', '"first_day": "2026-12-02"'
            ),
            "is before the first day",
        ),
    ],
)
def test_an_invalid_allowance_file_is_rejected_with_its_name(text: str, sentence: str) -> None:
    with pytest.raises(AllowanceError) as error:
        parse_entry(text, "x.json")

    assert str(error.value).startswith("x.json")
    assert sentence in str(error.value)


def test_a_revoked_allowance_is_not_in_force() -> None:
    kept, gone = allowance(LimitOverride.UNLIMITED, id="a1"), allowance(LimitOverride.BLOCKED, id="a2")

    assert in_force([kept, gone, Revocation("r1", "a2", "mistake", "staff@x", GIVEN), kept]) == (kept,)


def test_adjacent_windows_are_merged() -> None:
    given = [allowance(parse_window("10:00-12:00")), allowance(parse_window("11:00-13:00"), id="a2")]
    day = [datetime(2026, 11, 2, hour, tzinfo=JERUSALEM).astimezone(UTC) for hour in (0, 10, 13)]

    found = windows_between(day[0], day[0] + timedelta(days=1), "group_07", given, JERUSALEM)

    assert found == ((day[1], day[2]),)


def test_a_window_keeps_its_local_times_when_clocks_change() -> None:
    """On 25 October 2026, clocks in Jerusalem are set back at 2:00, so the hour from 1:00 to 2:00 occurs twice."""
    night = parse_window("00:30-03:00").on(date(2026, 10, 25), JERUSALEM)

    assert night is not None
    assert night[1] - night[0] == timedelta(hours=3, minutes=30)


def test_a_blocked_day_has_no_window() -> None:
    given = [allowance(parse_window("10:00-12:00")), allowance(LimitOverride.BLOCKED, id="a2", group="group_07")]
    begins = datetime(2026, 11, 2, tzinfo=UTC)

    found = {
        group: len(windows_between(begins, begins + timedelta(days=1), group, given, JERUSALEM))
        for group in ("group_07", "group_08")
    }

    assert found == {"group_07": 0, "group_08": 1}


def test_the_text_of_an_allowance_has_change_and_reason() -> None:
    reported = [
        str(allowance(change))
        for change in (timedelta(minutes=-5), LimitOverride.BLOCKED, parse_window("Mon 9:30-11:00"))
    ]

    assert reported == ["- 5 minutes: exam", "blocked: exam", "window Mon 09:30-11:00: exam"]
