"""`mail-staff`: sends a text to the staff."""

import hashlib
import sys
from datetime import timedelta
from typing import TextIO

import click

from enforcer.commands import context
from enforcer.domain.message_kinds import MessageKind
from enforcer.ledger.lock import ledger_lock
from enforcer.mail import messages, outbox
from enforcer.mail.sender import send_due
from enforcer.operations.supervise import mail_service
from labkit import exit_status
from labkit.clock import Deadline
from labkit.extras import cli
from labkit.text import escaped

BUDGET = timedelta(seconds=30)


@click.command(
    "mail-staff",
    epilog="""
    \b
    Examples:
      python -m enforcer mail-staff --subject "Roster" changes.txt
      python cdktf/import_roster.py groups.csv --out r.csv | python -m enforcer mail-staff --subject "Roster"
    """,
)
@click.option("--subject", required=True, help="The subject.")
@click.argument("text", type=click.File("r", encoding="utf-8", errors="replace"), default="-")
def command(subject: str, text: TextIO) -> None:
    """Send TEXT, a file or by default the standard input, to REPORT_RECIPIENT_EMAIL.

    The message is stored in the outbox and sent at once if no poll is running, else by the next poll. The same text is
    sent once a day. Exits 0 if it is sent or waits to be sent, 1 if a message in the outbox failed, 2 for invalid
    settings or an empty text.
    """
    settings = context.settings()
    if not settings.report_recipients:
        cli.fail("REPORT_RECIPIENT_EMAIL and ADMIN_EMAIL are missing; set one of them.")
    content = text.read()
    if not content.strip():
        cli.fail("the text is empty, so nothing was sent.")
    now = cli.now()
    message = messages.staff_note(
        title=subject, text=content, to=settings.report_recipients, folder=settings.mail_templates
    )
    topic = hashlib.sha256(f"{subject}\n{content}".encode(errors="replace")).hexdigest()
    with context.ledger_of(settings) as ledger, ledger_lock(settings.ledger_location) as is_alone:
        outbox.queue(ledger, MessageKind.STAFF_NOTE, topic, message, now=now, period_start=now.date())
        if not is_alone:
            print("a poll is running; the next one sends the message")
            return
        summary = send_due(ledger, mail_service(settings), settings, now=now, deadline=Deadline(BUDGET))
    for failure in summary.failures:
        print(escaped(failure), file=sys.stderr)
    print(f"{summary.accepted} sent, {summary.waiting} waiting in the outbox")
    raise SystemExit(exit_status.PARTLY_FAILED if summary.failures else exit_status.DONE)
