"""A run that ends unexpectedly, or cannot use the workspace: the admin is told, once for each cause and hour.

The message's name at the mail service follows from cause and hour, so that it is one message even if the ledger, which
would otherwise know, is what does not work.
"""

import json
import logging
import traceback
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta

from peewee import PeeweeException

from enforcer.domain.message_kinds import Kind
from enforcer.ledger.database import open_ledger
from enforcer.ledger.lock import is_temporary
from enforcer.mail import messages, outbox
from enforcer.mail.mail_service import MailService
from enforcer.mail.messages import Message
from enforcer.mail.outbox import NAMESPACE
from enforcer.mail.sender import send_due
from enforcer.settings import Settings
from enforcer.workspace.errors import WorkspaceError
from labkit.clock import Deadline
from labkit.text import one_line, redact_secrets

log = logging.getLogger(__name__)

LEAST_BUDGET = timedelta(seconds=10)
"""However late the crash came, so much time the message gets."""


def tell(
    settings: Settings, error: BaseException, *, now: datetime, make_carrier: Callable[[str], MailService]
) -> None:
    """Mail the admin what happened, at once where that is possible. Never raises.

    `make_carrier` makes one of the connection string.
    """
    try:
        _tell(settings, error, now, make_carrier)
    except Exception:  # noqa: BLE001 - whoever calls has a crash of its own to end with
        log.exception("the admin could not be told of a crash")


def _tell(settings: Settings, error: BaseException, now: datetime, make_carrier: Callable[[str], MailService]) -> None:
    if settings.admin is None:
        log.error("nobody gets a mail about this: ADMIN_EMAIL is not set")
        return
    cause, place = connection_failure(error)
    hour = now.replace(minute=0, second=0, microsecond=0).isoformat()
    # A workspace that cannot be used is no crash: its sentence says all, and a traceback would hide it.
    trace = "" if isinstance(error, WorkspaceError) else "".join(traceback.format_exception(error))
    message = messages.crash(cause=cause, trace=trace, at=now, admin=settings.admin, folder=settings.mail_templates)
    deadline = Deadline(LEAST_BUDGET)
    try:
        with closing(open_ledger(settings.ledger)) as ledger:
            outbox.queue(ledger, Kind.CRASH, place, message, now=now, period="hour", period_start=hour)
            if settings.mail:
                send_due(ledger, make_carrier(settings.mail.connection_string), settings, now=now, deadline=deadline)
    except (OSError, PeeweeException) as refusal:
        # What is wrong with a ledger that does not work at the moment is what the message is about.
        shown = None if is_temporary(refusal) else refusal
        log.warning("the ledger does not take the message to the admin; it is sent directly", exc_info=shown)
        if settings.mail:
            name = str(uuid.uuid5(NAMESPACE, "\n".join([settings.ledger, settings.mail.sender, place, hour])))
            payload = _payload(message, settings.mail.sender)
            make_carrier(settings.mail.connection_string).send(name, payload, timeout=deadline.remaining)


def connection_failure(error: BaseException) -> tuple[str, str]:
    """What happened as a line, and what makes it the same cause: the kind of error and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "nowhere"
    name = type(error).__name__
    said = str(error) if isinstance(error, WorkspaceError) else f"{name}: {error}"
    longest = 1000 if isinstance(error, WorkspaceError) else 120
    return one_line(redact_secrets(said), longest), f"{name} {where}"[:200]


def _payload(message: Message, sender: str) -> str:
    return json.dumps({"senderAddress": sender, **outbox.request_body(message, message.to, message.cc)})
