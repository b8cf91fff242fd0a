"""Settles past days: fixes their totals, queues reports and weekly digests, and writes `settled.json`.

The ledger determines which days are due, not the clock alone: missed days are settled later, and days missing in a
ledger that was restored from a backup are settled again.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from enforcer.domain.course import Course
from enforcer.domain.day import cluster_day
from enforcer.domain.day_records import DayTotal
from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.observations import ObservedCluster, OtherCluster
from enforcer.domain.quota import Period
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import day_bounds
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.mail import outbox
from enforcer.reports.formats import report_message
from enforcer.reports.recorded import report_of, week_report_of
from enforcer.reports.week_format import week_message
from enforcer.reports.week_report import TimeRequestCounts, last_complete_week
from enforcer.settings import Settings
from enforcer.tick.history import load_past_snapshot
from enforcer.tick.totals_file import write_totals
from enforcer.tick.workspace_notes import other_clusters
from enforcer.time_requests import store
from enforcer.time_requests.model import GIVEN, State, TimeRequest
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError

log = logging.getLogger(__name__)

MAX_WAIT = timedelta(days=3)
"""How long to wait for events of a day that cannot be read; then the day is settled as an estimate."""
DIGEST_PATIENCE = timedelta(hours=6)
"""How long the digest of a week waits for its last day to be settled."""
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


def queue_weekly_digest(settings: Settings, ledger: Ledger, live: Snapshot) -> list[str]:
    """Queue the digest of the last complete week once; return an error message if that failed.

    It waits for the week's last day to be settled, but not longer than `DIGEST_PATIENCE`: without `end-of-day` no day
    is settled. A week outside the term or without a poll has no digest. The function never raises, because a digest
    must not prevent the messages of a tick.
    """
    week, course = last_complete_week(live), live.course
    if week is None or not course.has_weekly_digest or not settings.report_recipients:
        return []
    first, last = week
    about, period = " ".join([course.id, course.term, first.isoformat()]).strip(), Period.WEEK.value
    if stored_messages.is_queued(
        ledger, MessageKind.WEEKLY, about, period=period, period_start=first.isoformat(), hard_limit=timedelta()
    ):
        return []
    begins, ends = day_bounds(first, course.calendar.tz)[0], day_bounds(last, course.calendar.tz)[1]
    settled = queries.last_settled_day(ledger)
    is_complete = (settled is not None and settled >= last) or live.now >= ends + DIGEST_PATIENCE
    if not is_complete or not queries.polls_between(ledger, begins, ends):
        return []
    try:
        asked = store.load(ledger, course) if course.requests else None
        report = week_report_of(
            ledger,
            load_past_snapshot(ledger, settings, now=live.now),
            week,
            requests=None if asked is None else counts_of(asked, begins, ends),
            others=_of_no_lab(other_clusters(ledger), course),
        )
        message = week_message(report, settings)
        outbox.queue(ledger, MessageKind.WEEKLY, about, message, now=live.now, period=period, period_start=first)
    except Exception as error:  # noqa: BLE001 - see above
        log.exception("the digest of the week from %s cannot be made", first)
        return [f"the digest of the week from {first} cannot be made: {error}"]
    return []


def _of_no_lab(clusters: tuple[OtherCluster, ...] | None, course: Course) -> tuple[OtherCluster, ...] | None:
    if clusters is None:
        return None
    return tuple(one for one in clusters if not one.is_of_another_lab(course.id, course.term))


def counts_of(requests: Iterable[TimeRequest], begins: datetime, ends: datetime) -> TimeRequestCounts:
    """Return the numbers of time requests that groups made between two instants, and of all that wait."""
    known = [one for one in requests if one.state is not State.WITHDRAWN]
    states = Counter(one.state for one in known if begins <= one.asked_at < ends)
    return TimeRequestCounts(
        asked=states.total(),
        given=sum(states[state] for state in GIVEN),
        refused=states[State.DENIED] + states[State.REFUSED],
        expired=states[State.EXPIRED],
        waiting=sum(1 for one in known if one.state is State.WAITING),
    )
