"""Who started a cluster: a student, staff, or somebody who is not known yet. Pure.

A session of staff is shown apart, every other one counts. An answer that is missing, such as a list without members,
leaves a starter unknown: it makes nobody staff.
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
"""For so long the groups are read at every poll while somebody is not known."""
PAUSE = 1 / 6
"""Of the time for which somebody has not been known: the groups are not read again before."""


@dataclass(frozen=True)
class People:
    """Who is who in the workspace, as far as it is known."""

    course: Course
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Addresses by group, lower case; empty if they were never read."""
    enforcer: str = ""
    """As whom the enforcer asks; empty if that is not known."""

    def role_of(self, user: str, *, creator: str | None, group: str) -> Role:
        """The role of who started a cluster of `group`, which `creator` made, None if that is not known."""
        if user in (MEMBER, OTHER):
            return Role.STUDENT if user == MEMBER else Role.STAFF
        if self.is_trusted(user) or is_same(user, creator):
            return Role.STAFF
        return Role.STUDENT if self.is_student(user, group) else Role.UNKNOWN

    def is_trusted(self, user: str) -> bool:
        """Whether the user is staff wherever a cluster is started."""
        is_admin = user.casefold() in self.groups.get(ADMINS, frozenset())
        return is_admin or is_same(user, self.enforcer) or self.course.is_staff(user)

    def is_student(self, user: str, group: str) -> bool:
        """Whether the user is in a student group of the course, of which `group` is one."""
        names = {*self.course.groups, group}
        return any(user.casefold() in self.groups.get(name, frozenset()) for name in names)


def routes_around(people: People, cluster_name: str, group: str, grants: Iterable[DirectGrant]) -> tuple[str, ...]:
    """A sentence for each student, or other group of students, who may start the cluster whatever its group may."""
    starting = {level.value for level in STARTING}
    return tuple(
        f"{grant.principal} has {grant.level} on {cluster_name} of {group} by a direct grant, and can start it beyond "
        "any limit; remove the grant"
        for grant in grants
        if grant.level in starting and _is_of_students(people, grant, group)
    )


def _is_of_students(people: People, grant: DirectGrant, group: str) -> bool:
    if grant.kind == "user":
        return people.is_student(grant.principal, group) and not people.is_trusted(grant.principal)
    if grant.kind != "group" or grant.principal in (group, ADMINS):
        return False
    if grant.principal in (ALL_STUDENT_GROUPS, *BUILT_IN_GROUPS, *people.course.groups):
        return True
    return any(people.is_student(user, group) for user in people.groups.get(grant.principal, frozenset()))


def is_same(user: str, other: str | None) -> bool:
    """Whether both are the same account, as the workspace compares them."""
    return bool(other) and user.casefold() == (other or "").casefold()


def is_worth_asking(*, unknown_since: datetime, asked: datetime | None, now: datetime) -> bool:
    """Whether the groups are to be read for somebody who is not known: at each poll at first, then ever less often."""
    age = now - unknown_since
    return asked is None or asked > now or age < AT_EVERY_POLL or now - asked >= age * PAUSE
