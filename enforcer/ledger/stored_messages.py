"""Queries on the messages in the outbox and the calls to the mail service."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from peewee import fn

from enforcer.domain.message_kinds import LIMIT_KINDS, FailedMessage, LimitMessage, MessageKind
from enforcer.domain.quota import Period
from enforcer.domain.timestamps import from_millis, from_millis_or_none, to_millis
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger, opened_unchanged
from enforcer.ledger.models import LEDGER_ID, MailCallRow, MessageRow

MS = timedelta(milliseconds=1)
FIRST_SPLIT_PART = 1000
"""First part number of a refused message that is sent to each recipient alone; greater than all other part numbers."""
SPLIT = "refused, so it is sent to each recipient alone"
UNTRUE = "a later message made it untrue"
NEVER_FINAL = "accepted, but the mail service gave no final status within a day"
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
LimitKey = tuple[str, Period, date, timedelta]
"""Identifies a message about a limit: cluster, period, its first day, hard limit."""


@dataclass(frozen=True)
class StoredMessage:
    """A message in the outbox."""

    id: int
    operation_id: str
    kind: MessageKind
    subject: str
    request_body: str
    """JSON."""
    queued: datetime
    sealed: datetime | None
    """When sender and copies were fixed."""
    attempts: int
    is_outcome_unknown: bool
    """Whether the result of the last attempt is unknown."""
    last_failure: datetime | None
    failing: timedelta
    """For how long attempts have failed."""
    error: str | None


def ledger_id(ledger: Ledger) -> str:
    """Return the ledger's own id."""
    known = queries.note(ledger, LEDGER_ID)
    assert known, "a step of migrations.py adds it"
    return known


# --- queueing


def add(
    ledger: Ledger,
    operation_id: str,
    kind: MessageKind,
    topic: str,
    *,
    period: str,
    period_start: str,
    hard_limit: timedelta,
    part: int,
    subject: str,
    request_body: str,
    now: datetime,
    given_up: str | None,
) -> bool:
    """Store one message to be sent, or as given up for a reason. Return False if it is already stored."""
    query = ledger.insert(
        MessageRow,
        operation_id=operation_id,
        kind=kind.value,
        topic=topic,
        period=period,
        period_start=period_start,
        hard_limit=hard_limit // MS,
        part=part,
        rank=kind.rank,
        subject=subject,
        request_body=request_body,
        queued_at=to_millis(now),
        due_at=to_millis(now),
        given_up_at=to_millis(now) if given_up else None,
        error=given_up,
    )
    return bool(query.on_conflict_ignore().as_rowcount().execute())


