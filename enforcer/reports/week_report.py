"""The weekly digest for the staff: a week's usage, what is left, the forecast, and what is unusual. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from enforcer.domain.allowances import LimitOverride
from enforcer.domain.day_records import RecordedAction
from enforcer.domain.observations import OtherCluster
from enforcer.domain.quota import Period, limit_on
from enforcer.domain.snapshot import Snapshot
from enforcer.reports.forecast import DayMark, Forecast, forecast, marks_of

ZERO = timedelta()
LEAST_WEEKS = 2
"""Minimum number of earlier weeks from which a usual week is computed."""
FAR_ABOVE_FACTOR, FAR_ABOVE_TIME = 2.0, timedelta(hours=1)
"""A group is far above its usual week if it used at least twice as much, and at least an hour more."""


@dataclass(frozen=True)
class GroupWeek:
    """One group's week."""

    group: str
    title: str
    used: timedelta
    usual: timedelta | None
    """Mean of its earlier weeks in the term. None: fewer than two are known."""
    stops: int
    warnings: int
    week_limit: timedelta | None
    term_used: timedelta
    """Since the first known day of the term, up to the end of the week."""
    term_limit: timedelta | None
    runs_out: date | None
    """Day on which it is expected to reach its limit for the term. None: not before the term's end, or unknown."""
    is_off: bool
    """Whether every day of the week was a holiday, a blackout or blocked for the group."""

    @property
    def is_far_above_usual(self) -> bool:
        if self.usual is None:
            return False
        return self.used >= self.usual * FAR_ABOVE_FACTOR and self.used - self.usual >= FAR_ABOVE_TIME

    @property
    def left(self) -> timedelta | None:
        """Time left for the term; None without a limit."""
        return None if self.term_limit is None else max(ZERO, self.term_limit - self.term_used)


@dataclass(frozen=True)
class TimeRequestCounts:
    """Numbers of the groups' time requests, without those that the group withdrew."""

    asked: int
    """In the week."""
    given: int
    """Of those asked in the week."""
    refused: int
    """Of those asked in the week."""
    expired: int
    """Of those asked in the week: nobody answered."""
    waiting: int
    """Now, from any week."""


@dataclass(frozen=True)
class WeekRecords:
    """What the ledger contains about a week, apart from usage."""

    actions: tuple[RecordedAction, ...] = ()
    missed_polls: int = 0
    longest_gap: timedelta = ZERO
    """The longest time without a poll."""
    failed_messages: int = 0
    """Messages that were given up or not delivered in the week."""
    estimated_groups: frozenset[str] = frozenset()
    """Groups with usage that is an estimate."""
    requests: TimeRequestCounts | None = None
    """None: the course has no time requests."""
    others: tuple[OtherCluster, ...] | None = None
    """Running clusters at the last tick that are not of this or another lab. None: unknown."""


@dataclass(frozen=True)
class WeekReport:
    course: str
    as_of: datetime
    """When it was made, in the course's time zone."""
    first_day: date
    last_day: date
    groups: tuple[GroupWeek, ...]
    """The busiest first."""
    usual: timedelta | None
    """Mean usage of all groups together in earlier weeks. None: fewer than two are known."""
    is_off: bool
    """Whether every day of the week was a holiday, a blackout or blocked."""
    term_ends: date
    forecast: Forecast
    """Usage of all groups together from the day after the week."""
    records: WeekRecords

    @property
    def used(self) -> timedelta:
        return sum((group.used for group in self.groups), ZERO)

    @property
    def idle(self) -> tuple[GroupWeek, ...]:
        """Groups that did not use their cluster although they could."""
        return tuple(group for group in self.groups if not group.used and not group.is_off)

    @property
    def far_above(self) -> tuple[GroupWeek, ...]:
        return tuple(group for group in self.groups if group.is_far_above_usual)

    @property
    def running_out(self) -> tuple[GroupWeek, ...]:
        """Groups that are expected to reach their limit for the term before it ends, the earliest first."""
        found = [(group.runs_out, group.group, group) for group in self.groups if group.runs_out]
        return tuple(group for _, _, group in sorted(found, key=lambda one: one[:2]))

    @property
    def used_up(self) -> tuple[GroupWeek, ...]:
        """Groups that have reached their limit for the term."""
        return tuple(group for group in self.groups if group.left is not None and not group.left)

    @property
    def failed_actions(self) -> tuple[RecordedAction, ...]:
        """The last failure of each action that did not succeed later in the week."""
        failed: dict[tuple[str, str], RecordedAction] = {}
        for action in self.records.actions:
            failed.pop((action.cluster_id, action.kind), None)
            if action.error:
                failed[action.cluster_id, action.kind] = action
        return tuple(failed.values())


