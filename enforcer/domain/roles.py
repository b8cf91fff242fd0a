"""The role of an account that started a cluster: student, staff or unknown. Pure.

Sessions of staff do not count, all others do. Missing information, such as a list without members, leaves the role
unknown and makes no one staff.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enforcer.domain.course import Course
from enforcer.domain.observations import DirectGrant
from enforcer.domain.quota import STARTING
from enforcer.domain.uptime import MEMBER, OTHER, Role
from labkit.course_file import ADMINS, ALL_STUDENT_GROUPS, BUILT_IN_GROUPS

AT_EVERY_POLL = timedelta(hours=3)
"""While a role is unknown, the groups are read at every poll for this long."""
PAUSE = 1 / 6
"""Minimum pause between two reads of the groups, as a share of the time for which a role has been unknown."""


@dataclass(frozen=True)
class UserRoles:
    """Roles of the workspace's users, as far as they are known."""

    course: Course
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Lower-case member addresses by group; empty if they were never read."""
    enforcer_user: str = ""
    """The enforcer's own user; empty if it is not known."""

    def role_of(self, user: str, *, creator: str | None, group: str) -> Role:
        """Return the role of a user who started a cluster of `group`. `creator` created the cluster; None means not
        known.
        """
        if user in (MEMBER, OTHER):
            return Role.STUDENT if user == MEMBER else Role.STAFF
        if self.is_trusted(user) or is_same(user, creator):
            return Role.STAFF
        return Role.STUDENT if self.is_student(user, group) else Role.UNKNOWN

    def is_trusted(self, user: str) -> bool:
        """Return whether the user is staff for every cluster."""
        is_admin = user.casefold() in self.groups.get(ADMINS, frozenset())
        return is_admin or is_same(user, self.enforcer_user) or self.course.is_staff(user)

    def is_student(self, user: str, group: str) -> bool:
        """Return whether the user is in a student group of the course, such as `group`."""
        names = {*self.course.principals, self.course.principal_of(group)}
        return any(user.casefold() in self.groups.get(name, frozenset()) for name in names)


def quota_bypasses(people: UserRoles, cluster_name: str, group: str, grants: Iterable[DirectGrant]) -> tuple[str, ...]:
    """Return a message for each student, or other group of students, with a direct grant that allows starting the
    cluster.
    """
    starting = {level.value for level in STARTING}
    return tuple(
        f"{grant.principal} has {grant.level} on {cluster_name} of {group} by a direct grant, and can start it despite "
        "any limit; remove the grant"
        for grant in grants
        if grant.level in starting and _is_of_students(people, grant, group)
    )


def _is_of_students(people: UserRoles, grant: DirectGrant, group: str) -> bool:
    if grant.kind == "user":
        return people.is_student(grant.principal, group) and not people.is_trusted(grant.principal)
    if grant.kind != "group" or grant.principal in (people.course.principal_of(group), ADMINS):
        return False
    if grant.principal in (ALL_STUDENT_GROUPS, *BUILT_IN_GROUPS, *people.course.principals):
        return True
    return any(people.is_student(user, group) for user in people.groups.get(grant.principal, frozenset()))


def is_same(user: str, other: str | None) -> bool:
    """Return whether both names are the same account; the workspace ignores case."""
    return bool(other) and user.casefold() == (other or "").casefold()


def is_reread_due(*, unknown_since: datetime, asked: datetime | None, now: datetime) -> bool:
    """Return whether to read the groups because a role is unknown: at each poll at first, then less and less often."""
    age = now - unknown_since
    return asked is None or asked > now or age < AT_EVERY_POLL or now - asked >= age * PAUSE
