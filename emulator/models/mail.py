"""What the mail service knows: the operations it accepted, and how much it was asked lately."""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

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
class Meter:
    """The instants of the requests of the last hour that were let in."""

    times: list[Millis] = field(default_factory=list)

    def wait(self, now: Millis, per_minute: int, per_hour: int) -> Millis:
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
class Operation:
    """One letter that was accepted."""

    id: str
    digest: str
    """Of the body: the same operation with another one is refused."""
    message: dict[str, Any]
    """As it was sent."""
    accepted: Millis
    delivered: Millis
    """Until then its status is Running."""


@dataclass
class Mail:
    operations: dict[str, Operation] = field(default_factory=dict)
    """By lower-case id, in the order in which they were accepted."""
    sends: Meter = field(default_factory=Meter)
    statuses: Meter = field(default_factory=Meter)
