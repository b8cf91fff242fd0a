"""doctor: a healthy lab, and each problem that it can have."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from emulated_course import FOLDER, JERUSALEM, STAFF, EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.domain.course import Course
from enforcer.domain.quota import Calendar
from enforcer.operations.checks import Finding, Status, clock, last_poll, rights, settings_file, zone
from enforcer.settings import load_settings

NOW = datetime(2030, 11, 3, 8, tzinfo=UTC)
MAIL = {
    "AZURE_EMAIL_ENDPOINT": "https://mail.example",
    "AZURE_EMAIL_ACCESS_KEY": "secret-key",
    "AZURE_EMAIL_SENDER": "lab@x.example",
    "ADMIN_EMAIL": "admin@x.example",
}


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path) -> EmulatedCourse:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path)
    lab.environment |= MAIL
    lab.run("poll")
    return lab


def examine(lab: EmulatedCourse, **variables: str) -> dict[str, str]:
    """Map each failed check to its messages, joined by "; "."""
    done = lab.run("doctor", "--json", **variables)
    found: dict[str, str] = {}
    for row in done.json:
        if row["status"] == "fails":
            found[row["check"]] = "; ".join(filter(None, [found.get(row["check"]), row["message"]]))
    assert done.status == (2 if "settings" in found else 1 if found else 0)
    return found


def test_a_healthy_lab_has_a_line_for_each_check_and_no_failure(lab: EmulatedCourse) -> None:
    done = lab.run("doctor")

    lines = [line.partition(":")[0].split(maxsplit=1) for line in done.out.splitlines()]
    assert (done.status, done.err) == (0, "")
    assert lines == [
        ["ok", "settings"],
        ["ok", "ledger"],
        ["ok", "mail"],
        ["ok", "last poll"],
        ["note", "expected workspace"],
        ["ok", "workspace"],
        ["note", "clock"],
        ["note", "course"],
        ["ok", "zone"],
        ["ok", "course file"],
        ["ok", "allowances"],
        ["ok", "clusters"],
        ["ok", "rights"],
        ["ok", "other routes"],
        ["note", "beyond the quota"],
    ]
    assert "secret-key" not in done.out
    assert lab.emulator.admin_token not in done.out


def test_students_who_can_start_through_other_grants_are_reported(lab: EmulatedCourse) -> None:
    lab.grant("group_01", {"user_name": "student1a@campus.example.ac.il"}, "CAN_RESTART")
    lab.grant("group_01", {"group_name": "group_02"}, "CAN_MANAGE")
    lab.grant("group_02", {"user_name": STAFF}, "CAN_MANAGE")

    reported = examine(lab)

    assert set(reported) == {"other routes"}
    assert sorted(reported["other routes"].split("; ")) == [
        "student1a@campus.example.ac.il has CAN_RESTART on cluster_01",
        "student2a@campus.example.ac.il, student2b@campus.example.ac.il has CAN_MANAGE on cluster_01 through group_02",
    ]


def test_an_edited_incomplete_or_missing_course_file_fails(lab: EmulatedCourse) -> None:
    path = f"{FOLDER}/course.json"
    _, written = lab.emulator.request("GET", f"/api/2.0/workspace/export?path={path}&direct_download=true")
    lab.put(path, json.dumps({**written, "title": "Other"}))
    edited = examine(lab)
    lab.names.append("group_03")
    lab.write_course()
    without = examine(lab)
    lab.call("POST", "/api/2.0/workspace/delete", {"path": path})
    gone = examine(lab)

    assert edited == {
        "course file": f"{path} was edited by hand: its checksum does not match its content; deploy the course again;"
        " the last known course file is used"
    }
    assert "group_03 has no cluster" in without["course file"]
    assert gone["course file"].startswith(f"{path} does not exist")


@pytest.mark.parametrize(
    ("variables", "check", "sentence"),
    [
        ({"DATABRICKS_MAX_UPTIME": "x", "LAB_TIMEZONE": "Mars"}, "settings", "LAB_TIMEZONE"),
        ({"DATABRICKS_TOKEN": "expired"}, "workspace", "cannot be used"),
        ({"LAB_TIMEZONE": "Europe/Berlin"}, "zone", "LAB_TIMEZONE is Europe/Berlin, but the course file has"),
        ({"ADMIN_EMAIL": ""}, "mail", "ADMIN_EMAIL is not set"),
        ({"LAB_CLOCK": "http://127.0.0.1:9/"}, "clock", "does not return"),
    ],
)
def test_each_invalid_setting_fails_its_check(
    lab: EmulatedCourse, variables: dict[str, str], check: str, sentence: str
) -> None:
    assert sentence in examine(lab, **variables)[check]


def test_an_accessible_or_invalid_ledger_file_fails(lab: EmulatedCourse) -> None:
    place = Path(lab.environment["CLUSTER_UPTIMES_DB"])
    place.chmod(0o644)
    parse_entries = examine(lab)
    place.write_text("no database at all, but long enough to be taken for one " * 99)
    broken = examine(lab)

    assert "is accessible to other users" in parse_entries["ledger"]
    assert "cannot be read" in broken["ledger"]


def test_all_problems_are_reported_at_once(lab: EmulatedCourse) -> None:
    Path(lab.environment["CLUSTER_UPTIMES_DB"]).write_text("no database at all, but long enough for one " * 99)

    reported = examine(lab, ADMIN_EMAIL="", DATABRICKS_TOKEN="expired")

    assert list(reported) == ["ledger", "mail", "workspace"]
    assert [reported["mail"].count("is not set"), "it refused the credential" in reported["workspace"]] == [2, True]


def test_a_last_poll_over_half_an_hour_ago_fails(lab: EmulatedCourse) -> None:
    ages = [last_poll(NOW - timedelta(minutes=minutes), NOW).status for minutes in (15, 31)]

    assert ages == [Status.OK, Status.FAILS]
    assert last_poll(None, NOW).status is Status.FAILS


def test_a_clock_skew_over_a_minute_fails() -> None:
    reported = [clock(NOW, NOW + timedelta(seconds=off), is_rehearsal=False).status for off in (-30, 30, 61)]

    assert reported == [Status.OK, Status.OK, Status.FAILS]


def test_the_enforcer_must_be_an_administrator_or_staff() -> None:
    reported = [
        rights("a@x", groups, unmanaged).status
        for groups, unmanaged in [(frozenset({"admins"}), ["c"]), (frozenset(), []), (frozenset({"users"}), ["c"])]
    ]

    assert reported == [Status.OK, Status.NOTE, Status.FAILS]


def test_a_time_zone_is_required_without_a_course_file() -> None:
    course = Course("c", "t", "", Calendar(JERUSALEM, date(2030, 1, 1), date(2030, 1, 1), 6), False)

    reported = [
        zone(load_settings({"LAB_TIMEZONE": name} if name else {}), course, has_file=False).status
        for name in ("", "Asia/Jerusalem")
    ]

    assert reported == [Status.FAILS, Status.NOTE]


@pytest.mark.parametrize("mode", [0o100644, 0o100640, 0o100602, 0o100604])
def test_a_settings_file_that_others_can_access_fails(mode: int) -> None:
    says = "/lab/.env is accessible to other users; run chmod 600"
    assert settings_file("/lab/.env", mode) == Finding(".env", Status.FAILS, says)
    assert settings_file("/lab/.env", 0o100600).status is Status.OK


def test_doctor_checks_the_settings_file(lab: EmulatedCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("")
    (tmp_path / ".env").chmod(0o644)
    monkeypatch.chdir(tmp_path)
    assert examine(lab) == {".env": f"{tmp_path}/.env is accessible to other users; run chmod 600"}
