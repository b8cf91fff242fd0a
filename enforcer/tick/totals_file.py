"""Writes `settled.json` in the workspace when a day is settled or a cluster whose usage counts is deleted."""

from dataclasses import replace
from datetime import date, timedelta

from enforcer.domain.allowances import windows_between
from enforcer.domain.quota import Period, counted
from enforcer.domain.settled_totals import (
    SETTLED_FILE,
    GoneCluster,
    GroupTotals,
    SettledTotals,
    format_settled,
    gone_clusters,
    parse_settled,
)
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import day_bounds
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings
from enforcer.tick.history import load_past_snapshot
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import FolderNotFoundError

TOTALS = "settled totals"
"""Name of the note with the content that was last written."""


def write_totals(ledger: Ledger, workspace: Workspace, snapshot: Snapshot, live: Snapshot) -> None:
    """Write the file with the totals of each group on all its clusters. `snapshot` is from the ledger.

    Raises WorkspaceError.
    """
    last = queries.last_settled_day(ledger)
    if last is None or not live.course.groups:
        return
    groups = {group_of(cluster) for cluster in live.clusters}
    totals = {
        group: GroupTotals(*(_used(snapshot, group, period, last) for period in (Period.WEEK, Period.TERM)))
        for group in groups
    }
    _write(ledger, workspace, live, SettledTotals(last, totals))


def update_gone_clusters(ledger: Ledger, settings: Settings, workspace: Workspace, live: Snapshot) -> None:
    """Write the file again if a cluster whose usage counts in a current period was deleted; else send no request.

    Raises WorkspaceError.
    """
    if not live.course.groups or not live.former_groups:
        return
    noted, last = queries.note(ledger, TOTALS), queries.last_settled_day(ledger)
    if noted is None and last is not None:
        write_totals(ledger, workspace, load_past_snapshot(ledger, settings, now=live.now), live)
        return
    # Before the first day of the term there is nothing to settle.
    before = SettledTotals(live.course.calendar.first_day - timedelta(days=1))
    if noted is not None:
        before = parse_settled(noted, "the note of settled totals")
    if _gone(live, before) != before.gone:
        _write(ledger, workspace, live, before)


def _write(ledger: Ledger, workspace: Workspace, live: Snapshot, settled: SettledTotals) -> None:
    text = format_settled(replace(settled, gone=_gone(live, settled)))
    try:
        workspace.write(f"{live.course.folder}/{SETTLED_FILE}", text, overwrite=True)
    except FolderNotFoundError:
        return  # the lab was destroyed, so no deployment needs its totals
    queries.write_note(ledger, TOTALS, text)


def _gone(live: Snapshot, settled: SettledTotals) -> dict[str, GoneCluster]:
    """Return the usage of deleted clusters after the last settled day."""
    return gone_clusters(live, day_bounds(settled.up_to + timedelta(days=1), live.course.calendar.tz)[0])


def _used(snapshot: Snapshot, group: str, period: Period, day: date) -> timedelta:
    calendar = snapshot.course.calendar
    begins, ends = day_bounds(calendar.days(period, day)[0], calendar.tz)[0], day_bounds(day, calendar.tz)[1]
    windows = windows_between(begins, ends, group, snapshot.in_force, calendar.tz)
    sessions = snapshot.sessions_of(group)
    return counted(begins, ends, sessions, windows, now=snapshot.now, count_all=snapshot.count_all)
