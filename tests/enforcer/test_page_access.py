"""Pages in a real emulator: read by students' tokens, checked by doctor, written within an Azure workspace's limits."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import pytest

from emulated_course import FOLDER, STAFF, EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.pages.notebook import parse_cells, to_notebook

pytestmark = pytest.mark.process
GROUPS = f"{FOLDER}/groups"
PAGE = GROUPS + "/group_{number:02}/cluster_time"


def course(emulator: EmulatorProcess, folder: Path, **more: Any) -> EmulatedCourse:
    emulator.control("POST", "reset")
    lab = EmulatedCourse(emulator, folder, **more)
    lab.environment["ADMIN_EMAIL"] = "admin@x.example"
    lab.write_course(pages={"language": "en"})
    return lab


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path) -> EmulatedCourse:
    lab = course(frozen_emulator, tmp_path)
    lab.poll()
    return lab


def export(lab: EmulatedCourse, number: int, *, token: str | None = None) -> tuple[int, Any]:
    path = f"/api/2.0/workspace/export?format=JUPYTER&path={PAGE.format(number=number)}"
    return lab.emulator.request("GET", path, token=token)


def object_id(lab: EmulatedCourse, path: str) -> int:
    return int(lab.call("GET", f"/api/2.0/workspace/get-status?path={path}")["object_id"])


def pages_line(lab: EmulatedCourse, check: str = "pages") -> list[tuple[str, str]]:
    """Return status and message of doctor's findings about pages, or of another check."""
    return [(row["status"], row["message"]) for row in lab.run("doctor", "--json").json if row["check"] == check]


def test_each_students_token_reads_only_its_own_groups_page(lab: EmulatedCourse) -> None:
    statuses = {
        (owner, letter, number): export(lab, number, token=lab.tokens[f"student{owner}{letter}@campus.example.ac.il"])[
            0
        ]
        for owner in (1, 2)
        for letter in "ab"
        for number in (1, 2)
    }
    assert statuses == {
        (owner, letter, number): 200 if owner == number else 403
        for owner in (1, 2)
        for letter in "ab"
        for number in (1, 2)
    }
    for path in (GROUPS, FOLDER):
        status, _ = lab.emulator.request(
            "GET", f"/api/2.0/workspace/list?path={path}", token=lab.tokens["student1a@campus.example.ac.il"]
        )
        assert status == 403
    assert export(lab, 1, token=lab.tokens[STAFF])[0] == 403, "staff have CAN_READ by the deployment alone"


def test_doctor_reads_every_page_back(lab: EmulatedCourse) -> None:
    assert pages_line(lab) == [("ok", "2 groups can read their pages")]


def test_doctor_finds_missing_open_and_changed_pages(lab: EmulatedCourse) -> None:
    first, second = PAGE.format(number=1), PAGE.format(number=2)
    grant = {"access_control_list": [{"group_name": "group_01", "permission_level": "CAN_READ"}]}
    lab.call("PATCH", f"/api/2.0/permissions/notebooks/{object_id(lab, second)}", grant)
    code = base64.b64encode(
        b'{"cells": [{"cell_type": "code", "source": "x", "outputs": []}], "metadata": {}}'
    ).decode()
    body = {"path": second, "format": "JUPYTER", "content": code, "overwrite": True}
    changed = lab.emulator.request("POST", "/api/2.0/workspace/import", body)
    lab.call("POST", "/api/2.0/workspace/delete", {"path": first})

    assert changed[0] == 200
    assert pages_line(lab) == [
        ("fails", "group_01 has no page yet; a poll writes it"),
        ("fails", f"the page of group_02 was changed: it has cells of the type code; delete {second}"),
    ]

    lab.call("PATCH", f"/api/2.0/permissions/directories/{object_id(lab, GROUPS)}", grant)
    empty = base64.b64encode(to_notebook([]).encode()).decode()
    for path in (first, second):
        body = {"path": path, "format": "JUPYTER", "content": empty, "overwrite": True}
        lab.call("POST", "/api/2.0/workspace/import", body)
    lab.call(
        "PUT", f"/api/2.0/permissions/directories/{object_id(lab, GROUPS + '/group_02')}", {"access_control_list": []}
    )

    assert pages_line(lab) == [
        ("fails", f"group_01 can open {GROUPS} with the pages of all groups; remove the permission"),
        ("fails", f"the page of group_01 is empty; delete {first}"),
        ("fails", f"group_01 can read the page of group_02; remove its permission on {second}"),
        ("fails", f"group_02 cannot read the page of group_02; give it CAN_READ on {GROUPS}/group_02"),
        ("fails", f"the page of group_02 is empty; delete {second}"),
    ]


def permit(lab: EmulatedCourse, kind: str, path: str, *levels: tuple[str, str]) -> None:
    """Set the permissions of groups on an object."""
    entries = [{"group_name": group, "permission_level": level} for group, level in levels]
    url = f"/api/2.0/permissions/{kind}/{object_id(lab, path)}"
    lab.call("PUT", url, {"access_control_list": entries})


