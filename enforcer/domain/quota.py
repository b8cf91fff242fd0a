"""Limits of a group, their usage, and which actions are due. Pure: no clock, no network, no database."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from enum import Enum
from typing import Self

from enforcer.domain.allowances import (
    Allowance,
    DayLimits,
    Interval,
    LimitOverride,
    Source,
    overrides_on,
    windows_between,
)
from enforcer.domain.observations import DirectGrant
from enforcer.domain.uptime import Session, counted_from, day_bounds, overlap
from labkit.course_file import GroupLimits

MINUTE = timedelta(minutes=1)


class Period(Enum):
    DAY = "day"
    WEEK = "week"
    TERM = "term"


class Level(Enum):
    """The permission levels of a group on its cluster that the enforcer changes or restores."""

    ATTACH = "CAN_ATTACH_TO"
    RESTART = "CAN_RESTART"
    """Granted by a deployment."""
    MANAGE = "CAN_MANAGE"
    """Granted by hand. It allows starting the cluster, so it is restricted like CAN_RESTART."""


def level_of(group: str, grants: Iterable[DirectGrant]) -> Level | None:
    """Return the level in the group's own permission entry; None without an entry, or for a level that the enforcer
    must not change.
    """
    levels = [grant.level for grant in grants if grant.kind == "group" and grant.principal == group]
    return next((level for level in Level if levels == [level.value]), None)


STARTING = frozenset({Level.RESTART, Level.MANAGE})
"""Levels with which a group can start its cluster."""


@dataclass(frozen=True)
class Quota:
    """Limits of one group, before allowances."""

    soft: timedelta
    hard: timedelta
    week: timedelta | None = None
    term: timedelta | None = None

    @classmethod
    def of(cls, limits: GroupLimits) -> Self:
        """Return the quota in the course file. Raises OverflowError or ValueError for minutes that are not a valid
        duration."""
        return cls(
            timedelta(minutes=limits.soft_minutes),
            timedelta(minutes=limits.hard_minutes),
            _minutes(limits.week_minutes),
            _minutes(limits.term_minutes),
        )


def _minutes(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(minutes=number)


@dataclass(frozen=True)
class Calendar:
    """The local days on which weeks and the term begin and end."""

    tz: tzinfo
    first_day: date
    last_day: date
    first_weekday: int
    """0 is Monday."""

    def days(self, period: Period, day: date) -> tuple[date, date]:
        """Return the first and last day of the period that contains `day`."""
        match period:
            case Period.DAY:
                return day, day
            case Period.WEEK:
                first = day - timedelta(days=(day.weekday() - self.first_weekday) % 7)
                return first, first + timedelta(days=6)
            case Period.TERM:
                return min(day, self.first_day), max(day, self.last_day)


@dataclass(frozen=True)
class Limit:
    """One limit in force on a day."""

    period: Period
    first_day: date
    """First day of the period; it identifies the messages about this limit."""
    last_day: date
    soft: timedelta
    hard: timedelta
    base: timedelta
    """Hard limit without allowances."""
    allowances: tuple[Allowance, ...] = ()
    """What changes the limit: first what replaces it, then what is added."""
    replaced: timedelta | None = None
    """Hard limit before minutes are added, if the calendar or a block replaces it."""

    def __str__(self) -> str:
        """`180 + 60 minutes: project deadline`"""
        text = f"{round(self.base / MINUTE)}"
        reasons: dict[str, None] = {}
        shifts: dict[str, timedelta] = {}
        for allowance in self.allowances:
            if isinstance(allowance.change, timedelta):
                shifts[allowance.reason] = shifts.get(allowance.reason, timedelta()) + _shift(self, allowance)
            else:
                reasons[allowance.reason] = None
        if self.replaced is not None:
            text = f"{round(self.replaced / MINUTE)} instead of {text}"
        signs = "".join(
            f" {'-' if shift < timedelta() else '+'} {abs(round(shift / MINUTE))}" for shift in shifts.values()
        )
        reasons |= dict.fromkeys(shifts)
        return f"{text}{signs} minutes" + (f": {'; '.join(reasons)}" if reasons else "")


@dataclass(frozen=True)
class LimitUsage:
    """How much of a limit is used."""

    limit: Limit
    used: timedelta

    @property
    def left(self) -> timedelta:
        return max(timedelta(), self.limit.hard - self.used)

    @property
    def is_over(self) -> bool:
        return self.used >= self.limit.hard

    @property
    def is_near(self) -> bool:
        return self.used >= self.limit.soft


def limit_on(
    day: date, period: Period, group: str, quota: Quota, calendar: Calendar, allowances: Iterable[Allowance]
) -> Limit | None:
    """Return this period's limit in force on a day; None if it has no limit or the day is unlimited.

    An allowance in minutes shifts the soft and hard limit on each of its days, and the week and term limits by as much
    for each of its days, unless it is for the day only. Week and term have no soft limit of their own: their warning
    margin is the same as for a day. The calendar changes the limit of a day, not of week or term; minutes given are
    added to the changed limit.
    """
    allowances = tuple(allowances)
    overrides = overrides_on(day, group, allowances)
    base = {Period.DAY: quota.hard, Period.WEEK: quota.week, Period.TERM: quota.term}[period]
    if base is None:
        return None
    first, last = calendar.days(period, day)
    override = overrides[0] if overrides else None
    if override and override.change is LimitOverride.UNLIMITED:
        return None
    if period is not Period.DAY:
        overrides, override = (), None
    if override and override.change is LimitOverride.BLOCKED and override.source is Source.STAFF:
        return Limit(period, first, last, timedelta(), timedelta(), base, overrides, timedelta())
    changing = tuple(
        allowance
        for allowance in allowances
        if isinstance(allowance.change, timedelta)
        and (period is Period.DAY or not allowance.only_day)
        and allowance.group in (None, group)
        and allowance.first_day <= last
        and allowance.last_day >= first
    )
    replaced, margin = base, quota.hard - quota.soft
    if override and isinstance(override.change, DayLimits):
        replaced = override.change.hard
        margin = margin if override.change.soft is None else replaced - override.change.soft
    elif override:
        replaced = timedelta()
    limit = Limit(period, first, last, quota.soft, base, base, (*overrides, *changing), replaced if override else None)
    hard = max(timedelta(), replaced + sum((_shift(limit, allowance) for allowance in changing), timedelta()))
    return replace(limit, soft=min(hard, max(timedelta(), hard - margin)), hard=hard)


def _shift(limit: Limit, allowance: Allowance) -> timedelta:
    assert isinstance(allowance.change, timedelta)
    days = (min(limit.last_day, allowance.last_day) - max(limit.first_day, allowance.first_day)).days + 1
    return allowance.change * days


def limit_usages_on(
    day: date,
    sessions: Iterable[Session],
    *,
    group: str,
    quota: Quota,
    calendar: Calendar,
    allowances: Iterable[Allowance],
    count_all: bool,
    now: datetime,
) -> tuple[LimitUsage, ...]:
    """Return the usage of every limit in force on this day, the limit with the least time left first.

    Week and term count up to the end of `day`, so the result for a past day is the same as on that day.
    """
    sessions, allowances = tuple(sessions), tuple(allowances)
    limit_usages = []
    for period in Period:
        limit = limit_on(day, period, group, quota, calendar, allowances)
        if limit:
            begins, ends = day_bounds(limit.first_day, calendar.tz)[0], day_bounds(day, calendar.tz)[1]
            windows = windows_between(begins, ends, group, allowances, calendar.tz)
            used = counted(begins, ends, sessions, windows, now=now, count_all=count_all)
            limit_usages.append(LimitUsage(limit, used))
    return tuple(sorted(limit_usages, key=lambda usage: usage.left))


def counted(
    begins: datetime,
    ends: datetime,
    sessions: Iterable[Session],
    windows: Iterable[Interval],
    *,
    now: datetime,
    count_all: bool,
) -> timedelta:
    """Return the counted time between two points in time, excluding windows. Windows must not overlap."""
    sessions, windows = tuple(sessions), sorted(windows)
    total = overlap(begins, ends, sessions, now=now, count_all=count_all)
    for session in sessions if windows else ():
        start, end = counted_from(session, count_all=count_all), min(session.end or now, ends)
        if start is None:
            continue
        start = max(start, begins)
        # A term has many windows and a session overlaps few of them.
        for first, last in windows[bisect_right(windows, start, key=lambda window: window[1]) :]:
            if first >= end:
                break
            total -= max(timedelta(), min(end, last) - max(start, first))
    return total


@dataclass(frozen=True)
class QuotaStatus:
    """State of one cluster at a poll: running or not, permission, and how much of each limit is used."""

    cluster_id: str
    group: str
    is_running: bool
    """Whether it runs in a session that counts; sessions started by staff or a deployment are not stopped."""
    level: Level | None
    """Level in the group's own permission entry on the cluster. None means not read, so it is not changed."""
    limit_usages: tuple[LimitUsage, ...]
    in_window: bool


