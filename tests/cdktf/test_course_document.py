"""The course file: its content and its schema."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab_settings import GroupQuota, LabSettings, parse_settings
from preflight.target_access import deploying_service_principal, target_choice
from roster.model import Group, Member
from stack.course_document import course_text

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "course.schema.json").read_text(encoding="utf-8"))
APPLICATION = "6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"
PROGRAM = {"DATABRICKS_HOST": "https://x", "DATABRICKS_CLIENT_ID": APPLICATION, "DATABRICKS_CLIENT_SECRET": "s"}
GROUPS = (
    Group(7, "1007", "צוות ז", (Member("dana@campus.example.ac.il"),)),
    Group(2, "", "Dana's (dana@campus.example.ac.il)", (Member("noa@campus.example.ac.il"),)),
)
ASSISTANT = hashlib.sha256(b"94290\n2026w\nassistant@example.ac.il").hexdigest()
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


@pytest.fixture
def lab() -> LabSettings:
    return parse_settings((ROOT / "lab.toml").read_text(encoding="utf-8"), "lab.toml")


def misfits(value: Any, schema: dict[str, Any], at: str = "$") -> list[str]:
    """Return the violations of a schema, for the keywords that our schema uses."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(
        isinstance(value, TYPES[name]) and not (name == "integer" and value is True) for name in types
    ):
        return [f"{at}: is no {' or '.join(types)}"]
    found = []
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: is not {schema['const']}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: is none of {schema['enum']}")
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        found.append(f"{at}: does not match {schema['pattern']}")
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        found.append(f"{at}: is too short")
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{at}: is out of range")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [f"{at}: lacks {key}" for key in schema.get("required", []) if key not in value]
        if schema.get("additionalProperties") is False:
            found += [f"{at}: has {key}" for key in value if key not in known]
        for key in value.keys() & known.keys():
            found += misfits(value[key], known[key], f"{at}.{key}")
    if isinstance(value, list):
        for position, item in enumerate(value):
            found += misfits(item, schema.get("items", {}), f"{at}[{position}]")
    return found


def test_the_document_contains_course_groups_and_limits(lab: LabSettings):
    document = json.loads(course_text(lab, GROUPS))
    assert len(document.pop("checksum")) == 64
    assert document == {
        "version": 2,
        "course": "94290",
        "term": "2026w",
        "title": "Introduction to Data Engineering",
        "timezone": "Asia/Jerusalem",
        "first_day": "2026-10-18",
        "last_day": "2027-01-29",
        "first_weekday": "Sunday",
        "count_all_sessions": False,
        "staff": {"application_ids": [], "address_hashes": [ASSISTANT]},
        "groups": [
            {
                "name": "group_02",
                "number": 2,
                "moodle_id": None,
                "title": "Dana's …",
                "limits": {"soft_minutes": 150, "hard_minutes": 180, "week_minutes": None, "term_minutes": None},
            },
            {
                "name": "group_07",
                "number": 7,
                "moodle_id": "1007",
                "title": "צוות ז",
                "limits": {"soft_minutes": 150, "hard_minutes": 240, "week_minutes": None, "term_minutes": None},
            },
        ],
    }


def test_the_file_matches_its_schema(lab: LabSettings):
    assert misfits(json.loads(course_text(lab, GROUPS)), SCHEMA) == []


def test_a_file_with_a_blocked_group_matches_its_schema(lab: LabSettings):
    quota = lab.quota.model_copy(update={"groups": {"group_07": GroupQuota(hard_minutes=0)}})
    document = json.loads(course_text(lab.model_copy(update={"quota": quota}), GROUPS))
    assert document["groups"][1]["limits"]["hard_minutes"] == 0
    assert misfits(document, SCHEMA) == []


