"""Determines the groups that are restricted because they have reached a limit, from the live workspace, without a
ledger.

A deployment uses it, because it must not undo the enforcer's restrictions, but repairs all other changes. Requests: one
list, the course's files, the permissions on its clusters, and the events of clusters whose group is restricted.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from enforcer.domain.allowances import in_force, windows_between
from enforcer.domain.course import Course
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.ownership import CreatorCheck, course_term_of, has_tags, select_clusters
from enforcer.domain.quota import MINUTE, Level, LimitUsage, Period, Quota, counted, limit_on
from enforcer.domain.roles import UserRoles
from enforcer.domain.settled_totals import SettledTotals
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import Role, Session, day_bounds, reconcile, timeline_of
from enforcer.tick.course_reader import CourseReader, Members, WorkspaceReader, without_file
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.tasks import in_parallel
from labkit.course_file import ADMINS, folder_of, path_of

UNKNOWN = "not known"
"""Result for a group that stays restricted because its limits cannot be read."""
BEFORE = timedelta(hours=12)
"""Events are read from this long before the first day that counts, because sessions may have started before it."""


def restricted(
    workspace: WorkspaceReader, course_id: str, term: str, *, now: datetime
) -> tuple[dict[str, str], list[str]]:
    """Map the display name of each restricted group to its reached limit, such as `day 180`; also return messages about
    what could not be read.

    Restricted groups stay restricted while the course file or the settled totals cannot be read or parsed: the
    deployment writes the course file again, and the enforcer restores groups with quota left. Raises WorkspaceError if
    clusters, permissions or events cannot be read.
    """
    reader = CourseReader(workspace, None, folder_of(course_id, term))
    course, problems = _course(reader)
    everything = [c for c in workspace.clusters(now=now) if has_tags(c) and course_term_of(c) == (course_id, term)]
    candidates = [c for c in everything if course is None or c.group in course.groups]
    known = course or without_file(course_id, term, UTC, now)
    principals = [known.principal_of(group_of(cluster)) for cluster in candidates]
    reads = [partial(workspace.level, cluster.id, name) for cluster, name in zip(candidates, principals, strict=True)]
    levels = in_parallel(reads)
    ids = {c.id for c, level in zip(candidates, levels, strict=True) if level is Level.ATTACH}
    if not ids:
        return {}, problems
    members = _members(reader, problems)
    people = UserRoles(known, members or {}, workspace.caller)
    creator_check = CreatorCheck(
        lambda cluster: people.is_trusted(cluster.creator or ""), lambda _: bool((members or {}).get(ADMINS))
    )
    groups = frozenset(course.groups) if course else None
    selection = select_clusters(
        candidates, (course_id, term), groups=groups, is_named=True, accepted={}, creator_check=creator_check
    )
    restricted_groups = {group_of(cluster) for cluster in selection.clusters if cluster.id in ids}
    clusters = [cluster for cluster in selection.clusters if group_of(cluster) in restricted_groups]
    if not clusters:
        return {}, problems
    found: dict[str, str] | None = None
    if course:
        found = limits_reached(workspace, reader, people, clusters, now=now)
        problems += [problem for problem in reader.problems if problem not in problems]
    if found is None:
        problems += [] if problems else [f"{path_of(course_id, term)} does not exist"]
        names = ", ".join(sorted(restricted_groups))
        problems.append(f"{names}: restricted until the course file and the settled totals can be read")
        found = {group_of(cluster): UNKNOWN for cluster in clusters}
    return {group: limit for group, limit in found.items() if group in restricted_groups}, problems


def _course(reader: CourseReader) -> tuple[Course | None, list[str]]:
    """Return the course, and messages if the course file cannot be read or parsed."""
    try:
        course = reader.course()
    except WorkspaceError as error:
        return None, [str(error)]
    if course is None and not reader.problems:
        return None, []
    return course, list(reader.problems)


def _members(reader: CourseReader, problems: list[str]) -> Members | None:
    try:
        return reader.members()
    except WorkspaceError as error:
        problems.append(f"{error}; sessions of unknown users count")
        return None


def limits_reached(
    workspace: WorkspaceReader,
    reader: CourseReader,
    people: UserRoles,
    clusters: Sequence[ObservedCluster],
    *,
    now: datetime,
) -> dict[str, str] | None:
    """Return the limit that each group has reached on these clusters, computed from their events without a ledger.

    Returns None if the settled totals are invalid. Raises WorkspaceError if anything cannot be read.
    """
    course, problems = people.course, len(reader.problems)
    settled = reader.settled()
    if settled is None and len(reader.problems) > problems:
        return None
    allowances = in_force(reader.entries())
    begins = counting_start(course, settled, now)
    cluster_sessions = in_parallel([partial(sessions_since, workspace, cluster, begins) for cluster in clusters])
    sessions = {
        cluster.id: [_with_role(session, people, cluster) for session in found]
        for cluster, found in zip(clusters, cluster_sessions, strict=True)
    }
    gone = {id: one for id, one in settled.gone.items() if id not in sessions} if settled else {}
    sessions |= {id: one.sessions for id, one in gone.items()}
    nothing, former_groups = Quota(timedelta(), timedelta()), {id: one.group for id, one in gone.items()}
    snapshot = Snapshot(now, course, nothing, tuple(clusters), sessions, allowances, None, former_groups=former_groups)
    return reached_limits(snapshot, settled)


def _with_role(session: Session, people: UserRoles, cluster: ObservedCluster) -> Session:
    """Return the session with the roles of its starters, according to the current groups."""

    def role(user: str | None) -> Role:
        return people.role_of(user, creator=cluster.creator, group=group_of(cluster)) if user else Role.UNKNOWN

    restarts = tuple(replace(restart, role=role(restart.user)) for restart in session.restarts)
    return replace(session, role=role(session.started_by), restarts=restarts)


def reached_limits(snapshot: Snapshot, settled: SettledTotals | None) -> dict[str, str]:
    """Return the tightest limit that each group has reached, without groups in a window. Pure."""
    found = {}
    for group in {group_of(cluster) for cluster in snapshot.clusters}:
        reached = [usage for usage in limit_usages_with(snapshot, group, settled) if usage.is_over]
        if reached and not snapshot.is_in_window(group):
            limit = min(reached, key=lambda usage: usage.left).limit
            found[group] = f"{limit.period.value} {round(limit.hard / MINUTE)}"
    return found


def limit_usages_with(snapshot: Snapshot, group: str, settled: SettledTotals | None) -> list[LimitUsage]:
    """Return the usage of each of today's limits: settled totals plus later sessions. Pure."""
    calendar = snapshot.course.calendar
    settled = usable_totals(settled, snapshot.course, snapshot.now)
    limit_usages = []
    for period in Period:
        limit = limit_on(snapshot.today, period, group, snapshot.quota(group), calendar, snapshot.in_force)
        if limit is None:
            continue
        first, before = limit.first_day, timedelta()
        if settled:
            first = max(first, settled.up_to + timedelta(days=1))
            before = settled.used_before(group, period, snapshot.today, calendar)
        begins, ends = day_bounds(first, calendar.tz)[0], day_bounds(snapshot.today, calendar.tz)[1]
        windows = windows_between(begins, ends, group, snapshot.in_force, calendar.tz)
        sessions = snapshot.sessions_of(group)
        since = counted(begins, ends, sessions, windows, now=snapshot.now, count_all=snapshot.count_all)
        limit_usages.append(LimitUsage(limit, before + since))
    return limit_usages


