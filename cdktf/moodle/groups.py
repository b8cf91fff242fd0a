"""Turns a course, as Moodle's web service reports it, into a list of groups. Pure.

The groups, their order and their people are those of the Group self-selection, apart from staff and suspended people.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from labkit.text import quoted
from moodle.answers import MoodleUser, NamedEntry
from moodle.content import CourseContent
from roster.group_list import GroupList, GroupListBuilder, ListedGroup, ListedMember
from roster.names import clean_name, plain_name

WEB_SERVICE = "Moodle's web service"
STUDENT_ROLES = frozenset({"student"})
STAFF_ROLES = frozenset({"editingteacher", "teacher", "manager", "coursecreator"})
_TAG = re.compile(r"<[^>]*>")


class _Kind(Enum):
    STUDENT = "student"
    STAFF = "staff"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Roles:
    """The short names of the site's own roles, in addition to Moodle's."""

    student: frozenset[str] = frozenset()
    staff: frozenset[str] = frozenset()

    def kind_of(self, user: MoodleUser) -> _Kind:
        """Return what a user is in the course. An enrolment without a role is a student's."""
        if user.roles & ((STAFF_ROLES - self.student) | self.staff):
            return _Kind.STAFF
        if not user.roles or user.roles & (STUDENT_ROLES | self.student):
            return _Kind.STUDENT
        return _Kind.UNKNOWN


def group_list(
    course: CourseContent, *, roles: Roles, staff: Collection[str], stored_names: Mapping[str, str]
) -> GroupList:
    """Return the course's groups with their students. The lines of its issues are Moodle's ids of groups.

    `staff` are normalised addresses that are never students. `stored_names` maps Moodle's ids to the names in the
    roster: a name that is the same apart from what the web service removes is not changed.
    """
    builder = GroupListBuilder(staff)
    suspended: dict[str, ListedMember] = {}
    for group in course.groups:
        members: dict[str, ListedMember] = {}
        for user in sorted((course.users[id] for id in course.members[group.id]), key=lambda user: user.id):
            member = _member(user, group, course, roles, builder)
            if member is None:
                continue
            if user.id in course.suspended:
                suspended.setdefault(member.email, member)
            elif member.email in members:
                builder.add_problem(group.id, f"{member.email} is the address of two members of this group.")
            else:
                members[member.email] = member
        name = _name(group, stored_names.get(str(group.id), ""))
        builder.groups.append(ListedGroup(group.id, str(group.id), name, tuple(members.values())))
    if not course.groups:
        builder.add_problem(0, "the course or grouping has no groups: check --course and --grouping.")
    active = {member.email for group in builder.groups for member in group.members}
    return replace(
        builder.build(WEB_SERVICE, 0),
        suspended=tuple(member for email, member in suspended.items() if email not in active),
        numbered_by="group",
    )


def _member(
    user: MoodleUser, group: NamedEntry, course: CourseContent, roles: Roles, builder: GroupListBuilder
) -> ListedMember | None:
    """Return the student or the suspended person; None, with an issue, for everybody else."""
    person = user.email or quoted(user.full_name)
    kind = roles.kind_of(user)
    if kind is _Kind.STAFF:
        role = ", ".join(sorted(user.roles))
        builder.add_ignored(group.id, f"{person} is staff ({role}) and therefore not a student.")
        return None
    is_suspended = user.id in course.suspended
    if is_suspended and not user.email:
        builder.add_ignored(group.id, f"{person} is suspended.")
        return None
    if kind is _Kind.UNKNOWN and not is_suspended:
        role = sorted(user.roles)[0]
        builder.add_problem(
            group.id,
            f"{person} has the unknown role {quoted(role)}: add --student-role {role} if it is a student's, or else "
            f"--staff-role {role}.",
        )
        return None
    if not user.email:
        builder.add_problem(
            group.id,
            f"{person} has no e-mail address, or none that the token's user may see (moodle/course:useremail).",
        )
        return None
    return builder.parse_member(group.id, "email", user.email)


def _name(group: NamedEntry, stored: str) -> str:
    """Return the group's name as the Group self-selection has it, as far as that is known.

    The web service removes tags and escapes `&`, also in names where it is escaped already.
    """
    if stored and plain_name(_TAG.sub("", stored)) == plain_name(group.name):
        return stored
    return clean_name(html.unescape(group.name))
