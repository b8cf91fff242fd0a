"""One cluster on one local day: what a settlement fixes and a report shows. Pure."""

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
    """One cluster on one local day."""

    cluster_id: str
    name: str
    group: str
    title: str
    """What the group's members call it; empty where the course file does not tell."""
    day: date
    used: timedelta
    """Counted uptime."""
    shown_apart: timedelta
    """Uptime that did not count: staff, the deploy, windows."""
    day_limit: Limit | None
    """None: unlimited on this day."""
    tightest: Use | None
    """The limit, of any period, of which least was left at the end of the day."""
    over: timedelta
    """How long it ran past a limit in force."""
    stretches: tuple[tuple[datetime, datetime], ...]
    """When it ran, counted or not, cut to the day and to now."""
    counted_stretches: tuple[tuple[datetime, datetime], ...]
    """The same, of sessions that count."""
    is_running: bool
    """Still in a session that counts when the day ended, or now."""
    estimates: tuple[str, ...]
    """Why figures of this day are not exact; empty: they are."""
    unknown: tuple[str, ...] = ()
    """Whose sessions count while it is not known who they are."""

    @property
    def first_start(self) -> datetime | None:
        return self.counted_stretches[0][0] if self.counted_stretches else None

    @property
    def last_stop(self) -> datetime | None:
        """None also while it is running."""
        return None if self.is_running or not self.counted_stretches else self.counted_stretches[-1][1]


def cluster_day(picture: Picture, cluster: SeenCluster, day: date) -> ClusterDay:
    """What the picture tells of a cluster on a day that is over or of today so far."""
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
    """How long these sessions of one cluster went on past this limit of its group, as far as it was known by then."""
    past = use.used - use.limit.hard
    if past <= timedelta():
        return timedelta()
    lowering = (
        allowance.given_at
        for allowance in use.limit.allowances
        if allowance.change is Freedom.NONE
        or (isinstance(allowance.change, timedelta) and allowance.change < timedelta())
    )
    # A limit that was lowered in the afternoon blames nobody for the morning.
    since = min(ends, max([begins, *lowering]))
    return _counted(picture, sessions, _last(picture, group, past, since, ends), ends, group)


def _last(picture: Picture, group: str, length: timedelta, since: datetime, ends: datetime) -> datetime:
    """When the last `length` of the group's counted time before `ends` began, not before `since`."""
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