def is_queued(
    ledger: Ledger, kind: MessageKind, topic: str, *, period: str, period_start: str, hard_limit: timedelta
) -> bool:
    """Return whether this message was ever stored."""
    matches = (
        (MessageRow.kind == kind.value)
        & (MessageRow.period == period)
        & (MessageRow.period_start == period_start)
        & (MessageRow.topic == topic)
        & (MessageRow.hard_limit == hard_limit // MS)
    )
    return bool(ledger.select(MessageRow).where(matches).exists())


def notified_limits(ledger: Ledger, kind: MessageKind, *, since: date) -> frozenset[LimitKey]:
    """Return the limits that have a message of this kind, except limits of days before `since`."""
    query = ledger.select(
        MessageRow, MessageRow.topic, MessageRow.period, MessageRow.period_start, MessageRow.hard_limit
    ).where(
        (MessageRow.kind == kind.value)
        & (MessageRow.part == 0)
        & ((MessageRow.period != Period.DAY.value) | (MessageRow.period_start >= since.isoformat()))
    )
    return frozenset(
        (topic, Period(period), date.fromisoformat(start), timedelta(milliseconds=limit))
        for topic, period, start, limit in query.tuples()
    )


def was_queued_since(ledger: Ledger, kind: MessageKind, topic: str, since: datetime) -> bool:
    """Return whether a message of this kind and topic was stored at an instant or later."""
    matches = (MessageRow.kind == kind.value) & (MessageRow.topic == topic) & (MessageRow.queued_at >= to_millis(since))
    return bool(ledger.select(MessageRow).where(matches).exists())


def delete_unsent(ledger: Ledger, kind: MessageKind, topic: str, *, keep: Iterable[LimitKey]) -> int:
    """Delete messages about a cluster that were never attempted, and return their number.

    Messages about the limits in `keep` stay. A deleted message may be stored again if it becomes true.
    """
    kept = {(period.value, first.isoformat(), limit // MS) for _, period, first, limit in keep}
    unsent = (MessageRow.attempts == 0) & _is_waiting()
    rows = ledger.select(MessageRow).where((MessageRow.kind == kind.value) & (MessageRow.topic == topic) & unsent)
    ids = [row.id for row in rows if (row.period, row.period_start, row.hard_limit) not in kept]
    ledger.delete(MessageRow).where(MessageRow.id.in_(ids)).execute()
    return len(ids)


# --- sending


def _is_waiting() -> Any:
    return MessageRow.accepted_at.is_null() & MessageRow.given_up_at.is_null()


def waiting_count(ledger: Ledger) -> int:
    """Return the number of pending messages."""
    return int(ledger.select(MessageRow).where(_is_waiting()).count())


def first_due(ledger: Ledger, *, only_unknown: bool = False) -> datetime | None:
    """Return when the first pending message is due, or None."""
    which = _is_waiting() & MessageRow.is_outcome_unknown if only_unknown else _is_waiting()
    return from_millis_or_none(ledger.select(MessageRow, fn.MIN(MessageRow.due_at)).where(which).scalar())


def due(ledger: Ledger, *, now: datetime, put_off: datetime) -> list[tuple[int, bool]]:
    """Return the due messages, the most urgent first: the id, and whether the result of the last attempt is unknown.

    A message that is due after `put_off` counts as due.
    """
    is_due = (MessageRow.due_at <= to_millis(now)) | (MessageRow.due_at > to_millis(put_off))
    query = ledger.select(MessageRow, MessageRow.id, MessageRow.is_outcome_unknown).where(_is_waiting() & is_due)
    return [(row.id, row.is_outcome_unknown) for row in query.order_by(MessageRow.rank, MessageRow.id)]


def failed_messages(ledger: Ledger, *, since: datetime) -> list[FailedMessage]:
    """Return the messages that were given up or never delivered since an instant, and the pending ones whose last
    attempt failed, oldest first. Messages that were superseded or sent in parts did not fail.
    """
    given_up = (MessageRow.given_up_at >= to_millis(since)) & MessageRow.error.not_in([SPLIT, UNTRUE])
    undelivered = (MessageRow.final_at >= to_millis(since)) & MessageRow.error.is_null(False)
    failing = _is_waiting() & MessageRow.last_failed_at.is_null(False)
    rows = ledger.select(MessageRow).where(given_up | undelivered | failing).order_by(MessageRow.id)
    return [
        FailedMessage(
            MessageKind(row.kind),
            row.topic,
            from_millis(row.queued_at),
            row.attempts,
            row.given_up_at is not None or row.final_at is not None,
            row.error or "",
        )
        for row in rows
    ]


def message(ledger: Ledger, id: int) -> StoredMessage:
    return messages(ledger, [id])[0]


def messages(ledger: Ledger, ids: Iterable[int]) -> list[StoredMessage]:
    """Return the messages with these ids, in the order of their ids."""
    return [
        _stored(row) for row in ledger.select(MessageRow).where(MessageRow.id.in_(list(ids))).order_by(MessageRow.id)
    ]


def _stored(row: Any) -> StoredMessage:
    return StoredMessage(
        row.id,
        row.operation_id,
        MessageKind(row.kind),
        row.subject,
        row.request_body,
        from_millis(row.queued_at),
        from_millis_or_none(row.sealed_at),
        row.attempts,
        row.is_outcome_unknown,
        from_millis_or_none(row.last_failed_at),
        row.failing_for * MS,
        row.error,
    )


def seal(ledger: Ledger, id: int, request_body: str, *, now: datetime, has_copy: bool, needs_digest: bool) -> None:
    """Store the bytes to send in every attempt, and whether the admin gets a copy."""
    _update(
        ledger, id, request_body=request_body, sealed_at=to_millis(now), has_copy=has_copy, needs_digest=needs_digest
    )


def note_attempt(ledger: Ledger, id: int) -> None:
    """Record an attempt before it is made; its result is unknown until it is stored."""
    _update(ledger, id, attempts=MessageRow.attempts + 1, is_outcome_unknown=True)


def note_status_check(ledger: Ledger, id: int) -> None:
    """Count a status check as an attempt."""
    _update(ledger, id, attempts=MessageRow.attempts + 1)


def note_accepted(ledger: Ledger, id: int, *, now: datetime, is_final: bool, next_check: datetime) -> None:
    """Record that the service accepted the message. Unless its status is final, it is checked at `next_check`."""
    final = to_millis(now) if is_final else None
    _update(
        ledger,
        id,
        accepted_at=to_millis(now),
        final_at=final,
        due_at=to_millis(next_check),
        is_outcome_unknown=False,
        error=None,
    )


def note_missing(ledger: Ledger, id: int) -> None:
    """Record that the message was certainly never accepted."""
    _update(ledger, id, is_outcome_unknown=False)


def put_off(ledger: Ledger, id: int, until: datetime) -> None:
    _update(ledger, id, due_at=to_millis(until))


def put_off_unsent(ledger: Ledger, id: int, until: datetime, error: str) -> None:
    """Postpone a message that was certainly not accepted."""
    _update(ledger, id, due_at=to_millis(until), is_outcome_unknown=False, error=error)


def note_failure(
    ledger: Ledger, id: int, error: str, *, now: datetime, failing: timedelta, until: datetime, is_outcome_unknown: bool
) -> None:
    """Record a failed attempt; the next one is due at `until`."""
    _update(
        ledger,
        id,
        is_outcome_unknown=is_outcome_unknown,
        last_failed_at=to_millis(now),
        failing_for=failing // MS,
        due_at=to_millis(until),
        error=error,
    )


def note_refused(ledger: Ledger, id: int, *, now: datetime) -> None:
    """Record that the service refused a message with a single recipient."""
    _update(ledger, id, refused_at=to_millis(now))


def refused(ledger: Ledger) -> list[int]:
    """Return the messages that were refused for their content: the service accepted another message then or later."""
    latest = ledger.select(MessageRow, fn.MAX(MessageRow.accepted_at)).scalar() or 0
    query = ledger.select(MessageRow, MessageRow.id).where(_is_waiting() & (MessageRow.refused_at <= latest))
    return [row.id for row in query.order_by(MessageRow.id)]


def split(ledger: Ledger, message: StoredMessage, parts: Iterable[tuple[str, str]], *, now: datetime) -> list[int]:
    """Replace a sealed message by several ones, given as pairs of operation id and request body. Return their ids."""
    row = ledger.select(MessageRow).where(MessageRow.id == message.id).get()
    with ledger.atomic():
        ids = []
        for number, (name, request_body) in enumerate(parts, start=1):
            query = ledger.insert(
                MessageRow,
                operation_id=name,
                kind=row.kind,
                topic=row.topic,
                period=row.period,
                period_start=row.period_start,
                hard_limit=row.hard_limit,
                part=(row.part + 1) * FIRST_SPLIT_PART + number,
                rank=row.rank,
                subject=row.subject,
                request_body=request_body,
                queued_at=row.queued_at,
                sealed_at=row.sealed_at,
                due_at=to_millis(now),
            )
            ids.append(int(query.execute()))
        _update(ledger, message.id, given_up_at=to_millis(now), is_outcome_unknown=False, error=SPLIT)
        return ids


def _update(ledger: Ledger, id: int, **changes: object) -> None:
    ledger.update(MessageRow, **changes).where(MessageRow.id == id).execute()


def give_up(ledger: Ledger, ids: Iterable[int], *, now: datetime) -> None:
    ledger.update(MessageRow, given_up_at=to_millis(now)).where(MessageRow.id.in_(list(ids))).execute()


# --- numbers of messages


def waiting_by_kind(ledger: Ledger) -> dict[MessageKind, int]:
    """Return the number of pending messages of each kind that has some."""
    return _by_kind(ledger, _is_waiting())


def undelivered_by_kind(ledger: Ledger, begins: datetime = EARLIEST, ends: datetime = LATEST) -> dict[MessageKind, int]:
    """Return the number of messages that were given up or not delivered between two instants, excluding `ends`, of each
    kind that has some.

    Messages that were superseded, sent in parts, or accepted without a final status did not fail.
    """
    first, last = to_millis(begins), to_millis(ends) - 1
    given_up = MessageRow.given_up_at.between(first, last) & MessageRow.error.not_in([SPLIT, UNTRUE])
    undelivered = MessageRow.final_at.between(first, last) & (MessageRow.error != NEVER_FINAL)
    return _by_kind(ledger, given_up | undelivered)


def _by_kind(ledger: Ledger, which: Any) -> dict[MessageKind, int]:
    query = ledger.select(MessageRow, MessageRow.kind, fn.COUNT(MessageRow.id)).where(which).group_by(MessageRow.kind)
    return {MessageKind(kind): number for kind, number in query.tuples()}


def oldest_waiting(ledger: Ledger) -> datetime | None:
    """Return when the oldest pending message was queued."""
    return from_millis_or_none(ledger.select(MessageRow, fn.MIN(MessageRow.queued_at)).where(_is_waiting()).scalar())


# --- superseded messages


def waiting_notices(ledger: Ledger) -> dict[int, LimitMessage]:
    """Return the pending messages about limits by id."""
    return _notices(ledger, _is_waiting())


def later_notices(ledger: Ledger, waiting: Iterable[LimitMessage]) -> list[LimitMessage]:
    """Return all messages about the same clusters that were stored after the first of these, sent or not."""
    waiting = list(waiting)
    since = min((to_millis(one.queued_at) for one in waiting), default=0)
    same_topic = MessageRow.topic.in_({one.about for one in waiting})
    return [*_notices(ledger, same_topic & (MessageRow.queued_at > since)).values()] if waiting else []


def _notices(ledger: Ledger, which: Any) -> dict[int, LimitMessage]:
    columns = (
        MessageRow.id,
        MessageRow.kind,
        MessageRow.topic,
        MessageRow.period,
        MessageRow.period_start,
        MessageRow.queued_at,
    )
    rows = ledger.select(MessageRow, *columns).where(which & MessageRow.kind.in_([kind.value for kind in LIMIT_KINDS]))
    return {
        row.id: LimitMessage(MessageKind(row.kind), row.topic, row.period, row.period_start, from_millis(row.queued_at))
        for row in rows.order_by(MessageRow.id)
    }


def drop(ledger: Ledger, ids: Iterable[int], *, now: datetime) -> None:
    """Give up these messages, because later ones made them untrue."""
    ledger.update(MessageRow, given_up_at=to_millis(now), error=UNTRUE).where(MessageRow.id.in_(list(ids))).execute()


def dropped(ledger: Ledger, *, since: datetime) -> int:
    """Return the number of messages dropped since an instant."""
    matches = (MessageRow.error == UNTRUE) & (MessageRow.given_up_at >= to_millis(since))
    return int(ledger.select(MessageRow).where(matches).count())


# --- status of accepted messages


def _is_open() -> Any:
    return MessageRow.accepted_at.is_null(False) & MessageRow.final_at.is_null() & MessageRow.given_up_at.is_null()


def due_status_checks(ledger: Ledger, *, now: datetime, put_off: datetime) -> list[int]:
    """Return the accepted messages whose status check is due, in the order in which they are due.

    A check that is due after `put_off` counts as due.
    """
    is_due = (MessageRow.due_at <= to_millis(now)) | (MessageRow.due_at > to_millis(put_off))
    query = ledger.select(MessageRow, MessageRow.id).where(_is_open() & is_due)
    return [row.id for row in query.order_by(MessageRow.due_at, MessageRow.id)]


def note_final(ledger: Ledger, id: int, *, now: datetime, error: str | None = None) -> None:
    """Record the final status of an accepted message."""
    _update(ledger, id, final_at=to_millis(now), error=error)


def end_status_checks(ledger: Ledger, *, accepted_before: datetime, now: datetime) -> int:
    """Stop checking the status of messages accepted up to an instant. Return their number."""
    which = _is_open() & (MessageRow.accepted_at <= to_millis(accepted_before))
    return int(ledger.update(MessageRow, final_at=to_millis(now), error=NEVER_FINAL).where(which).execute())


# --- copies and digests


def copies_between(ledger: Ledger, begins: datetime, ends: datetime) -> int:
    """Return the number of messages sealed with the admin's copy between two instants, excluding `ends`."""
    within = MessageRow.sealed_at.between(to_millis(begins), to_millis(ends) - 1)
    return int(ledger.select(MessageRow).where(MessageRow.has_copy & within).count())


def without_copy(ledger: Ledger, *, before: datetime) -> list[tuple[int, datetime, str]]:
    """Return the messages sealed without the admin's copy that no digest lists yet: id, time of sealing, subject."""
    query = ledger.select(MessageRow, MessageRow.id, MessageRow.sealed_at, MessageRow.subject)
    rows = query.where(MessageRow.needs_digest & (MessageRow.sealed_at < to_millis(before)))
    return [
        (row.id, from_millis(row.sealed_at), row.subject) for row in rows.order_by(MessageRow.sealed_at, MessageRow.id)
    ]


def note_digest(ledger: Ledger, ids: Iterable[int]) -> None:
    """Record that a digest lists these messages."""
    ledger.update(MessageRow, needs_digest=False).where(MessageRow.id.in_(list(ids))).execute()


# --- calls to the mail service


def note_call(ledger: Ledger, kind: str, at: datetime) -> None:
    """Record a call that counts against the service's limits; `kind` is `send` or `status`."""
    ledger.insert(MailCallRow, at=to_millis(at), kind=kind).execute()


def calls_since(ledger: Ledger, kind: str, since: datetime) -> list[datetime]:
    """Return the times of the calls after an instant, the latest first."""
    matches = (MailCallRow.kind == kind) & (MailCallRow.at > to_millis(since))
    return [from_millis(row.at) for row in ledger.select(MailCallRow).where(matches).order_by(MailCallRow.at.desc())]


def count_calls_since(ledger: Ledger, kind: str, since: datetime) -> int:
    """Return the number of calls after an instant."""
    matches = (MailCallRow.kind == kind) & (MailCallRow.at > to_millis(since))
    return int(ledger.select(MailCallRow).where(matches).count())


def recorded_calls(place: str, since: datetime) -> list[tuple[str, datetime]]:
    """Return kind and time of the calls in the ledger at a location after an instant, without changing the ledger.

    A ledger that does not exist has none. Raises OSError, ValueError or peewee.PeeweeException if it cannot be read.
    """
    with opened_unchanged(place) as ledger:
        if ledger is None or not ledger.database.table_exists(MailCallRow._meta.table_name):
            return []
        rows = ledger.select(MailCallRow).where(MailCallRow.at > to_millis(since))
        return [(row.kind, from_millis(row.at)) for row in rows]


def forget_calls(ledger: Ledger, *, up_to: datetime, after: datetime) -> None:
    """Delete the calls up to one instant and after another."""
    matches = (MailCallRow.at <= to_millis(up_to)) | (MailCallRow.at > to_millis(after))
    ledger.delete(MailCallRow).where(matches).execute()


# --- pause of all sending

HELD = "mail held until"


def held_until(ledger: Ledger) -> datetime | None:
    """Return the instant before which nothing is sent; None if sending was never paused."""
    held = queries.note(ledger, HELD)
    return from_millis(int(held)) if held else None


def hold_until(ledger: Ledger, until: datetime) -> None:
    queries.write_note(ledger, HELD, str(to_millis(until)))
