"""Queries on clusters, sessions, restrictions, actions, settled days, files, notes and polls. They return types from
`domain`, never rows.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from peewee import fn

from enforcer.domain.day_records import DayTotal, PollRecord, RecordedAction
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.ownership import AcceptedCluster
from enforcer.domain.snapshot import group_from_name
from enforcer.domain.timestamps import from_millis, from_millis_or_none, to_millis
from enforcer.domain.uptime import CALLED_OFF, Observation, Restart, Session
from enforcer.ledger import starters
from enforcer.ledger.database import Ledger
from enforcer.ledger.models import (
    AcceptedClusterRow,
    ActionRow,
    ClusterRow,
    DayRow,
    FileRow,
    NoteRow,
    PollRow,
    RestrictedRow,
    SessionRow,
)
from labkit.course_file import ORIGIN


@dataclass(frozen=True)
class KnownCluster:
    id: str
    name: str
    group: str | None
    list_fingerprint: str
    events_read_to: datetime | None
    is_running: bool
    gone_at: datetime | None


# --- clusters and sessions


def clusters(ledger: Ledger) -> dict[str, KnownCluster]:
    """Return every cluster ever seen by its id."""
    return {
        row.cluster_id: KnownCluster(
            row.cluster_id,
            row.name,
            row.group_name,
            row.list_fingerprint,
            from_millis_or_none(row.events_read_to or None),
            row.is_running,
            from_millis_or_none(row.gone_at),
        )
        for row in ledger.select(ClusterRow)
    }


def clusters_of_last_course(ledger: Ledger, course: str | None, term: str | None) -> tuple[ObservedCluster, ...]:
    """Return every cluster ever seen in the course of the last poll, as last seen, sorted by name.

    If `course` or `term` names a course in the ledger, the clusters of that course are returned instead.
    """
    recent = ledger.select(ClusterRow).order_by(ClusterRow.last_seen.desc())
    meant = recent
    if course:
        meant = meant.where(ClusterRow.course == course)
    if term:
        meant = meant.where(ClusterRow.term == term)
    latest = meant.first() or recent.first()
    if latest is None:
        return ()
    query = ledger.select(ClusterRow).where(ClusterRow.course == latest.course, ClusterRow.term == latest.term)
    return tuple(
        ObservedCluster(
            id=row.cluster_id,
            name=row.name,
            group=row.group_name,
            course=row.course,
            term=row.term,
            origin=ORIGIN if row.course else "",
            observation=Observation(from_millis(row.last_seen), row.is_running),
            list_fingerprint=row.list_fingerprint,
        )
        for row in query.order_by(ClusterRow.name, ClusterRow.first_seen)
    )


def last_course(ledger: Ledger) -> tuple[str, str] | None:
    """Return course and term of the last seen cluster with a lab's tags, or None."""
    row = ledger.select(ClusterRow).where(ClusterRow.course != "").order_by(ClusterRow.last_seen.desc()).first()
    return (row.course, row.term) if row else None


def cluster_groups(ledger: Ledger, course: str, term: str) -> dict[str, str]:
    """Return the group of every cluster ever seen in a course, by cluster id; empty course and term mean no tags."""
    rows = ledger.select(ClusterRow).where((ClusterRow.course == course) & (ClusterRow.term == term))
    return {row.cluster_id: row.group_name or group_from_name(row.name) for row in rows}


def accepted_clusters(ledger: Ledger) -> dict[str, AcceptedCluster]:
    """Return all accepted clusters, by id."""
    return {
        row.cluster_id: AcceptedCluster(row.course, row.term, row.group_name, row.creator)
        for row in ledger.select(AcceptedClusterRow)
    }


def add_accepted(ledger: Ledger, found: Iterable[ObservedCluster], *, now: datetime) -> None:
    """Record that these clusters are the lab's, each with its group."""
    for cluster in found:
        place = dict(course=cluster.course, term=cluster.term, group_name=cluster.group or "")
        row = dict(cluster_id=cluster.id, **place, creator=cluster.creator or "", accepted_at=to_millis(now))
        ledger.put(AcceptedClusterRow, **row)


def delete_clusters(ledger: Ledger, cluster_ids: Iterable[str]) -> None:
    """Delete all rows about clusters that are not the lab's, so that they count for no group."""
    ids = list(cluster_ids)
    if ids:
        ledger.delete(ClusterRow).where(ClusterRow.cluster_id.in_(ids)).execute()


def sessions(
    ledger: Ledger, *, begins: datetime, ends: datetime, cluster_ids: Iterable[str] | None = None
) -> dict[str, list[Session]]:
    """Map each cluster to its sessions that overlap an interval, oldest first, with the roles of their starters."""
    where = (SessionRow.start < to_millis(ends)) & (SessionRow.end.is_null() | (SessionRow.end >= to_millis(begins)))
    if cluster_ids is not None:
        where &= SessionRow.cluster_id.in_(list(cluster_ids))
    found: dict[str, list[Session]] = {}
    query: Any = ledger.select(SessionRow).where(where).order_by(SessionRow.cluster_id, SessionRow.start)
    for cluster_id, *row in query.tuples():
        found.setdefault(cluster_id, []).append(session_of(*row))
    return starters.with_roles(ledger, found)


