"""Imports the legacy system's daily totals into the ledger as settled days, marked as imported.

Days that this enforcer settled do not change. An imported day becomes exact if its events are read later.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from enforcer.domain.snapshot import group_from_name
from enforcer.domain.timestamps import to_millis
from enforcer.domain.uptime import day_bounds
from enforcer.ledger.database import Ledger
from enforcer.ledger.legacy.history import LegacyDay, LegacyHistory
from enforcer.ledger.models import ClusterRow, DayRow

MS = timedelta(milliseconds=1)


@dataclass(frozen=True)
class ImportResult:
    """Which of the legacy system's days were imported."""

    imported: tuple[LegacyDay, ...]
    """Days that this import added."""
    already_imported: int
    """Number of days that were imported earlier."""
    skipped: tuple[str, ...]
    """A message for each day that was not imported, with the reason."""


def import_days(
    ledger: Ledger, history: LegacyHistory, *, course: str, term: str, tz: tzinfo, today: date, now: datetime
) -> ImportResult:
    """Import the days atomically. Clusters that the ledger does not know are stored under `course` and `term`."""
    names, imported, skipped, already_imported = dict(history.names), [], list(history.invalid), 0
    with ledger.atomic():
        settled = {(row.cluster_id, row.day): row.imported for row in ledger.select(DayRow)}
        for one in history.days:
            is_imported = settled.get((one.cluster_id, one.day.isoformat()))
            if is_imported:
                already_imported += 1
            elif is_imported is not None:
                skipped.append(f"{one.cluster_id} on {one.day}: this enforcer settled that day itself")
            elif one.day >= today:
                skipped.append(f"{one.cluster_id} on {one.day}: the day is not over")
            else:
                imported.append(one)
        groups = _add_unknown_clusters(ledger, imported, names, course, term, tz, now)
        for one in imported:
            ledger.insert(
                DayRow,
                cluster_id=one.cluster_id,
                day=one.day.isoformat(),
                group_name=groups[one.cluster_id],
                used=one.used // MS,
                estimate=True,
                imported=True,
                settled_at=to_millis(now),
            ).execute()
    return ImportResult(tuple(imported), already_imported, tuple(skipped))


def _add_unknown_clusters(
    ledger: Ledger,
    days: Iterable[LegacyDay],
    names: dict[str, str],
    course: str,
    term: str,
    tz: tzinfo,
    now: datetime,
) -> dict[str, str]:
    """Add the clusters that the ledger does not know. Return the group of each cluster by id."""
    groups = {
        row.cluster_id: row.group_name or group_from_name(row.name)
        for row in ledger.select(ClusterRow, ClusterRow.cluster_id, ClusterRow.group_name, ClusterRow.name)
    }
    by_cluster: dict[str, list[date]] = {}
    for one in days:
        if one.cluster_id not in groups:
            by_cluster.setdefault(one.cluster_id, []).append(one.day)
    for id, its_days in by_cluster.items():
        name = names.get(id, id)
        groups[id] = group_from_name(name)
        ledger.insert(
            ClusterRow,
            cluster_id=id,
            name=name,
            group_name=None,
            course=course,
            term=term,
            first_seen=to_millis(day_bounds(min(its_days), tz)[0]),
            last_seen=to_millis(day_bounds(max(its_days), tz)[1]) - 1,
            # If it still exists, the next list of clusters clears this.
            gone_at=to_millis(now),
        ).execute()
    return groups
