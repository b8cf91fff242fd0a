"""The letters of the outbox and the calls to the mail service, as the ledger keeps them. Queries by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from peewee import fn

from enforcer.domain.message_kinds import OF_LIMITS, Kind, Notice
from enforcer.domain.quota import Period
from enforcer.domain.timestamps import instant_or_none, to_instant, to_millis
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.ledger.models import LEDGER_ID, LetterRow, MailCallRow

MS = timedelta(milliseconds=1)
PARTS_ALONE = 1000
"""Parts of a letter that was refused are numbered from here on: more than one mail has recipients."""
SPLIT = "refused, so it is sent to each recipient alone"
UNTRUE = "a later letter made it untrue"
NEVER_FINAL = "accepted, but the mail service gave no final status within a day"
LetterKey = tuple[str, Period, date, timedelta]
"""Of a mail about a limit: cluster, period, its first day, hard limit."""


@dataclass(frozen=True)
class StoredLetter:
    """A letter of the outbox."""

    id: int
    operation_id: str
    kind: Kind
    subject: str
    payload: str
    """The message as JSON."""
    queued: datetime
    sealed: datetime | None
    """When sender and copies were settled."""
    attempts: int
    is_unclear: bool
    """The outcome of the last attempt is unknown."""
    last_failure: datetime | None
    failing: timedelta
    """For how long attempts have failed."""
    error: str | None


def ledger_id(ledger: Ledger) -> str:
    """A name of the ledger's own, which it has from the beginning."""
    known = queries.note(ledger, LEDGER_ID)
    assert known, "a step of migrations.py writes it"
    return known


# --- writing down


def add(
    ledger: Ledger,
    operation_id: str,
    kind: Kind,
    about: str,
    *,
    period: str,
    first: str,
    limit: timedelta,
    part: int,
    subject: str,
    payload: str,
    now: datetime,
    given_up: str | None,
) -> bool:
    """Write one mail down to be sent, or to be kept as given up for a reason; False if it was written down before."""
    query = ledger.insert(
        LetterRow,
        operation_id=operation_id,
        kind=kind.value,
        about=about,
        period=period,
        first=first,
        limit=limit // MS,
        part=part,
        rank=kind.rank,
        subject=subject,
        payload=payload,
        queued=to_millis(now),
        due=to_millis(now),
        given_up=to_millis(now) if given_up else None,
        error=given_up,
    )
    return bool(query.on_conflict_ignore().as_rowcount().execute())


