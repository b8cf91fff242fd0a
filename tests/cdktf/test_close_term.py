"""Closing a term step by step with the real Terraform, and anonymising it afterwards."""

from __future__ import annotations

import json
import os
import stat
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from emulator_process import EmulatorProcess
from json_documents import mismatches
from teardown_lab import STACK, STUDENTS, TeardownLab
from terraform_lab import ROOT

pytestmark = pytest.mark.process

JERUSALEM = ZoneInfo("Asia/Jerusalem")
STATE = {"version": 4, "resources": [{"mode": "managed", "type": "databricks_user", "instances": [
    {"attributes": {"id": "1", "user_name": "s1a@campus.example.ac.il"}}]}]}  # fmt: skip


@pytest.fixture
def term(tmp_path: Path, start_emulator: Any) -> TeardownLab:
    """A lab that is not deployed yet."""
    emulator: EmulatorProcess = start_emulator("--speed", "0", "--transition-seconds", "0")
    expected = f'[targets.demo]\nexpected_workspace_id = "{emulator.workspace_id}"'
    term = TeardownLab(tmp_path, emulator, **{"[targets.demo]": expected})
    term.create_staff_account()
    term.write_roster(STUDENTS)
    return term


def test_nothing_is_read_from_an_unexpected_workspace(term: TeardownLab) -> None:
    term.change("lab.toml", term.emulator.workspace_id, "1")

    done = term.close("--no-backup", "--no-archive", "--yes")

    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("Wrong workspace: target demo has expected_workspace_id 1, but this is workspace ")
    paths = {
        entry["path"].partition("?")[0] for entry in term.emulator.request_log() if "/_emulator/" not in entry["path"]
    }
    assert paths == {"/api/2.0/preview/scim/v2/Me"}


def test_a_blocked_step_leaves_everything_unchanged(term: TeardownLab) -> None:
    term.state.parent.mkdir()
    term.state.write_text(json.dumps(STATE))

    refused = term.close("--no-backup", "--no-archive", answer="yes\n")
    closing = term.close("--yes", "--json")
    purging = term.close("--anonymise", "--yes")

    assert mismatches(closing.json, "close_term") == []
    assert (closing.status, statuses(closing.json)) == (
        1,
        {
            "clusters": "done",
            "backup": "not possible",
            "last poll": "not possible",
            "archive": "not possible",
            "destroy": "to do",
            "state": "to do",
        },
    )
    where = f"workspace {closing.json['workspace_id']} at {closing.json['host']}"
    question = f'This changes {where}. Type "close 94290-2026w-demo" to continue: '
    assert (refused.status, refused.err) == (2, f"{question}Nothing was done.\n")
    assert closing.err == "\nNothing was started, because these steps are blocked: backup, last poll, archive.\n"
    assert closing.json["removes"] == {"account": ["s1a@campus.example.ac.il"]}
    assert (purging.status, purging.out) == (
        1,
        "not possible  names: the lab still exists, with 1 objects; close the term first\n",
    )
    assert (term.roster.exists(), term.state.exists(), term.archive.exists()) == (True, True, False)


