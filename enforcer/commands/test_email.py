"""`test-email`: sends one message and reports its final status."""

import json
import sys
import time
import uuid
from datetime import datetime, timedelta

import click

from enforcer.commands import context
from enforcer.ledger.stored_messages import note_call
from enforcer.mail import messages
from enforcer.mail.mail_service import MailService, SendResult, SendStatus
from enforcer.mail.outbox import request_body
from enforcer.operations.supervise import mail_service
from enforcer.settings import MailSettings, Settings, is_address
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped, quoted

CALL_TIMEOUT = timedelta(seconds=20)
PAUSES = (1, 2, 4, 8, 12)
"""Seconds between two status checks; the last value repeats. Azure allows ten checks a minute for a managed domain."""


@click.command(
    "test-email",
    epilog="""
    \b
    Examples:
      python -m enforcer test-email
      python -m enforcer test-email --to dana@campus.example.ac.il
      python -m enforcer test-email --json
    """,
)
@click.option("--to", "recipient", metavar="ADDRESS", help="The recipient. [default: ADMIN_EMAIL]")
@click.option(
    "--wait",
    default=120.0,
    show_default=True,
    type=cli.FloatParamType(1, 3600, unit="seconds"),
    help="Seconds to wait for the final status.",
)
@cli.json_option
def command(recipient: str | None, wait: float, as_json: bool) -> None:
    """Send one message and wait for its final status from Azure.

    Exits 0 if the message was delivered, 1 if it was refused or has no final status yet, 2 for invalid settings.
    Reports which setting is invalid if possible.
    """
    settings = context.settings()
    if settings.mail is None:
        cli.fail(
            "AZURE_EMAIL_CONNECTION_STRING is missing; mail needs it (or AZURE_EMAIL_ENDPOINT and "
            "AZURE_EMAIL_ACCESS_KEY), and AZURE_EMAIL_SENDER."
        )
    to = recipient or settings.admin_email
    if not to:
        cli.fail("ADMIN_EMAIL is missing; set it, or use --to ADDRESS.")
    if not is_address(to):
        raise click.BadParameter(f"{quoted(to)} is not a valid e-mail address", param_hint="'--to'")
    raise SystemExit(send_one(settings, settings.mail, to, seconds=wait, now=cli.now(), as_json=as_json))


def send_one(
    settings: Settings, mail: MailSettings, to: str, *, seconds: float, now: datetime, as_json: bool = False
) -> int:
    """Send the message and return the exit status."""
    message = messages.test(to=to, at=now, sender=mail.sender, folder=settings.mail_templates)
    payload = json.dumps({"senderAddress": mail.sender, **request_body(message, message.to, message.cc)})
    operation_id, service = str(uuid.uuid4()), mail_service(settings)
    with context.ledger_of(settings) as ledger:
        # The service counts this call, so polls must count it, too.
        note_call(ledger, "send", now)
    result = service.send(operation_id, payload, timeout=CALL_TIMEOUT)
    if result.status is SendStatus.ACCEPTED:
        print(f"accepted as operation {operation_id}; waiting for its final status", file=sys.stderr)
        result = _await_final_status(service, operation_id, seconds)
    is_delivered = result.status is SendStatus.ACCEPTED and result.is_final
    text = f"delivered to {to} from {mail.sender}" if is_delivered else _explained(result, mail)
    if as_json:
        document = {
            "operation_id": operation_id,
            "to": to,
            "sender": mail.sender,
            "delivered": is_delivered,
            "message": text,
        }
        cli.print_json(document)
    else:
        print(escaped(text), file=sys.stdout if is_delivered else sys.stderr)
    return exit_status.DONE if is_delivered else exit_status.PARTLY_FAILED


def _await_final_status(service: MailService, operation_id: str, seconds: float) -> SendResult:
    """Return the final status, or the latest one when the time is over. Only this function waits."""
    ends = time.monotonic() + seconds
    tried = 0
    while True:
        result = service.status(operation_id, timeout=CALL_TIMEOUT)
        pause = max(
            PAUSES[min(tried, len(PAUSES) - 1)], result.retry_after.total_seconds() if result.retry_after else 0
        )
        if result.is_final or time.monotonic() + pause > ends:
            return result
        time.sleep(pause)
        tried += 1


def _explained(result: SendResult, mail: MailSettings) -> str:
    """Return the result as a message, with advice on what to do."""
    match result.status:
        case SendStatus.ACCEPTED:
            return f"no final status yet ({result.text}); the message may still arrive"
        case SendStatus.BUSY:
            return f"{result.text}; wait, and set MAIL_SENDS_PER_MINUTE and MAIL_SENDS_PER_HOUR to the allowed rates"
        case SendStatus.REFUSED if result.concerns_all:
            return (
                f"{result.text}; check AZURE_EMAIL_ENDPOINT, AZURE_EMAIL_ACCESS_KEY and AZURE_EMAIL_CONNECTION_STRING"
            )
        case SendStatus.UNKNOWN:
            return f"{result.text}; check AZURE_EMAIL_ENDPOINT and the network"
        case _:
            return f"{result.text}; check that {mail.sender} is a sender of this resource, and the recipient's address"
