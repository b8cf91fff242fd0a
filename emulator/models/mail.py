"""What the mail service knows: the operations it accepted, and how much it was asked lately."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from emulator.base.clock import Millis

MINUTE, HOUR = 60_000, 3_600_000


@dataclass(frozen=True)
class MailLimits:
    """How many requests it takes, repeated and refused ones included."""

    sends_per_minute: int
    sends_per_hour: int
    statuses_per_minute: int
    statuses_per_hour: int


OWN_DOMAIN = MailLimits(30, 100, 60, 200)
MANAGED_DOMAIN = MailLimits(5, 10, 10, 20)
"""For a domain that Azure lends."""


@dataclass
class RequestMeter:
    """The instants of the requests of the last hour that were let in."""

    times: list[Millis] = field(default_factory=list)

    def admit(self, now: Millis, per_minute: int, per_hour: int) -> Millis:
        """0 and the request counts; else for how long it has to wait, and it does not count."""
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
    """One letter that was accepted."""

    id: str
    digest: str
    """Of the body: the same operation with another one is refused."""
    message: dict[str, Any]
    """As it was sent."""
    accepted: Millis
    delivered: Millis
    """Until then its status is Running."""
    suppressed: list[str] = field(default_factory=list)
    """Recipients who do not get it. If that is everybody, its status becomes Failed."""


@dataclass
class RecipientFault:
    """Letters to some addresses are refused, or accepted and not delivered."""

    address: str
    """With wildcards, such as `*@old.example`."""
    outcome: Literal["refused", "suppressed"]
    count: int | None = None
    """So many letters; None: all."""
    met: int = 0


@dataclass
class Mail:
    operations: dict[str, SendOperation] = field(default_factory=dict)
    """By lower-case id, in the order in which they were accepted."""
    sends: RequestMeter = field(default_factory=RequestMeter)
    statuses: RequestMeter = field(default_factory=RequestMeter)
    recipient_faults: list[RecipientFault] = field(default_factory=list)

    def set_recipient_faults(self, faults: Sequence[RecipientFault]) -> None:
        """Put these in the place of those in force; none means that every letter is delivered."""
        self.recipient_faults = list(faults)

    def faulty_recipients(self, addresses: Iterable[str], outcome: Literal["refused", "suppressed"]) -> list[str]:
        """Those of one letter's addresses that meet such a fault; it is counted as met."""
        addresses, found = list(addresses), []
        for fault in self.recipient_faults:
            spent = fault.count is not None and fault.met >= fault.count
            met = [one for one in addresses if fnmatchcase(one.lower(), fault.address.lower())]
            if met and fault.outcome == outcome and not spent:
                fault.met += 1
                found += met
        return found
