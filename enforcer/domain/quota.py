"""What a group may use, what it has used, and what is therefore due now. Pure: no clock, no network, no database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import Enum
from typing import Self

from enforcer.domain.allowances import Allowance, Freedom, Interval, windows_between
from enforcer.domain.observations import DirectGrant
from enforcer.domain.uptime import Session, day_bounds, overlap
from labkit.course_file import GroupLimits

MINUTE = timedelta(minutes=1)


class Period(Enum):
    DAY = "day"
    WEEK = "week"
    TERM = "term"


class Level(Enum):
    """Permission levels of a group on its cluster that matter here."""

    ATTACH = "CAN_ATTACH_TO"
    RESTART = "CAN_RESTART"
    """What the deploy gives."""
    MANAGE = "CAN_MANAGE"
    """Somebody gave it by hand. It allows a start, so it is lowered alike."""


def level_of(group: str, grants: Iterable[DirectGrant]) -> Level | None:
    """What the group's own entry says; None: no entry, or one that is none of ours to change."""
    own = [grant.level for grant in grants if grant.kind == "group" and grant.principal == group]
    return next((level for level in Level if own == [level.value]), None)


STARTING = frozenset({Level.RESTART, Level.MANAGE})
"""Levels with which a group can start its cluster."""


@dataclass(frozen=True)
class Quota:
    """The limits of one group, before allowances."""

    soft: timedelta
    hard: timedelta
    week: timedelta | None = None
    term: timedelta | None = None

    @classmethod
    def of(cls, limits: GroupLimits) -> Self:
        """The quota that the course file gives. Raises OverflowError or ValueError for minutes that are no duration."""
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
    """Which local days make a week and the term."""

    tz: tzinfo
    first_day: date
    last_day: date
    first_weekday: int
    """Monday is 0."""

    def days(self, period: Period, day: date) -> tuple[date, date]:
        """The first and the last day of the period that `day` belongs to."""
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
    first: date
    """The first day of the period: with it, a letter about this limit is unique."""
    last: date
    soft: timedelta
    hard: timedelta
    base: timedelta
    """`hard` without allowances."""
    allowances: tuple[Allowance, ...] = ()

    def __str__(self) -> str:
        """`180 + 60 minutes: project deadline`"""
        base = f"{round(self.base / MINUTE)}"
        if not self.allowances:
            return f"{base} minutes"
        if any(allowance.change is Freedom.NONE for allowance in self.allowances):
            return f"0 instead of {base} minutes: {'; '.join(allowance.reason for allowance in self.allowances)}"
        moves: dict[str, timedelta] = {}
        for allowance in self.allowances:
            assert isinstance(allowance.change, timedelta)
            moves[allowance.reason] = moves.get(allowance.reason, timedelta()) + _moved(self, allowance)
        signs = "".join(f" {'-' if move < timedelta() else '+'} {abs(round(move / MINUTE))}" for move in moves.values())
        return f"{base}{signs} minutes: {'; '.join(moves)}"


@dataclass(frozen=True)
class Use:
    """How much of a limit is used up."""

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
    """The limit of this period that holds on this day; None where there is none or the day is unlimited.

    Minutes move soft and hard of each day of the allowance, and widen week and term by as much for each of its days.
    Week and term have no soft limit of their own: the group is warned as long before as on a day.
    """
    allowances = tuple(allowances)
    today = [allowance for allowance in allowances if allowance.covers(group, day)]
    base = {Period.DAY: quota.hard, Period.WEEK: quota.week, Period.TERM: quota.term}[period]
    if base is None:
        return None
    first, last = calendar.days(period, day)
    forbidden = tuple(allowance for allowance in today if allowance.change is Freedom.NONE)
    if forbidden and period is Period.DAY:
        return Limit(period, first, last, timedelta(), timedelta(), base, forbidden)
    if any(allowance.change is Freedom.UNLIMITED for allowance in today):
        return None
    changing = tuple(
        allowance
        for allowance in allowances
        if isinstance(allowance.change, timedelta)
        and allowance.group in (None, group)
        and allowance.first <= last
        and allowance.last >= first
    )
    limit = Limit(period, first, last, quota.soft, base, base, changing)
    moved = sum((_moved(limit, allowance) for allowance in changing), timedelta())
    hard = max(timedelta(), base + moved)
    soft = min(hard, max(timedelta(), hard - (quota.hard - quota.soft)))
    return Limit(period, first, last, soft, hard, base, changing)


