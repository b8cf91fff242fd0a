"""Usage of one cluster on one day, and the time left for its group in day, week and term. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from enforcer.domain.allowances import windows_between
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import LimitUsage, Period, counted
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import Session, day_bounds, estimate_reasons, overlap

MILLISECOND = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class SessionUsage:
    """The part of one session within the day."""

    session: Session
    ran: timedelta
    counted: timedelta
    """Counted time; less than `ran` if staff started the session or a window overlaps it."""


@dataclass(frozen=True)
class ClusterUsage:
    cluster_id: str
    group: str
    day: date
    used: timedelta
    limit_usages: Mapping[Period, LimitUsage]
    """Usage of each limit in force on the day, summed over all clusters of the group."""
    session_usages: tuple[SessionUsage, ...]
    group_used: timedelta = timedelta()
    """Time used by all clusters of the group."""
    unknown: timedelta = timedelta()
    """Counted time in sessions started by users of unknown role."""
    unknown_users: tuple[str, ...] = ()
    """Users of unknown role."""
    estimate_reasons: tuple[str, ...] = ()
    """Reasons for estimates in the sessions of the day, including sessions of zero length."""
    settled_estimate_reason: str | None = None
    """Why the settled total is an estimate; None if it is exact or the day is not settled."""

    @property
    def left(self) -> timedelta | None:
        """Time left until the tightest limit; None if no limit applies."""
        return min((limit_usage.left for limit_usage in self.limit_usages.values()), default=None)

    @property
    def uncounted(self) -> timedelta:
        """Uptime that did not count."""
        return sum((session_usage.ran - session_usage.counted for session_usage in self.session_usages), timedelta())

    @property
    def estimates(self) -> tuple[str, ...]:
        """Reasons for estimated figures; empty if they are exact."""
        return self.estimate_reasons or ((self.settled_estimate_reason,) if self.settled_estimate_reason else ())


def usage_of(snapshot: Snapshot, cluster: ObservedCluster, day: date) -> ClusterUsage:
    """Return the usage of the cluster on a day: past, today so far, or future."""
    group = group_of(cluster)
    tz, now = snapshot.course.calendar.tz, snapshot.now
    begins, ends = day_bounds(day, tz)
    windows = windows_between(begins, ends, group, snapshot.in_force, tz)
    ends = min(ends, max(begins, now))
    sessions = [
        s for s in snapshot.sessions.get(cluster.id, []) if s.start < ends and (s.end is None or s.end > begins)
    ]
    session_usages = []
    for session in sessions:
        ran = overlap(begins, ends, [session], now=now, count_all=True)
        if ran:
            used = counted(begins, ends, [session], windows, now=now, count_all=snapshot.count_all)
            session_usages.append(SessionUsage(session, ran, used))
    used = sum((session_usage.counted for session_usage in session_usages), timedelta())
    limit_usages = {limit_usage.limit.period: limit_usage for limit_usage in snapshot.limit_usages(cluster, day)}
    doubtful = [
        session_usage
        for session_usage in session_usages
        if session_usage.session.unknown_users and not snapshot.count_all
    ]
    unknown = sum((session_usage.counted for session_usage in doubtful), timedelta())
    unknown_users = tuple(
        dict.fromkeys(user for session_usage in doubtful for user in session_usage.session.unknown_users)
    )
    return ClusterUsage(
        cluster.id,
        group,
        day,
        used,
        limit_usages,
        tuple(session_usages),
        used,
        unknown,
        unknown_users,
        estimate_reasons(sessions),
    )


def with_settled_total(usage: ClusterUsage, used: timedelta, reason: str | None) -> ClusterUsage:
    """Return `usage` with the settled total, which later events do not change.

    `reason` is why that total is an estimate; None if it is exact.
    """
    return replace(usage, used=used, settled_estimate_reason=reason)


def with_group_totals(usages: Iterable[ClusterUsage]) -> list[ClusterUsage]:
    """Return `usages` with group totals: on a settled day, the sum of the settled totals.

    For each day, `usages` have to contain all clusters that ran.
    """
    usages = list(usages)
    sums: dict[tuple[str, date], timedelta] = {}
    for usage in usages:
        key = usage.group, usage.day
        sums[key] = sums.get(key, timedelta()) + usage.used
    return [_in_group(usage, sums[usage.group, usage.day]) for usage in usages]


def _in_group(usage: ClusterUsage, used: timedelta) -> ClusterUsage:
    limit_usages = dict(usage.limit_usages)
    if Period.DAY in limit_usages:
        limit_usages[Period.DAY] = replace(limit_usages[Period.DAY], used=used)
    return replace(usage, limit_usages=limit_usages, group_used=used)


def usage_json(usage: ClusterUsage) -> dict[str, Any]:
    """Return the usage as the JSON object defined in docs/json.md."""
    limit = usage.limit_usages[Period.DAY].limit if Period.DAY in usage.limit_usages else None
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
        "sessions": [_session(session_usage) for session_usage in usage.session_usages],
    }


def _session(session_usage: SessionUsage) -> dict[str, Any]:
    session = session_usage.session
    return {
        "start": iso(session.start),
        "end": iso(session.end) if session.end else None,
        "started_by": session.started_by,
        "starter": session.role.value,
        "ran_ms": session_usage.ran // MILLISECOND,
        "counted_ms": session_usage.counted // MILLISECOND,
        "estimate": session.estimate,
    }


def iso(timestamp: datetime) -> str:
    """Return a time in UTC in the format of all JSON output: `2026-11-01T08:00:00.000Z`."""
    return timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def minutes(length: timedelta) -> int | float:
    """Return minutes, as an integer if they are whole; settings may have fractions of minutes."""
    number = length / MINUTE
    return int(number) if number.is_integer() else number


def hours(length: timedelta) -> str:
    """Return hours and minutes such as `2:05`, rounded down to whole minutes."""
    whole = length // MINUTE
    return f"{whole // 60}:{whole % 60:02}"


def allowance_reasons(usages: Iterable[ClusterUsage]) -> list[str]:
    """Return a line for each limit that allowances change: `group_03, day of …: 180 + 60 minutes: deadline`."""
    sentences = (
        f"{usage.group}, {limit_usage.limit.period.value} of {usage.day}: {limit_usage.limit}"
        for usage in usages
        for limit_usage in usage.limit_usages.values()
        if limit_usage.limit.allowances
    )
    return list(dict.fromkeys(sentences))
