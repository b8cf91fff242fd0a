"""Usage of one cluster on one day, and the time left of its group's limits of day, week and term. Pure."""

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
    """The part of one session within the day."""

    session: Session
    ran: timedelta
    counted: timedelta
    """Less than `ran` if staff started the session, or inside a window."""


@dataclass(frozen=True)
class Usage:
    cluster_id: str
    group: str
    day: date
    used: timedelta
    uses: Mapping[Period, Use]
    """Usage of each limit in force on the day, by all clusters of the group."""
    shares: tuple[Share, ...]
    group_used: timedelta = timedelta()
    """Time used by all clusters of the group."""
    unknown: timedelta = timedelta()
    """Counted time in sessions started by users of unknown role."""
    strangers: tuple[str, ...] = ()
    """Users of unknown role."""
    doubts: tuple[str, ...] = ()
    """Reasons for estimates in the sessions of the day, including sessions of zero length."""
    settled_as: str | None = None
    """Why the settled total is an estimate. None: it is exact, or the day is not settled."""

    @property
    def left(self) -> timedelta | None:
        """Time left of the tightest limit; None if no limit applies."""
        return min((use.left for use in self.uses.values()), default=None)

    @property
    def apart(self) -> timedelta:
        """Uptime that did not count."""
        return sum((share.ran - share.counted for share in self.shares), timedelta())

    @property
    def estimates(self) -> tuple[str, ...]:
        """Reasons for estimated figures; empty if they are exact."""
        return self.doubts or ((self.settled_as,) if self.settled_as else ())


def usage_of(picture: Picture, cluster: SeenCluster, day: date) -> Usage:
    """Return the usage of the cluster on a past day, of today so far, or on a future day."""
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
    """Return `usage` with its settled total, which later events do not change.

    `reason` is why that total is an estimate; None if it is exact.
    """
    return replace(usage, used=used, settled_as=reason)


def in_groups(usages: Iterable[Usage]) -> list[Usage]:
    """Return `usages` with the totals of their groups: on a settled day, the sum of the settled totals.

    `usages` have to contain all clusters that ran on their days.
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
    """Return the JSON object described in docs/json.md."""
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


def iso(time: datetime) -> str:
    """Return a time in UTC in the format of all JSON output: `2026-11-01T08:00:00.000Z`."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def minutes(length: timedelta) -> int | float:
    """Return minutes, as an integer if they are whole; settings may have fractions of minutes."""
    number = length / MINUTE
    return int(number) if number.is_integer() else number


def hours(length: timedelta) -> str:
    """Return hours and minutes such as `2:05`, rounded down to whole minutes."""
    whole = length // MINUTE
    return f"{whole // 60}:{whole % 60:02}"


def reasons(usages: Iterable[Usage]) -> list[str]:
    """Return a sentence for each limit that allowances change: `group_03, day of …: 180 + 60 minutes: deadline`."""
    sentences = (
        f"{usage.group}, {use.limit.period.value} of {usage.day}: {use.limit}"
        for usage in usages
        for use in usage.uses.values()
        if use.limit.allowances
    )
    return list(dict.fromkeys(sentences))
