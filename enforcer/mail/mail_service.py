"""The interface of a mail service and its results, as the outbox needs them. Pure; `azure` implements it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Protocol


class SendStatus(Enum):
    ACCEPTED = "accepted"
    """The service has accepted the message: in progress or delivered."""
    FAILED = "failed"
    """The service could not deliver the message. Its operation id cannot be used again."""
    MISSING = "missing"
    """The service does not know the operation: the message was never accepted."""
    CONFLICT = "conflict"
    """400: the message is invalid, or its operation was accepted with different bytes; the status shows which."""
    BUSY = "busy"
    """429: too many calls. The message itself is valid and was certainly not accepted."""
    REFUSED = "refused"
    """The message was certainly not accepted."""
    UNKNOWN = "unknown"
    """No response, an incomplete one, or a failure of the service: the message may have been accepted."""


@dataclass(frozen=True)
class SendResult:
    status: SendStatus
    text: str = ""
    """The service's explanation, one line."""
    retry_after: timedelta | None = None
    """How long to wait, as requested by the service."""
    is_final: bool = False
    """Whether the status is final: delivered or failed."""
    concerns_all: bool = False
    """Whether the next message would get the same result: invalid credentials, or no response."""


class MailService(Protocol):
    """Each method makes one call and neither retries, waits nor raises. `timeout` limits the call."""

    def send(self, operation_id: str, payload: str, *, timeout: timedelta) -> SendResult: ...

    def status(self, operation_id: str, *, timeout: timedelta) -> SendResult: ...
