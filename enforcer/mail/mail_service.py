"""What a mail service may answer, as the outbox needs to know it. Pure; `mailer` makes these of Azure's answers."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Protocol


class SendStatus(Enum):
    ACCEPTED = "accepted"
    """The service has the message, under way or delivered."""
    FAILED = "failed"
    """The service had the message and could not deliver it. Its operation cannot be used again."""
    MISSING = "missing"
    """The service knows no such operation: the message was never accepted."""
    CONFLICT = "conflict"
    """400: the message is wrong, or its operation was accepted with other bytes; the status tells which."""
    BUSY = "busy"
    """429: too many calls. Certainly not accepted, and nothing is wrong with the message."""
    REFUSED = "refused"
    """Certainly not accepted."""
    UNKNOWN = "unknown"
    """No answer, half an answer, or a failure of the service: it may have been accepted."""


@dataclass(frozen=True)
class SendResult:
    status: SendStatus
    text: str = ""
    """What the service said, one line."""
    retry_after: timedelta | None = None
    """How long it asks to be left alone."""
    is_final: bool = False
    """An accepted message was delivered; nothing more is to be learnt."""
    concerns_all: bool = False
    """The next message would meet the same: wrong credentials, a service that does not answer."""


class MailService(Protocol):
    """One call to the mail service each; neither retries, waits nor raises. `timeout` bounds the call."""

    def send(self, operation_id: str, payload: str, *, timeout: timedelta) -> SendResult: ...

    def status(self, operation_id: str, *, timeout: timedelta) -> SendResult: ...