def last_complete_week(snapshot: Snapshot) -> tuple[date, date] | None:
    """Return first and last day of the last week that is over; None if it is not in the term."""
    calendar = snapshot.course.calendar
    last = calendar.days(Period.WEEK, snapshot.today)[0] - timedelta(days=1)
    first, _ = calendar.days(Period.WEEK, last)
    return (first, last) if first <= calendar.last_day and last >= calendar.first_day else None


def make_week_report(
    snapshot: Snapshot,
    week: tuple[date, date],
    totals: Mapping[str, Mapping[date, timedelta]],
    records: WeekRecords,
) -> WeekReport:
    """Return the digest for a week. `totals` has the usage of each group on each known day of the term."""
    first, last = week
    calendar = snapshot.course.calendar
    future = [last + timedelta(days=number) for number in range(1, (calendar.last_day - last).days + 1)]
    known = {day for by_day in totals.values() for day in by_day if day <= last}
    days = [*sorted(known), *future]
    groups = [
        _group_week(snapshot, name, week, by_day, _forecast(snapshot, by_day, days, last, name), records.actions)
        for name, by_day in totals.items()
    ]
    # A former group is part of the sums, but is not reported as idle.
    former = totals.keys() - snapshot.course.groups.keys() if snapshot.course.groups else set()
    groups = [one for one in groups if one.group not in former or one.used or one.stops or one.warnings]
    together: dict[date, timedelta] = {}
    for by_day in totals.values():
        for day, used in by_day.items():
            together[day] = together.get(day, ZERO) + used
    return WeekReport(
        snapshot.course.title or snapshot.course.id or "Teaching lab",
        snapshot.now.astimezone(calendar.tz),
        first,
        last,
        tuple(sorted(groups, key=lambda one: (-one.used, len(one.group), one.group))),
        _usual(together, first),
        _is_off(snapshot, week, None),
        calendar.last_day,
        _forecast(snapshot, together, days, last, None),
        records,
    )


def _forecast(
    snapshot: Snapshot, totals: Mapping[date, timedelta], days: list[date], last: date, group: str | None
) -> Forecast:
    marks = marks_of(snapshot.course, snapshot.allowances, days, group)
    ends = snapshot.course.calendar.last_day
    return forecast(totals, today=last + timedelta(days=1), last_day=ends, marks=marks)


def _is_off(snapshot: Snapshot, week: tuple[date, date], group: str | None) -> bool:
    marks = marks_of(snapshot.course, snapshot.allowances, _days(*week), group)
    return all(mark is DayMark.OFF for mark in marks.values())


def _group_week(
    snapshot: Snapshot,
    name: str,
    week: tuple[date, date],
    totals: Mapping[date, timedelta],
    expected: Forecast,
    actions: Iterable[RecordedAction],
) -> GroupWeek:
    first, last = week
    known = snapshot.course.groups.get(name)
    quota, calendar = snapshot.quota(name), snapshot.course.calendar
    # An unlimited day has no limit; what is left for the term does not depend on it.
    allowances = [one for one in snapshot.in_force if one.change is not LimitOverride.UNLIMITED]
    week_limit, term_limit = (
        limit_on(last, period, name, quota, calendar, allowances) for period in (Period.WEEK, Period.TERM)
    )
    mine = [action for action in actions if action.group == name and action.done]
    term_used = sum((used for day, used in totals.items() if day <= last), ZERO)
    return GroupWeek(
        name,
        known.title if known else "",
        sum((totals.get(day, ZERO) for day in _days(first, last)), ZERO),
        _usual(totals, first),
        sum(1 for action in mine if action.kind == "stop"),
        sum(1 for action in mine if action.kind == "warn"),
        week_limit.hard if week_limit else None,
        term_used,
        term_limit.hard if term_limit else None,
        expected.first_day_over(term_limit.hard) if term_limit and term_used < term_limit.hard else None,
        _is_off(snapshot, week, name),
    )


def _usual(totals: Mapping[date, timedelta], first: date) -> timedelta | None:
    """Return the mean of the complete weeks before `first`; None if there are fewer than two."""
    earlier = [day for day in totals if day < first]
    weeks = (first - min(earlier)).days // 7 if earlier else 0
    if weeks < LEAST_WEEKS:
        return None
    since = first - timedelta(weeks=weeks)
    return sum((used for day, used in totals.items() if since <= day < first), ZERO) / weeks


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
