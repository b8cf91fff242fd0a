"""Settles past days: fixes their totals, queues the reports, and writes `settled.json`.

The ledger determines which days are due, not the clock alone: missed days are settled later, and days missing in a
ledger that was restored from a backup are settled again.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from enforcer.domain.day import cluster_day
from enforcer.domain.day_records import DayTotal
from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import Period
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import day_bounds
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.mail import outbox
from enforcer.reports.formats import report_message
from enforcer.reports.recorded import report_of
from enforcer.settings import Settings
from enforcer.tick.history import load_past_snapshot
from enforcer.tick.totals_file import write_totals
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError

log = logging.getLogger(__name__)

MAX_WAIT = timedelta(days=3)
"""How long to wait for events of a day that cannot be read; then the day is settled as an estimate."""
REPORT_MAX_AGE = timedelta(days=14)
"""Maximum age of a day whose report is mailed; `report` shows older ones."""


@dataclass(frozen=True)
class Settlement:
    days: tuple[date, ...] = ()
    """Days that were settled or, in a dry run, would be."""
    failures: tuple[str, ...] = ()


def unsettled_days(*, settled: date | None, first: date | None, up_to: date) -> tuple[date, ...]:
    """Return the days to settle, oldest first: those after the last settled day, but not before `first`, the first day
    on which a cluster ran."""
    if first is None:
        return ()
    begin = max(first, settled + timedelta(days=1)) if settled else first
    return tuple(begin + timedelta(days=number) for number in range((up_to - begin).days + 1))


def settle_days(
    settings: Settings, ledger: Ledger, workspace: Workspace, live: Snapshot, *, up_to: date | None
) -> Settlement:
    """Settle every unsettled past day, up to `up_to` or yesterday.

    `live` is the snapshot that was just collected, so the events are up to date.
    """
    snapshot = load_past_snapshot(ledger, settings, now=live.now)
    plan = plan_days(ledger, snapshot, live, up_to=up_to)
    is_estimate = bool(_unread(ledger, live))
    for day in plan.days:
        _settle_day(ledger, snapshot, settings, day, is_estimate=is_estimate)
    try:
        write_totals(ledger, workspace, snapshot, live)
    except WorkspaceError as error:
        problem = f"{error}; deployments do not know the week and term totals"
        return replace(plan, failures=(*plan.failures, problem))
    return plan


def plan_days(ledger: Ledger, snapshot: Snapshot, live: Snapshot, *, up_to: date | None) -> Settlement:
    """Return the days that `settle_days` would settle, and a message if a day has to wait for events that could not be
    read.
    """
    yesterday = snapshot.today - timedelta(days=1)
    due = unsettled_days(
        settled=queries.last_settled_day(ledger), first=_first_day(snapshot), up_to=min(up_to or yesterday, yesterday)
    )
    waiting = _unread(ledger, live)
    days = tuple(day for day in due if not waiting or day < snapshot.today - MAX_WAIT)
    if len(days) == len(due):
        return Settlement(days)
    names = ", ".join(sorted(waiting))
    return Settlement(days, (f"{due[len(days)]} is not settled yet: the events of {names} could not be read",))


def _settle_day(ledger: Ledger, snapshot: Snapshot, settings: Settings, day: date, *, is_estimate: bool) -> None:
    """Settle one day. Each step is idempotent; the day is recorded as settled after the last one."""
    queries.settle(ledger, totals_of(snapshot, day, is_estimate=is_estimate), now=snapshot.now)
    _queue_report(ledger, snapshot, settings, day)
    queries.write_note(ledger, "settled", day.isoformat())
    log.info("%s is settled", day)


def totals_of(snapshot: Snapshot, day: date, *, is_estimate: bool = False) -> Iterable[DayTotal]:
    """Return the totals of every cluster that existed on the day."""
    begins, _ = day_bounds(day, snapshot.course.calendar.tz)
    for cluster in snapshot.clusters:
        if cluster.observation.at < begins:
            continue
        one = cluster_day(snapshot, cluster, day)
        limit = one.day_limit
        yield DayTotal(
            cluster_id=one.cluster_id,
            day=day,
            group=one.group,
            used=one.used,
            soft=limit.soft if limit else None,
            hard=limit.hard if limit else None,
            overrun=one.overrun,
            uncounted=one.uncounted,
            sessions=len(one.counted_intervals),
            estimate=is_estimate or bool(one.estimates),
        )


def _first_day(snapshot: Snapshot) -> date | None:
    """Return the first local day on which a cluster ran; None if no cluster ran, so that no day is settled."""
    starts = [sessions[0].start for sessions in snapshot.sessions.values() if sessions]
    return min(starts).astimezone(snapshot.course.calendar.tz).date() if starts else None


def _unread(ledger: Ledger, snapshot: Snapshot) -> frozenset[str]:
    """Return the groups of clusters that may have changed and whose events could not be read up to now."""
    known = queries.clusters(ledger)

    def is_known(cluster: ObservedCluster) -> bool:
        before = known.get(cluster.id)
        if before is None or before.list_fingerprint != cluster.list_fingerprint:
            return False
        is_read = before.events_read_to == snapshot.now or cluster.runs_unchanged_since(before.events_read_to)
        return is_read or not cluster.observation.running

    return frozenset(group_of(cluster) for cluster in snapshot.clusters if not is_known(cluster))


def _queue_report(ledger: Ledger, snapshot: Snapshot, settings: Settings, day: date) -> None:
    """Queue the report for a day once. There is none for an empty day, an old day, or a day on which only deployments
    ran clusters.
    """
    about = " ".join([snapshot.course.id, snapshot.course.term, day.isoformat()]).strip()
    is_old = day < snapshot.today - REPORT_MAX_AGE
    if is_old or not settings.report_recipients:
        return
    period, first = Period.DAY.value, day.isoformat()
    if stored_messages.is_queued(
        ledger, MessageKind.REPORT, about, period=period, period_start=first, hard_limit=timedelta()
    ):
        return
    report = report_of(ledger, snapshot, day)
    if report.rows and not report.is_of_deploy:
        message = report_message(report, settings)
        outbox.queue(ledger, MessageKind.REPORT, about, message, now=snapshot.now, period=period, period_start=first)