def clusters_with_estimates(ledger: Ledger, patience: timedelta) -> dict[str, datetime]:
    """Map each cluster with estimates that may still become exact to the start of its first such session.

    An estimate may become exact if it was less than `patience` old when the cluster's events were last read."""
    oldest = ClusterRow.events_read_to - patience // timedelta(milliseconds=1)
    query = (
        ledger.select(SessionRow, SessionRow.cluster_id, fn.MIN(SessionRow.start))
        .join(ClusterRow, on=ClusterRow.cluster_id == SessionRow.cluster_id)
        .where(SessionRow.estimate.is_null(False) & (SessionRow.estimate != CALLED_OFF))
        .where(SessionRow.end.is_null() | (SessionRow.end >= oldest))
    )
    rows: Any = query.group_by(SessionRow.cluster_id).tuples()
    return {cluster_id: from_millis(first) for cluster_id, first in rows}


def session_of(
    start: int,
    end: int | None,
    started_by: str | None,
    restarts: str,
    workers: str,
    estimate: str | None,
    last_reported: int | None,
) -> Session:
    """Return the session of a row."""
    return Session(
        from_millis(start),
        from_millis_or_none(end),
        started_by,
        tuple(Restart(from_millis(at), user) for at, user in json.loads(restarts)),
        tuple((from_millis(at), count) for at, count in json.loads(workers)),
        estimate,
        from_millis_or_none(last_reported),
    )


# --- restricted groups


def note_restricted(ledger: Ledger, cluster_id: str, group: str, *, now: datetime) -> None:
    """Record a restriction beforehand, so that the next poll checks the permission even after a crash."""
    ledger.insert(
        RestrictedRow, cluster_id=cluster_id, group_name=group, restricted_at=to_millis(now)
    ).on_conflict_ignore().execute()


def note_restored(ledger: Ledger, cluster_id: str) -> None:
    ledger.delete(RestrictedRow).where(RestrictedRow.cluster_id == cluster_id).execute()


def restricted_clusters(ledger: Ledger) -> frozenset[str]:
    """Return the ids of the clusters whose group is restricted or about to be restricted."""
    return frozenset(row.cluster_id for row in ledger.select(RestrictedRow))


# --- actions


def note_intent(
    ledger: Ledger, kind: str, cluster_id: str, group: str, *, reason: str, day: date, now: datetime
) -> int:
    """Record an action before it is carried out. Return its number for `note_outcome`."""
    row = dict(kind=kind, cluster_id=cluster_id, group_name=group, reason=reason)
    return int(ledger.insert(ActionRow, **row, day=day.isoformat(), noted_at=to_millis(now)).execute())


def note_outcome(ledger: Ledger, number: int, *, now: datetime, error: str | None = None) -> None:
    ledger.update(ActionRow, done_at=None if error else to_millis(now), error=error).where(
        ActionRow.id == number
    ).execute()


def actions_on(ledger: Ledger, day: date) -> list[RecordedAction]:
    """Return the actions of a local day in order, including failed ones."""
    return [
        RecordedAction(
            row.kind,
            row.cluster_id,
            row.group_name,
            row.reason,
            from_millis(row.noted_at),
            from_millis_or_none(row.done_at),
            row.error,
        )
        for row in ledger.select(ActionRow)
        .where(ActionRow.day == day.isoformat())
        .order_by(ActionRow.noted_at, ActionRow.id)
    ]


