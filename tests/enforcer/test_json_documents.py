"""The fields of every `--json` output match docs/json.md."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from emulated_course import STAFF, SUNDAY, EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.__main__ import VERBS
from json_documents import DOCUMENT, mismatches

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedCourse]:
    """A Sunday at noon: one group was stopped, and staff has a session."""
    with EmulatorProcess(["--speed", "0", "--transition-seconds", "0"]) as emulator:
        lab = EmulatedCourse(emulator, tmp_path_factory.mktemp("lab"), limits={"week_minutes": 200})
        lab.start("group_01")
        lab.start("group_02", token=emulator.admin_token)
        lab.advance_minutes(181)
        lab.poll()
        yield lab


LISTS = {
    "usage": ["usage"],
    "allowances": ["allowances", "--all"],
    "clusters": ["clusters"],
    "groups": ["groups"],
    "users": ["users"],
    "user-groups": ["user-groups"],
    "allocations": ["allocations"],
    "restore-permissions": ["restore-permissions", "--dry-run"],
    "doctor": ["doctor"],
    "delete-users, delete-groups, purge-clusters": [
        "delete-users",
        "--dry-run",
        "--keep",
        "student1a@campus.example.ac.il",
    ],
}


@pytest.mark.parametrize("section", LISTS)
def test_every_listed_object_has_the_documented_fields(lab: EmulatedCourse, section: str) -> None:
    lab.run("allow", "2", "--window", "Mon 10:00-12:00", "--day", str(SUNDAY + timedelta(days=1)), "--reason", "lesson")
    lab.grant("group_01", {"group_name": "group_01"}, "CAN_RESTART")

    done = lab.run(*LISTS[section], "--json")

    assert done.status == (1 if section == "doctor" else 0), done.err
    assert done.json
    assert [mismatches(each, section) for each in done.json] == [[]] * len(done.json)


def test_a_dry_poll_has_the_documented_fields(frozen_emulator: EmulatorProcess, tmp_path: Path) -> None:
    frozen_emulator.control("POST", "reset")
    over = EmulatedCourse(frozen_emulator, tmp_path)
    over.start("group_01")
    over.advance_minutes(181)

    due = over.run("poll", "--dry-run", "--json").json

    assert [(action["action"], mismatches(action, "poll")) for action in due] == [("restrict", []), ("stop", [])]


@pytest.mark.parametrize("verb", ["delete-groups", "purge-clusters"])
def test_the_removal_commands_have_the_same_fields(lab: EmulatedCourse, verb: str) -> None:
    reported = lab.run(verb, "--dry-run", "--json").json

    assert [mismatches(each, "delete-users, delete-groups, purge-clusters") for each in reported] == [[], []]


def test_an_allowance_and_its_revocation_have_the_documented_fields(lab: EmulatedCourse) -> None:
    allowed = lab.run("allow", "all", "--minutes", "+15", "--reason", "outage", "--json").json
    revoked = lab.run("revoke", allowed["id"], "--json").json

    assert [mismatches(allowed, "allow, block, approve"), mismatches(revoked, "revoke")] == [[], []]
    assert revoked["revokes"] == allowed["id"]


def test_anonymise_and_archive_have_the_documented_fields(lab: EmulatedCourse) -> None:
    anonymised = lab.run("anonymise", "--before", str(SUNDAY), "--dry-run", "--json").json
    archived = lab.run("archive", "--output", "archive", "--dry-run", "--json").json

    assert [mismatches(anonymised, "anonymise"), mismatches(archived, "archive")] == [[], []]


def test_usage_shows_counted_and_uncounted_time(lab: EmulatedCourse) -> None:
    reported = lab.run("usage", "--json").json
    minute = 60_000

    shown = [
        {name: value for name, value in row.items() if name != "sessions"}
        | {"sessions": [(s["started_by"], s["counted_ms"] // minute, s["ran_ms"] // minute) for s in row["sessions"]]}
        for row in sorted(reported, key=lambda row: row["group"])
    ]

    rest = {"day": str(SUNDAY), "soft_minutes": 150, "hard_minutes": 180, "estimate": False, "unknown_ms": 0}
    deploy = ("admin@lab.example", 0, 0)
    assert shown == [
        {
            "cluster_id": lab.clusters["group_01"],
            "group": "group_01",
            "used_ms": 181 * minute + 20,
            "group_used_ms": 181 * minute + 20,
            "left_ms": 0,
            "sessions": [deploy, ("student1a@campus.example.ac.il", 181, 181)],
            **rest,
        },
        {
            "cluster_id": lab.clusters["group_02"],
            "group": "group_02",
            "used_ms": 0,
            "group_used_ms": 0,
            "left_ms": 180 * minute,
            "sessions": [deploy, ("admin@lab.example", 0, 181)],
            **rest,
        },
    ]


def test_every_command_with_json_is_documented(lab: EmulatedCourse) -> None:
    headings = " ".join(re.findall(r"^## (.*)$", DOCUMENT, flags=re.MULTILINE))
    missing = []
    for verb in VERBS:
        shown = lab.run(verb, "--help")
        assert shown.status == 0
        if "--json" in shown.out and verb not in re.split(r"[ ,]+", headings):
            missing.append(verb)
        if "Examples:" not in shown.out:
            missing.append(f"examples of {verb}")

    assert missing == []


def test_staff_are_not_listed_for_deletion(lab: EmulatedCourse) -> None:
    words = ("delete-users", "--roster", lab.write_roster(), "--dry-run", "--json")
    reported = {row["name"]: row["result"] for row in lab.run(*words).json}

    assert STAFF not in reported
    assert set(reported.values()) == {"would be deleted"}


def test_an_import_has_the_documented_fields(lab: EmulatedCourse) -> None:
    with closing(sqlite3.connect(lab.folder / "cluster_uptimes.db")) as connection, connection:
        connection.execute("CREATE TABLE clustercumulativeuptime (cluster_id, date, daily_use_seconds)")
        connection.execute("INSERT INTO clustercumulativeuptime VALUES ('0112-a', '2030-10-01', 60.0)")

    reported = lab.run("import-history", "cluster_uptimes.db", "--dry-run", "--json").json

    assert (mismatches(reported, "import-history"), len(reported["imported_days"])) == ([], 1)


def test_a_test_message_has_the_documented_fields(lab: EmulatedCourse) -> None:
    variables = {
        "AZURE_EMAIL_CONNECTION_STRING": lab.emulator.mail_connection_string,
        "AZURE_EMAIL_SENDER": "lab@campus.example",
        "ADMIN_EMAIL": "admin@campus.example",
    }
    delivered = lab.run("test-email", "--json", **variables, REQUESTS_CA_BUNDLE=lab.emulator.mail_ca)
    refused = lab.run("test-email", "--json", **variables, REQUESTS_CA_BUNDLE="")

    assert [mismatches(done.json, "test-email") for done in (delivered, refused)] == [[], []]
    assert [(done.status, done.json["delivered"], done.err) for done in (delivered, refused)] == [
        (0, True, f"accepted as operation {delivered.json['operation_id']}; waiting for its final status\n"),
        (1, False, ""),
    ]


def test_report_and_end_of_day_have_the_documented_fields(lab: EmulatedCourse) -> None:
    lab.grant("group_01", {"group_name": "group_01"}, "CAN_RESTART")
    reported = lab.run("report", "--day", str(SUNDAY), "--json").json
    lab.set_time(SUNDAY + timedelta(days=1), "00:30")
    planned = lab.run("end-of-day", "--dry-run", "--json").json
    done = lab.run("end-of-day", "--json").json

    assert [mismatches(reported, "report"), mismatches(planned, "end-of-day"), mismatches(done, "end-of-day")] == [
        [],
        [],
        [],
    ]
    rows = reported["clusters"]
    assert [(row["group"], row["hard_minutes"], row["overrun_ms"], bool(row["stopped"])) for row in rows] == [
        ("group_01", 180, 60_020, True),
        ("group_02", 180, 0, False),
    ]
    assert (planned["settled"], planned["days"]) == (False, [str(SUNDAY)])
    assert done == planned | {"settled": True}
