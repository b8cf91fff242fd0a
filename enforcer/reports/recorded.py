"""Creates the report for a day and the digest for a week, only from the ledger."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from enforcer.domain.observations import OtherCluster
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import day_bounds, estimate_reasons
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.reports.daily_usage import daily_usage
from enforcer.reports.day_report import DayReport, longest_gap, make_report, missed_polls
from enforcer.reports.week_report import TimeRequestCounts, WeekRecords, WeekReport, make_week_report


def report_of(ledger: Ledger, snapshot: Snapshot, day: date) -> DayReport:
    """Return the report for a day."""
    begins, ends = day_bounds(day, snapshot.course.calendar.tz)
    return make_report(
        snapshot,
        day,
        settled=queries.settled(ledger, day),
        actions=queries.actions_on(ledger, day),
        polls=queries.polls_between(ledger, begins, ends),
        first_poll=queries.first_poll(ledger),
    )


def week_report_of(
    ledger: Ledger,
    snapshot: Snapshot,
    week: tuple[date, date],
    *,
    requests: TimeRequestCounts | None = None,
    others: tuple[OtherCluster, ...] | None = None,
) -> WeekReport:
    """Return the digest for a week, given by its first and last day.

    `snapshot` has all its sessions. `requests` and `others` are those of `WeekRecords`.
    """
    last, calendar = week[1], snapshot.course.calendar
    settled = queries.settled_usage(ledger, since=calendar.first_day)
    known_from = max(calendar.first_day, _first_known_day(ledger, snapshot, settled))
    usage = daily_usage(snapshot, settled, first_day=known_from)
    names = sorted({*snapshot.course.groups, *snapshot.group_by_cluster.values()})
    totals = {name: {day: usage.on(name, day) for day in _days(known_from, last)} for name in names}
    records = replace(_week_records(ledger, snapshot, week), requests=requests, others=others)
    return make_week_report(snapshot, week, totals, records)


def _first_known_day(ledger: Ledger, snapshot: Snapshot, settled: dict[tuple[str, date], timedelta]) -> date:
    """Return the first day with known usage: of the first poll, session or settled total."""
    moments = [queries.first_poll(ledger) or snapshot.now]
    moments += [sessions[0].start for sessions in snapshot.sessions.values() if sessions]
    days = [moment.astimezone(snapshot.course.calendar.tz).date() for moment in moments]
    return min([*days, *(day for cluster_id, day in settled if cluster_id in snapshot.group_by_cluster)])


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _week_records(ledger: Ledger, snapshot: Snapshot, week: tuple[date, date]) -> WeekRecords:
    first, last = week
    tz = snapshot.course.calendar.tz
    begins, ends = day_bounds(first, tz)[0], day_bounds(last, tz)[1]
    days = _days(first, last)
    watched_from = max(begins, queries.first_poll(ledger) or ends)
    polls = queries.polls_between(ledger, begins, ends)
    failed = stored_messages.undelivered_by_kind(ledger, begins, ends)
    return WeekRecords(
        tuple(action for day in days for action in queries.actions_on(ledger, day)),
        missed_polls(polls, watched_from, ends),
        longest_gap(polls, watched_from, ends),
        sum(failed.values()),
        frozenset(_estimated_groups(ledger, snapshot, days, begins, ends)),
    )


def _estimated_groups(
    ledger: Ledger, snapshot: Snapshot, days: list[date], begins: datetime, ends: datetime
) -> set[str]:
    groups = {total.group for day in days for total in queries.settled(ledger, day).values() if total.estimate}
    for cluster_id, group in snapshot.group_by_cluster.items():
        sessions = snapshot.sessions.get(cluster_id, [])
        if estimate_reasons(one for one in sessions if one.start < ends and (one.end or ends) > begins):
            groups.add(group)
    return groups
