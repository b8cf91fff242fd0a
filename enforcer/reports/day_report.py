"""The report for a day, from the snapshot and the ledger: what each cluster did. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from enforcer.domain.day import ClusterDay, cluster_day
from enforcer.domain.day_records import DayTotal, RecordedAction
from enforcer.domain.quota import MINUTE, Period
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import day_bounds

POLL_EVERY = timedelta(minutes=15)
LONG_GAP = timedelta(minutes=20)
"""Maximum time without a poll; a longer one means that cron or the machine failed."""


@dataclass(frozen=True)
class ReportRow:
    """The row of one cluster."""

    of: ClusterDay
    soft: timedelta | None
    hard: timedelta | None
    """The day's limits; None means unlimited."""
    warned: datetime | None
    stopped: datetime | None
    """When the cluster was first stopped."""
    is_imported: bool = False
    """Whether the total is from the legacy system, which did not store the limits."""

    @property
    def limit(self) -> str:
        """The day's limit with its reason, and the week or term limit if it was tighter."""
        if self.is_imported:
            return "not known"
        day = str(self.of.day_limit) if self.of.day_limit else "unlimited"
        if self.hard is not None and self.of.day_limit and self.hard != self.of.day_limit.hard:
            # The day was settled with a limit that the files no longer contain.
            day = f"{round(self.hard / MINUTE)} minutes"
        usage = self.of.tightest_usage
        if usage is None or usage.limit.period is Period.DAY:
            return day
        return f"{day}; {usage.limit.period.value} {usage.limit}, {usage.used // MINUTE} used"


@dataclass(frozen=True)
class DayReport:
    course: str
    day: date
    begins: datetime
    ends: datetime
    """Start and end of the day, in the course's time zone."""
    watched_from: datetime
    """Time from which polls are expected: the start of the day, or the first poll ever if it was later."""
    is_over: bool
    now: datetime
    rows: tuple[ReportRow, ...]
    polls: tuple[datetime, ...]
    failures: tuple[str, ...]
    """Failed actions of this day: the last error of each cluster and action."""
    is_first: bool = False
    """Whether no poll ran before this day."""
    is_unknown: bool = False
    """Whether no poll ran before the end of the day, no total is settled, and no cluster is known to have run."""

    @property
    def ran(self) -> int:
        """Number of clusters that ran for their group."""
        return sum(1 for row in self.rows if row.of.counted_intervals or row.of.used)

    @property
    def ran_for_others(self) -> int:
        """Number of clusters that ran only for staff, a deployment or others."""
        return sum(1 for row in self.rows if row.of.intervals or row.of.used) - self.ran

    @property
    def is_of_deploy(self) -> bool:
        """Whether only deployments ran clusters on this day, so that there is nothing to report."""
        return self.is_first and not self.ran and self.ran_for_others > 0 and not self.failures

    @property
    def seen_until(self) -> datetime:
        return min(self.ends, self.now)

    @property
    def polls_expected(self) -> int:
        return max(0, (self.seen_until - self.watched_from) // POLL_EVERY)

    @property
    def longest_gap(self) -> timedelta:
        """The longest time without a poll."""
        if self.watched_from > self.seen_until:
            return timedelta()
        return longest_gap(self.polls, self.watched_from, self.seen_until)


def missed_polls(polls: Iterable[datetime], begins: datetime, ends: datetime) -> int:
    """Return how many polls, one per `POLL_EVERY`, were missed between two instants. `polls` are in order."""
    # The last poll of a long gap was not missed; rounding ignores that polls do not begin at the exact minute.
    return sum(max(0, round(gap / POLL_EVERY) - 1) for gap in _gaps(polls, begins, ends))


def longest_gap(polls: Iterable[datetime], begins: datetime, ends: datetime) -> timedelta:
    """Return the longest time without a poll between two instants. `polls` are in order."""
    return max(_gaps(polls, begins, ends))


def _gaps(polls: Iterable[datetime], begins: datetime, ends: datetime) -> Iterator[timedelta]:
    moments = [begins, *polls, ends]
    return (max(timedelta(), after - before) for before, after in zip(moments, moments[1:], strict=False))


def make_report(
    snapshot: Snapshot,
    day: date,
    *,
    settled: Mapping[str, DayTotal],
    actions: Iterable[RecordedAction],
    polls: Sequence[datetime],
    first_poll: datetime | None = None,
) -> DayReport:
    """Return the report for a day. Settled totals are shown unchanged; `first_poll` is the first poll ever."""
    actions = tuple(actions)
    tz = snapshot.course.calendar.tz
    begins, ends = day_bounds(day, tz)
    days = (cluster_day(snapshot, cluster, day) for cluster in snapshot.clusters if cluster.observation.at >= begins)
    rows = [_row(one, settled.get(one.cluster_id), actions) for one in days]
    rows.sort(key=lambda row: (len(row.of.group), row.of.group, row.of.name))
    failed = {(a.cluster_id, a.kind): f"{a.kind} of {a.group}: {a.error}" for a in actions if a.error}
    for action in actions:
        if action.done and not action.error:
            failed.pop((action.cluster_id, action.kind), None)
    course = snapshot.course.title or snapshot.course.id or "Teaching lab"
    return DayReport(
        course,
        day,
        begins.astimezone(tz),
        ends.astimezone(tz),
        max(begins, first_poll or begins),
        snapshot.now >= ends,
        snapshot.now.astimezone(tz),
        tuple(rows),
        tuple(poll for poll in polls if begins <= poll < ends),
        tuple(failed.values()),
        first_poll is None or first_poll >= begins,
        (first_poll is None or first_poll >= ends) and not settled and not any(row.of.intervals for row in rows),
    )


def _row(one: ClusterDay, fixed: DayTotal | None, actions: Iterable[RecordedAction]) -> ReportRow:
    mine = [action for action in actions if action.cluster_id == one.cluster_id and action.done]
    warned = next((action.noted for action in mine if action.kind == "warn"), None)
    stopped = next((action.noted for action in mine if action.kind == "stop"), None)
    if fixed is None:
        limit = one.day_limit
        return ReportRow(one, limit.soft if limit else None, limit.hard if limit else None, warned, stopped)
    as_fixed = replace(one, used=fixed.used, uncounted=fixed.uncounted, overrun=fixed.overrun)
    if fixed.reason and not one.estimates:
        as_fixed = replace(as_fixed, estimates=(fixed.reason,))
    return ReportRow(as_fixed, fixed.soft, fixed.hard, warned, stopped, fixed.imported)
