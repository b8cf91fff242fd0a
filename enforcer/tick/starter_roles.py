"""Members of the workspace's groups, and the roles of starters, which are decided once."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from enforcer.domain.course import Course
from enforcer.domain.roles import UserRoles, is_reread_due
from enforcer.domain.timestamps import from_millis, to_millis
from enforcer.domain.uptime import Role
from enforcer.ledger import membership, queries, starters
from enforcer.ledger.database import Ledger
from enforcer.ledger.starters import Starter
from enforcer.ledger.workspace_memory import WorkspaceMemory
from enforcer.tick.course_reader import Members, WorkspaceReader
from enforcer.workspace.errors import WorkspaceError

ASKED = "members asked"
"""Name of the note with the time at which the groups were last requested, successfully or not."""


class MembershipCache:
    """Members of the workspace's groups as last read; read again at most once in a tick."""

    def __init__(self, ledger: Ledger, workspace: WorkspaceReader, *, now: datetime) -> None:
        self._ledger, self._workspace, self._now = ledger, workspace, now
        noted, asked = membership.known_members(ledger), queries.note(ledger, ASKED)
        self.members: Members | None = noted.all if noted else None
        """Addresses by group; None if they were never read."""
        self.read_at = noted.read if noted else None
        """When the members were read."""
        self.asked_at = from_millis(int(asked)) if asked else None
        self._is_refreshed = False
        self.problems: list[str] = []

    def refresh(self) -> None:
        """Read the groups, unless this tick has already done so. A failure adds a problem."""
        if self._is_refreshed:
            return
        self._is_refreshed, self.asked_at = True, self._now
        queries.write_note(self._ledger, ASKED, str(to_millis(self._now)))
        try:
            members = self._workspace.members()
        except WorkspaceError as error:
            self.problems.append(f"{error}; the last known members are used")
            return
        self.members, self.read_at = WorkspaceMemory(self._ledger, now=self._now).store_members(members), self._now

    def refresh_for(self, unknown_since: datetime) -> None:
        """Read the groups if this is due for a role that has been unknown since an instant."""
        if is_reread_due(unknown_since=unknown_since, asked=self.asked_at, now=self._now):
            self.refresh()

    def user_roles(self, course: Course) -> UserRoles:
        """Return the roles of users in a course, as far as they are known."""
        return UserRoles(course, self.members or {}, self._workspace.caller)


def decide_starters(
    ledger: Ledger,
    memberships: MembershipCache,
    course: Course,
    clusters: Mapping[str, tuple[str, str | None]],
    *,
    since: datetime,
    now: datetime,
) -> frozenset[tuple[str, datetime]]:
    """Decide the role of each starter of unknown role, and read the groups if some remain unknown.

    `clusters` maps each cluster id to group and creator. Starters from `since` on are looked up until their role is
    known. Returns the cluster and time of each start that has counted and is now known to be by staff.
    """
    due = starters.unknown(ledger, clusters, since=since)
    if not due:
        return frozenset()
    roles = _roles(due, memberships.user_roles(course), clusters)
    unknown = [starter for starter in due if roles[starter] is Role.UNKNOWN and starter.at >= since]
    remaining = [starter.asked or now for starter in unknown]
    if remaining and not course.count_all_sessions:
        # The most recent starter is the most likely to be in the groups by now.
        memberships.refresh_for(max(remaining))
        roles = _roles(due, memberships.user_roles(course), clusters)
    starters.decide(ledger, roles, now=now)
    return frozenset((s.cluster_id, s.at) for s in due if s.asked is not None and roles[s] is Role.STAFF)


def _roles(
    due: Iterable[Starter], people: UserRoles, clusters: Mapping[str, tuple[str, str | None]]
) -> dict[Starter, Role]:
    found = {}
    for starter in due:
        group, creator = clusters[starter.cluster_id]
        found[starter] = people.role_of(starter.user, creator=creator, group=group)
    return found
