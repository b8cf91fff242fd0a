"""Which groups are lowered now because their cluster has reached a limit: from the live workspace alone, no ledger.

For the deploy, which has to leave a restriction alone that the enforcer made, and repairs any other. It costs one
list, the course's files, the permissions of its clusters, and the events of those whose group is lowered.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from enforcer.domain.allowances import in_force, windows_between
from enforcer.domain.course import Course
from enforcer.domain.observations import SeenCluster
from enforcer.domain.quota import MINUTE, Level, Period, Quota, Use, counted, limit_on
from enforcer.domain.settled_totals import Settled
from enforcer.domain.snapshot import Picture, group_of, lab_clusters
from enforcer.domain.uptime import Session, day_bounds, reconcile, told_by
from enforcer.tick.course_reader import CourseReader, Source
from enforcer.workspace.tasks import in_parallel
from labkit.course_file import folder_of

BEFORE = timedelta(hours=12)
"""Events are read from so long before the first day that counts: most sessions that reach into it began then."""


def restricted(workspace: Source, course_id: str, term: str, *, now: datetime) -> tuple[dict[str, str], list[str]]:
    """The reached limit such as `day 180` by display name; and sentences about files that were left out.

    Nothing where there is no course file that can be understood: the deploy is what writes it anew. Raises what the
    workspace raises.
    """
    reader = CourseReader(workspace, None, folder_of(course_id, term))
    course = reader.course()
    if course is None:
        return {}, reader.problems
    own = lab_clusters(workspace.clusters(now=now), (course_id, term))
    clusters = [cluster for cluster in own if group_of(cluster) in course.groups]
    levels = in_parallel([partial(workspace.level, cluster.id, group_of(cluster)) for cluster in clusters])
    lowered = [cluster for cluster, level in zip(clusters, levels, strict=True) if level is Level.ATTACH]
    found = limits_reached(workspace, reader, course, lowered, now=now) if lowered else {}
    return found, reader.problems


def limits_reached(
    workspace: Source, reader: CourseReader, course: Course, clusters: Sequence[SeenCluster], *, now: datetime
) -> dict[str, str]:
    """The limit that each of these clusters has reached, by group: from their events, without a ledger.

    Raises WorkspaceError where anything of it cannot be read.
    """
    settled = reader.settled()
    allowances = in_force(reader.entries())
    members = None if course.count_all_sessions else reader.members()
    begins = first_instant(course, settled, now)
    told = in_parallel([partial(sessions_since, workspace, cluster, begins) for cluster in clusters])
    sessions = {cluster.id: found for cluster, found in zip(clusters, told, strict=True)}
    nothing = Quota(timedelta(), timedelta())
    picture = Picture(now, course, nothing, tuple(clusters), sessions, allowances, members)
    return reached(picture, settled)


def reached(picture: Picture, settled: Settled | None) -> dict[str, str]:
    """The tightest limit that each group's cluster has reached, unless a window is open for the group. Pure."""
    found = {}
    for cluster in picture.clusters:
        group = group_of(cluster)
        over = [use for use in uses_with(picture, cluster, settled) if use.is_over]
        if over and not picture.is_in_window(group):
            limit = min(over, key=lambda use: use.left).limit
            found[group] = f"{limit.period.value} {round(limit.hard / MINUTE)}"
    return found


def uses_with(picture: Picture, cluster: SeenCluster, settled: Settled | None) -> list[Use]:
    """How much of each limit of today is used: what was settled, and the sessions since. Pure."""
    group, calendar = group_of(cluster), picture.course.calendar
    settled = usable(settled, picture.course, picture.now)
    uses = []
    for period in Period:
        limit = limit_on(picture.today, period, group, picture.quota(group), calendar, picture.allowances)
        if limit is None:
            continue
        first, before = limit.first, timedelta()
        if settled:
            first = max(first, settled.up_to + timedelta(days=1))
            before = settled.used_before(group, period, picture.today, calendar)
        begins, ends = day_bounds(first, calendar.tz)[0], day_bounds(picture.today, calendar.tz)[1]
        windows = windows_between(begins, ends, group, picture.allowances, calendar.tz)
        since = counted(
            begins,
            ends,
            picture.sessions.get(cluster.id, []),
            windows,
            now=picture.now,
            members=picture.members_of(group),
        )
        uses.append(Use(limit, before + since))
    return uses


def usable(settled: Settled | None, course: Course, now: datetime) -> Settled | None:
    """Totals up to a day that is over; any other would count today twice."""
    today = now.astimezone(course.calendar.tz).date()
    return settled if settled and settled.up_to < today else None


def first_instant(course: Course, settled: Settled | None, now: datetime) -> datetime:
    """From when on sessions count that were not settled yet."""
    calendar, today = course.calendar, now.astimezone(course.calendar.tz).date()
    settled = usable(settled, course, now)
    first = calendar.days(Period.TERM, today)[0]
    if settled:
        first = max(first, settled.up_to + timedelta(days=1))
    if not any(group.quota.week or group.quota.term for group in course.groups.values()):
        first = today
    return day_bounds(first, calendar.tz)[0]


def sessions_since(workspace: Source, cluster: SeenCluster, begins: datetime) -> list[Session]:
    """The cluster's sessions that reach beyond an instant."""
    sessions: tuple[Session, ...] = ()
    for since in (begins - BEFORE, None):
        told = told_by(event.event for event in workspace.events(cluster.id, since))
        sessions = reconcile(told, (cluster.sighting,))
        if not any(session.estimate for session in sessions):
            break
    return [session for session in sessions if session.end is None or session.end > begins]
