"""HTTP handlers for the mail service."""

import hashlib
import re
import uuid
from datetime import UTC, datetime
from math import ceil
from typing import Any

from emulator.api.routing import Request, Response, Routes
from emulator.mail import eml, signature
from emulator.mail.errors import MailError
from emulator.mail.messages import VERSIONS, Message, parse
from emulator.models.mail import RequestMeter, SendOperation

routes = Routes()

OPERATIONS = "/emails/operations/"
ALL_SUPPRESSED = "EmailDroppedAllRecipientsSuppressed"
POLL_SECONDS = 1
"""Retry-After for a running operation, in seconds."""


@routes.post("/emails:send", public=True)
def send(request: Request) -> Response:
    """Accept a message. Repeating an operation with the same body sends no second message; a different body causes a
    400.

    The error for a rejected recipient does not contain the address.
    """
    _check_request(request, request.workspace.state.mail.sends, "sends")
    mail = request.workspace.state.mail
    operation_id = _operation_id(request)
    digest = hashlib.sha256(request.raw).hexdigest()
    known = mail.operations.get(operation_id.lower())
    if known is None:
        addresses = parse(request.raw, request.argument("api-version") or "").addresses
        if mail.faulty_recipients(addresses, "refused"):
            raise MailError(400, "Invalid format for email address")
        accepted_messages = request.now + request.workspace.transition()
        suppressed = mail.faulty_recipients(addresses, "suppressed")
        known = SendOperation(operation_id, digest, request.body, request.now, accepted_messages, suppressed)
        mail.operations[operation_id.lower()] = known
        if request.workspace.options.mail_dir:
            eml.write(request.workspace.options.mail_dir, len(mail.operations), known)
    elif known.digest != digest:
        raise MailError(400, f"The operation {operation_id} was used for another message.")
    location = f"https://{request.headers['host']}{OPERATIONS}{known.id}?api-version={request.argument('api-version')}"
    return Response(
        202, _status_document(known, request), {"Operation-Location": location, **_retry_headers(known, request)}
    )


@routes.get(OPERATIONS + "{id}", public=True)
def status(request: Request) -> Response:
    _check_request(request, request.workspace.state.mail.statuses, "statuses")
    known = request.workspace.state.mail.operations.get(request.parameters["id"].lower())
    if known is None:
        raise MailError(404, f"Unknown operation {request.parameters['id']}.")
    return Response(200, _status_document(known, request), _retry_headers(known, request))


def _status_document(operation: SendOperation, request: Request) -> dict[str, Any]:
    error = None
    if _is_running(operation, request):
        status = "Running"
    elif set(operation.suppressed) >= set(Message.model_validate(operation.message).addresses):
        status = "Failed"
        error = {"code": ALL_SUPPRESSED, "message": "Message dropped because all recipients were suppressed."}
    else:
        status = "Succeeded"
    return {"id": operation.id, "status": status, "error": error}


def _retry_headers(operation: SendOperation, request: Request) -> dict[str, str]:
    return {"Retry-After": str(POLL_SECONDS)} if _is_running(operation, request) else {}


def _is_running(operation: SendOperation, request: Request) -> bool:
    return request.now < operation.delivered


def _check_request(request: Request, meter: RequestMeter, kind: str) -> None:
    """Check signature, API version and limits. Raises 401, 400 or 429."""
    signature.check(request, request.workspace.options.mail_key, datetime.now(UTC))
    if request.argument("api-version") not in VERSIONS:
        raise MailError(400, f"The query argument api-version is required; use one of {', '.join(VERSIONS)}.")
    limits = request.workspace.options.mail_limits
    if limits:
        allowed = getattr(limits, f"{kind}_per_minute"), getattr(limits, f"{kind}_per_hour")
        wait = meter.admit(request.now, *allowed)
        if wait:
            seconds = ceil(wait / 1000)
            text = f"{allowed[0]} {kind} a minute and {allowed[1]} an hour are allowed. Try again in {seconds} seconds."
            raise MailError(429, text, {"Retry-After": str(seconds)})


def _operation_id(request: Request) -> str:
    operation_id = request.headers.get("operation-id")
    if operation_id is None:
        return str(uuid.uuid4())
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", operation_id):
        raise MailError(400, "Operation-Id must be a GUID.")
    return operation_id


def accepted_messages(request: Request) -> list[dict[str, Any]]:
    """Return all accepted messages, oldest first, for `GET /_emulator/mail`."""
    return [_message_document(operation) for operation in request.workspace.state.mail.operations.values()]


def _message_document(operation: SendOperation) -> dict[str, Any]:
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
