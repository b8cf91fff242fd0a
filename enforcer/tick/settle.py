"""Closing days: totals fixed in history, restrictions lifted, the report queued, `settled.json` left for others.

Which days are due is asked of the ledger, never of the clock alone: a night that was missed is settled later, and in a
ledger that was restored from a backup again.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from enforcer.domain.day import cluster_day
from enforcer.domain.day_records import DayTotal
from enforcer.domain.message_kinds import Kind
from enforcer.domain.observations import SeenCluster
from enforcer.domain.quota import Period
from enforcer.domain.snapshot import Picture, group_of
from enforcer.domain.uptime import day_bounds
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.mail import outbox
from enforcer.reports.formats import report_message
from enforcer.reports.recorded import report_of
from enforcer.settings import Settings
from enforcer.tick.history import recall
from enforcer.tick.totals_file import leave_totals
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError

log = logging.getLogger(__name__)

PATIENCE = timedelta(days=3)
"""So long a day waits for events that cannot be read; then it is settled with what is known, as an estimate."""
MAILED = timedelta(days=14)
"""Days that have been over for longer are settled without a letter: `report` shows them."""


@dataclass(frozen=True)
class Settlement:
    days: tuple[date, ...] = ()
    """What was settled, or with a dry run would be."""
    failures: tuple[str, ...] = ()


def unsettled_days(*, settled: date | None, first: date | None, up_to: date) -> tuple[date, ...]:
    """The days to settle, oldest first: after the last settled one and not before the first on which anything ran."""
    if first is None:
        return ()
    begin = max(first, settled + timedelta(days=1)) if settled else first
    return tuple(begin + timedelta(days=number) for number in range((up_to - begin).days + 1))


def settle_days(
    settings: Settings, ledger: Ledger, workspace: Workspace, live: Picture, *, up_to: date | None
) -> Settlement:
    """Settle every day that is over and was not settled, up to `up_to` or yesterday.

    `live` is what was just collected, so that the events are up to date.
    """
    picture = recall(ledger, settings, now=live.now)
    plan = plan_days(ledger, picture, live, up_to=up_to)
    is_estimate = bool(_unread(ledger, live))
    for day in plan.days:
        _settle_day(ledger, picture, settings, day, is_estimate=is_estimate)
    try:
        leave_totals(ledger, workspace, picture, live)
    except WorkspaceError as error:
        refused = f"{error}; the totals of week and term are not there for `restricted`"
        return replace(plan, failures=(*plan.failures, refused))
    return plan


def plan_days(ledger: Ledger, picture: Picture, live: Picture, *, up_to: date | None) -> Settlement:
    """What `settle_days` would settle, and a sentence if a day has to wait for events that could not be read."""
    yesterday = picture.today - timedelta(days=1)
    due = unsettled_days(
        settled=queries.last_settled_day(ledger), first=_first_day(picture), up_to=min(up_to or yesterday, yesterday)
    )
    waiting = _unread(ledger, live)
    days = tuple(day for day in due if not waiting or day < picture.today - PATIENCE)
    if len(days) == len(due):
        return Settlement(days)
    names = ", ".join(sorted(waiting))
    return Settlement(days, (f"{due[len(days)]} is not settled yet: the events of {names} could not be read",))


def _settle_day(ledger: Ledger, picture: Picture, settings: Settings, day: date, *, is_estimate: bool) -> None:
    """Each step may be repeated; the day is noted after the last."""
    queries.settle(ledger, totals_of(picture, day, is_estimate=is_estimate), now=picture.now)
    _queue_report(ledger, picture, settings, day)
    queries.write_note(ledger, "settled", day.isoformat())
    log.info("%s is settled", day)


def totals_of(picture: Picture, day: date, *, is_estimate: bool = False) -> Iterable[DayTotal]:
    """What is fixed of every cluster that was there on the day."""
    begins, _ = day_bounds(day, picture.course.calendar.tz)
    for cluster in picture.clusters:
        if cluster.sighting.at < begins:
            continue
        one = cluster_day(picture, cluster, day)
        limit = one.day_limit
        yield DayTotal(
            cluster_id=one.cluster_id,
            day=day,
            group=one.group,
            used=one.used,
            soft=limit.soft if limit else None,
            hard=limit.hard if limit else None,
            over=one.over,
            shown_apart=one.shown_apart,
            sessions=len(one.counted_stretches),
            estimate=is_estimate or bool(one.estimates),
        )


def _first_day(picture: Picture) -> date | None:
    """The first local day of the course on which anything ran; before there is one, nothing is settled."""
    starts = [sessions[0].start for sessions in picture.sessions.values() if sessions]
    return min(starts).astimezone(picture.course.calendar.tz).date() if starts else None


def _unread(ledger: Ledger, picture: Picture) -> frozenset[str]:
    """Groups of the clusters whose events are not known up to now, though they may have changed."""
    known = queries.clusters(ledger)

    def is_known(cluster: SeenCluster) -> bool:
        before = known.get(cluster.id)
        if before is None or before.list_fingerprint != cluster.moved:
            return False
        is_read = before.events_read_to == picture.now or cluster.runs_on(before.events_read_to)
        return is_read or not cluster.sighting.running

    return frozenset(group_of(cluster) for cluster in picture.clusters if not is_known(cluster))


def _queue_report(ledger: Ledger, picture: Picture, settings: Settings, day: date) -> None:
    """Once a day. Nobody wants one of a lab that is gone, of a day long past, or of the day of the deploy alone."""
    about = " ".join([picture.course.id, picture.course.term, day.isoformat()]).strip()
    is_old = day < picture.today - MAILED
    if is_old or not settings.report_to:
        return
    period, first = Period.DAY.value, day.isoformat()
    if stored_messages.is_queued(ledger, Kind.REPORT, about, period=period, period_start=first, hard_limit=timedelta()):
        return
    report = report_of(ledger, picture, day)
    if report.rows and not report.is_of_deploy:
        message = report_message(report, settings)
        outbox.queue(ledger, Kind.REPORT, about, message, now=picture.now, period=period, period_start=first)
