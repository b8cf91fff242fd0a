"""What a group's cluster used on a day, and what day, week and term leave of it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from enforcer.domain.allowances import windows_between
from enforcer.domain.observations import SeenCluster
from enforcer.domain.quota import Period, Use, counted
from enforcer.domain.snapshot import Picture, group_of
from enforcer.domain.uptime import Session, day_bounds, doubts, overlap

MILLISECOND = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Share:
    """The part of one session that lies in the day."""

    session: Session
    ran: timedelta
    counted: timedelta
    """Less than `ran` where somebody else had started it, or in a window."""


@dataclass(frozen=True)
class Usage:
    cluster_id: str
    group: str
    day: date
    used: timedelta
    uses: Mapping[Period, Use]
    """The limits in force on the day, and what the group has used of each on all its clusters."""
    shares: tuple[Share, ...]
    group_used: timedelta = timedelta()
    """By all clusters of the group."""
    unknown: timedelta = timedelta()
    """The counted part that somebody started of whom it is not known yet who it is."""
    strangers: tuple[str, ...] = ()
    """Of whom that is not known."""
    doubts: tuple[str, ...] = ()
    """Why figures of the day are not exact, as its sessions tell; also those that took no time."""
    settled_as: str | None = None
    """Why the total that was fixed is not exact; None: it is, or the day is not settled."""

    @property
    def left(self) -> timedelta | None:
        """What the tightest limit leaves; None: nothing limits the day."""
        return min((use.left for use in self.uses.values()), default=None)

    @property
    def apart(self) -> timedelta:
        """Uptime that did not count."""
        return sum((share.ran - share.counted for share in self.shares), timedelta())

    @property
    def estimates(self) -> tuple[str, ...]:
        """Why figures of the day are not exact; empty: they are."""
        return self.doubts or ((self.settled_as,) if self.settled_as else ())


def usage_of(picture: Picture, cluster: SeenCluster, day: date) -> Usage:
    """What the picture tells of the cluster on the day: one that is over, today so far, or one to come."""
    group = group_of(cluster)
    tz, now = picture.course.calendar.tz, picture.now
    begins, ends = day_bounds(day, tz)
    windows = windows_between(begins, ends, group, picture.allowances, tz)
    ends = min(ends, max(begins, now))
    sessions = [s for s in picture.sessions.get(cluster.id, []) if s.start < ends and (s.end is None or s.end > begins)]
    shares = []
    for session in sessions:
        ran = overlap(begins, ends, [session], now=now, count_all=True)
        if ran:
            used = counted(begins, ends, [session], windows, now=now, count_all=picture.count_all)
            shares.append(Share(session, ran, used))
    used = sum((share.counted for share in shares), timedelta())
    uses = {use.limit.period: use for use in picture.uses(cluster, day)}
    doubtful = [share for share in shares if share.session.unknown and not picture.count_all]
    unknown = sum((share.counted for share in doubtful), timedelta())
    strangers = tuple(dict.fromkeys(user for share in doubtful for user in share.session.unknown))
    return Usage(cluster.id, group, day, used, uses, tuple(shares), used, unknown, strangers, doubts(sessions))


def fixed(usage: Usage, used: timedelta, reason: str | None) -> Usage:
    """The same with the total that a settlement has fixed, which later facts do not change.

    `reason` is why that total is not exact; None: it is.
    """
    return replace(usage, used=used, settled_as=reason)


def in_groups(usages: Iterable[Usage]) -> list[Usage]:
    """The same with what their groups used: on a day that is settled, the sum of what was fixed.

    `usages` are all of the clusters that ran on the days they are of.
    """
    usages = list(usages)
    sums: dict[tuple[str, date], timedelta] = {}
    for usage in usages:
        key = usage.group, usage.day
        sums[key] = sums.get(key, timedelta()) + usage.used
    return [_in_group(usage, sums[usage.group, usage.day]) for usage in usages]


def _in_group(usage: Usage, used: timedelta) -> Usage:
    uses = dict(usage.uses)
    if Period.DAY in uses:
        uses[Period.DAY] = replace(uses[Period.DAY], used=used)
    return replace(usage, uses=uses, group_used=used)


def usage_json(usage: Usage) -> dict[str, Any]:
    """The object that docs/json.md defines."""
    limit = usage.uses[Period.DAY].limit if Period.DAY in usage.uses else None
    return {
        "cluster_id": usage.cluster_id,
        "group": usage.group,
        "day": usage.day.isoformat(),
        "used_ms": usage.used // MILLISECOND,
        "group_used_ms": usage.group_used // MILLISECOND,
        "unknown_ms": usage.unknown // MILLISECOND,
        "soft_minutes": minutes(limit.soft) if limit else None,
        "hard_minutes": minutes(limit.hard) if limit else None,
        "left_ms": None if usage.left is None else usage.left // MILLISECOND,
        "estimate": bool(usage.estimates),
        "sessions": [_session(share) for share in usage.shares],
    }


def _session(share: Share) -> dict[str, Any]:
    session = share.session
    return {
        "start": iso(session.start),
        "end": iso(session.end) if session.end else None,
        "started_by": session.started_by,
        "starter": session.role.value,
        "ran_ms": share.ran // MILLISECOND,
        "counted_ms": share.counted // MILLISECOND,
        "estimate": session.estimate,
    }


def iso(instant: datetime) -> str:
    """An instant in UTC, as every JSON of ours writes it: `2026-11-01T08:00:00.000Z`."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def minutes(length: timedelta) -> int | float:
    """Whole minutes as an integer; the settings also take halves."""
    number = length / MINUTE
    return int(number) if number.is_integer() else number


def hours(length: timedelta) -> str:
    """`2:05`, in hours and minutes; begun minutes count as far as they have passed."""
    whole = length // MINUTE
    return f"{whole // 60}:{whole % 60:02}"


def reasons(usages: Iterable[Usage]) -> list[str]:
    """A sentence for each limit that is not what the course file says: `group_03 day: 180 + 60 minutes: deadline`."""
    told = (
        f"{usage.group}, {use.limit.period.value} of {usage.day}: {use.limit}"
        for usage in usages
        for use in usage.uses.values()
        if use.limit.allowances
    )
    return list(dict.fromkeys(told))
