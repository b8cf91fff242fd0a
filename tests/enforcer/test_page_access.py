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


def pages_line(lab: EmulatedCourse) -> list[tuple[str, str]]:
    """Return status and message of doctor's findings about pages."""
    return [(row["status"], row["message"]) for row in lab.run("doctor", "--json").json if row["check"] == "pages"]


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


def test_a_deployers_removal_of_the_folder_removes_the_pages(lab: EmulatedCourse) -> None:
    lab.call("POST", "/api/2.0/workspace/delete", {"path": FOLDER, "recursive": True})
    assert export(lab, 1)[0] == 404


@pytest.mark.waits
def test_pages_of_a_hundred_groups_stay_within_the_limits(
    frozen_emulator: EmulatorProcess, tmp_path: Path, acceptance: bool
) -> None:
    count = 100 if acceptance else 40
    lab = course(frozen_emulator, tmp_path, groups=count)
    refusals = {"match": "POST /api/2.0/workspace/import", "kind": "429", "rate": 0.1}
    frozen_emulator.control("POST", "faults", {"profile": "azure", "rules": [refusals]})
    began = time.monotonic()
    polls = [lab.run("poll") for _ in range(2)]
    took = time.monotonic() - began
    frozen_emulator.control("POST", "faults", {})

    assert [(done.status, done.err) for done in polls] == [(0, ""), (0, "")]
    written = [
        export(lab, number, token=lab.tokens[f"student{number}a@campus.example.ac.il"])
        for number in range(1, count + 1)
    ]
    titles = [parse_cells(base64.b64decode(body["content"]).decode())[0].splitlines()[0] for _, body in written]
    assert titles == [f"# Cluster time of \u2068Team {number}\u2069" for number in range(1, count + 1)]
    imports = [entry for entry in frozen_emulator.request_log() if entry["path"] == "/api/2.0/workspace/import"]
    statuses = [entry["status"] for entry in imports[-count * 2 :]]
    assert 429 in statuses, "the emulator refused some, and the enforcer sent them again"
    assert took < 60
