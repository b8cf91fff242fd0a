"""Roles of starters: missing information makes no one staff, and a known role does not change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.commands.usage import usages_of
from enforcer.domain.course import Course
from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.quota import Period, Restore, Restrict, Stop
from enforcer.domain.roles import UserRoles, is_reread_due
from enforcer.domain.uptime import MEMBER, OTHER, Role
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.settings import load_settings
from enforcer.tick.history import load_past_snapshot
from enforcer.tick.run import TickResult, run_tick
from enforcer.workspace.client import Workspace
from enforcer.workspace.course_file import parse_course
from enforcer.workspace.errors import WorkspaceError
from fake_mail_service import FakeMailService
from in_process_course import SETTINGS, STAFF, InProcessCourse
from labkit.clock import Deadline

M, H, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def lab() -> InProcessCourse:
    return InProcessCourse(2, soft=150 * M, hard=180 * M)


def tick(ledger: Ledger, lab: InProcessCourse, workspace: Workspace | None = None, **more: Any) -> TickResult:
    connected, mail = workspace or lab.connect(), more.pop("mail", FakeMailService())
    return run_tick(SETTINGS, ledger, connected, mail, now=lab.now(), deadline=Deadline(M), **more)


def kinds(result: TickResult) -> list[type]:
    return [type(action) for action in result.actions]


def used(ledger: Ledger, lab: InProcessCourse) -> list[tuple[str, int, int, tuple[str, ...]]]:
    """Return, for each cluster, today's usage: group, minutes used, minutes by unknown users, and these users."""
    snapshot = load_past_snapshot(ledger, SETTINGS, now=lab.now())
    usages = usages_of(ledger, snapshot, snapshot.today, snapshot.today)
    return [(one.group, one.used // M, one.unknown // M, one.unknown_users) for one in usages]


def hide(lab: InProcessCourse, name: str) -> list[str]:
    """Make the API list a group without its members; return the members."""
    hidden = list(lab.members(name))
    lab.members(name).clear()
    return hidden


def test_a_student_added_late_is_stopped_at_the_limit(ledger: Ledger, lab: InProcessCourse) -> None:
    cluster = lab.clusters[0]
    student = lab.students[cluster].name
    lab.start(cluster)
    hidden = hide(lab, "group_001")
    tick(ledger, lab)
    lab.workspace.advance(100 * 60)
    tick(ledger, lab)
    assert used(ledger, lab)[0] == ("group_001", 99, 99, (student,))

    lab.workspace.advance(81 * 60)
    result = tick(ledger, lab)
    assert (kinds(result), result.failures) == ([Restrict, Stop], ())

    lab.members("group_001").extend(hidden)
    lab.workspace.advance(40 * 60)
    tick(ledger, lab)
    assert used(ledger, lab)[0] == ("group_001", 180, 0, ())


@pytest.mark.parametrize("status", ["403", "no groups at all"])
def test_staff_in_the_course_file_are_recognised_without_reading_groups(
    ledger: Ledger, lab: InProcessCourse, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, other = lab.connect(), lab.clusters[1]
    assistant = lab.workspace.create_user(STAFF)
    lab.workspace.emulated.state.acls.grant(f"/clusters/{other}", assistant.id, "CAN_MANAGE")
    lab.start(lab.clusters[0])
    lab.workspace.post("start", other, assistant)
    lab.workspace.advance(60 * 60)

    def members() -> dict[str, frozenset[str]]:
        if status == "403":
            raise WorkspaceError("the groups: 403")
        return {}

    monkeypatch.setattr(workspace, "members", members)
    result = tick(ledger, lab, workspace)

    student = lab.students[lab.clusters[0]].name
    assert used(ledger, lab) == [("group_001", 59, 59, (student,)), ("group_002", 0, 0, ())]
    assert any("403" in failure for failure in result.failures) == (status == "403")
    assert not any(cluster.id not in lab.clusters for cluster in result.snapshot.clusters)  # type: ignore[union-attr]


def test_minutes_stay_with_a_group_after_the_student_leaves_it(ledger: Ledger, lab: InProcessCourse) -> None:
    lab.start(lab.clusters[0])
    lab.workspace.advance(120 * 60)
    lab.stop(lab.clusters[0])
    tick(ledger, lab)
    student = lab.members("group_001").pop()
    lab.members("group_002").append(student)
    lab.workspace.advance(60)
    tick(ledger, lab)
    lab.members("group_002").clear()
    queries.write_note(ledger, "looked at everything", "")
    tick(ledger, lab)

    assert used(ledger, lab) == [("group_001", 119, 0, ()), ("group_002", 0, 0, ())]


def test_effects_of_an_unknown_starter_are_undone_if_it_is_staff(ledger: Ledger, lab: InProcessCourse) -> None:
    cluster, mail = lab.clusters[0], FakeMailService(plan=["refused"] * 9)
    professor = lab.workspace.create_user("professor@example.ac.il")
    lab.workspace.emulated.state.acls.grant(f"/clusters/{cluster}", professor.id, "CAN_MANAGE")
    lab.workspace.post("start", cluster, professor)
    lab.workspace.advance(181 * 60)
    settings = replace(load_settings({"LAB_COURSE": "94290", "LAB_TERM": "2026w"}), mail=None, admin_email=None)

    def again() -> TickResult:
        return run_tick(settings, ledger, lab.connect(), mail, now=lab.now(), deadline=Deadline(M))

    first = again()
    assert (kinds(first), lab.level(cluster), stored_messages.waiting_count(ledger)) == (
        [Restrict, Stop],
        "CAN_ATTACH_TO",
        1,
    )

    admins = next(g for g in lab.workspace.emulated.state.directory.groups.values() if g.display_name == "admins")
    admins.members.append(professor.id)
    lab.workspace.advance(60)
    problems = again()

    assert (kinds(problems), lab.level(cluster), stored_messages.waiting_count(ledger)) == ([Restore], "CAN_RESTART", 0)
    assert used(ledger, lab)[0] == ("group_001", 0, 0, ())
    admins.members.remove(professor.id)
    lab.workspace.advance(60)
    again()
    assert used(ledger, lab)[0] == ("group_001", 0, 0, ()), "known never changes"
    # A deleted message can become true again and is then sent.
    lab.start(cluster)
    lab.workspace.advance(181 * 60)
    again()
    assert stored_messages.waiting_count(ledger) == 1
    assert stored_messages.notified_limits(ledger, MessageKind.STOPPED, since=lab.now().date())


def test_a_settled_day_is_corrected_once_the_starter_is_staff(ledger: Ledger, lab: InProcessCourse) -> None:
    cluster = lab.clusters[0]
    professor = lab.workspace.create_user("professor@example.ac.il")
    lab.workspace.emulated.state.acls.grant(f"/clusters/{cluster}", professor.id, "CAN_MANAGE")
    monday = lab.now().date()
    lab.workspace.post("start", cluster, professor)
    lab.workspace.advance(60 * 60)
    lab.stop(cluster)
    tick(ledger, lab)
    lab.workspace.advance(24 * 3600)
    tick(ledger, lab, settles=True)
    assert queries.settled(ledger, monday)[cluster].used // M == 59

    admins = next(g for g in lab.workspace.emulated.state.directory.groups.values() if g.display_name == "admins")
    admins.members.append(professor.id)
    lab.workspace.advance(12 * 3600)
    tick(ledger, lab)

    settled = queries.settled(ledger, monday)[cluster]
    assert (settled.used, settled.uncounted // M) == (0 * M, 59)


COURSE = """{"version": 2, "course": "94290", "term": "2026w", "title": "", "timezone": "UTC",
 "first_day": "2026-10-18", "last_day": "2027-01-31", "first_weekday": "Sunday", "count_all_sessions": false,
 "staff": {"application_ids": ["app"]},
 "groups": [{"name": "group_001", "number": 1, "title": "", "limits": {"soft_minutes": 1, "hard_minutes": 2}}]}"""
NAMES = ("dana@x", "Dana@X", "noa@x", "admin@x", "deploy@x", "app", "me@x", "stranger@x", MEMBER, OTHER)
LISTS = st.dictionaries(
    st.sampled_from(["group_001", "group_009", "admins", "users"]),
    st.frozensets(st.sampled_from(["dana@x", "admin@x"])),
)


def course() -> Course:
    return parse_course(COURSE, "course.json")


@given(user=st.sampled_from(NAMES), groups=LISTS)
def test_a_role_is_known_only_if_the_groups_were_read(user: str, groups: dict[str, frozenset[str]]) -> None:
    role = UserRoles(course(), groups, "ME@x").role_of(user, creator="Deploy@x", group="group_001")

    is_staff = user in ("deploy@x", "app", "me@x", OTHER) or user.casefold() in groups.get("admins", ())
    is_student = user == MEMBER or user.casefold() in groups.get("group_001", ())
    assert role is (Role.STAFF if is_staff else Role.STUDENT if is_student else Role.UNKNOWN)
    less = UserRoles(course(), {}, "ME@x").role_of(user, creator="Deploy@x", group="group_001")
    assert less in (role, Role.UNKNOWN)


@pytest.mark.parametrize(
    ("unknown_for", "asked_before", "expected"),
    [
        (1 * M, None, True),
        (1 * M, 1 * M, True),
        (2 * H, 15 * M, True),
        (6 * H, 15 * M, False),
        (6 * H, 60 * M, True),
        (24 * H, 3 * H, False),
        (24 * H, 4 * H, True),
        (24 * H, -1 * H, True),
    ],
)
def test_groups_are_read_less_and_less_often_for_an_unknown_role(
    unknown_for: timedelta, asked_before: timedelta | None, expected: bool
) -> None:
    now = datetime.fromisoformat("2026-11-02T12:00:00+00:00")
    asked = None if asked_before is None else now - asked_before
    assert is_reread_due(unknown_since=now - unknown_for, asked=asked, now=now) == expected


def test_groups_are_read_only_while_an_unknown_starter_counts(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace = lab.connect()
    tick(ledger, lab, workspace)
    lab.start(lab.clusters[0])
    lab.workspace.advance(60)
    tick(ledger, lab, workspace)
    assert workspace.calls["scim/groups"] == 1, "a member whom the day's list had"

    hide(lab, "group_001")
    stranger = lab.workspace.create_user("stranger@example.ac.il")
    lab.workspace.emulated.state.acls.grant(f"/clusters/{lab.clusters[1]}", stranger.id, "CAN_RESTART")
    lab.workspace.post("start", lab.clusters[1], stranger)
    for _ in range(3):
        lab.workspace.advance(60)
        tick(ledger, lab, workspace)
    assert workspace.calls["scim/groups"] == 4
    snapshot = tick(ledger, lab).snapshot
    assert snapshot
    usage = next(usage for usage in snapshot.limit_usages_of("group_002") if usage.limit.period is Period.DAY)
    assert usage.used >= 2 * M
