"""The groups' pages in an emulated workspace: what a tick writes, when it writes, and what a failure leaves."""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from emulator.api.errors import ApiError
from enforcer.ledger import page_rows
from enforcer.ledger.database import Ledger
from enforcer.pages.notebook import parse_cells
from enforcer.settings import Settings
from enforcer.tick.run import TickResult, run_tick
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import AlreadyExistsError
from fake_mail_service import FakeMailService
from in_process_course import FOLDER, SETTINGS, InProcessCourse
from labkit.clock import Deadline
from sdk_in_process import HOST

pytestmark = pytest.mark.waits

M = timedelta(minutes=1)
ENGLISH = {"language": "en"}
FIRST, SECOND = f"{FOLDER}/groups/group_001", f"{FOLDER}/groups/group_002"
WITH_ADMIN = replace(SETTINGS, admin_email="admin@campus.example")


@pytest.fixture
def lab() -> InProcessCourse:
    lab = InProcessCourse(2, soft=150 * M, hard=180 * M, week=600 * M)
    lab.write_course(pages=ENGLISH)
    return lab


class Ticks:
    """Ticks on one course; `calls` has the requests of the latest one."""

    def __init__(self, ledger: Ledger, lab: InProcessCourse, settings: Settings = WITH_ADMIN) -> None:
        self.ledger, self.lab, self.settings = ledger, lab, settings
        self.workspace: Workspace = lab.connect()
        self.mail = FakeMailService()
        self.calls: Counter[str] = Counter()

    def tick(self, minutes: float = 0, **more: Any) -> TickResult:
        """Advance the clock and run a tick."""
        self.lab.workspace.advance(minutes * 60)
        before = Counter(self.workspace.calls)
        deadline = more.pop("deadline", Deadline(M))
        result = run_tick(
            self.settings, self.ledger, self.workspace, self.mail, now=self.lab.now(), deadline=deadline, **more
        )
        self.calls = Counter(self.workspace.calls) - before
        return result

    @property
    def writes(self) -> int:
        return self.calls["workspace/import"]


@pytest.fixture
def ticks(ledger: Ledger, lab: InProcessCourse) -> Ticks:
    return Ticks(ledger, lab)


def export(lab: InProcessCourse, folder: str, user: Any = None) -> tuple[str, ...]:
    path = quote(f"{folder}/cluster_time")
    answer = lab.workspace.call("GET", f"/api/2.0/workspace/export?path={path}&format=JUPYTER", user=user)
    return parse_cells(base64.b64decode(answer["content"]).decode())


def first_cell(lab: InProcessCourse, folder: str = FIRST) -> list[str]:
    return [line for line in export(lab, folder)[0].splitlines() if line]


def test_the_first_tick_writes_a_page_for_each_group(ticks: Ticks, lab: InProcessCourse) -> None:
    result = ticks.tick()

    assert (result.failures, ticks.writes) == ((), 2)
    assert first_cell(lab) == [
        "# Cluster time of \u2068Team 1\u2069",
        "\u2068Lab\u2069",
        "**The cluster is off. You can start it.**",
        "- **Today:** `░░░░░░░░░░░░░░░░░░░░` 0 of 180 minutes used, **180 left**."
        " Counting starts again every day at 00:00.",
        "- **This week:** `░░░░░░░░░░░░░░░░░░░░` 0 of 600 minutes used, **600 left**."
        " Counting starts again every Sunday, at 00:00.",
        "Your cluster has not run since Monday, 2 November 2026, 08:00.",
    ]


def test_a_course_without_pages_has_none(ledger: Ledger) -> None:
    lab = InProcessCourse(1, soft=150 * M, hard=180 * M)
    ticks = Ticks(ledger, lab)
    ticks.tick()

    assert (ticks.writes, page_rows.stored_pages(ledger)) == (0, {})
    with pytest.raises(ApiError):
        lab.workspace.call("GET", f"/api/2.0/workspace/get-status?path={FOLDER}/groups")