def usable_totals(settled: SettledTotals | None, course: Course, now: datetime) -> SettledTotals | None:
    """Return the totals if they end before today; otherwise today would count twice."""
    today = now.astimezone(course.calendar.tz).date()
    return settled if settled and settled.up_to < today else None


def counting_start(course: Course, settled: SettledTotals | None, now: datetime) -> datetime:
    """Return the time from which sessions count that are not in the settled totals."""
    calendar, today = course.calendar, now.astimezone(course.calendar.tz).date()
    settled = usable_totals(settled, course, now)
    first = calendar.days(Period.TERM, today)[0]
    if settled:
        first = max(first, settled.up_to + timedelta(days=1))
    if not any(group.quota.week or group.quota.term for group in course.groups.values()):
        first = today
    return day_bounds(first, calendar.tz)[0]


def sessions_since(workspace: WorkspaceReader, cluster: ObservedCluster, begins: datetime) -> list[Session]:
    """Return the cluster's sessions that end after `begins`."""
    sessions: tuple[Session, ...] = ()
    for since in (begins - BEFORE, None):
        timeline = timeline_of(event.event for event in workspace.events(cluster.id, since))
        sessions = reconcile(timeline, (cluster.observation,))
        if not any(session.estimate for session in sessions):
            break
    return [session for session in sessions if session.end is None or session.end > begins]
