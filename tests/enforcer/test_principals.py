"""A group of a directory has the members and the permission of a team; the enforcer finds both by the group's name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from emulator.models.scim import Group
from emulator.scim.changes import add_account_group, patch
from enforcer.domain.course import Course
from enforcer.domain.observations import DirectGrant
from enforcer.domain.quota import Restore, Restrict, Stop
from enforcer.domain.roles import UserRoles, quota_bypasses
from enforcer.ledger import names, queries
from enforcer.ledger.database import Ledger
from enforcer.retention.term_end import groups_to_remove
from enforcer.settings import load_settings
from enforcer.tick.restricted import restricted
from enforcer.tick.run import TickResult, run_tick
from enforcer.workspace.client import Workspace
from enforcer.workspace.course_file import parse_course
from enforcer.workspace.directory import GroupInfo
from fake_mail_service import FakeMailService
from in_process_course import FOLDER, SETTINGS, InProcessCourse
from labkit.clock import Deadline

M, DAY = timedelta(minutes=1), timedelta(days=1)
MAIL = {
    "AZURE_EMAIL_CONNECTION_STRING": "endpoint=https://x;accesskey=eA==",
    "AZURE_EMAIL_SENDER": "lab@campus.example",
}
PRINCIPAL = "DE-2026-01"


class DirectoryCourse(InProcessCourse):
    """A course in which the first team is a group of a directory; the second team's group was created by the lab."""

    def __init__(self) -> None:
        super().__init__(2, soft=150 * M, hard=180 * M)
        state, emulated = self.workspace.emulated.state, self.workspace.emulated
        (members,) = (group.members for group in state.directory.groups.values() if group.display_name == "group_001")
        for id in [group.id for group in state.directory.groups.values() if group.display_name == "group_001"]:
            self.workspace.call("DELETE", f"/api/2.0/preview/scim/v2/Groups/{id}")
        self.group: Group = add_account_group(emulated, PRINCIPAL, members, self.workspace.now)
        self.grant(self.clusters[0], {"group_name": PRINCIPAL}, "CAN_RESTART")
        groups = [
            {"name": name, "number": n, "moodle_id": None, "title": f"Team {n}", "limits": self.limits}
            for n, name in enumerate(self.names, 1)
        ]
        self.write_course(version=3, groups=[{**groups[0], "principal": PRINCIPAL}, groups[1]])

    def change_members(self, *names: str) -> None:
        """Replace the group's members, as the directory would."""
        members = [{"value": self.workspace.create_user(name).id} for name in names]
        operation = {"op": "replace", "path": "members", "value": members}
        patch(self.workspace.emulated, self.group, {"Operations": [operation]}, account=True)

    def level_of(self, cluster_id: str, group: str) -> str:
        response = self.workspace.call("GET", f"/api/2.0/permissions/clusters/{cluster_id}")
        (entry,) = (entry for entry in response["access_control_list"] if entry.get("group_name") == group)
        return str(entry["all_permissions"][0]["permission_level"])

    @property
    def course(self) -> Course:
        export = self.workspace.call("GET", f"/api/2.0/workspace/export?path={FOLDER}/course.json&direct_download=true")
        text = export if isinstance(export, str) else json.dumps(export)
        return parse_course(text, "course.json")


@pytest.fixture
def lab() -> DirectoryCourse:
    return DirectoryCourse()


def tick(ledger: Ledger, workspace: Workspace, lab: DirectoryCourse, mail: FakeMailService) -> TickResult:
    settings = replace(load_settings(MAIL), course=SETTINGS.course, term=SETTINGS.term)
    return run_tick(settings, ledger, workspace, mail, now=lab.now(), deadline=Deadline(M))


def recipients(mail: FakeMailService) -> list[set[str]]:
    """Return the recipients of each accepted message."""
    payloads = [json.loads(payload) for payload in mail.accepted.values()]
    return [{to["address"] for kind in payload["recipients"].values() for to in kind} for payload in payloads]


