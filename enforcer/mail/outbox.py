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

from enforcer.domain.message_kinds import Kind
from enforcer.ledger import letters
from enforcer.ledger.database import Ledger
from enforcer.mail.messages import Attachment, Letter

log = logging.getLogger(__name__)

RECIPIENTS_PER_MAIL = 50
NAMESPACE = uuid.UUID("0d2a4a5e-6f0b-5b0e-9a53-3f9b1f6f3c11")
NOBODY = "nobody to send it to"


def queue(
    ledger: Ledger,
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
    with ledger.atomic():
        added = 0
        for part, (to, cc) in enumerate(parts):
            added += letters.add(
                ledger,
                operation_id(ledger, *key, str(part)),
                kind,
                about,
                period=period,
                first=str(first),
                limit=limit,
                part=part,
                subject=letter.subject,
                payload=json.dumps(message_of(letter, to, cc)),
                now=now,
                given_up=None if to else NOBODY,
            )
    if added and not letter.to:
        log.error("%s: %s", letter.subject, NOBODY)
    return bool(added)


def operation_id(ledger: Ledger, *key: str) -> str:
    """A letter's name at the mail service. Ledgers differ in it: two that tell of the same day do not meet there."""
    return str(uuid.uuid5(NAMESPACE, "\n".join([letters.ledger_id(ledger), *key])))


def to_each_alone(operation_id: str, payload: str) -> list[tuple[str, str]]:
    """A message as one for each of its recipients: name at the service, which follows from the address, and payload."""
    message = json.loads(payload)
    recipients = [one for kind in ("to", "cc") for one in message["recipients"][kind]]
    return [
        (
            str(uuid.uuid5(NAMESPACE, f"{operation_id}\n{one['address']}")),
            json.dumps(message | {"recipients": {"to": [one], "cc": []}}),
        )
        for one in recipients
    ]


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
