"""Mails the admin if a run crashes or cannot use the workspace, at most once per cause and hour.

The message's id at the mail service is derived from cause and hour, so that it is sent once even if the ledger, which
normally prevents duplicates, is unavailable.
"""

import json
import logging
import traceback
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta

from peewee import PeeweeException

from enforcer.domain.message_kinds import MessageKind
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
"""Minimum time for sending the message, even if the run has less time left."""


def send_crash_mail(
    settings: Settings, error: BaseException, *, now: datetime, make_mail_service: Callable[[str], MailService]
) -> None:
    """Mail the error to the admin, immediately if possible. Never raises.

    `make_mail_service` creates a mail service from the connection string.
    """
    try:
        _send(settings, error, now, make_mail_service)
    except Exception:  # noqa: BLE001 - the caller is handling an error of its own
        log.exception("the message about a crash could not be sent to the admin")


def _send(
    settings: Settings, error: BaseException, now: datetime, make_mail_service: Callable[[str], MailService]
) -> None:
    if settings.admin_email is None:
        log.error("no message is sent about this error: ADMIN_EMAIL is not set")
        return
    cause, place = crash_cause(error)
    hour = now.replace(minute=0, second=0, microsecond=0).isoformat()
    # An unusable workspace is not a crash: the error message is complete, and a traceback would hide it.
    trace = "" if isinstance(error, WorkspaceError) else "".join(traceback.format_exception(error))
    message = messages.crash(
        cause=cause, trace=trace, at=now, admin=settings.admin_email, folder=settings.mail_templates
    )
    deadline = Deadline(LEAST_BUDGET)
    try:
        with closing(open_ledger(settings.ledger_location)) as ledger:
            outbox.queue(ledger, MessageKind.CRASH, place, message, now=now, period="hour", period_start=hour)
            if settings.mail:
                send_due(
                    ledger, make_mail_service(settings.mail.connection_string), settings, now=now, deadline=deadline
                )
    except (OSError, PeeweeException) as refusal:
        # If the ledger is temporarily unavailable, the message already reports that.
        shown = None if is_temporary(refusal) else refusal
        log.warning("the message to the admin cannot be queued in the ledger; it is sent directly", exc_info=shown)
        if settings.mail:
            name = str(uuid.uuid5(NAMESPACE, "\n".join([settings.ledger_location, settings.mail.sender, place, hour])))
            payload = _payload(message, settings.mail.sender)
            if settings.mail.account:
                settings.mail.account.note_call("send", now)
            make_mail_service(settings.mail.connection_string).send(name, payload, timeout=deadline.remaining)


def crash_cause(error: BaseException) -> tuple[str, str]:
    """Return the error as one line, and a key that identifies its cause: type and source line of the exception."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "nowhere"
    name = type(error).__name__
    text = str(error) if isinstance(error, WorkspaceError) else f"{name}: {error}"
    longest = 1000 if isinstance(error, WorkspaceError) else 120
    return one_line(redact_secrets(text), longest), f"{name} {where}"[:200]


def _payload(message: Message, sender: str) -> str:
    return json.dumps({"senderAddress": sender, **outbox.request_body(message, message.to, message.cc)})