def action_counts(ledger: Ledger) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many actions were carried out, and how many failed, by kind."""
    rows = ledger.rows("SELECT kind, COUNT(done_at), COUNT(error) FROM action GROUP BY kind")
    return {kind: done for kind, done, _ in rows}, {kind: failed for kind, _, failed in rows}


# --- settled days


def settle(ledger: Ledger, totals: Iterable[DayTotal], *, now: datetime) -> None:
    """Store the totals of a day. Existing settled totals do not change.

    Only an imported total is replaced, if sessions of the day are known.
    """
    ms = timedelta(milliseconds=1)
    with ledger.atomic():
        for total in totals:
            if total.used or total.uncounted:
                day = (DayRow.cluster_id == total.cluster_id) & (DayRow.day == total.day.isoformat())
                ledger.delete(DayRow).where(day & DayRow.imported).execute()
            ledger.insert(
                DayRow,
                cluster_id=total.cluster_id,
                day=total.day.isoformat(),
                group_name=total.group,
                used=total.used // ms,
                soft=None if total.soft is None else total.soft // ms,
                hard=None if total.hard is None else total.hard // ms,
                overrun=total.overrun // ms,
                uncounted=total.uncounted // ms,
                sessions=total.sessions,
                estimate=total.estimate,
                settled_at=to_millis(now),
            ).on_conflict_ignore().execute()


def settle_again(ledger: Ledger, totals: Iterable[DayTotal], *, now: datetime) -> None:
    """Correct settled totals. Days that are not settled or were imported do not change."""
    with ledger.atomic():
        for total in totals:
            day = (DayRow.cluster_id == total.cluster_id) & (DayRow.day == total.day.isoformat()) & ~DayRow.imported
            if ledger.delete(DayRow).where(day).execute():
                settle(ledger, [total], now=now)


def settled(ledger: Ledger, day: date) -> dict[str, DayTotal]:
    """Return the settled total of each cluster on a day."""
    ms = timedelta(milliseconds=1)
    return {
        row.cluster_id: DayTotal(
            row.cluster_id,
            day,
            row.group_name,
            row.used * ms,
            None if row.soft is None else row.soft * ms,
            None if row.hard is None else row.hard * ms,
            row.overrun * ms,
            row.uncounted * ms,
            row.sessions,
            row.estimate,
            row.imported,
        )
        for row in ledger.select(DayRow).where(DayRow.day == day.isoformat())
    }


def settled_usage(ledger: Ledger, *, since: date) -> dict[tuple[str, date], timedelta]:
    """Return the settled use of each cluster on each day from `since` on, by cluster id and day."""
    query = ledger.select(DayRow, DayRow.cluster_id, DayRow.day, DayRow.used).where(DayRow.day >= since.isoformat())
    days: dict[str, date] = {}
    found = {}
    for cluster_id, day, used in query.tuples():
        if day not in days:
            days[day] = date.fromisoformat(day)
        found[cluster_id, days[day]] = timedelta(milliseconds=used)
    return found


def last_settled_day(ledger: Ledger) -> date | None:
    """Return the last settled day, even if nothing ran on it."""
    noted = note(ledger, "settled")
    return date.fromisoformat(noted) if noted else None


# --- files of the workspace, notes, polls


def stored_file(ledger: Ledger, path: str) -> tuple[str, str] | None:
    """Return version and content of a workspace file as last read."""
    rows = ledger.rows("SELECT version, content FROM file WHERE path = ?", path)
    return rows[0] if rows else None


def store_file(ledger: Ledger, path: str, version: str, content: str) -> None:
    ledger.put(FileRow, path=path, version=version, content=content)


def note(ledger: Ledger, name: str) -> str | None:
    rows = ledger.rows("SELECT value FROM note WHERE name = ?", name)
    return rows[0][0] if rows else None


def write_note(ledger: Ledger, name: str, value: str) -> None:
    ledger.put(NoteRow, name=name, value=value)


def record_poll(ledger: Ledger, *, began: datetime, ended: datetime, failed: int, calls: dict[str, int]) -> None:
    ledger.put(PollRow, began=to_millis(began), ended=to_millis(ended), failed=failed, calls=json.dumps(calls))


def polls_between(ledger: Ledger, begins: datetime, ends: datetime) -> list[datetime]:
    """Return the start times of completed polls between two instants, excluding `ends`."""
    query = (
        ledger.select(PollRow)
        .where(PollRow.began.between(to_millis(begins), to_millis(ends) - 1))
        .order_by(PollRow.began)
    )
    return [from_millis(row.began) for row in query]


def poll_records(ledger: Ledger, *, since: datetime) -> list[PollRecord]:
    """Return the completed polls that began at an instant or later, oldest first."""
    rows = ledger.rows("SELECT began, ended, failed FROM poll WHERE began >= ? ORDER BY began", to_millis(since))
    return [PollRecord(from_millis(began), from_millis(ended), failed) for began, ended, failed in rows]


def first_poll(ledger: Ledger) -> datetime | None:
    return from_millis_or_none(ledger.select(PollRow, fn.MIN(PollRow.began)).scalar())


def last_poll(ledger: Ledger) -> datetime | None:
    return from_millis_or_none(ledger.select(PollRow, fn.MAX(PollRow.began)).scalar())


def last_poll_record(ledger: Ledger) -> PollRecord | None:
    """Return the last completed poll."""
    row = ledger.select(PollRow).order_by(PollRow.began.desc()).first()
    return (
        PollRecord(from_millis(row.began), from_millis(row.ended), row.failed, json.loads(row.calls)) if row else None
    )


def poll_totals(ledger: Ledger) -> tuple[int, int]:
    """Return the number of completed polls, and of the problems that they reported."""
    ((count, failed),) = ledger.rows("SELECT COUNT(*), COALESCE(SUM(failed), 0) FROM poll")
    return int(count), int(failed)
