"""Sends an outbox in single runs, with a deadline that is never reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from enforcer.domain.message_kinds import MessageKind
from enforcer.ledger.database import Ledger
from enforcer.mail import outbox
from enforcer.mail.messages import Message
from enforcer.mail.sender import SendSummary, send_due
from enforcer.settings import MailBudget, Settings, load_settings
from fake_mail_service import HOUR, NOW, FakeMailService
from labkit.clock import Deadline

SUNDAY = date(2026, 11, 1)
ADMIN = "admin@campus.example"
DAY = timedelta(days=1)
LARGE_BUDGET = MailBudget(10_000, 10_000, 10_000, 10_000)


def mail_settings(budget: MailBudget = LARGE_BUDGET, admin: str | None = ADMIN) -> Settings:
    settings = load_settings(
        {
            "AZURE_EMAIL_CONNECTION_STRING": "endpoint=https://x;accesskey=eA==",
            "AZURE_EMAIL_SENDER": "lab@campus.example",
        }
        | ({"ADMIN_EMAIL": admin} if admin else {})
    )
    assert settings.mail
    return replace(settings, mail=replace(settings.mail, budget=budget))


def message(
    subject: str = "Hello", to: tuple[str, ...] = ("dana@campus.example",), cc: tuple[str, ...] = ()
) -> Message:
    return Message(subject, f"{subject} as text", f"<p>{subject}</p>", to, cc)


def enqueue(
    ledger: Ledger, subject: str, kind: MessageKind = MessageKind.WARNING, *, now: datetime = NOW, **more: Any
) -> bool:
    return outbox.queue(
        ledger, kind, subject, message(subject, **more), now=now, period="day", period_start=SUNDAY, hard_limit=3 * HOUR
    )


def send_once(
    ledger: Ledger,
    service: FakeMailService,
    at: timedelta = timedelta(),
    settings: Settings | None = None,
    seconds: float = 30,
) -> SendSummary:
    """Send the outbox once, at NOW plus `at`."""
    service.now = NOW + at
    deadline = Deadline(timedelta(seconds=seconds), timer=lambda: 0.0)
    return send_due(ledger, service, settings or mail_settings(), now=NOW + at, deadline=deadline)


def call_kinds(service: FakeMailService) -> list[str]:
    return [kind for kind, _, _ in service.calls]


def most_calls_within(service: FakeMailService, kind: str, span: timedelta) -> int:
    """Return the largest number of calls of this kind within any interval of this length."""
    times = [at for name, _, at in service.calls if name == kind]
    return max((sum(1 for other in times if at - span < other <= at) for at in times), default=0)
