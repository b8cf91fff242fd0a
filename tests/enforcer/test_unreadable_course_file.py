"""With a missing, damaged or newer course file, limits remain and restricted groups stay restricted."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enforcer.domain.quota import Restrict, Stop
from enforcer.ledger.database import Ledger, open_ledger
from enforcer.operations.supervise import Supervision
from enforcer.tick.restricted import restricted
from enforcer.tick.run import TickResult, run_tick
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
from fake_mail_service import FakeMailService
from in_process_course import FOLDER, SETTINGS, InProcessCourse
from labkit.clock import Deadline
from labkit.course_file import VERSION

M = timedelta(minutes=1)
PATH = f"{FOLDER}/course.json"


@pytest.fixture
def lab() -> InProcessCourse:
    """Two groups, one of which has reached its limit and is restricted."""
    lab = InProcessCourse(2, soft=150 * M, hard=180 * M)
    lab.start(lab.clusters[0])
    lab.workspace.advance(181 * 60)
    lab.stop(lab.clusters[0])
    lab.grant(lab.clusters[0], {"group_name": "group_001"}, "CAN_ATTACH_TO")
    return lab


def tick(ledger: Ledger, lab: InProcessCourse, **more: Any) -> TickResult:
    return run_tick(SETTINGS, ledger, lab.connect(), FakeMailService(), now=lab.now(), deadline=Deadline(M), **more)


def asked(lab: InProcessCourse, workspace: Workspace | None = None) -> tuple[dict[str, str], list[str]]:
    return restricted(workspace or lab.connect(), "94290", "2026w", now=lab.now())


def test_a_group_that_has_reached_its_limit_is_returned(lab: InProcessCourse) -> None:
    assert asked(lab) == ({"group_001": "day 180"}, [])


LEFT = "group_001: restricted until the course file and the settled totals can be read"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, f"{PATH} does not exist"),
        ("{", f"{PATH} is not a course file"),
        ('{"version": 99}', f"{PATH} has version 99, but this program reads versions up to {VERSION}"),
    ],
)
def test_restricted_groups_stay_restricted_without_a_course_file(
    lab: InProcessCourse, text: str | None, sentence: str
) -> None:
    if text is None:
        lab.remove_course()
    else:
        lab.put(PATH, text)

    found, problems = asked(lab)

    assert found == {"group_001": "not known"}
    assert (problems[0].startswith(sentence), problems[-1]) == (True, LEFT)


def test_restricted_groups_stay_restricted_if_totals_are_unreadable(lab: InProcessCourse) -> None:
    lab.put(f"{FOLDER}/settled.json", "{")
    found, problems = asked(lab)
    assert (found, problems[-1]) == ({"group_001": "not known"}, LEFT)


def test_restricted_groups_stay_restricted_if_listing_fails(
    lab: InProcessCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = lab.connect()

    def refuse(folder: str) -> Any:
        raise WorkspaceError(f"the folder {folder}: 500")

    monkeypatch.setattr(workspace, "files", refuse)
    assert asked(lab, workspace) == ({"group_001": "not known"}, [f"the folder {FOLDER}: 500", LEFT])


def test_no_group_is_returned_to_a_first_deployment(lab: InProcessCourse) -> None:
    lab.remove_course()
    for id in lab.clusters:
        lab.remove(id)
    assert asked(lab) == ({}, [])


def test_a_foreign_cluster_with_course_tags_restricts_no_group(lab: InProcessCourse) -> None:
    owner = lab.workspace.create_user("professor@example.ac.il")
    owner.entitlements = ["allow-cluster-create"]
    foreign = lab.make_cluster("group_002", creator=owner)
    lab.grant(foreign, {"group_name": "group_002"}, "CAN_ATTACH_TO")
    lab.remove_course()
    assert asked(lab)[0] == {"group_001": "not known"}


def test_limits_are_kept_if_the_course_file_is_of_a_newer_version(ledger: Ledger, lab: InProcessCourse) -> None:
    tick(ledger, lab)
    lab.put(PATH, json.dumps({"version": VERSION + 1, "groups": "in another way"}))
    lab.start(lab.clusters[1])
    lab.workspace.advance(181 * 60)

    result = tick(ledger, lab)

    assert [(type(action), action.cluster_id) for action in result.actions] == [
        (Restrict, lab.clusters[1]),
        (Stop, lab.clusters[1]),
    ]
    assert result.problems == (
        f"{PATH} has version {VERSION + 1}, but this program reads versions up to {VERSION}; update the "
        "enforcer before deploying; the last known course file is used",
    )
    assert result.snapshot and result.snapshot.notices == result.problems


def test_the_admin_is_mailed_once_about_an_ambiguous_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[str] = []
    monkeypatch.setattr(Supervision, "notify_admin", lambda self, error: reported.append(str(error)))
    settings = replace(SETTINGS, ledger_location=str(tmp_path / "ledger.db"))
    lab = InProcessCourse(1, soft=150 * M, hard=180 * M)
    with closing(open_ledger(settings.ledger_location)) as ledger:
        snapshot = tick(ledger, lab).snapshot
    assert snapshot

    for notices in [(), ("a",), ("a",), ("a", "b"), (), ("a",)]:
        result = TickResult(replace(snapshot, notices=notices), problems=notices)
        Supervision(settings, now=lab.now()).report(result)

    assert reported == ["a", "a; b", "a"]
