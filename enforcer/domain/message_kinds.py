"""The kinds of messages that people get, the most urgent first, and when one makes another untrue. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Kind(Enum):
    STOPPED = "stopped"
    CRASH = "crash"
    WARNING = "warning"
    GIVEN_UP = "given-up"
    DIGEST = "digest"
    REPORT = "report"

    @property
    def rank(self) -> int:
        """Lower ones are sent first."""
        return list(Kind).index(self)


OF_LIMITS = (Kind.WARNING, Kind.STOPPED)
"""They describe a moment, which the next one about the same limits replaces."""


@dataclass(frozen=True)
class Notice:
    """What a message about a limit is about."""

    kind: Kind
    about: str
    period: str
    first: str
    """The first day of the period, an ISO date."""
    queued: datetime


def is_untrue(notice: Notice, later: Notice) -> bool:
    """Whether a message that still waits is no longer true because of one that was written after it.

    A stop ends what any earlier message says. A warning replaces an earlier warning of the same period; that a cluster
    is off, it contradicts only if a new day, week or term has begun.
    """
    if later.about != notice.about or later.queued <= notice.queued:
        return False
    if later.kind is Kind.STOPPED:
        return True
    is_same_period = later.period == notice.period
    return is_same_period and (notice.kind is Kind.WARNING or later.first > notice.first)