def test_a_directory_group_is_restricted_stopped_notified_and_restored(ledger: Ledger, lab: DirectoryCourse) -> None:
    workspace, mail, (own, other) = lab.connect(), FakeMailService(), lab.clusters
    lab.start(own)
    lab.workspace.advance(181 * 60)

    result = tick(ledger, workspace, lab, mail)

    assert ([type(action) for action in result.actions], result.failures) == ([Restrict, Stop], ())
    assert [action.group for action in result.actions] == ["group_001", "group_001"]
    assert [lab.level_of(own, PRINCIPAL), lab.level_of(other, "group_002")] == ["CAN_ATTACH_TO", "CAN_RESTART"]
    assert lab.workspace.state(own) == "TERMINATING"
    assert recipients(mail) == [{"student1@campus.example.ac.il"}]
    assert restricted(workspace, "94290", "2026w", now=lab.now()) == ({"group_001": "day 180"}, [])
    lab.workspace.advance(24 * 3600)
    assert [type(action) for action in tick(ledger, workspace, lab, mail).actions] == [Restore]
    assert lab.level_of(own, PRINCIPAL) == "CAN_RESTART"


def test_a_change_of_members_in_the_directory_is_followed_without_a_deploy(
    ledger: Ledger, lab: DirectoryCourse
) -> None:
    workspace, mail, own = lab.connect(), FakeMailService(), lab.clusters[0]
    tick(ledger, workspace, lab, mail)
    lab.change_members("new@campus.example.ac.il")
    student = lab.workspace.emulated.state.directory.find_user("new@campus.example.ac.il")
    assert student
    lab.workspace.post("start", own, student)
    lab.workspace.advance(181 * 60)
    result = tick(ledger, workspace, lab, mail)
    assert [type(action) for action in result.actions] == [Restrict, Stop]
    assert recipients(mail) == [{"new@campus.example.ac.il"}]


def test_roles_and_grants_are_decided_by_the_principal() -> None:
    course = parse_course(_course_text(), "course.json")
    members = {PRINCIPAL: frozenset({"a@u.example"}), "group_001": frozenset({"b@u.example"})}
    people = UserRoles(course, members)
    assert (people.is_student("A@u.example", "group_001"), people.is_student("b@u.example", "group_001")) == (
        True,
        False,
    )
    own = DirectGrant("group", PRINCIPAL, "CAN_RESTART")
    assert quota_bypasses(people, "cluster_001", "group_001", [own]) == ()
    assert len(quota_bypasses(people, "cluster_002", "group_002", [own])) == 1


def test_a_directory_group_is_never_deleted_at_the_end_of_a_term() -> None:
    course = parse_course(_course_text(), "course.json")
    groups = [GroupInfo(name, name, ()) for name in (PRINCIPAL, "group_001", "group_002")]
    selection = groups_to_remove(groups, course.created_groups, keep=(), everything=True)
    assert [item.name for item in selection.remove] == ["group_002"]
    assert [name for name, _ in selection.keep] == [PRINCIPAL, "group_001"]


def test_the_ledger_knows_the_principals_of_the_last_course_file(ledger: Ledger) -> None:
    queries.store_file(ledger, f"{FOLDER}/course.json", "1", _course_text())
    queries.store_file(ledger, "/lab-1-x/course.json", "1", "{}")
    queries.store_file(ledger, f"{FOLDER}/allowances/1.json", "1", "{}")
    assert names.principals(ledger) == {"group_001": PRINCIPAL}


def _course_text() -> str:
    limits = {"soft_minutes": 150, "hard_minutes": 180, "week_minutes": None, "term_minutes": None}
    groups = [
        {"name": "group_001", "principal": PRINCIPAL, "number": 1, "title": "One", "limits": limits},
        {"name": "group_002", "number": 2, "title": "Two", "limits": limits},
    ]
    document = {
        "version": 3, "course": "94290", "term": "2026w", "title": "Lab", "timezone": "Asia/Jerusalem",
        "first_day": "2026-10-18", "last_day": "2027-01-31", "first_weekday": "Sunday", "count_all_sessions": False,
        "groups": groups,
    }  # fmt: skip
    return json.dumps(document)