@dataclass(frozen=True)
class Warn:
    cluster_id: str
    group: str
    limit_usage: LimitUsage


@dataclass(frozen=True)
class Restrict:
    cluster_id: str
    group: str
    limit_usage: LimitUsage


@dataclass(frozen=True)
class Stop:
    cluster_id: str
    group: str
    limit_usage: LimitUsage


@dataclass(frozen=True)
class Restore:
    cluster_id: str
    group: str


Action = Warn | Restrict | Stop | Restore


def describe(action: Action) -> str:
    """`stop group_01: used 181 minutes of the day, the limit is 180 minutes`"""
    verb = type(action).__name__.lower()
    if isinstance(action, Restore):
        return f"{verb} {action.group}: there is quota left"
    used, limit = int(action.limit_usage.used / MINUTE), action.limit_usage.limit
    return f"{verb} {action.group}: used {used} minutes of the {limit.period.value}, the limit is {limit}"


LimitKey = tuple[str, Period, date, timedelta]
"""Group, period, first day of the period, hard limit. At most one message of a kind is sent for each key."""


def limit_key(group: str, limit: Limit) -> LimitKey:
    return group, limit.period, limit.first_day, limit.hard


def decide(quota_statuses: Iterable[QuotaStatus], warned_limits: frozenset[LimitKey]) -> tuple[Action, ...]:
    """Return the due actions: for each cluster restrict before stop; warnings come last.

    If a group has reached a limit, its running cluster is stopped, and the group is restricted if it may restart the
    cluster. A restricted group with quota left is restored, even if the enforcer did not restrict it. A group is warned
    once, about a running cluster if it has one. Inside a window no group is stopped, restricted or kept restricted.
    """
    actions: list[Action] = []
    near: dict[LimitKey, tuple[bool, Warn]] = {}
    """Maps each limit to its warning, and whether the cluster of the warning is running."""
    for status in quota_statuses:
        reached = next((usage for usage in status.limit_usages if usage.is_over), None)
        if reached and not status.in_window:
            if status.level in STARTING:
                actions.append(Restrict(status.cluster_id, status.group, reached))
            if status.is_running:
                actions.append(Stop(status.cluster_id, status.group, reached))
            continue
        if status.level is Level.ATTACH:
            actions.append(Restore(status.cluster_id, status.group))
        usage = next((usage for usage in status.limit_usages if usage.is_near and not usage.is_over), None)
        if usage and (key := limit_key(status.group, usage.limit)) not in warned_limits:
            warning = (status.is_running, Warn(status.cluster_id, status.group, usage))
            # `max` returns the first of several equal warnings.
            near[key] = max(near.get(key, warning), warning, key=lambda one: one[0])
    return (*actions, *(warning for _, warning in near.values()))