def test_doctor_checks_the_files_for_time_requests(lab: EmulatedCourse) -> None:
    requests = f"{FOLDER}/requests"
    first, second = f"{requests}/group_01.txt", f"{requests}/group_02.txt"
    assert pages_line(lab, "time requests") == []
    lab.write_course(requests={"expire_days": 7})
    lab.advance_minutes(1)
    assert pages_line(lab, "time requests") == [
        ("fails", f"{requests}/course-version.txt does not exist; deploy the course again"),
        ("fails", "group_01 has no file for time requests yet; a poll creates it"),
        ("fails", "group_02 has no file for time requests yet; a poll creates it"),
    ]
    write_course(lab, "en")
    lab.poll()
    assert pages_line(lab, "time requests") == [("ok", "2 groups can edit their own file alone")]

    permit(lab, "files", first, ("group_01", "CAN_MANAGE"), ("group_02", "CAN_READ"))
    permit(lab, "files", second)
    assert pages_line(lab, "time requests") == [
        ("fails", f"group_02 can open the file for time requests of group_01; remove its permission on {first}"),
        ("fails", f"group_01 cannot edit the file for time requests of group_01; give it CAN_EDIT on {first}"),
        ("fails", f"group_01 also has CAN_MANAGE on {first}; CAN_EDIT is enough"),
        ("fails", f"group_02 cannot edit the file for time requests of group_02; give it CAN_EDIT on {second}"),
    ]
    permit(lab, "files", first, ("group_01", "CAN_EDIT"))
    permit(lab, "files", second, ("group_02", "CAN_EDIT"))
    permit(lab, "directories", requests, ("users", "CAN_READ"))
    assert pages_line(lab, "time requests") == [
        ("fails", f"users can open {requests} with the time requests of all groups; remove the permission"),
        ("fails", f"users can open the file for time requests of group_01; remove its permission on {first}"),
        ("fails", f"users can open the file for time requests of group_02; remove its permission on {second}"),
    ]


def test_a_deployers_removal_of_the_folder_removes_the_pages(lab: EmulatedCourse) -> None:
    lab.call("POST", "/api/2.0/workspace/delete", {"path": FOLDER, "recursive": True})
    assert export(lab, 1)[0] == 404


def write_course(lab: EmulatedCourse, language: str) -> None:
    """Write the course file of a course with pages and time requests, as a deployment does."""
    lab.write_course(pages={"language": language}, requests={"expire_days": 7})
    lab.call("POST", "/api/2.0/workspace/mkdirs", {"path": f"{FOLDER}/requests"})
    lab.put(f"{FOLDER}/requests/course-version.txt", f"version with {language}\n")


def timed_poll(lab: EmulatedCourse, budget: int) -> tuple[int, str, bool]:
    """Run a poll; return its status, its failures, and whether it took at most its budget."""
    began = time.monotonic()
    done = lab.run("poll", "--budget", str(budget))
    failures = [line for line in done.err.splitlines() if "there was not enough time for" not in line]
    return done.status, "\n".join(failures), time.monotonic() - began <= budget


def titles(lab: EmulatedCourse) -> list[str]:
    """Return the first line of each group's page, as its student reads it; the status if there is none."""
    found = []
    for number in range(1, len(lab.names) + 1):
        status, body = export(lab, number, token=lab.student(lab.names[number - 1]))
        page = parse_cells(base64.b64decode(body["content"]).decode()) if status == 200 else (f"{status}",)
        found.append(page[0].splitlines()[0])
    return found


def files_and_editors(lab: EmulatedCourse) -> dict[str, list[str]]:
    """Return the groups with a permission of their own on each file for time requests."""
    found = {}
    for entry in lab.call("GET", f"/api/2.0/workspace/list?path={FOLDER}/requests")["objects"]:
        grants = lab.call("GET", f"/api/2.0/permissions/files/{entry['object_id']}")["access_control_list"]
        found[entry["path"].rpartition("/")[2]] = [
            one["group_name"]
            for one in grants
            if any(g["permission_level"] == "CAN_EDIT" and not g["inherited"] for g in one["all_permissions"])
        ]
    return found


@pytest.mark.waits
def test_pages_and_request_files_of_many_groups_stay_within_the_limits(
    frozen_emulator: EmulatorProcess, tmp_path: Path, acceptance: bool
) -> None:
    count = 100 if acceptance else 50
    lab = course(frozen_emulator, tmp_path, groups=count)
    write_course(lab, "en")
    refusals = {"match": "POST /api/2.0/workspace/import", "kind": "429", "rate": 0.05}
    limits = {"profile": "azure", "rules": [refusals]}
    frozen_emulator.control("POST", "faults", limits)

    polls = [timed_poll(lab, 9)]
    early = len(files_and_editors(lab))
    polls.append(timed_poll(lab, 50))
    lab.advance_minutes(1)
    # A refused request of the deployment would fail.
    frozen_emulator.control("POST", "faults", {})
    write_course(lab, "he")
    frozen_emulator.control("POST", "faults", limits)
    polls.append(timed_poll(lab, 50))
    imports = [entry for entry in frozen_emulator.request_log() if entry["path"] == "/api/2.0/workspace/import"]
    frozen_emulator.control("POST", "faults", {})

    assert polls == [(0, "", True)] * 3
    assert early < 1 + count, "the first poll had no time for all files"
    assert titles(lab) == [f"# \u2067זמן המחשב של \u2068Team {number}\u2069\u2069" for number in range(1, count + 1)]
    assert files_and_editors(lab) == {
        "course-version.txt": [],
        **{f"{name}.txt": [name] for name in lab.names},
    }
    assert 429 in [entry["status"] for entry in imports], "some were refused, and the enforcer sent them again"
