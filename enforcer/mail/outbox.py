"""The outbox: what is to be told is written down once, and sent until the mail service has accepted it.

A message is unique by kind, what it is about, period with its first day, and limit in force. Its name at the service
(`Operation-Id`) follows from these, so that a message is the same message after a crash and in a ledger restored from a
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

from enforcer.domain.message_kinds import MessageKind
from enforcer.ledger import stored_messages
from enforcer.ledger.database import Ledger
from enforcer.mail.messages import Attachment, Message

log = logging.getLogger(__name__)

RECIPIENTS_PER_MAIL = 50
NAMESPACE = uuid.UUID("0d2a4a5e-6f0b-5b0e-9a53-3f9b1f6f3c11")
NOBODY = "nobody to send it to"


def queue(
    ledger: Ledger,
    kind: MessageKind,
    topic: str,
    message: Message,
    *,
    now: datetime,
    period: str = "",
    period_start: date | str = "",
    hard_limit: timedelta = timedelta(),
) -> bool:
    """Write a message down to be sent; False if it was written down before, which changes nothing.

    `topic` is a cluster's id, or what else makes such a message unique, such as course, term and day for a report.
    A message that has nobody to go to is kept as given up.
    """
    key = (kind.value, topic, period, str(period_start), str(hard_limit // timedelta(milliseconds=1)))
    parts = list(_parts(message)) or [((), ())]
    with ledger.atomic():
        added = 0
        for part, (to, cc) in enumerate(parts):
            added += stored_messages.add(
                ledger,
                operation_id(ledger, *key, str(part)),
                kind,
                topic,
                period=period,
                period_start=str(period_start),
                hard_limit=hard_limit,
                part=part,
                subject=message.subject,
                request_body=json.dumps(request_body(message, to, cc)),
                now=now,
                given_up=None if to else NOBODY,
            )
    if added and not message.to:
        log.error("%s: %s", message.subject, NOBODY)
    return bool(added)


def operation_id(ledger: Ledger, *key: str) -> str:
    """A message's name at the mail service. Ledgers differ in it: two that tell of the same day do not meet there."""
    return str(uuid.uuid5(NAMESPACE, "\n".join([stored_messages.ledger_id(ledger), *key])))


def split_by_recipient(operation_id: str, request_body: str) -> list[tuple[str, str]]:
    """A message as one for each of its recipients: name at the service, which follows from the address, and payload."""
    body = json.loads(request_body)
    recipients = [one for kind in ("to", "cc") for one in body["recipients"][kind]]
    return [
        (
            str(uuid.uuid5(NAMESPACE, f"{operation_id}\n{one['address']}")),
            json.dumps(body | {"recipients": {"to": [one], "cc": []}}),
        )
        for one in recipients
    ]


def _parts(message: Message) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Recipients and copies of each mail; the copies go with the first."""
    step = RECIPIENTS_PER_MAIL - len(message.cc)
    for start in range(0, len(message.to), step):
        yield message.to[start : start + step], message.cc if start == 0 else ()


def request_body(message: Message, to: Iterable[str], cc: Iterable[str]) -> dict[str, object]:
    """The message as the service takes it, without its sender."""
    body: dict[str, object] = {
        "content": {"subject": message.subject, "plainText": message.text, "html": message.html},
        "recipients": {"to": _addresses(to), "cc": _addresses(cc)},
        "replyTo": _addresses(message.reply_to),
        "attachments": [_attachment(one) for one in message.attachments],
        "userEngagementTrackingDisabled": True,
    }
    return body


def _addresses(addresses: Iterable[str]) -> list[dict[str, str]]:
    return [{"address": address} for address in addresses]


def _attachment(attachment: Attachment) -> dict[str, str]:
    told = {
        "name": attachment.name,
        "contentType": attachment.content_type,
        "contentInBase64": b64encode(attachment.content).decode(),
    }
    return told | ({"contentId": attachment.content_id} if attachment.content_id else {})
