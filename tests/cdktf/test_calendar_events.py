"""Calendar files of four programs, the rules for their events, and the normalised table."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import calendar_files
from calendar_files import calendar, event
from course_calendar.events import CalendarError, Occurrence, read_occurrences
from course_calendar.rules import Classified, classify
from course_calendar.table import CalendarRow, TableError, format_table, parse_table
from labkit.course_file import CALENDAR_KINDS

ZONE = ZoneInfo("Asia/Jerusalem")
FIRST, LAST = date(2026, 10, 18), date(2027, 1, 29)
RULES = {
    "Lecture*": "class",
    "teaching": "class",
    "Class session": "class",
    "Exam *": "exam",
    "*is due": "exam",
    "Hanukkah": "holiday",
    "Maintenance": "blackout",
}


def imported(data: bytes, rules: dict[str, str] = RULES) -> Classified:
    return classify(read_occurrences(data, first=FIRST, last=LAST, tz=ZONE), rules, first=FIRST, last=LAST)


def rows(data: bytes) -> list[str]:
    return [str(row) for row in sorted(imported(data).rows)]


def test_googles_recurrences_exceptions_and_zones() -> None:
    found = imported(calendar_files.google())

    assert [str(row) for row in sorted(found.rows)] == [
        "class 2026-10-19 10:00-12:00",
        "class 2026-10-26 10:00-12:00",
        "class 2026-11-10 14:00-16:00",
        "class 2026-11-16 10:00-12:00",
        "holiday 2026-12-06 to 2026-12-07",
        "exam 2027-01-21",
    ]
    assert found.ignored == {("Staff lunch",): 1}


def test_outlook_zones_categories_and_byte_order_mark_are_read() -> None:
    assert rows(calendar_files.outlook()) == [
        "class 2026-10-20 22:00-00:30",
        "class 2026-10-27 22:00-00:30",
        "blackout 2026-12-24",
    ]


def test_apples_long_events_and_times_without_a_zone() -> None:
    assert rows(calendar_files.apple()) == [
        "class 2026-10-25 18:00-00:00",
        "class 2026-10-26",
        "class 2026-10-27 00:00-09:00",
        "class 2026-11-01 09:00-10:30",
    ]


def test_moodles_times_are_in_utc_and_deadlines_have_no_duration() -> None:
    found = imported(calendar_files.moodle())

    assert [str(row) for row in sorted(found.rows)] == ["class 2026-11-09 10:00-12:00", "exam 2026-11-30"]
    assert imported(calendar_files.moodle(), {"94290": "class"}).ignored == {("Exercise 3 is due", "94290"): 1}


def test_the_table_has_no_title_person_or_address() -> None:
    calendars = (calendar_files.google(), calendar_files.outlook(), calendar_files.apple(), calendar_files.moodle())
    text = format_table(row for data in calendars for row in imported(data).rows)

    assert set(text) <= set("abcdefghijklmnopqrstuvwxyz_0123456789-:,\n")
    assert {line.split(",")[0] for line in text.splitlines()} == {"kind", *CALENDAR_KINDS}


def test_only_events_of_the_term_are_imported() -> None:
    data = calendar(
        event("a", "DTSTART;VALUE=DATE:20261010", "DTEND;VALUE=DATE:20261020", title="Hanukkah"),
        event("b", "DTSTART;VALUE=DATE:20270129", title="Hanukkah"),
        event("c", "DTSTART;VALUE=DATE:20270130", title="Hanukkah"),
        event("d", "DTSTART;VALUE=DATE:20261017", title="unknown"),
        event("e", "DTSTART:20270129T220000Z", "DTEND:20270129T230000Z"),
        event("f", "DTSTART:20261017T210000Z", "DTEND:20261017T220000Z"),
    )
    found = imported(data)

    assert [str(row) for row in sorted(found.rows)] == [
        "class 2026-10-18 00:00-01:00",
        "holiday 2026-10-18 to 2026-10-19",
        "holiday 2027-01-29",
    ]
    assert found.ignored == {}


def test_a_zone_with_a_vendors_prefix_is_understood_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    zone = "/freeassociation.sourceforge.net/Europe/Berlin"
    start, end = (f"{name};TZID={zone}:20261101T{clock}0000" for name, clock in (("DTSTART", "08"), ("DTEND", "10")))
    left_out = f"EXDATE;TZID={zone}:20261102T080000,20261103T080000"
    data = calendar(event("a", start, end, "RRULE:FREQ=DAILY;COUNT=4", left_out))

    assert rows(data) == ["class 2026-11-01 09:00-11:00", "class 2026-11-04 09:00-11:00"]
    assert list(recwarn) == []


def test_the_first_rule_that_matches_decides() -> None:
    data = calendar(event("a", "DTSTART;VALUE=DATE:20261101", "CATEGORIES:Blackout", title="Exam [x]"))

    assert {imported(data, rules).rows for rules in ({"exam [x]": "exam", "*": "class"},)} == {
        frozenset({CalendarRow(date(2026, 11, 1), date(2026, 11, 1), "exam")})
    }
    assert [row.kind for row in imported(data, {"BLACKOUT": "blackout", "*": "exam"}).rows] == ["blackout"]
    assert imported(data, {"exam x": "exam"}).rows == frozenset()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "this is not a calendar: a file that begins with BEGIN:VCALENDAR is expected."),
        (b"<html>not a calendar</html>", "the calendar has an invalid value (ValueError); export it again"),
        (b"BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n", "this is not a calendar: a file that begins with"),
        (calendar_files.google()[:-20], "the calendar is incomplete: its last line must be"),
        (calendar_files.google()[:900], "the calendar is incomplete: its last line must be"),
        ("BEGIN:VCALENDAR".encode("utf-16"), "the calendar is not UTF-8; export it again as iCalendar (.ics)."),
        (
            calendar(event("a", "DTSTART;TZID=Customized Time Zone:20261101T080000")),
            'an event has the unknown time zone "Customized Time Zone"; correct it in the calendar program.',
        ),
        (
            calendar(
                event("a", "DTSTART:20261101T080000Z", "RRULE:FREQ=DAILY", "EXDATE;TZID=Nonsense/Zone:20261102T080000")
            ),
            'an event has the unknown time zone "Nonsense/Zone"; correct it in the calendar program.',
        ),
        (
            calendar(event("a", "DTSTART;TZID=(UTC+02:00) Jerusalem:20261101T080000")),
            "an event of the calendar has no valid DTSTART; export it again",
        ),
        (calendar(event("a", "DTSTART:yesterday")), "an event of the calendar has no valid DTSTART; export it again"),
        (
            calendar(event("a", "DTSTART:20261101T080000Z", "RRULE:FREQ=OFTEN")),
            "an event of the calendar has no valid RRULE; export it again",
        ),
        (
            calendar(event("a", "DTSTART:20261101T080000Z", "EXDATE:never", "RRULE:FREQ=DAILY")),
            "an event of the calendar has no valid EXDATE; export it again",
        ),
        (
            calendar(event("a", "DTSTART:20261101T080000Z", "RRULE:FREQ=SECONDLY")),
            "an event repeats every hour or more often; remove it from the calendar.",
        ),
        (
            calendar(
                event(
                    "a",
                    "DTSTART:20261101T080000Z",
                    "RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5",
                )
            ),
            "an event repeats every hour or more often; remove it from the calendar.",
        ),
        (
            calendar(*(event(f"{n}", "DTSTART:20261101T080000Z", "RRULE:FREQ=DAILY") for n in range(501))),
            "more than 500 events repeat; export only the course's calendar.",
        ),
        pytest.param(
            calendar(*(event(f"{n}", "DTSTART;VALUE=DATE:20261101") for n in range(5001))),
            "the calendar has more than 5000 events; export only the course's calendar.",
            marks=pytest.mark.waits,
        ),
    ],
)
def test_an_unusable_calendar_is_refused_in_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(CalendarError) as caught:
        imported(data)

    assert str(caught.value).startswith(sentence)
    assert "dana@" not in str(caught.value)


DATES = st.dates(FIRST, LAST)
CLOCKS = st.integers(0, 1439)


@given(DATES, CLOCKS, st.integers(1, 4000))
def test_the_rows_of_a_lesson_cover_exactly_its_minutes(day: date, minute: int, length: int) -> None:
    begins = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    lecture = Occurrence(begins, begins + timedelta(minutes=length), False, ("Lecture",))
    found = classify([lecture], RULES, first=date.min, last=date.max)

    minutes = {
        datetime.combine(row.first_day + timedelta(days=number), row.part.begins) + timedelta(minutes=m)
        for row in found.rows
        for number in range((row.last_day - row.first_day).days + 1)
        for m in range(length_of(row))
    }
    assert minutes == {begins + timedelta(minutes=m) for m in range(length)}


def length_of(row: CalendarRow) -> int:
    begins, ends = (clock.hour * 60 + clock.minute for clock in (row.part.begins, row.part.ends))
    return ends - begins if ends > begins else ends - begins + 1440


ROWS = st.builds(
    lambda first, days, kind, hours: CalendarRow(
        first, first + timedelta(days=days), kind, hours if kind == "class" else ""
    ),
    DATES,
    st.integers(0, 9),
    st.sampled_from(CALENDAR_KINDS),
    st.sampled_from(["", "10:00-12:00", "22:00-00:00"]),
)


@given(st.lists(ROWS, max_size=8))
def test_equal_rows_give_an_equal_table(found: list[CalendarRow]) -> None:
    text = format_table(found)

    assert parse_table(text, "calendar.csv") == tuple(sorted(set(found)))
    assert format_table([*reversed(found), *found]) == text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "calendar.csv:1: the header must be kind,first_day,last_day,hours"),
        ("kind,day\n", "calendar.csv:1: the header must be kind,first_day,last_day,hours"),
        ("kind,first_day,last_day,hours\nparty,2026-11-01,2026-11-01,\n", "calendar.csv:2: a kind, first and last day"),
        ("kind,first_day,last_day,hours\nexam,2026-11-02,2026-11-01,\n", "calendar.csv:2: a kind, first and last day"),
        ("kind,first_day,last_day,hours\nexam,2026-11-01,2026-11-01,10:00-12:00\n", "calendar.csv:2: a kind, first"),
        ("kind,first_day,last_day,hours\nclass,2026-11-01,2026-11-01,9-10\n", "calendar.csv:2: a kind, first and last"),
        ("kind,first_day,last_day,hours\nclass,2026-11-01\n", "calendar.csv:2: a kind, first and last day"),
    ],
)
def test_a_damaged_table_is_refused_with_its_line(text: str, place: str) -> None:
    with pytest.raises(TableError) as caught:
        parse_table(text, "calendar.csv")

    assert str(caught.value).startswith(place)
