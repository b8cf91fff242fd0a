"""HTTP of the mail service."""

import hashlib
import re
import uuid
from datetime import UTC, datetime
from math import ceil
from typing import Any

from emulator.api.routing import Call, Reply, Routes
from emulator.mail import eml, signature
from emulator.mail.errors import MailError
from emulator.mail.messages import VERSIONS, Message, parse
from emulator.models.mail import Meter, Operation

routes = Routes()

OPERATIONS = "/emails/operations/"
ALL_SUPPRESSED = "EmailDroppedAllRecipientsSuppressed"
POLL_SECONDS = 1
"""What it asks a client to wait between two looks at an operation's status."""


@routes.post("/emails:send", open=True)
def send(call: Call) -> Reply:
    """Accept a letter. The same operation with the same body is one letter, with another body 400.

    A refusal because of a recipient does not name the address.
    """
    _admit(call, call.workspace.state.mail.sends, "sends")
    mail = call.workspace.state.mail
    operation_id = _operation_id(call)
    digest = hashlib.sha256(call.raw).hexdigest()
    known = mail.operations.get(operation_id.lower())
    if known is None:
        addresses = parse(call.raw, call.argument("api-version") or "").addresses
        if mail.faulty(addresses, "refused"):
            raise MailError(400, "Invalid format for email address")
        delivered = call.now + call.workspace.transition()
        suppressed = mail.faulty(addresses, "suppressed")
        known = Operation(operation_id, digest, call.body, call.now, delivered, suppressed)
        mail.operations[operation_id.lower()] = known
        if call.workspace.options.mail_dir:
            eml.write(call.workspace.options.mail_dir, len(mail.operations), known)
    elif known.digest != digest:
        raise MailError(400, f"The operation {operation_id} was used for another message.")
    location = f"https://{call.headers['host']}{OPERATIONS}{known.id}?api-version={call.argument('api-version')}"
    return Reply(202, _told(known, call), {"Operation-Location": location, **_wait(known, call)})


@routes.get(OPERATIONS + "{id}", open=True)
def status(call: Call) -> Reply:
    _admit(call, call.workspace.state.mail.statuses, "statuses")
    known = call.workspace.state.mail.operations.get(call.parameters["id"].lower())
    if known is None:
        raise MailError(404, f"There is no operation {call.parameters['id']}.")
    return Reply(200, _told(known, call), _wait(known, call))


def _told(operation: Operation, call: Call) -> dict[str, Any]:
    error = None
    if _is_under_way(operation, call):
        status = "Running"
    elif set(operation.suppressed) >= set(Message.model_validate(operation.message).addresses):
        status = "Failed"
        error = {"code": ALL_SUPPRESSED, "message": "Message dropped because all recipients were suppressed."}
    else:
        status = "Succeeded"
    return {"id": operation.id, "status": status, "error": error}


def _wait(operation: Operation, call: Call) -> dict[str, str]:
    return {"Retry-After": str(POLL_SECONDS)} if _is_under_way(operation, call) else {}


def _is_under_way(operation: Operation, call: Call) -> bool:
    return call.now < operation.delivered


def _admit(call: Call, meter: Meter, kind: str) -> None:
    """Raises 401 without a valid signature, 400 without a known API version, 429 beyond the limits."""
    signature.check(call, call.workspace.options.mail_key, datetime.now(UTC))
    if call.argument("api-version") not in VERSIONS:
        raise MailError(400, f"The query argument api-version is required; there are {', '.join(VERSIONS)}.")
    limits = call.workspace.options.mail_limits
    if limits:
        allowed = getattr(limits, f"{kind}_per_minute"), getattr(limits, f"{kind}_per_hour")
        wait = meter.wait(call.now, *allowed)
        if wait:
            seconds = ceil(wait / 1000)
            text = f"{allowed[0]} {kind} a minute and {allowed[1]} an hour are allowed. Try again in {seconds} seconds."
            raise MailError(429, text, {"Retry-After": str(seconds)})


def _operation_id(call: Call) -> str:
    told = call.headers.get("operation-id")
    if told is None:
        return str(uuid.uuid4())
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", told):
        raise MailError(400, "Operation-Id must be a GUID.")
    return told


def delivered(call: Call) -> list[dict[str, Any]]:
    """Every letter that was accepted, oldest first: for `GET /_emulator/mail`."""
    return [_letter(operation) for operation in call.workspace.state.mail.operations.values()]


def _letter(operation: Operation) -> dict[str, Any]:
    message = Message.model_validate(operation.message)
    return {
        "operation_id": operation.id,
        "to": [one.address for one in message.recipients.to],
        "cc": [one.address for one in message.recipients.cc],
        "suppressed": operation.suppressed,
        "subject": message.content.subject,
        "text": message.content.plain_text,
        "html": message.content.html,
        "attachments": [
            {
                "name": one.name,
                "content_type": one.content_type,
                "content_id": one.content_id,
                "content_in_base64": one.content_in_base64,
            }
            for one in message.attachments
        ],
    }
