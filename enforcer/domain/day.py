"""Usage of one cluster on one local day, as settlements store it and reports show it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from enforcer.domain.allowances import Freedom, windows_between
from enforcer.domain.observations import SeenCluster
from enforcer.domain.quota import Limit, Period, Use, counted
from enforcer.domain.snapshot import Picture, group_of
from enforcer.domain.uptime import Session, counted_from, day_bounds, doubts, used_on


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
    shown_apart: timedelta
    """Uptime that did not count: sessions of staff and of the deploy, windows."""
    day_limit: Limit | None
    """Limit of the day. None: unlimited."""
    tightest: Use | None
    """Usage of the limit, of any period, with the least time left at the end of the day."""
    over: timedelta
    """How long the cluster ran past a limit in force."""
    stretches: tuple[tuple[datetime, datetime], ...]
    """When it ran, counted or not, clipped to the day and to now."""
    counted_stretches: tuple[tuple[datetime, datetime], ...]
    """The same for sessions that count."""
    is_running: bool
    """Whether a session that counts was running at the end of the day, or is running now."""
    estimates: tuple[str, ...]
    """Reasons for estimated figures; empty if they are exact."""
    unknown: tuple[str, ...] = ()
    """Users of unknown role whose sessions count."""

    @property
    def first_start(self) -> datetime | None:
        return self.counted_stretches[0][0] if self.counted_stretches else None

    @property
    def last_stop(self) -> datetime | None:
        """End of the last counted session. None also while the cluster is running."""
        return None if self.is_running or not self.counted_stretches else self.counted_stretches[-1][1]


def cluster_day(picture: Picture, cluster: SeenCluster, day: date) -> ClusterDay:
    """Return the usage of a cluster on a past day, or of today so far."""
    group = group_of(cluster)
    tz, count_all = picture.course.calendar.tz, picture.count_all
    begins, ends = day_bounds(day, tz)
    ends = min(ends, max(begins, picture.now))
    sessions = [s for s in picture.sessions.get(cluster.id, []) if s.start < ends and (s.end is None or s.end > begins)]
    windows = windows_between(begins, ends, group, picture.allowances, tz)
    used = counted(begins, ends, sessions, windows, now=picture.now, count_all=count_all)
    uses = picture.uses(cluster, day)
    counting = [replaced for session in sessions if (replaced := _counted_part(session, count_all))]
    known = picture.course.groups.get(group)
    return ClusterDay(
        cluster.id,
        cluster.name,
        group,
        known.title if known else "",
        day,
        used,
        used_on(day, sessions, now=ends, tz=tz, count_all=True) - used,
        next((use.limit for use in uses if use.limit.period is Period.DAY), None),
        uses[0] if uses else None,
        max((_past(use, picture, sessions, begins, ends, group) for use in uses), default=timedelta()),
        _cut(((s.start, s.end) for s in sessions), begins, ends),
        _cut(counting, begins, ends),
        any(end is None or end > ends for _, end in counting),
        doubts(sessions),
        () if count_all else tuple(dict.fromkeys(user for session in sessions for user in session.unknown)),
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
    use: Use, picture: Picture, sessions: Iterable[Session], begins: datetime, ends: datetime, group: str
) -> timedelta:
    """Return how long these sessions of one cluster exceeded this limit of its group, from when the limit was known."""
    past = use.used - use.limit.hard
    if past <= timedelta():
        return timedelta()
    lowering = (
        allowance.given_at
        for allowance in use.limit.allowances
        if allowance.change is Freedom.NONE
        or (isinstance(allowance.change, timedelta) and allowance.change < timedelta())
    )
    # An allowance given in the afternoon that lowers the limit does not apply to the morning.
    since = min(ends, max([begins, *lowering]))
    return _counted(picture, sessions, _last(picture, group, past, since, ends), ends, group)


def _last(picture: Picture, group: str, length: timedelta, since: datetime, ends: datetime) -> datetime:
    """Return when the last `length` of the group's counted time before `ends` began, but not before `since`."""
    sessions = picture.sessions_of(group)
    if _counted(picture, sessions, since, ends, group) <= length:
        return since
    early, late = since, ends
    while late - early > timedelta.resolution:
        middle = early + (late - early) // 2
        if _counted(picture, sessions, middle, ends, group) > length:
            early = middle
        else:
            late = middle
    return late


def _counted(picture: Picture, sessions: Iterable[Session], begins: datetime, ends: datetime, group: str) -> timedelta:
    windows = windows_between(begins, ends, group, picture.allowances, picture.course.calendar.tz)
    return counted(begins, ends, sessions, windows, now=picture.now, count_all=picture.count_all)
