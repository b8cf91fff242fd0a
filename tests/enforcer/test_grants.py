"""Permissions granted by hand: a group's own entry is corrected, other grants are reported at each poll."""

from __future__ import annotations

from datetime import timedelta

import pytest

from enforcer.domain.observations import DirectGrant
from enforcer.domain.quota import Restore, Restrict, Stop
from enforcer.domain.roles import UserRoles, quota_bypasses
from enforcer.ledger.database import Ledger
from enforcer.tick.run import TickResult, run_tick
from enforcer.workspace.client import Workspace
from enforcer.workspace.course_file import parse_course
from fake_mail_service import FakeMailService
from in_process_course import SETTINGS, STAFF, InProcessCourse
from labkit.clock import Deadline

M = timedelta(minutes=1)


@pytest.fixture
def lab() -> InProcessCourse:
    return InProcessCourse(2, soft=150 * M, hard=180 * M)


def tick(ledger: Ledger, lab: InProcessCourse, workspace: Workspace | None = None) -> TickResult:
    connected = workspace or lab.connect()
    return run_tick(SETTINGS, ledger, connected, FakeMailService(), now=lab.now(), deadline=Deadline(M))


def kinds(result: TickResult) -> list[type]:
    return [type(action) for action in result.actions]


def test_a_group_with_can_manage_is_restricted_and_restored_to_can_restart(
    ledger: Ledger, lab: InProcessCourse
) -> None:
    cluster = lab.clusters[0]
    lab.grant(cluster, {"group_name": "group_001"}, "CAN_MANAGE")
    lab.start(cluster)
    lab.workspace.advance(181 * 60)
    assert (kinds(tick(ledger, lab)), lab.level(cluster)) == ([Restrict, Stop], "CAN_ATTACH_TO")

    lab.workspace.advance(24 * 3600)
    assert (kinds(tick(ledger, lab)), lab.level(cluster)) == ([Restore], "CAN_RESTART")


@pytest.mark.parametrize(
    "principal", [{"user_name": "student1@campus.example.ac.il"}, {"group_name": "group_002"}], ids=["member", "group"]
)
def test_a_grant_to_students_is_reported_at_each_poll(
    ledger: Ledger, lab: InProcessCourse, principal: dict[str, str]
) -> None:
    lab.grant(lab.clusters[0], principal, "CAN_RESTART")
    sentence = (
        f"{next(iter(principal.values()))} has CAN_RESTART on cluster_001 of group_001 by a direct grant, and can "
        "start it despite any limit; remove the grant"
    )
    workspace = lab.connect()
    for _ in range(3):
        assert tick(ledger, lab, workspace).problems == (sentence,)
        lab.workspace.advance(60)
    assert workspace.calls["permissions/get"] == 2

    lab.grant(lab.clusters[0], principal, "CAN_ATTACH_TO")
    lab.workspace.advance(24 * 3600)
    assert (tick(ledger, lab, workspace).problems, tick(ledger, lab, workspace).problems) == ((), ())


COURSE = """{"version": 2, "course": "1", "term": "t", "title": "", "timezone": "UTC", "first_day": "2026-10-18",
 "last_day": "2027-01-31", "first_weekday": "Sunday", "count_all_sessions": false,
 "staff": {"application_ids": ["app"], "address_hashes": []},
 "groups": [{"name": "group_01", "number": 1, "title": "", "limits": {"soft_minutes": 1, "hard_minutes": 2}},
            {"name": "group_02", "number": 2, "title": "", "limits": {"soft_minutes": 1, "hard_minutes": 2}}]}"""
GROUPS = {
    "group_01": frozenset({"dana@x", "ta@x"}),
    "friends": frozenset({"dana@x"}),
    "tutors": frozenset({STAFF}),
    "admins": frozenset({"ta@x", "admin@x"}),
}


@pytest.mark.parametrize(
    ("kind", "principal", "level", "is_named"),
    [
        ("user", "Dana@x", "CAN_RESTART", True),
        ("user", "dana@x", "CAN_MANAGE", True),
        ("user", "dana@x", "CAN_ATTACH_TO", False),
        ("user", "ta@x", "CAN_MANAGE", False),
        ("user", "stranger@x", "CAN_MANAGE", False),
        ("group", "group_01", "CAN_RESTART", False),
        ("group", "group_02", "CAN_RESTART", True),
        ("group", "all_student_groups", "CAN_RESTART", True),
        ("group", "users", "CAN_RESTART", True),
        ("group", "friends", "CAN_RESTART", True),
        ("group", "tutors", "CAN_MANAGE", False),
        ("group", "admins", "CAN_MANAGE", False),
        ("service principal", "app", "CAN_MANAGE", False),
    ],
)
def test_only_grants_that_let_students_start_are_reported(
    kind: str, principal: str, level: str, is_named: bool
) -> None:
    people = UserRoles(parse_course(COURSE, "course.json"), GROUPS)
    named = quota_bypasses(people, "cluster_01", "group_01", [DirectGrant(kind, principal, level)])
    assert bool(named) == is_named