def _moved(limit: Limit, allowance: Allowance) -> timedelta:
    assert isinstance(allowance.change, timedelta)
    days = (min(limit.last, allowance.last) - max(limit.first, allowance.first)).days + 1
    return allowance.change * days


def uses_on(
    day: date,
    sessions: Iterable[Session],
    *,
    group: str,
    quota: Quota,
    calendar: Calendar,
    allowances: Iterable[Allowance],
    count_all: bool,
    now: datetime,
) -> tuple[Use, ...]:
    """How much of every limit in force on this day is used, the tightest first.

    Week and term count up to the end of `day`, so that a day in the past is judged as it was.
    """
    sessions, allowances = tuple(sessions), tuple(allowances)
    uses = []
    for period in Period:
        limit = limit_on(day, period, group, quota, calendar, allowances)
        if limit:
            begins, ends = day_bounds(limit.first, calendar.tz)[0], day_bounds(day, calendar.tz)[1]
            windows = windows_between(begins, ends, group, allowances, calendar.tz)
            used = counted(begins, ends, sessions, windows, now=now, count_all=count_all)
            uses.append(Use(limit, used))
    return tuple(sorted(uses, key=lambda use: use.left))


def counted(
    begins: datetime,
    ends: datetime,
    sessions: Iterable[Session],
    windows: Iterable[Interval],
    *,
    now: datetime,
    count_all: bool,
) -> timedelta:
    """The counted time between two instants, without what lies inside a window."""
    sessions = tuple(sessions)
    total = overlap(begins, ends, sessions, now=now, count_all=count_all)
    inside = (
        overlap(max(begins, first), min(ends, last), sessions, now=now, count_all=count_all) for first, last in windows
    )
    return total - sum(inside, timedelta())


@dataclass(frozen=True)
class Standing:
    """Where one cluster stands at a poll."""

    cluster_id: str
    group: str
    is_running: bool
    """In a session that counts: one that staff or the deploy started is not stopped."""
    level: Level | None
    """What the group's own entry on the cluster says now; None: not read, so nothing is done about it."""
    uses: tuple[Use, ...]
    in_window: bool


@dataclass(frozen=True)
class Warn:
    cluster_id: str
    group: str
    use: Use


@dataclass(frozen=True)
class Restrict:
    cluster_id: str
    group: str
    use: Use


@dataclass(frozen=True)
class Stop:
    cluster_id: str
    group: str
    use: Use


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
    used, limit = int(action.use.used / MINUTE), action.use.limit
    return f"{verb} {action.group}: used {used} minutes of the {limit.period.value}, the limit is {limit}"


LimitKey = tuple[str, Period, date, timedelta]
"""Group, period, its first day, hard limit: a mail about a limit is due once for each."""


def limit_key(group: str, limit: Limit) -> LimitKey:
    return group, limit.period, limit.first, limit.hard


def decide(standings: Iterable[Standing], warned: frozenset[LimitKey]) -> tuple[Action, ...]:
    """What is due, from what the workspace shows: restricting before stopping, cluster by cluster, warnings last.

    A cluster whose group is over a limit is stopped while it runs, and its group lowered while it may restart; a
    lowered group with quota left is restored, whoever lowered it. A group is warned once, about a cluster that runs if
    one does. Inside a window nobody is stopped, restricted or kept lowered.
    """
    actions: list[Action] = []
    near: dict[LimitKey, tuple[bool, Warn]] = {}
    """By limit; whether the cluster of the warning runs."""
    for standing in standings:
        over = next((use for use in standing.uses if use.is_over), None)
        if over and not standing.in_window:
            if standing.level in STARTING:
                actions.append(Restrict(standing.cluster_id, standing.group, over))
            if standing.is_running:
                actions.append(Stop(standing.cluster_id, standing.group, over))
            continue
        if standing.level is Level.ATTACH:
            actions.append(Restore(standing.cluster_id, standing.group))
        use = next((use for use in standing.uses if use.is_near and not use.is_over), None)
        if use and (key := limit_key(standing.group, use.limit)) not in warned:
            warning = (standing.is_running, Warn(standing.cluster_id, standing.group, use))
            # Of equal ones the first stays.
            near[key] = max(near.get(key, warning), warning, key=lambda one: one[0])
    return (*actions, *(warning for _, warning in near.values()))
