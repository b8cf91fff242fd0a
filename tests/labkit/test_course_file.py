"""The course file: the enforcer parses what the deployment writes, and manual edits are detected."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.domain.course import Course, CourseError, CourseGroup
from enforcer.domain.quota import Calendar, Quota
from enforcer.workspace.course_file import parse_course
from labkit.course_file import (
    BLOCKED,
    CALENDAR_KINDS,
    FREE,
    LIMITS,
    PAGE_LANGUAGES,
    UNLIMITED,
    USUAL,
    VERSION,
    WEEKDAYS,
    WHOLE_DAY,
    CalendarEntry,
    CourseFile,
    CourseFileError,
    ExtensionSettings,
    GroupEntry,
    GroupLimits,
    Hours,
    PageOptions,
    StaffIds,
    TimeRequestSettings,
    WorkingHours,
    checksum,
    cluster_tags,
    folder_of,
    format_course_file,
    has_valid_checksum,
    legacy_group_of,
    parse_course_file,
    path_of,
)

ROOT = Path(__file__).resolve().parents[2]
PLACE = "/lab-94290-2026w/course.json"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
MINUTES = st.integers(0, 1440)
GROUP_LIMITS = st.builds(GroupLimits, MINUTES, MINUTES, st.none() | st.integers(1), st.none() | st.integers(1))
PRINCIPALS = st.none() | TEXT.filter(bool)
GROUPS = st.builds(GroupEntry, TEXT, st.integers(1), st.none() | TEXT, TEXT, GROUP_LIMITS, PRINCIPALS)
STAFF = st.builds(
    StaffIds.of, TEXT, TEXT, application_ids=st.lists(TEXT, max_size=3), addresses=st.lists(TEXT, max_size=3)
)
TIMES = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
HOURS = st.builds(Hours, TIMES, TIMES).filter(lambda hours: hours.begins != hours.ends)
ENTRIES = st.builds(
    CalendarEntry, st.sampled_from(CALENDAR_KINDS), TEXT, st.dates(), st.dates(),
    st.sampled_from([USUAL, FREE, UNLIMITED, BLOCKED]), st.none() | st.sampled_from(WEEKDAYS),
    HOURS | st.just(WHOLE_DAY), st.lists(TEXT, max_size=2).map(tuple), is_imported=st.booleans(),
)  # fmt: skip
WITH_LIMITS = st.builds(
    lambda entry, soft, hard: replace(entry, effect=LIMITS, soft_minutes=soft, hard_minutes=hard),
    ENTRIES, st.none() | MINUTES, MINUTES,
)  # fmt: skip
WORKING_HOURS = st.builds(
    WorkingHours,
    st.lists(st.sampled_from(WEEKDAYS), max_size=3).map(tuple),
    HOURS.filter(lambda hours: hours.begins < hours.ends),
)
PAGES = st.builds(PageOptions, st.sampled_from(PAGE_LANGUAGES), TEXT, st.lists(TEXT, max_size=3).map(tuple))
EXTENSIONS = st.builds(
    ExtensionSettings,
    st.integers(1, 1440),
    st.integers(1, 1440),
    st.lists(st.sampled_from(CALENDAR_KINDS), max_size=3).map(tuple),
)
COURSES = st.builds(
    CourseFile, TEXT, TEXT, TEXT, TEXT, st.dates(), st.dates(), st.sampled_from(WEEKDAYS), st.booleans(),
    st.lists(GROUPS, max_size=3).map(tuple), STAFF, st.lists(ENTRIES | WITH_LIMITS, max_size=3).map(tuple),
    st.none() | WORKING_HOURS, st.none() | PAGES,
    st.none() | st.builds(TimeRequestSettings, st.integers(1, 1440)), st.none() | EXTENSIONS, st.booleans(),
)  # fmt: skip
COURSE = CourseFile(
    "94290", "2026w", "Datenlabor „Süd“", "Asia/Jerusalem", date(2026, 10, 18), date(2027, 1, 29), "Sunday", False,
    (
        GroupEntry("group_02", 2, None, "Dana's …", GroupLimits(150, 180)),
        GroupEntry("group_07", 7, "1007", "צוות ז", GroupLimits(150, 0, 900, 3000)),
    ),
)  # fmt: skip
WITH_STAFF = replace(
    COURSE,
    staff=StaffIds.of(
        "94290",
        "2026w",
        application_ids=["6A1F0F0E-8d1c-4a55-9a5e-0d6f7a0b1c2d"],
        addresses=["Assistant@example.ac.il"],
    ),
)
# The file for WITH_STAFF, byte for byte: a deployment must not replace a running course's file without need.
WRITTEN = """{
  "version": 2,
  "course": "94290",
  "term": "2026w",
  "title": "Datenlabor „Süd“",
  "timezone": "Asia/Jerusalem",
  "first_day": "2026-10-18",
  "last_day": "2027-01-29",
  "first_weekday": "Sunday",
  "count_all_sessions": false,
  "staff": {
    "application_ids": [
      "6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"
    ],
    "address_hashes": [
      "7454addf94eacd476d8f102938e4a3ddfbe2b755d89a7f2de061f26de9b722b6"
    ]
  },
  "groups": [
    {
      "name": "group_02",
      "number": 2,
      "moodle_id": null,
      "title": "Dana's …",
      "limits": {
        "soft_minutes": 150,
        "hard_minutes": 180,
        "week_minutes": null,
        "term_minutes": null
      }
    },
    {
      "name": "group_07",
      "number": 7,
      "moodle_id": "1007",
      "title": "צוות ז",
      "limits": {
        "soft_minutes": 150,
        "hard_minutes": 0,
        "week_minutes": 900,
        "term_minutes": 3000
      }
    }
  ],
  "checksum": "b99312b9d97f7ec1692867bea332c20c3984281cca7785e227106698bc8449f6"
}
"""


def as_version_1(text: str) -> str:
    """Return the file as version 0.1 wrote it."""
    document = {**json.loads(text), "version": 1}
    del document["staff"], document["checksum"]
    return json.dumps({**document, "checksum": checksum(document)})


def document_of(course: CourseFile) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(format_course_file(course))
    return document


@given(COURSES)
def test_parsing_is_the_inverse_of_formatting(course: CourseFile) -> None:
    text = format_course_file(course)
    assert parse_course_file(text, PLACE) == course
    assert format_course_file(parse_course_file(text, PLACE)) == text
    assert has_valid_checksum(text) and has_valid_checksum(text.encode())


@given(COURSES, TEXT, st.none() | st.integers() | TEXT)
def test_unknown_keys_are_ignored(course: CourseFile, key: str, value: object) -> None:
    document = document_of(course)
    document = {f"x {key}": value, **document}
    for group in document["groups"]:
        group[f"x {key}"] = value
        group["limits"][f"x {key}"] = value
    assert parse_course_file(json.dumps(document), PLACE) == course


@given(COURSES, COURSES)
def test_any_edit_except_white_space_invalidates_the_checksum(course: CourseFile, other: CourseFile) -> None:
    document, edited = document_of(course), document_of(other)
    assert has_valid_checksum(json.dumps(document, indent=1, sort_keys=True))
    for key in document.keys() - {"checksum"}:
        is_same = document[key] == edited.get(key)
        assert has_valid_checksum(json.dumps({**document, key: edited.get(key)})) == is_same
    assert not has_valid_checksum(json.dumps({**document, "schedule": []}))


def test_the_format_of_the_file_does_not_change() -> None:
    assert format_course_file(WITH_STAFF) == WRITTEN
    assert parse_course_file(WRITTEN, PLACE) == WITH_STAFF


def test_the_format_of_a_calendar_does_not_change() -> None:
    lecture = CalendarEntry(
        "class", "Lecture", date(2026, 10, 18), date(2027, 1, 29), FREE, "Monday", Hours(time(10), time(12))
    )
    exam = CalendarEntry(
        "exam",
        "",
        date(2027, 1, 20),
        date(2027, 1, 20),
        LIMITS,
        groups=("group_02",),
        hard_minutes=300,
        is_imported=True,
    )
    hours = WorkingHours(("Sunday", "Monday"), Hours(time(8), time(18)))
    document = document_of(replace(WITH_STAFF, calendar=(lecture, exam), working_hours=hours))

    added = {key: document[key] for key in document if key not in json.loads(WRITTEN) or key == "version"}
    assert added == {
        "version": 2,
        "calendar": [
            {
                "kind": "class",
                "title": "Lecture",
                "first_day": "2026-10-18",
                "last_day": "2027-01-29",
                "effect": "free",
                "weekday": "Monday",
                "hours": "10:00-12:00",
            },
            {
                "kind": "exam",
                "title": "",
                "first_day": "2027-01-20",
                "last_day": "2027-01-20",
                "effect": "limits",
                "groups": ["group_02"],
                "hard_minutes": 300,
                "imported": True,
            },
        ],
        "working_hours": {"weekdays": ["Sunday", "Monday"], "hours": "08:00-18:00"},
    }


def test_the_format_of_the_pages_options_does_not_change() -> None:
    options = PageOptions("he", "17.3.x-scala2.13", ("nltk==3.9.1",))
    document = document_of(replace(WITH_STAFF, pages=options))

    added = {key: document[key] for key in document if key not in json.loads(WRITTEN) or key == "version"}
    assert added == {
        "version": 2,
        "pages": {"language": "he", "runtime": "17.3.x-scala2.13", "libraries": ["nltk==3.9.1"]},
    }


def test_the_format_of_time_requests_does_not_change() -> None:
    document = document_of(
        replace(WITH_STAFF, requests=TimeRequestSettings(), extensions=ExtensionSettings(30, 1, ("exam",)))
    )

    added = {key: document[key] for key in document if key not in json.loads(WRITTEN) or key == "version"}
    assert added == {
        "version": 2,
        "requests": {"expire_days": 7},
        "extensions": {"minutes": 30, "per_week": 1, "not_in": ["exam"]},
    }


def test_the_course_file_mentions_the_weekly_digest_only_if_it_is_off() -> None:
    assert "weekly_digest" not in document_of(WITH_STAFF)
    assert document_of(replace(WITH_STAFF, weekly_digest=False))["weekly_digest"] is False


DAY_OFF = {"kind": "holiday", "title": "", "first_day": "2026-12-06", "last_day": "2026-12-08", "effect": "usual"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"calendar": [DAY_OFF | {"kind": "party"}]}, "'party' is not one of class, exam, holiday, blackout"),
        ({"calendar": [DAY_OFF | {"effect": "limits"}]}, "the effect 'limits' does not match hard_minutes None"),
        ({"calendar": [DAY_OFF | {"effect": "free", "hours": "8-10"}]}, "'8-10' is not a part of a day"),
        ({"calendar": [DAY_OFF | {"last_day": "2026-12-05"}]}, "2026-12-06 to 2026-12-05 are not valid days"),
        ({"calendar": [DAY_OFF | {"effect": "limits", "hard_minutes": 1e7}]}, "1e+07 minutes are longer than a term"),
        ({"working_hours": {"weekdays": [], "hours": "18:00-08:00"}}, "the working hours 18:00-08:00 must end later"),
        ({"pages": {"language": "fr"}}, "'fr' is not one of en, he"),
        ({"weekly_digest": "no"}, "'no' is neither true nor false"),
        ({"requests": {"expire_days": 0}}, "0 is not a whole number from 1 to 1440"),
        ({"extensions": {"minutes": 30, "per_week": 1, "not_in": ["party"]}}, "'party' is not one of class, exam"),
    ],
)
def test_a_malformed_optional_key_is_rejected_in_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CourseError) as caught:
        parse_course(json.dumps({**document_of(COURSE), **changes}), PLACE)

    assert str(caught.value).startswith(f"{PLACE} is not a course file ({sentence}")


def test_a_version_1_file_has_no_staff() -> None:
    old = as_version_1(WRITTEN)
    assert json.loads(old)["checksum"] == "fa8acd08ba20e8793895644d8714372d3ccd14d35525401f7ef4ee03f159eaa4"
    assert (parse_course_file(old, PLACE), has_valid_checksum(old)) == (COURSE, True)


@pytest.mark.parametrize(
    ("user", "is_staff"),
    [
        ("assistant@example.ac.il", True),
        ("ASSISTANT@Example.ac.il", True),
        ("6a1f0f0e-8D1C-4a55-9a5e-0d6f7a0b1c2d", True),
        ("dana@campus.example.ac.il", False),
        ("", False),
    ],
)
def test_staff_are_found_by_address_or_application_id(user: str, is_staff: bool) -> None:
    assert parse_course(WRITTEN, PLACE).is_staff(user) == is_staff
    assert WITH_STAFF.staff.includes(user, "94290", "2027s") == (is_staff and "@" not in user)


@pytest.mark.parametrize("content", ["", "not json", "[]", "{}", '{"checksum": 1}', b"\xff", '{"a": "\\ud800"}'])
def test_only_course_files_have_a_valid_checksum(content: str | bytes) -> None:
    assert not has_valid_checksum(content)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"version": 4},
            f"{PLACE} has version 4, but this program reads versions up to 3; update the enforcer before deploying",
        ),
        ({"version": "1"}, f"{PLACE} is not a course file ('1' is not a version); deploy the course again"),
        ({"version": True}, f"{PLACE} is not a course file (True is not a version); deploy the course again"),
        ({"version": 0}, f"{PLACE} is not a course file (0 is not a version); deploy the course again"),
        ({"staff": {"application_ids": [7]}}, f"{PLACE} is not a course file (7 is not a string); deploy"),
        ({"staff": []}, f"{PLACE} is not a course file ([] is not a table); deploy the course again"),
        (
            {"first_day": "soon"},
            f"{PLACE} is not a course file (Invalid isoformat string: 'soon'); deploy the course again",
        ),
        ({"first_weekday": "Sun"}, f"{PLACE} is not a course file ('Sun' is not a day of the week); deploy the"),
        ({"first_weekday": []}, f"{PLACE} is not a course file ([] is not a day of the week); deploy the"),
        ({"groups": None}, f"{PLACE} is not a course file ('NoneType' object is not iterable); deploy the"),
        ({"groups": [{"name": "a"}]}, f"{PLACE}: limits is missing; deploy the course again"),
        ({"groups": [{"limits": {"soft_minutes": 1}}]}, f"{PLACE}: name is missing; deploy the course again"),
        (
            {"groups": [{"name": "a", "number": 1, "title": "", "limits": {"soft_minutes": "9", "hard_minutes": 1}}]},
            f"{PLACE} is not a course file ('9' is not a number of minutes); deploy the course again",
        ),
        (
            {"groups": [{"name": "a", "number": 1, "title": "", "limits": {"soft_minutes": 1, "hard_minutes": -1}}]},
            f"{PLACE} is not a course file (-1 is not a number of minutes); deploy the course again",
        ),
        (
            {"groups": [{"name": "a", "number": 1, "title": "", "limits": {"soft_minutes": 1, "hard_minutes": True}}]},
            f"{PLACE} is not a course file (True is not a number of minutes); deploy the course again",
        ),
    ],
)
def test_a_malformed_file_is_rejected_in_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CourseFileError) as caught:
        parse_course_file(json.dumps({**document_of(COURSE), **changes}), PLACE)
    assert str(caught.value).startswith(sentence)
    with pytest.raises(CourseError) as of_enforcer:
        parse_course(json.dumps({**document_of(COURSE), **changes}), PLACE)
    assert str(of_enforcer.value) == str(caught.value)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", "null", "7"])
def test_a_string_that_is_no_course_file_is_rejected(text: str) -> None:
    with pytest.raises(CourseFileError, match="deploy the course again"):
        parse_course_file(text, PLACE)


def test_a_course_file_is_converted_to_durations_and_a_calendar() -> None:
    minute = timedelta(minutes=1)
    assert parse_course(as_version_1(WRITTEN), PLACE) == Course(
        "94290",
        "2026w",
        "Datenlabor „Süd“",
        Calendar(ZoneInfo("Asia/Jerusalem"), date(2026, 10, 18), date(2027, 1, 29), 6),
        False,
        {
            "group_02": CourseGroup("group_02", 2, "Dana's …", Quota(150 * minute, 180 * minute)),
            "group_07": CourseGroup(
                "group_07", 7, "צוות ז", Quota(150 * minute, 0 * minute, 900 * minute, 3000 * minute)
            ),
        },
    )
    for zone in ("Nowhere", "Asia", ""):
        with pytest.raises(CourseError, match="is not a course file"):
            parse_course(WRITTEN.replace("Asia/Jerusalem", zone), PLACE)


def test_a_principal_raises_the_version_and_is_read_by_the_enforcer() -> None:
    directory = replace(COURSE.groups[1], principal="DE-2026-07")
    course = replace(COURSE, groups=(COURSE.groups[0], directory))
    document = json.loads(format_course_file(course))
    assert (document["version"], [group.get("principal") for group in document["groups"]]) == (3, [None, "DE-2026-07"])
    assert "principal" not in document["groups"][0]
    assert parse_course_file(format_course_file(course), PLACE) == course
    parsed = parse_course(format_course_file(course), PLACE)
    assert [parsed.principal_of(name) for name in ("group_02", "group_07", "group_99")] == [
        "group_02",
        "DE-2026-07",
        "group_99",
    ]
    assert (parsed.principals, parsed.created_groups) == (
        frozenset({"group_02", "DE-2026-07"}),
        frozenset({"group_02"}),
    )


def test_the_schema_has_the_version_and_the_keys_of_the_format() -> None:
    schema = json.loads((ROOT / "docs" / "course.schema.json").read_text(encoding="utf-8"))
    group = schema["properties"]["groups"]["items"]
    document = document_of(COURSE)
    assert schema["properties"]["version"]["enum"] == list(range(1, VERSION + 1))
    assert schema["properties"]["first_weekday"]["enum"] == list(WEEKDAYS)
    limits = group["properties"]["limits"]
    written = [document, document["groups"][0], document["groups"][0]["limits"]]
    # A property that is not required is a key that the file may omit.
    assert [part["required"] for part in (schema, group, limits)] == [
        [key for key in part if key != "staff"] for part in written
    ]
    assert document["staff"].keys() == schema["properties"]["staff"]["properties"].keys()
    assert [set(part["required"]) - set(part["properties"]) for part in (schema, group, limits)] == [set()] * 3


def test_names_in_the_workspace_do_not_change() -> None:
    assert (folder_of("94290", "2026w"), path_of("94290", "2026w")) == ("/lab-94290-2026w", PLACE)
    assert cluster_tags(course="94290", term="2026w", group="group_01") == {
        "origin": "terraform", "lab_course": "94290", "lab_term": "2026w", "lab_group": "group_01"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cluster", "group"),
    [
        ("cluster_1", "group_1"),
        ("group_01", "group_01"),
        ("cluster_", None),
        ("my_cluster_1", None),
        ("cluster_1x", None),
    ],
)
def test_a_cluster_without_tags_has_the_group_of_its_legacy_name(cluster: str, group: str | None) -> None:
    assert legacy_group_of(cluster) == group
