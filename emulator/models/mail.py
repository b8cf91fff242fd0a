"""Mail service data: accepted operations and recent requests."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from emulator.base.clock import Millis

MINUTE, HOUR = 60_000, 3_600_000


@dataclass(frozen=True)
class MailLimits:
    """Maximum numbers of requests, including repeated and rejected ones."""

    sends_per_minute: int
    sends_per_hour: int
    statuses_per_minute: int
    statuses_per_hour: int


OWN_DOMAIN = MailLimits(30, 100, 60, 200)
MANAGED_DOMAIN = MailLimits(5, 10, 10, 20)
"""Limits for an Azure-managed domain."""


@dataclass
class RequestMeter:
    """The times of requests admitted in the last hour."""

    times: list[Millis] = field(default_factory=list)

    def admit(self, now: Millis, per_minute: int, per_hour: int) -> Millis:
        """Return 0 and count the request, or return the required wait in milliseconds without counting it."""
        del self.times[: bisect_right(self.times, now - HOUR)]
        waits = [
            self.times[-limit] + span - now
            for span, limit in ((MINUTE, per_minute), (HOUR, per_hour))
            if len(self.times) - bisect_right(self.times, now - span) >= limit
        ]
        if not waits:
            self.times.append(now)
        return max(waits, default=0)


@dataclass
class SendOperation:
    """An accepted message."""

    id: str
    digest: str
    """Digest of the body, since repeating the operation with a different body is an error."""
    message: dict[str, Any]
    """The message as sent."""
    accepted: Millis
    delivered: Millis
    """Until this instant the status is Running."""
    suppressed: list[str] = field(default_factory=list)
    """Recipients who do not get the message. If nobody gets it, the status becomes Failed."""


@dataclass
class RecipientFault:
    """A fault: messages to some addresses are rejected, or accepted but not delivered."""

    address: str
    """Address with wildcards, such as `*@old.example`."""
    outcome: Literal["refused", "suppressed"]
    count: int | None = None
    """Number of affected messages; None means all."""
    met: int = 0


@dataclass
class Mail:
    operations: dict[str, SendOperation] = field(default_factory=dict)
    """Accepted operations by lower-case id, in order."""
    sends: RequestMeter = field(default_factory=RequestMeter)
    statuses: RequestMeter = field(default_factory=RequestMeter)
    recipient_faults: list[RecipientFault] = field(default_factory=list)

    def set_recipient_faults(self, faults: Sequence[RecipientFault]) -> None:
        """Replace the active recipient faults."""
        self.recipient_faults = list(faults)

    def faulty_recipients(self, addresses: Iterable[str], outcome: Literal["refused", "suppressed"]) -> list[str]:
        """Return a message's recipients with this outcome, and count the faults."""
        addresses, found = list(addresses), []
        for fault in self.recipient_faults:
            spent = fault.count is not None and fault.met >= fault.count
            met = [one for one in addresses if fnmatchcase(one.lower(), fault.address.lower())]
            if met and fault.outcome == outcome and not spent:
                fault.met += 1
                found += met
        return found
