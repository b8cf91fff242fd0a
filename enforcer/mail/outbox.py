"""The outbox: a message is stored once, and sent until the mail service accepts it.

Kind, topic, period with its first day, and limit identify a message. Its `Operation-Id` at the service is derived from
these, so that it is the same message after a crash and in a ledger restored from a backup. Before the first attempt it
is sealed: sender and copies are fixed, and from then on its bytes do not change. An attempt is recorded before it is
made. If its result is unknown, the status is checked before the message is sent again.

Nothing here sleeps: messages that cannot be sent now become due later. Times are from the lab's clock; the duration of
a run is measured with the machine's clock.
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
NOBODY = "it has no recipient"


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
    """Store a message to be sent. Return False, and change nothing, if it is already stored.

    `topic` is a cluster's id or another value that makes such a message unique: course, term and day for a report. A
    message without a recipient is stored as given up.
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
    """Return a message's id at the mail service. It includes the ledger's id, so that two ledgers never share one."""
    return str(uuid.uuid5(NAMESPACE, "\n".join([stored_messages.ledger_id(ledger), *key])))


def split_by_recipient(operation_id: str, request_body: str) -> list[tuple[str, str]]:
    """Return one message for each recipient: operation id, derived from the address, and request body."""
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
    """Yield recipients and copies of each part; only the first has copies."""
    step = RECIPIENTS_PER_MAIL - len(message.cc)
    for start in range(0, len(message.to), step):
        yield message.to[start : start + step], message.cc if start == 0 else ()


def request_body(message: Message, to: Iterable[str], cc: Iterable[str]) -> dict[str, object]:
    """Return the request body that the service expects, without the sender."""
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
    entry = {
        "name": attachment.name,
        "contentType": attachment.content_type,
        "contentInBase64": b64encode(attachment.content).decode(),
    }
    return entry | ({"contentId": attachment.content_id} if attachment.content_id else {})
