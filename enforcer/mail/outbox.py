"""The outbox: what is to be told is written down once, and sent until the mail service has accepted it.

A letter is unique by kind, what it is about, period with its first day, and limit in force. Its name at the service
(`Operation-Id`) follows from these, so that a letter is the same letter after a crash and in a ledger restored from a
backup. Before the first attempt it is sealed: sender and copies are settled, and from then on the bytes are the same.
An attempt is noted before it is made; one whose outcome is not known is asked about before anything is sent again.

Nothing here sleeps: what cannot be done now is due later. Instants are the lab's; how long a run may take is the
machine's business.
"""

import json
import logging
import uuid
from base64 import b64encode
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from enforcer.domain.quota import Period, WarningKey
from enforcer.domain.timestamps import to_instant, to_millis
from enforcer.ledger import queries
from enforcer.ledger.models import LetterRow, database
from enforcer.mail.messages import Attachment, Letter

log = logging.getLogger(__name__)

RECIPIENTS_PER_MAIL = 50
NAMESPACE = uuid.UUID("0d2a4a5e-6f0b-5b0e-9a53-3f9b1f6f3c11")
NOBODY = "nobody to send it to"


class Kind(Enum):
    STOPPED = "stopped"
    CRASH = "crash"
    WARNING = "warning"
    GIVEN_UP = "given-up"
    DIGEST = "digest"
    REPORT = "report"

    @property
    def rank(self) -> int:
        """Lower ones are sent first."""
        return list(Kind).index(self)


def queue(
    kind: Kind,
    about: str,
    letter: Letter,
    *,
    now: datetime,
    period: str = "",
    first: date | str = "",
    limit: timedelta = timedelta(),
) -> bool:
    """Write a letter down to be sent; False if it was written down before, which changes nothing.

    `about` is a cluster's id, or what else makes such a letter unique, such as course, term and day for a report.
    A letter that has nobody to go to is kept as given up.
    """
    key = (kind.value, about, period, str(first), str(limit // timedelta(milliseconds=1)))
    parts = list(_parts(letter)) or [((), ())]
    with database.atomic():
        added = 0
        for part, (to, cc) in enumerate(parts):
            message = message_of(letter, to, cc)
            added += (
                LetterRow.insert(
                    operation_id=operation_id(*key, str(part)),
                    kind=kind.value,
                    about=about,
                    period=period,
                    first=str(first),
                    limit=limit // timedelta(milliseconds=1),
                    part=part,
                    rank=kind.rank,
                    subject=letter.subject,
                    payload=json.dumps(message),
                    queued=to_millis(now),
                    due=to_millis(now),
                    given_up=None if to else to_millis(now),
                    error=None if to else NOBODY,
                )
                .on_conflict_ignore()
                .as_rowcount()
                .execute()
            )
    if added and not letter.to:
        log.error("%s: %s", letter.subject, NOBODY)
    return bool(added)


def is_queued(
    kind: Kind, about: str, *, period: str = "", first: date | str = "", limit: timedelta = timedelta()
) -> bool:
    """Whether this letter was ever written down."""
    return (
        LetterRow.select()
        .where(
            (LetterRow.kind == kind.value)
            & (LetterRow.period == period)
            & (LetterRow.first == str(first))
            & (LetterRow.about == about)
            & (LetterRow.limit == limit // timedelta(milliseconds=1))
        )
        .exists()
    )


def told(kind: Kind, *, since: date) -> frozenset[WarningKey]:
    """The limits of which groups were told, those whose day was before `since` left out."""
    query: Any = LetterRow.select(LetterRow.about, LetterRow.period, LetterRow.first, LetterRow.limit).where(
        (LetterRow.kind == kind.value)
        & (LetterRow.part == 0)
        & ((LetterRow.period != Period.DAY.value) | (LetterRow.first >= since.isoformat()))
    )
    return frozenset(
        (about, Period(period), date.fromisoformat(first), timedelta(milliseconds=limit))
        for about, period, first, limit in query.tuples()
    )


def told_since(kind: Kind, about: str, since: datetime) -> bool:
    """Whether any letter of this kind about it was written down at this instant or after."""
    return (
        LetterRow.select()
        .where((LetterRow.kind == kind.value) & (LetterRow.about == about) & (LetterRow.queued >= to_millis(since)))
        .exists()
    )


def queued_on(kind: Kind, first: date) -> dict[str, datetime]:
    """When the first letter of this kind about this day's limit was written down, by what it is about."""
    query: Any = (
        LetterRow.select(LetterRow.about, LetterRow.queued)
        .where(
            (LetterRow.kind == kind.value)
            & (LetterRow.period == Period.DAY.value)
            & (LetterRow.first == first.isoformat())
        )
        .order_by(LetterRow.queued.desc())
    )
    return {about: to_instant(queued) for about, queued in query.tuples()}


def waiting() -> int:
    """How many letters are still to be sent."""
    count: int = LetterRow.select().where(LetterRow.accepted.is_null() & LetterRow.given_up.is_null()).count()
    return count


def operation_id(*key: str) -> str:
    """A letter's name at the mail service. Ledgers differ in it: two that tell of the same day do not meet there."""
    return str(uuid.uuid5(NAMESPACE, "\n".join([_ledger_id(), *key])))


def _ledger_id() -> str:
    known = queries.note("ledger id")
    if known is None:
        known = str(uuid.uuid4())
        queries.write_note("ledger id", known)
    return known


def _parts(letter: Letter) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Recipients and copies of each mail; the copies go with the first."""
    step = RECIPIENTS_PER_MAIL - len(letter.cc)
    for start in range(0, len(letter.to), step):
        yield letter.to[start : start + step], letter.cc if start == 0 else ()


def message_of(letter: Letter, to: Iterable[str], cc: Iterable[str]) -> dict[str, object]:
    """The message as the service takes it, without its sender."""
    message: dict[str, object] = {
        "content": {"subject": letter.subject, "plainText": letter.text, "html": letter.html},
        "recipients": {"to": _addresses(to), "cc": _addresses(cc)},
        "replyTo": _addresses(letter.reply_to),
        "attachments": [_attachment(one) for one in letter.attachments],
        "userEngagementTrackingDisabled": True,
    }
    return message


def _addresses(addresses: Iterable[str]) -> list[dict[str, str]]:
    return [{"address": address} for address in addresses]


def _attachment(attachment: Attachment) -> dict[str, str]:
    told = {
        "name": attachment.name,
        "contentType": attachment.content_type,
        "contentInBase64": b64encode(attachment.content).decode(),
    }
    return told | ({"contentId": attachment.content_id} if attachment.content_id else {})