def test_the_calendar_is_in_the_file_and_matches_its_schema(lab: LabSettings):
    text = (ROOT / "lab.toml").read_text(encoding="utf-8")
    # The example's commented entries are valid.
    begin, end = text.index("# [[calendar]]"), text.index("[targets.rehearsal]")
    text = text[:begin] + re.sub(r"(?m)^# ", "", text[begin:end]) + text[end:]
    text = text.replace('"Lecture"', '"Lecture of dana@campus.example.ac.il"')
    document = json.loads(course_text(parse_settings(text, "lab.toml"), GROUPS))

    assert misfits(document, SCHEMA) == []
    assert [
        (one["kind"], one["title"], one["first_day"], one["last_day"], one["effect"]) for one in document["calendar"]
    ] == [
        ("class", "Lecture of …", "2026-10-18", "2027-01-29", "free"),
        ("exam", "", "2027-01-20", "2027-01-22", "unlimited"),
        ("exam", "", "2027-01-24", "2027-01-24", "limits"),
        ("holiday", "", "2026-12-06", "2026-12-08", "usual"),
        ("blackout", "", "2026-12-24", "2026-12-24", "blocked"),
    ]
    assert document["working_hours"] == {
        "weekdays": ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday"],
        "hours": "08:00-18:00",
    }
    assert document["pages"] == {
        "language": "en",
        "runtime": "17.3.x-scala2.13",
        "libraries": ["nltk==3.9.1", "io.graphframes:graphframes-spark4_2.13:0.10.1"],
    }


def test_a_course_without_optional_tables_has_no_keys_for_them(lab: LabSettings):
    assert not {"calendar", "working_hours", "pages"} & json.loads(course_text(lab, GROUPS)).keys()


def test_a_directory_group_is_in_the_file_with_its_principal(lab: LabSettings):
    first = min(GROUPS, key=lambda group: group.number)
    groups = (replace(first, principal="DE-2026-01"), *(group for group in GROUPS if group is not first))
    document = json.loads(course_text(lab, groups))
    assert (document["version"], document["groups"][0]["name"], document["groups"][0]["principal"]) == (
        3,
        first.key,
        "DE-2026-01",
    )
    assert misfits(document, SCHEMA) == []


def test_the_schema_refuses_an_invalid_course_file(lab: LabSettings):
    document = json.loads(course_text(lab, GROUPS))
    document["version"] = 4
    document["groups"][0]["members"] = ["dana@campus.example.ac.il"]
    document["groups"][1]["limits"]["hard_minutes"] = "240"
    del document["timezone"]
    assert sorted(misfits(document, SCHEMA)) == [
        "$.groups[0]: has members",
        "$.groups[1].limits.hard_minutes: is no integer",
        "$.version: is none of [1, 2, 3]",
        "$: lacks timezone",
    ]


def test_the_file_contains_no_address(lab: LabSettings):
    assert "@" not in course_text(lab, GROUPS)


def test_the_same_course_gives_the_same_file(lab: LabSettings):
    assert course_text(lab, GROUPS) == course_text(lab, reversed(GROUPS))


def test_the_environments_service_principal_belongs_to_the_staff(lab: LabSettings):
    choice = target_choice("rehearsal", lab.targets["rehearsal"], PROGRAM, {})
    text = course_text(lab, GROUPS, deployer=deploying_service_principal(choice, PROGRAM))
    assert json.loads(text)["staff"] == {"application_ids": [APPLICATION], "address_hashes": [ASSISTANT]}
    assert misfits(json.loads(text), SCHEMA) == []


@pytest.mark.parametrize(
    ("environ", "application"),
    [
        ({"DATABRICKS_HOST": "https://x", "DATABRICKS_TOKEN": "dapi"}, None),
        ({"DATABRICKS_HOST": "https://x", "ARM_CLIENT_ID": "a", "ARM_CLIENT_SECRET": "s"}, "a"),
        ({}, None),
    ],
)
def test_the_service_principal_comes_only_from_the_environment(
    lab: LabSettings, environ: dict[str, str], application: str | None
):
    choice = target_choice("rehearsal", lab.targets["rehearsal"], environ, {})
    assert deploying_service_principal(choice, environ) == application
