"""Usage of one cluster on one local day, as settlements store it and reports show it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from enforcer.domain.allowances import LimitOverride, windows_between
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import Limit, LimitUsage, Period, counted
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import Session, counted_from, day_bounds, estimate_reasons, used_on


@dataclass(frozen=True)
class ClusterDay:
    """Usage of one cluster on one local day."""

    cluster_id: str
    name: str
    group: str
    title: str
    """The name that the group's members use; empty if the course file has none."""
    day: date
    used: timedelta
    """Counted uptime."""
    uncounted: timedelta
    """Uptime that did not count: in sessions of staff or a deployment, or inside windows."""
    day_limit: Limit | None
    """The day's own limit. None means unlimited."""
    tightest_usage: LimitUsage | None
    """Usage of the limit (day, week or term) with the least time left at the end of the day."""
    overrun: timedelta
    """How long the cluster ran past a limit in force."""
    intervals: tuple[tuple[datetime, datetime], ...]
    """When it ran, counted or not, clipped to the day and to now."""
    counted_intervals: tuple[tuple[datetime, datetime], ...]
    """When it ran in sessions that count, clipped to the day and to now."""
    is_running: bool
    """Whether a session that counts was running at the end of the day, or is running now."""
    estimates: tuple[str, ...]
    """Reasons for estimated figures; empty if they are exact."""
    unknown_users: tuple[str, ...] = ()
    """Users of unknown role whose sessions count."""

    @property
    def first_start(self) -> datetime | None:
        return self.counted_intervals[0][0] if self.counted_intervals else None

    @property
    def last_stop(self) -> datetime | None:
        """End of the last counted session; None without one, and while the cluster is running."""
        return None if self.is_running or not self.counted_intervals else self.counted_intervals[-1][1]


def cluster_day(snapshot: Snapshot, cluster: ObservedCluster, day: date) -> ClusterDay:
    """Return the usage of a cluster on a past day, or of today so far."""
    group = group_of(cluster)
    tz, count_all = snapshot.course.calendar.tz, snapshot.count_all
    begins, ends = day_bounds(day, tz)
    ends = min(ends, max(begins, snapshot.now))
    sessions = [
        s for s in snapshot.sessions.get(cluster.id, []) if s.start < ends and (s.end is None or s.end > begins)
    ]
    windows = windows_between(begins, ends, group, snapshot.in_force, tz)
    used = counted(begins, ends, sessions, windows, now=snapshot.now, count_all=count_all)
    limit_usages = snapshot.limit_usages(cluster, day)
    counting = [replaced for session in sessions if (replaced := _counted_part(session, count_all))]
    known = snapshot.course.groups.get(group)
    return ClusterDay(
        cluster.id,
        cluster.name,
        group,
        known.title if known else "",
        day,
        used,
        used_on(day, sessions, now=ends, tz=tz, count_all=True) - used,
        next((usage.limit for usage in limit_usages if usage.limit.period is Period.DAY), None),
        limit_usages[0] if limit_usages else None,
        max((_past(usage, snapshot, sessions, begins, ends, group) for usage in limit_usages), default=timedelta()),
        _cut(((s.start, s.end) for s in sessions), begins, ends),
        _cut(counting, begins, ends),
        any(end is None or end > ends for _, end in counting),
        estimate_reasons(sessions),
        () if count_all else tuple(dict.fromkeys(user for session in sessions for user in session.unknown_users)),
    )


def _counted_part(session: Session, count_all: bool) -> tuple[datetime, datetime | None] | None:
    start = counted_from(session, count_all=count_all)
    return None if start is None else (start, session.end)


def _cut(
    stretches: Iterable[tuple[datetime, datetime | None]], begins: datetime, ends: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    cut = ((max(start, begins), min(end or ends, ends)) for start, end in stretches)
    return tuple((start, end) for start, end in cut if start < end)


def _past(
    usage: LimitUsage, snapshot: Snapshot, sessions: Iterable[Session], begins: datetime, ends: datetime, group: str
) -> timedelta:
    """Return how long these sessions of one cluster ran past its group's limit after the limit became known."""
    past = usage.used - usage.limit.hard
    if past <= timedelta():
        return timedelta()
    limit_cuts = (
        allowance.given_at
        for allowance in usage.limit.allowances
        if allowance.change is LimitOverride.BLOCKED
        or (isinstance(allowance.change, timedelta) and allowance.change < timedelta())
    )
    # An allowance given in the afternoon that lowers the limit does not apply to the morning.
    since = min(ends, max([begins, *limit_cuts]))
    return _counted(snapshot, sessions, _last(snapshot, group, past, since, ends), ends, group)


def _last(snapshot: Snapshot, group: str, length: timedelta, since: datetime, ends: datetime) -> datetime:
    """Return the start of the last `length` of the group's counted time before `ends`, but not before `since`."""
    sessions = snapshot.sessions_of(group)
    if _counted(snapshot, sessions, since, ends, group) <= length:
        return since
    early, late = since, ends
    while late - early > timedelta.resolution:
        middle = early + (late - early) // 2
        if _counted(snapshot, sessions, middle, ends, group) > length:
            early = middle
        else:
            late = middle
    return late


def _counted(
    snapshot: Snapshot, sessions: Iterable[Session], begins: datetime, ends: datetime, group: str
) -> timedelta:
    windows = windows_between(begins, ends, group, snapshot.in_force, snapshot.course.calendar.tz)
    return counted(begins, ends, sessions, windows, now=snapshot.now, count_all=snapshot.count_all)