def is_queued(ledger: Ledger, kind: Kind, about: str, *, period: str, first: str, limit: timedelta) -> bool:
    """Whether this letter was ever written down."""
    is_it = (
        (LetterRow.kind == kind.value)
        & (LetterRow.period == period)
        & (LetterRow.first == first)
        & (LetterRow.about == about)
        & (LetterRow.limit == limit // MS)
    )
    return bool(ledger.select(LetterRow).where(is_it).exists())


def told(ledger: Ledger, kind: Kind, *, since: date) -> frozenset[LetterKey]:
    """The limits that were told of, those whose day was before `since` left out."""
    query = ledger.select(LetterRow, LetterRow.about, LetterRow.period, LetterRow.first, LetterRow.limit).where(
        (LetterRow.kind == kind.value)
        & (LetterRow.part == 0)
        & ((LetterRow.period != Period.DAY.value) | (LetterRow.first >= since.isoformat()))
    )
    return frozenset(
        (about, Period(period), date.fromisoformat(first), timedelta(milliseconds=limit))
        for about, period, first, limit in query.tuples()
    )


def told_since(ledger: Ledger, kind: Kind, about: str, since: datetime) -> bool:
    """Whether any letter of this kind about it was written down at this instant or after."""
    is_it = (LetterRow.kind == kind.value) & (LetterRow.about == about) & (LetterRow.queued >= to_millis(since))
    return bool(ledger.select(LetterRow).where(is_it).exists())


def take_back(ledger: Ledger, kind: Kind, about: str, *, keep: Iterable[LetterKey]) -> int:
    """Delete mails of this kind about a cluster that no attempt was made to send, but for those to keep; how many.

    `keep` are limits, whatever they are of. What is deleted may be written again once it is true.
    """
    kept = {(period.value, first.isoformat(), limit // MS) for _, period, first, limit in keep}
    unsent = (LetterRow.attempts == 0) & _waits()
    rows = ledger.select(LetterRow).where((LetterRow.kind == kind.value) & (LetterRow.about == about) & unsent)
    ids = [row.id for row in rows if (row.period, row.first, row.limit) not in kept]
    ledger.delete(LetterRow).where(LetterRow.id.in_(ids)).execute()
    return len(ids)


# --- sending


def _waits() -> Any:
    return LetterRow.accepted.is_null() & LetterRow.given_up.is_null()


def waiting(ledger: Ledger) -> int:
    """How many letters are still to be sent."""
    return int(ledger.select(LetterRow).where(_waits()).count())


def first_due(ledger: Ledger, *, only_unclear: bool = False) -> datetime | None:
    """When the first letter that waits is due; None: there is none."""
    which = _waits() & LetterRow.is_unclear if only_unclear else _waits()
    return instant_or_none(ledger.select(LetterRow, fn.MIN(LetterRow.due)).where(which).scalar())


def due(ledger: Ledger, *, now: datetime, put_off: datetime) -> list[tuple[int, bool]]:
    """The letters that are due, the most urgent first: id, and whether its last outcome is unknown.

    One that is due later than `put_off` counts as due.
    """
    is_due = (LetterRow.due <= to_millis(now)) | (LetterRow.due > to_millis(put_off))
    query = ledger.select(LetterRow, LetterRow.id, LetterRow.is_unclear).where(_waits() & is_due)
    return [(row.id, row.is_unclear) for row in query.order_by(LetterRow.rank, LetterRow.id)]


def letter(ledger: Ledger, id: int) -> StoredLetter:
    return letters(ledger, [id])[0]


def letters(ledger: Ledger, ids: Iterable[int]) -> list[StoredLetter]:
    """By id."""
    return [_stored(row) for row in ledger.select(LetterRow).where(LetterRow.id.in_(list(ids))).order_by(LetterRow.id)]


def _stored(row: Any) -> StoredLetter:
    return StoredLetter(
        row.id,
        row.operation_id,
        Kind(row.kind),
        row.subject,
        row.payload,
        to_instant(row.queued),
        instant_or_none(row.sealed),
        row.attempts,
        row.is_unclear,
        instant_or_none(row.last_failure),
        row.failing * MS,
        row.error,
    )


def seal(ledger: Ledger, id: int, payload: str, *, now: datetime, has_copy: bool, wants_digest: bool) -> None:
    """Keep the bytes that are sent from now on, and whether the admin's copy is among the recipients."""
    _update(ledger, id, payload=payload, sealed=to_millis(now), has_copy=has_copy, wants_digest=wants_digest)


def note_attempt(ledger: Ledger, id: int) -> None:
    """Before a letter is sent: whatever happens then, its outcome is unknown."""
    _update(ledger, id, attempts=LetterRow.attempts + 1, is_unclear=True)


def note_question(ledger: Ledger, id: int) -> None:
    """A question what became of it is an attempt, too."""
    _update(ledger, id, attempts=LetterRow.attempts + 1)


def note_accepted(ledger: Ledger, id: int, *, now: datetime, is_final: bool, asked: datetime) -> None:
    """The service has it. Unless that is final, it is asked at `asked` what became of it."""
    final = to_millis(now) if is_final else None
    _update(ledger, id, accepted=to_millis(now), final=final, due=to_millis(asked), is_unclear=False, error=None)


def note_missing(ledger: Ledger, id: int) -> None:
    """It is certain that it was never accepted."""
    _update(ledger, id, is_unclear=False)


def put_off(ledger: Ledger, id: int, until: datetime) -> None:
    _update(ledger, id, due=to_millis(until))


def put_off_unsent(ledger: Ledger, id: int, until: datetime, error: str) -> None:
    """It was certainly not accepted."""
    _update(ledger, id, due=to_millis(until), is_unclear=False, error=error)


def note_failure(
    ledger: Ledger, id: int, error: str, *, now: datetime, failing: timedelta, until: datetime, is_unclear: bool
) -> None:
    """An attempt failed, and another is due at `until`."""
    _update(
        ledger,
        id,
        is_unclear=is_unclear,
        last_failure=to_millis(now),
        failing=failing // MS,
        due=to_millis(until),
        error=error,
    )


def note_refused(ledger: Ledger, id: int, *, now: datetime) -> None:
    """The service refused it, and it cannot be sent to fewer people."""
    _update(ledger, id, refused=to_millis(now))


def refused(ledger: Ledger) -> list[int]:
    """The letters that the service refused although it accepted another one then or later: they are at fault."""
    latest = ledger.select(LetterRow, fn.MAX(LetterRow.accepted)).scalar() or 0
    query = ledger.select(LetterRow, LetterRow.id).where(_waits() & (LetterRow.refused <= latest))
    return [row.id for row in query.order_by(LetterRow.id)]


def split(ledger: Ledger, letter: StoredLetter, alone: Iterable[tuple[str, str]], *, now: datetime) -> list[int]:
    """Replace a sealed letter by these, which are pairs of name at the service and payload; return their ids."""
    row = ledger.select(LetterRow).where(LetterRow.id == letter.id).get()
    with ledger.atomic():
        ids = []
        for number, (name, payload) in enumerate(alone, start=1):
            query = ledger.insert(
                LetterRow,
                operation_id=name,
                kind=row.kind,
                about=row.about,
                period=row.period,
                first=row.first,
                limit=row.limit,
                part=(row.part + 1) * PARTS_ALONE + number,
                rank=row.rank,
                subject=row.subject,
                payload=payload,
                queued=row.queued,
                sealed=row.sealed,
                due=to_millis(now),
            )
            ids.append(int(query.execute()))
        _update(ledger, letter.id, given_up=to_millis(now), is_unclear=False, error=SPLIT)
        return ids


def _update(ledger: Ledger, id: int, **changes: object) -> None:
    ledger.update(LetterRow, **changes).where(LetterRow.id == id).execute()


def give_up(ledger: Ledger, ids: Iterable[int], *, now: datetime) -> None:
    ledger.update(LetterRow, given_up=to_millis(now)).where(LetterRow.id.in_(list(ids))).execute()


# --- what is no longer true


def waiting_notices(ledger: Ledger) -> dict[int, Notice]:
    """The messages about limits that are still to be sent, by id."""
    return _notices(ledger, _waits())


def later_notices(ledger: Ledger, waiting: Iterable[Notice]) -> list[Notice]:
    """All messages about the same clusters that were written after the first of these, whatever became of them."""
    waiting = list(waiting)
    since = min((to_millis(one.queued) for one in waiting), default=0)
    about = LetterRow.about.in_({one.about for one in waiting})
    return [*_notices(ledger, about & (LetterRow.queued > since)).values()] if waiting else []


def _notices(ledger: Ledger, which: Any) -> dict[int, Notice]:
    columns = (LetterRow.id, LetterRow.kind, LetterRow.about, LetterRow.period, LetterRow.first, LetterRow.queued)
    rows = ledger.select(LetterRow, *columns).where(which & LetterRow.kind.in_([kind.value for kind in OF_LIMITS]))
    return {
        row.id: Notice(Kind(row.kind), row.about, row.period, row.first, to_instant(row.queued))
        for row in rows.order_by(LetterRow.id)
    }


def drop(ledger: Ledger, ids: Iterable[int], *, now: datetime) -> None:
    """They are never sent, because later ones made them untrue."""
    ledger.update(LetterRow, given_up=to_millis(now), error=UNTRUE).where(LetterRow.id.in_(list(ids))).execute()


def dropped(ledger: Ledger, *, since: datetime) -> int:
    """How many were dropped since an instant."""
    is_it = (LetterRow.error == UNTRUE) & (LetterRow.given_up >= to_millis(since))
    return int(ledger.select(LetterRow).where(is_it).count())


# --- what became of accepted letters


def _is_open() -> Any:
    return LetterRow.accepted.is_null(False) & LetterRow.final.is_null() & LetterRow.given_up.is_null()


def undelivered(ledger: Ledger, *, now: datetime, put_off: datetime) -> list[int]:
    """The accepted letters without a final status that are due to be asked about, by when they are due.

    One that is due later than `put_off` counts as due.
    """
    is_due = (LetterRow.due <= to_millis(now)) | (LetterRow.due > to_millis(put_off))
    query = ledger.select(LetterRow, LetterRow.id).where(_is_open() & is_due)
    return [row.id for row in query.order_by(LetterRow.due, LetterRow.id)]


def note_final(ledger: Ledger, id: int, *, now: datetime, error: str | None = None) -> None:
    """It is known what became of an accepted letter."""
    _update(ledger, id, final=to_millis(now), error=error)


def ask_no_more(ledger: Ledger, *, accepted_before: datetime, now: datetime) -> int:
    """Letters that were accepted that long ago are not asked about any more; how many there are."""
    which = _is_open() & (LetterRow.accepted <= to_millis(accepted_before))
    return int(ledger.update(LetterRow, final=to_millis(now), error=NEVER_FINAL).where(which).execute())


# --- copies and digests


def copies_between(ledger: Ledger, begins: datetime, ends: datetime) -> int:
    """How many letters were sealed with the admin's copy, `ends` excluded."""
    within = LetterRow.sealed.between(to_millis(begins), to_millis(ends) - 1)
    return int(ledger.select(LetterRow).where(LetterRow.has_copy & within).count())


def without_copy(ledger: Ledger, *, before: datetime) -> list[tuple[int, datetime, str]]:
    """Letters sealed without the admin's copy that no digest tells of yet: id, when it was sealed, subject."""
    query = ledger.select(LetterRow, LetterRow.id, LetterRow.sealed, LetterRow.subject)
    rows = query.where(LetterRow.wants_digest & (LetterRow.sealed < to_millis(before)))
    return [(row.id, to_instant(row.sealed), row.subject) for row in rows.order_by(LetterRow.sealed, LetterRow.id)]


def note_digest(ledger: Ledger, ids: Iterable[int]) -> None:
    """A digest tells of these letters."""
    ledger.update(LetterRow, wants_digest=False).where(LetterRow.id.in_(list(ids))).execute()


# --- calls to the mail service


def note_call(ledger: Ledger, kind: str, at: datetime) -> None:
    """A call that the service counts; `kind` is `send` or `status`."""
    ledger.insert(MailCallRow, at=to_millis(at), kind=kind).execute()


def calls_since(ledger: Ledger, kind: str, since: datetime) -> list[datetime]:
    """When the calls after an instant were made, the latest first."""
    is_it = (MailCallRow.kind == kind) & (MailCallRow.at > to_millis(since))
    return [to_instant(row.at) for row in ledger.select(MailCallRow).where(is_it).order_by(MailCallRow.at.desc())]


def count_calls_since(ledger: Ledger, kind: str, since: datetime) -> int:
    """How many calls were made after an instant."""
    is_it = (MailCallRow.kind == kind) & (MailCallRow.at > to_millis(since))
    return int(ledger.select(MailCallRow).where(is_it).count())


def forget_calls(ledger: Ledger, *, up_to: datetime, after: datetime) -> None:
    """Forget the calls up to an instant, and those after another."""
    is_it = (MailCallRow.at <= to_millis(up_to)) | (MailCallRow.at > to_millis(after))
    ledger.delete(MailCallRow).where(is_it).execute()


# --- holding all mail back

HELD = "mail held until"


def held_until(ledger: Ledger) -> datetime | None:
    """Before this instant nothing is sent; None: mail was never held back."""
    held = queries.note(ledger, HELD)
    return to_instant(int(held)) if held else None


def hold_until(ledger: Ledger, until: datetime) -> None:
    queries.write_note(ledger, HELD, str(to_millis(until)))