def test_a_student_reads_the_groups_page_and_nothing_else(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    student, other = lab.student("group_001"), lab.student("group_002")

    assert export(lab, FIRST, student)[0].startswith("# Cluster time of \u2068Team 1\u2069")
    assert export(lab, SECOND, other)[0].startswith("# Cluster time of \u2068Team 2\u2069")
    closed: list[tuple[str, str, Any]] = [
        ("GET", f"/api/2.0/workspace/export?path={SECOND}/cluster_time&format=JUPYTER", None),
        ("GET", f"/api/2.0/workspace/get-status?path={SECOND}/cluster_time", None),
        ("GET", f"/api/2.0/workspace/list?path={SECOND}", None),
        ("GET", f"/api/2.0/workspace/list?path={FOLDER}/groups", None),
        ("GET", f"/api/2.0/workspace/list?path={FOLDER}", None),
        ("GET", f"/api/2.0/workspace/export?path={FOLDER}/course.json", None),
        ("POST", "/api/2.0/workspace/delete", {"path": f"{FIRST}/cluster_time"}),
        ("POST", "/api/2.0/workspace/mkdirs", {"path": f"{FIRST}/mine"}),
    ]
    assert [lab.workspace.refusal(*request, user=student)[0] for request in closed] == [403] * len(closed)
    content = base64.b64encode(b'{"cells": [], "nbformat": 4, "metadata": {}}').decode()
    body = {"path": f"{FIRST}/cluster_time", "format": "JUPYTER", "content": content, "overwrite": True}
    assert lab.workspace.refusal("POST", "/api/2.0/workspace/import", body, user=student)[0] == 403


def test_a_group_that_does_nothing_costs_no_request(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    written = []
    for _ in range(10):
        ticks.tick(24 * 60)
        written.append({kind: ticks.calls[kind] for kind in ("workspace/import", "workspace/status")})

    assert written == [{"workspace/import": 0, "workspace/status": 0}] * 10


def test_a_running_clusters_figures_are_written_every_quarter_of_an_hour(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    lab.start(lab.clusters[0])
    writes = []
    for _ in range(32):
        ticks.tick(1)
        writes.append(ticks.writes)

    assert [minute for minute, count in enumerate(writes, 1) if count] == [1, 16, 31]
    assert sum(writes) == 3
    assert first_cell(lab)[2:5] == [
        "**The cluster is running.** If it keeps running, the time ends on Monday, 2 November 2026, 11:00.",
        "- **Today:** `███░░░░░░░░░░░░░░░░░` 30 of 180 minutes used, **150 left**."
        " Counting starts again on Tuesday, 3 November 2026, at 00:00.",
        "- **This week:** `█░░░░░░░░░░░░░░░░░░░` 30 of 600 minutes used, **570 left**."
        " Counting starts again on Sunday, 8 November 2026, at 00:00.",
    ]


def test_warning_stop_and_grant_are_on_the_page_in_the_same_tick(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    lab.start(lab.clusters[0])
    ticks.tick(152)
    warned = export(lab, FIRST)
    ticks.tick(30)
    stopped = export(lab, FIRST)
    grant = {
        "version": 1, "id": "1", "group": "group_001", "first_day": "2026-11-02", "last_day": "2026-11-02",
        "minutes": 60, "reason": "project *deadline*", "given_by": "staff", "given_at": "2026-11-02T09:00:00+00:00",
    }  # fmt: skip
    lab.put(f"{FOLDER}/allowances/1.json", json.dumps(grant))
    ticks.tick(1)
    granted = export(lab, FIRST)

    assert "29 minutes of cluster time left" in next(cell for cell in warned if cell.startswith("## Mails"))
    assert stopped[0].splitlines()[4] == (
        "**A limit is reached, so the cluster is off.** You can start it again on Tuesday, 3 November 2026, from 00:00."
        " Your notebooks and files are safe."
    )
    assert granted[0].splitlines()[4] == "**The cluster is off. You can start it.**"
    assert granted[1] == (
        "## What changes the limits\n\n- **60 minutes more** a day, Monday, 2 November 2026:"
        " \u2068project \\*deadline\\*\u2069"
    )


def test_mails_have_the_address_of_the_page(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    lab.start(lab.clusters[0])
    ticks.tick(152)
    ticks.tick(30)

    id = lab.workspace.call("GET", f"/api/2.0/workspace/get-status?path={FIRST}/cluster_time")["object_id"]
    address = f"{HOST}/#notebook/{id}"
    assert page_rows.address_of(ticks.ledger, FIRST) == address
    bodies = [json.loads(body) for (body,) in ticks.ledger.rows("SELECT request_body FROM message ORDER BY id")]
    assert [address in body["content"]["plainText"] for body in bodies] == [True, True]
    assert [f'href="{address}"' in body["content"]["html"] for body in bodies] == [True, True]


def test_a_deleted_page_and_a_deleted_folder_are_made_again(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    before = page_rows.address_of(ticks.ledger, FIRST)
    lab.workspace.call("POST", "/api/2.0/workspace/delete", {"path": f"{FIRST}/cluster_time"})
    lab.workspace.call("POST", "/api/2.0/workspace/delete", {"path": SECOND, "recursive": True})
    for cluster in lab.clusters:
        lab.start(cluster)

    failed, done = ticks.tick(1), ticks.tick(1)

    assert failed.failures == (f"the page of group_002: {SECOND}/cluster_time: {_parent(SECOND)}",)
    assert done.failures == ()
    assert page_rows.address_of(ticks.ledger, FIRST) != before
    for folder, name in ((FIRST, "group_001"), (SECOND, "group_002")):
        assert export(lab, folder, lab.student(name))


def _parent(folder: str) -> str:
    return f"The parent folder ({folder}) does not exist"


def test_a_failed_write_is_a_problem_and_stops_nothing(ticks: Ticks, lab: InProcessCourse) -> None:
    lab.workspace.call("POST", "/api/2.0/workspace/mkdirs", {"path": f"{FIRST}/cluster_time"})
    lab.start(lab.clusters[0])
    result = ticks.tick(181)

    assert lab.workspace.state(lab.clusters[0]) == "TERMINATING"
    (problem,) = result.failures
    assert problem.startswith(f"the page of group_001: {FIRST}/cluster_time: Cannot overwrite the asset")
    (subject,) = [subject for (subject,) in ticks.ledger.rows("SELECT subject FROM message")]
    assert subject == "Lab: the cluster of Team 1 is off, its limit is reached"
    assert list(page_rows.stored_pages(ticks.ledger)) == [SECOND]


def test_without_time_the_pages_wait_for_the_next_tick(ticks: Ticks, lab: InProcessCourse) -> None:
    timer = iter([0.0, *[50.0] * 1000])
    result = ticks.tick(deadline=Deadline(M, timer=lambda: next(timer)))

    assert page_rows.stored_pages(ticks.ledger) == {}
    assert not [problem for problem in result.failures if "page" in problem]
    ticks.tick()
    assert set(page_rows.stored_pages(ticks.ledger)) == {FIRST, SECOND}


def test_a_destroyed_course_gets_no_new_folder(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    lab.remove_course()
    lab.start(lab.clusters[0])
    results = [ticks.tick(1) for _ in range(3)]

    assert all(any("page" in problem for problem in result.failures) for result in results)
    with pytest.raises(ApiError):
        lab.workspace.call("GET", f"/api/2.0/workspace/get-status?path={FOLDER}")


def test_destroying_the_course_folder_removes_the_pages(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    # The provider destroys a folder with `delete_recursive` by this request.
    lab.remove_course()

    for folder in (FOLDER, FIRST, f"{FIRST}/cluster_time"):
        with pytest.raises(ApiError):
            lab.workspace.call("GET", f"/api/2.0/workspace/get-status?path={folder}")


def destroy(lab: InProcessCourse) -> None:
    lab.remove_course()
    for cluster in lab.clusters:
        lab.remove(cluster)


def deploy_again(lab: InProcessCourse) -> None:
    """Deploy the course with new clusters of the same names."""
    lab.clusters = [lab.make_cluster(name) for name in lab.names]
    lab.write_course(pages=ENGLISH)


@pytest.mark.parametrize("polls", [0, 2])
def test_a_new_deployment_has_its_pages_at_the_first_tick(ticks: Ticks, lab: InProcessCourse, polls: int) -> None:
    """Whether a tick saw the destroyed course or not."""
    ticks.tick()
    destroy(lab)
    for _ in range(polls):
        ticks.tick(1)
    deploy_again(lab)

    results = [ticks.tick(1), ticks.tick(1)]

    assert [result.failures for result in results] == [(), ()]
    assert ticks.writes == 0, "the first tick wrote them"
    for folder, name in ((FIRST, "group_001"), (SECOND, "group_002")):
        assert export(lab, folder, lab.student(name))


def test_a_course_without_pages_again_has_them_when_they_return(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    lab.workspace.advance(60)
    # A deployment without pages removes their folder.
    lab.write_course()
    lab.workspace.call("POST", "/api/2.0/workspace/delete", {"path": f"{FOLDER}/groups", "recursive": True})
    without = ticks.tick(1)
    assert (without.failures, ticks.writes, page_rows.stored_pages(ticks.ledger)) == ((), 0, {})

    lab.workspace.advance(60)
    lab.write_course(pages=ENGLISH)

    assert (ticks.tick(1).failures, ticks.writes) == ((), 2)
    assert first_cell(lab)[0] == "# Cluster time of \u2068Team 1\u2069"


def group_entries(lab: InProcessCourse, *names: str, **of_first: str) -> list[dict[str, object]]:
    """Return the groups of a course file; `of_first` are further keys of the first one."""
    entries: list[dict[str, object]] = [
        {"name": name, "number": n, "moodle_id": None, "title": f"Team {n}", "limits": lab.limits}
        for n, name in enumerate(names, 1)
    ]
    entries[0] |= of_first
    return entries


def test_a_retired_groups_page_is_left_alone(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    before = export(lab, SECOND)
    lab.workspace.advance(60)
    lab.remove(lab.clusters[1])
    lab.write_course(pages=ENGLISH, groups=group_entries(lab, "group_001"))
    student = lab.student("group_002")
    lab.members("group_002").clear()

    results = [ticks.tick(1) for _ in range(3)]

    assert [result.failures for result in results] == [()] * 3
    assert export(lab, SECOND) == before
    path = f"/api/2.0/workspace/export?path={SECOND}/cluster_time&format=JUPYTER"
    assert lab.workspace.refusal("GET", path, user=student)[0] == 403


def test_a_new_principal_reads_the_page_in_place_of_the_former_one(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    new = lab.workspace.create_user("new@campus.example.ac.il")
    lab.workspace.group("Team of a directory", new)
    lab.workspace.advance(60)
    entries = group_entries(lab, "group_001", "group_002", principal="Team of a directory")
    lab.write_course(version=3, pages=ENGLISH, groups=entries)

    assert ticks.tick(1).failures == ()

    assert export(lab, FIRST, new) == export(lab, FIRST)
    path = f"/api/2.0/workspace/export?path={FIRST}/cluster_time&format=JUPYTER"
    assert lab.workspace.refusal("GET", path, user=lab.student("group_001"))[0] == 403
    assert (ticks.tick(1).failures, ticks.writes) == ((), 0)


def test_a_new_language_is_written_at_the_next_tick(ticks: Ticks, lab: InProcessCourse) -> None:
    ticks.tick()
    lab.workspace.advance(60)
    lab.write_course(pages={"language": "he"})
    ticks.tick()

    assert ticks.writes == 2
    assert first_cell(lab)[0] == "# \u2067זמן המחשב של \u2068Team 1\u2069\u2069"


def test_a_file_that_is_created_twice_with_the_same_content_exists_once(lab: InProcessCourse) -> None:
    """A retry after a lost response finds the file of the first attempt."""
    workspace, path = lab.connect(), f"{FOLDER}/allowances/1.json"
    for _ in range(2):
        workspace.create(path, "one")

    with pytest.raises(AlreadyExistsError, match=f"{path} already exists"):
        workspace.create(path, "two")
    assert workspace.read(path) == "one"
    with pytest.raises(AlreadyExistsError):
        workspace.create(f"{FOLDER}/allowances", "one")