@pytest.fixture
def used_term(term: TeardownLab) -> TeardownLab:
    """A deployed term, used for a day and in use again. Other people have a cluster and a secret scope."""
    emulator = term.emulator
    term.deploy()
    home = {
        "path": f"/Users/{STUDENTS[1][0]}/work",
        "format": "SOURCE",
        "language": "PYTHON",
        "content": "cHJpbnQoMSk=",
    }
    assert emulator.request("POST", "/api/2.0/workspace/import", home)[0] == 200
    research = {"cluster_name": "research", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
    emulator.request("POST", "/api/2.1/clusters/create", {**research, "num_workers": 1})
    emulator.request("POST", "/api/2.0/secrets/scopes/create", {"scope": "research-keys"})
    for _ in range(2):
        emulator.control("POST", "clock", {"advance_seconds": 26 * 3600})
        token = emulator.control("POST", "users", {"user_name": STUDENTS[1][0]})["token"]
        cluster = {"cluster_id": term.clusters()["cluster_01"]["cluster_id"]}
        assert emulator.request("POST", "/api/2.1/clusters/start", cluster, token=token)[0] == 200
        emulator.control("POST", "clock", {"advance_seconds": 300})
    term.enforcer("poll")
    return term


def local_date(term: TeardownLab) -> date:
    """Return the date in the course's zone, which after 22:00 UTC (21:00 in summer) is the next UTC day."""
    return datetime.fromisoformat(term.emulator.control("GET", "clock")["now"]).astimezone(JERUSALEM).date()


def totals(term: TeardownLab) -> list[tuple[str, str, int]]:
    """Return each group's usage per day."""
    today = local_date(term)
    days = ("--from", str(today - timedelta(days=7)), "--to", str(today))
    report = term.program("-m", "enforcer", "usage", *days, "--json").json
    return [(row["day"], row["group"], row["used_ms"]) for row in report if row["used_ms"]]


def statuses(report: Any) -> dict[str, str]:
    return {step["name"]: step["status"] for step in report["steps"]}


@pytest.mark.terraform
def test_a_closed_and_anonymised_term_contains_no_names(
    used_term: TeardownLab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    student, saved = STUDENTS[1][0], tmp_path_factory.mktemp("saved")
    used_term.state.rename(used_term.folder / "elsewhere")

    stateless = used_term.close("--no-backup", "--no-archive", "--yes", "--json")
    purging = used_term.close("--anonymise", "--yes")

    assert (stateless.status, statuses(stateless.json)["destroy"], purging.status) == (1, "not possible", 1)
    assert purging.out.endswith(", but the workspace still has the lab; close the term first\n")
    assert used_term.roster.exists()
    (used_term.folder / "elsewhere").rename(used_term.state)

    closed = used_term.close("--backup", saved, "--yes", "--json")

    assert closed.status == 0, closed.err
    assert [path.read_text() for path in saved.rglob("work.py")] == ["# Databricks notebook source\nprint(1)"]
    course_folders = [path for path in saved.rglob("%2Flab-94290-2026w") if path.is_dir()]
    in_backup = {
        str(path.relative_to(folder)) for folder in course_folders for path in folder.rglob("*") if path.is_file()
    }
    expected_files = {"course.json", "requests/course-version.txt", "requests/group_01.txt"}
    assert {f"workspace/{name}" for name in (*expected_files, "groups/group_01/cluster_time.py")} <= in_backup
    report = closed.json
    assert set(statuses(report).values()) == {"done"}
    assert {kind: report["removes"][kind] for kind in ("account", "cluster", "policy override")} == {
        "account": STUDENTS[1],
        "cluster": ["cluster_01"],
        "policy override": ["Personal Compute"],
    }
    assert (report["leaves"]["clusters"], report["leaves"]["secret scopes"]) == (["research"], ["research-keys"])
    assert f"/Users/{student}" in report["leaves"]["homes"]
    assert report["manual_steps"][0]["message"] == "a running cluster does not belong to the lab: research"
    assert list(used_term.clusters()) == ["research"]
    assert [path.name for path in used_term.state.parent.iterdir()] == [f"{STACK}.deploy.lock"]
    kept = [path for path in used_term.archive.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert len(list(used_term.archive.glob("state-*/*.tfstate*"))) == 2
    (sessions,) = used_term.archive.glob("enforcer-*/people/sessions.csv")
    # The last session ended before the archive was created.
    assert [line.split(",")[3] != "" for line in sessions.read_text().splitlines()[1:]] == [True, True, True]

    counted = used_term.folder / "counted"
    counted.mkdir()
    assert used_term.program("-m", "inventory", "scan", student, "--output", "counted/inventory.csv").status == 0
    for path in counted.iterdir():
        os.utime(path, (0, 0))
    used_term.emulator.control("POST", "clock", {"advance_seconds": 24 * 3600})
    used_term.enforcer("end-of-day")
    used_before = totals(used_term)
    for words in (
        ("-m", "enforcer", "anonymise", "--before", str(local_date(used_term)), "--yes"),
        ("-m", "inventory", "delete-old-files", "counted", "--before", "1970-02-01", "--yes"),
        (ROOT / "cdktf" / "close_term.py", "--anonymise", "--yes", "--output", "cdktf.out"),
    ):
        assert (done := used_term.program(*words)).status == 0, done.err

    assert used_term.files_with("@campus.example.ac.il") == []
    assert (len(used_before), totals(used_term)) == (2, used_before)
    assert [path.name for path in sorted(used_term.archive.glob("enforcer-*/*"))] == [
        "README.md",
        "manifest.json",
        "totals",
    ]
