"""The rows of a term for its archive, one query and one type for each table."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import NamedTuple

from enforcer.domain.timestamps import from_millis, from_millis_or_none
from enforcer.ledger.database import Ledger
from enforcer.ledger.models import ActionRow, ClusterRow, DayRow, EventRow, FileRow, MessageRow, PollRow


class Day(NamedTuple):
    """A settled day of a cluster; durations in milliseconds."""

    day: date
    group: str
    cluster_id: str
    used: int
    soft: int | None
    hard: int | None
    overrun: int
    uncounted: int
    sessions: int
    estimate: bool
    imported: bool
    settled_at: datetime


def days(ledger: Ledger, cluster_ids: Iterable[str]) -> Iterator[Day]:
    rows = ledger.select(DayRow).where(DayRow.cluster_id.in_(list(cluster_ids)))
    for row in rows.order_by(DayRow.day, DayRow.group_name):
        yield Day(
            date.fromisoformat(row.day),
            row.group_name,
            row.cluster_id,
            row.used,
            row.soft,
            row.hard,
            row.overrun,
            row.uncounted,
            row.sessions,
            row.estimate,
            row.imported,
            from_millis(row.settled_at),
        )


class Action(NamedTuple):
    day: date
    group: str
    cluster_id: str
    kind: str
    reason: str
    noted_at: datetime
    done_at: datetime | None
    error: str | None


def actions(ledger: Ledger, cluster_ids: Iterable[str]) -> Iterator[Action]:
    for row in ledger.select(ActionRow).where(ActionRow.cluster_id.in_(list(cluster_ids))).order_by(ActionRow.id):
        yield Action(
            date.fromisoformat(row.day),
            row.group_name,
            row.cluster_id,
            row.kind,
            row.reason,
            from_millis(row.noted_at),
            from_millis_or_none(row.done_at),
            row.error,
        )


class Cluster(NamedTuple):
    id: str
    name: str
    first_seen: datetime
    last_seen: datetime
    gone_at: datetime | None


def clusters(ledger: Ledger, cluster_ids: Iterable[str]) -> Iterator[Cluster]:
    for row in ledger.select(ClusterRow).where(ClusterRow.cluster_id.in_(list(cluster_ids))).order_by(ClusterRow.name):
        seen = from_millis(row.first_seen), from_millis(row.last_seen)
        yield Cluster(row.cluster_id, row.name, *seen, from_millis_or_none(row.gone_at))


class Poll(NamedTuple):
    began: datetime
    ended: datetime
    failed: int
    """Number of failures in the poll."""


def polls(ledger: Ledger) -> Iterator[Poll]:
    """Yield every completed poll."""
    for row in ledger.select(PollRow).order_by(PollRow.began):
        yield Poll(from_millis(row.began), from_millis(row.ended), row.failed)


def last_poll(ledger: Ledger) -> Poll | None:
    """Return the last completed poll."""
    row = ledger.select(PollRow).order_by(PollRow.began.desc()).first()
    return Poll(from_millis(row.began), from_millis(row.ended), int(row.failed)) if row else None


class Event(NamedTuple):
    cluster_id: str
    at: datetime
    type: str
    user: str | None
    workers: int | None
    idle: int | None
    """Milliseconds."""
    failed: bool
    raw: str


def events(ledger: Ledger, cluster_ids: Iterable[str]) -> Iterator[Event]:
    query = ledger.select(EventRow).where(EventRow.cluster_id.in_(list(cluster_ids)))
    for row in query.order_by(EventRow.cluster_id, EventRow.at).iterator():
        at = from_millis(row.at)
        yield Event(row.cluster_id, at, row.type, row.user_name or None, row.workers, row.idle, row.failed, row.raw)


class Message(NamedTuple):
    kind: str
    topic: str
    period: str
    period_start: str
    hard_limit: int
    """Milliseconds."""
    subject: str
    request_body: str
    queued_at: datetime
    accepted_at: datetime | None
    given_up_at: datetime | None
    error: str | None
    operation_id: str


def messages(ledger: Ledger) -> Iterator[Message]:
    for row in ledger.select(MessageRow).order_by(MessageRow.id).iterator():
        yield Message(
            row.kind,
            row.topic,
            row.period,
            row.period_start,
            row.hard_limit,
            row.subject,
            row.request_body,
            from_millis(row.queued_at),
            from_millis_or_none(row.accepted_at),
            from_millis_or_none(row.given_up_at),
            row.error,
            row.operation_id,
        )


def settled_days(ledger: Ledger, cluster_ids: Iterable[str]) -> frozenset[date]:
    """Return the days on which one of these clusters was settled."""
    rows = ledger.select(DayRow, DayRow.day).where(DayRow.cluster_id.in_(list(cluster_ids)))
    return frozenset(date.fromisoformat(row.day) for row in rows)


def files(ledger: Ledger, folder: str) -> Iterator[tuple[str, str]]:
    """Yield path and content of the workspace files below a folder, as last read."""
    for row in ledger.select(FileRow).where(FileRow.path.startswith(f"{folder}/")).order_by(FileRow.path):
        yield row.path, row.content
