"""Stores what a poll saw: clusters, their events, and the sessions computed from the events.

Sessions are computed again only for clusters with new events, and only back to the last exact session before these:
later events cannot change what comes before the end of an exact session. The SQL is written out, the same for SQLite
and PostgreSQL, because peewee needs more time to build a statement than a database to run it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from enforcer.domain.observations import ObservedCluster, RawEvent
from enforcer.domain.timestamps import from_millis, from_millis_or_none, to_millis, to_millis_or_none
from enforcer.domain.uptime import (
    LAUNCH_EVENTS,
    RUNTIME_FAILURES,
    Event,
    Observation,
    Session,
    Timeline,
    close_open_session,
    reconcile,
    timeline_of,
)
from enforcer.ledger import starters
from enforcer.ledger.database import Ledger
from enforcer.ledger.models import ANONYMISED_BEFORE, ClusterRow
from enforcer.ledger.queries import note, session_of

GONE = "the cluster no longer exists; it ended when it was last seen running"
BEGINNINGS = LAUNCH_EVENTS | {"RUNNING", "RESTARTING"}
"""An event of this type in the millisecond of an end may belong to the next session."""
STARTS = LAUNCH_EVENTS | {"RESTARTING"}
"""Types of events that contain the user who started or restarted the cluster."""

OBSERVE = """
    INSERT INTO cluster (cluster_id, name, group_name, course, term, list_fingerprint, events_read_to, first_seen,
        last_seen, last_running, last_started, last_terminated, is_running, gone_at)
    VALUES (?, ?, ?, ?, ?, '', 0, ?, ?, ?, ?, ?, ?, NULL)
    ON CONFLICT (cluster_id) DO UPDATE SET name = excluded.name, group_name = excluded.group_name,
        course = excluded.course, term = excluded.term, last_seen = excluded.last_seen,
        last_running = COALESCE(excluded.last_running, cluster.last_running), last_started = excluded.last_started,
        last_terminated = excluded.last_terminated, is_running = excluded.is_running, gone_at = NULL"""
READ = "UPDATE cluster SET list_fingerprint = ?, events_read_to = ? WHERE cluster_id = ?"
KNOWN_EVENTS = "SELECT at, type, user_name FROM event WHERE cluster_id = ? AND at BETWEEN ? AND ?"
ADD_EVENT = """
    INSERT INTO event (cluster_id, at, type, user_name, workers, idle, failed, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING"""
EVENTS = """
    SELECT at, type, user_name, workers, idle, failed, CASE WHEN failed THEN raw END
    FROM event WHERE cluster_id = ? AND at >= ? ORDER BY at"""
SESSION = 'start, "end", started_by, restarts, workers, estimate, last_reported'
LAST_SESSION = f"SELECT {SESSION} FROM session WHERE cluster_id = ? ORDER BY start DESC LIMIT 1"
LAST_EXACT_SESSION = f"""
    SELECT {SESSION} FROM session WHERE cluster_id = ? AND "end" < ? AND estimate IS NULL ORDER BY start DESC LIMIT 1"""
SESSIONS = f"SELECT {SESSION} FROM session WHERE cluster_id = ? AND start > ?"
PUT_SESSION = f"""
    INSERT INTO session (cluster_id, {SESSION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (cluster_id, start) DO UPDATE SET "end" = excluded."end", started_by = excluded.started_by,
        restarts = excluded.restarts, workers = excluded.workers, estimate = excluded.estimate,
        last_reported = excluded.last_reported"""
DROP_SESSION = "DELETE FROM session WHERE cluster_id = ? AND start = ?"
UNREAD = "there was no time to read all events; it ended at the last one that was read"
CUT = "cut"
"""Stored instead of the list's times: the events were read in part."""
EVER = 2**62
"""A time in milliseconds that is later than any instant."""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class EventBatch:
    """Events of one cluster that were read together."""

    cluster_id: str
    events: Sequence[RawEvent]
    list_fingerprint: str
    """The cluster's times in the list when the events were read."""
    is_cut: bool = False
    """Whether later events were not read; the next poll continues after the last of these."""


def observe(ledger: Ledger, seen: Iterable[ObservedCluster], *, now: datetime) -> None:
    """Store the clusters in a cluster list."""
    at = to_millis(now)
    rows = [
        (
            cluster.id,
            cluster.name,
            cluster.group,
            cluster.course,
            cluster.term,
            at,
            at,
            at if cluster.observation.running else None,
            to_millis_or_none(cluster.observation.started),
            to_millis_or_none(cluster.observation.terminated),
            cluster.observation.running,
        )
        for cluster in seen
    ]
    with ledger.atomic():
        ledger.each(OBSERVE, rows)


def add_events(ledger: Ledger, batches: Iterable[EventBatch], *, read_to: datetime) -> None:
    """Store these events and update the sessions of their clusters, which were observed before.

    The events are complete up to `read_to`. Repeating the call changes nothing. Events from the anonymised period are
    ignored, because they would bring names back.
    """
    batches = list(batches)
    anonymised = int(note(ledger, ANONYMISED_BEFORE) or 0)
    with ledger.atomic():
        clusters = _clusters(ledger, [batch.cluster_id for batch in batches])
        added: list[Row] = []
        due: list[tuple[Any, int]] = []
        for batch in batches:
            new, cluster = _new_events(ledger, batch, anonymised), clusters[batch.cluster_id]
            added += new
            if (
                new
                or batch.is_cut
                or cluster.list_fingerprint != batch.list_fingerprint
                or not _is_up_to_date(ledger, cluster)
            ):
                due.append((cluster, min((at for _, at, *_ in new), default=EVER)))
        ledger.each(ADD_EVENT, added)
        starters.add(ledger, [(id, at, user) for id, at, type, user, *_ in added if user and type in STARTS])
        _rebuild(ledger, due, cut=frozenset(batch.cluster_id for batch in batches if batch.is_cut))
        ledger.each(READ, [_progress(batch, clusters[batch.cluster_id], read_to) for batch in batches])


def _progress(batch: EventBatch, cluster: Any, read_to: datetime) -> Row:
    """Return the parameters of `READ`, which record up to when a cluster's events were read."""
    if not batch.is_cut:
        return batch.list_fingerprint, to_millis(read_to), batch.cluster_id
    last = max((to_millis(raw_event.event.at) for raw_event in batch.events), default=0)
    return CUT, min(max(last, cluster.events_read_to), to_millis(read_to)), batch.cluster_id


def rebuild(ledger: Ledger, cluster_id: str, *, since: int = EVER) -> None:
    """Compute a cluster's sessions again, after its events changed from `since` (milliseconds) on."""
    with ledger.atomic():
        _rebuild(ledger, [(cluster, since) for cluster in _clusters(ledger, [cluster_id]).values()])


def mark_gone(ledger: Ledger, cluster_id: str, *, now: datetime) -> None:
    """Record that the workspace no longer has the cluster. Its open session ends when it was last seen running."""
    with ledger.atomic():
        ledger.update(ClusterRow, gone_at=to_millis(now), is_running=False).where(
            (ClusterRow.cluster_id == cluster_id) & ClusterRow.gone_at.is_null()
        ).execute()
        rebuild(ledger, cluster_id)


def events(ledger: Ledger, cluster_id: str, since: int = 0) -> tuple[Event, ...]:
    """Return the events of a cluster in order, from `since` (milliseconds) on."""
    return tuple(
        Event(
            from_millis(at),
            type,
            user or None,
            workers,
            None if idle is None else timedelta(milliseconds=idle),
            bool(failed),
            raw is not None and _may_have_run(raw),
        )
        for at, type, user, workers, idle, failed, raw in ledger.rows(EVENTS, cluster_id, since)
    )


def _may_have_run(raw: str) -> bool:
    """Return whether the failure in a termination event can also end running clusters; False if anonymised."""
    details = json.loads(raw).get("details")
    reason = details.get("reason") if isinstance(details, dict) else None
    return isinstance(reason, dict) and reason.get("code") in RUNTIME_FAILURES


def _clusters(ledger: Ledger, ids: Iterable[str]) -> dict[str, Any]:
    return {row.cluster_id: row for row in ledger.select(ClusterRow).where(ClusterRow.cluster_id.in_(list(ids)))}


def _new_events(ledger: Ledger, batch: EventBatch, begins: int) -> list[Row]:
    """Return rows for the events from an instant on that are not stored yet."""
    rows = {
        (to_millis(event.at), event.type, event.user or ""): (
            event.workers,
            None if event.idle is None else event.idle // timedelta(milliseconds=1),
            event.failed,
            raw_event.raw,
        )
        for raw_event in batch.events
        for event in [raw_event.event]
        if to_millis(event.at) >= begins
    }
    if not rows:
        return []
    known = set(ledger.rows(KNOWN_EVENTS, batch.cluster_id, min(rows)[0], max(rows)[0]))
    return [(batch.cluster_id, *key, *rest) for key, rest in rows.items() if key not in known]


def _is_up_to_date(ledger: Ledger, cluster: Any) -> bool:
    """Return whether the sessions are up to date if no event is new and the times in the list are the same."""
    last = ledger.rows(LAST_SESSION, cluster.cluster_id)
    if not last:
        return not cluster.is_running
    session = session_of(*last[0])
    return session.estimate is None and (session.end is None) == cluster.is_running


def _rebuild(ledger: Ledger, due: Iterable[tuple[Any, int]], *, cut: frozenset[str] = frozenset()) -> None:
    """Recompute the sessions of these clusters that events from an instant on can change.

    `cut` are the clusters whose later events were not read.
    """
    put: list[Row] = []
    dropped: list[Row] = []
    for cluster, since in due:
        before, told = _told(ledger, cluster.cluster_id, since)
        stored = {row[0]: session_of(*row) for row in ledger.rows(SESSIONS, cluster.cluster_id, before)}
        kept = {
            to_millis(session.start): session
            for session in _reconciled(cluster, told, is_cut=cluster.cluster_id in cut)
        }
        dropped += [(cluster.cluster_id, start) for start in stored.keys() - kept.keys()]
        # Only differences are written: a poll changes the last session of many clusters.
        put += [
            (cluster.cluster_id, *_row(session))
            for start, session in kept.items()
            if start > before and (stored.get(start) != session or stored[start].last_reported != session.last_reported)
        ]
    ledger.each(DROP_SESSION, dropped)
    ledger.each(PUT_SESSION, put)


def _told(ledger: Ledger, cluster_id: str, since: int) -> tuple[int, Timeline]:
    """Return the start of the last exact session before an instant, and the sessions from there on."""
    for row in ledger.rows(LAST_EXACT_SESSION, cluster_id, since):
        exact = session_of(*row)
        at_its_end: list[Event] = []
        later: list[Event] = []
        for event in events(ledger, cluster_id, row[1]):
            (later if event.at != exact.end else at_its_end).append(event)
        if BEGINNINGS.isdisjoint(event.type for event in at_its_end):
            told = timeline_of(later)
            if_running = None if told.sessions_if_running is None else (exact, *told.sessions_if_running)
            return row[0], Timeline(
                (exact, *told.sessions),
                told.launching_since,
                told.last_event or exact.end,
                if_running,
                told.failed_launch,
            )
    return -1, timeline_of(events(ledger, cluster_id))


def _reconciled(cluster: Any, told: Timeline, *, is_cut: bool = False) -> tuple[Session, ...]:
    last_running = from_millis_or_none(cluster.last_running)
    if cluster.gone_at is not None:
        return close_open_session(told.sessions_if_running or told.sessions, last_running, GONE)
    now = Observation(
        from_millis(cluster.last_seen),
        cluster.is_running,
        from_millis_or_none(cluster.last_started),
        from_millis_or_none(cluster.last_terminated),
    )
    if is_cut and now.started and (told.last_event is None or told.last_event < now.started):
        # The events end before the start of the session in the list, so the session before it is over.
        told = replace(
            told,
            sessions=close_open_session(told.sessions_if_running or told.sessions, None, UNREAD),
            sessions_if_running=None,
        )
    earlier = () if last_running is None else (Observation(last_running, running=True),)
    return reconcile(told, (*earlier, now))


def _row(session: Session) -> Row:
    return (
        to_millis(session.start),
        to_millis_or_none(session.end),
        session.started_by,
        json.dumps([[to_millis(restart.at), restart.user] for restart in session.restarts]),
        json.dumps([[to_millis(at), count] for at, count in session.workers]),
        session.estimate,
        to_millis_or_none(session.last_reported),
    )
