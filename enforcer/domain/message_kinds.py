"""Kinds of messages, the most urgent first, and when a later message makes a waiting one outdated. Pure."""

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
        """Send order: lower ranks are sent first."""
        return list(Kind).index(self)


OF_LIMITS = (Kind.WARNING, Kind.STOPPED)
"""Messages about limits. They describe a moment, so a later one about the same limits replaces them."""


@dataclass(frozen=True)
class Notice:
    """A queued message about a limit."""

    kind: Kind
    about: str
    period: str
    first: str
    """First day of the period, as an ISO date."""
    queued: datetime


def is_untrue(notice: Notice, later: Notice) -> bool:
    """Return whether a later message makes a waiting one outdated.

    A stop message replaces any earlier one. A warning replaces an earlier warning of the same period; it replaces a
    stop message only if a new day, week or term has begun.
    """
    if later.about != notice.about or later.queued <= notice.queued:
        return False
    if later.kind is Kind.STOPPED:
        return True
    is_same_period = later.period == notice.period
    return is_same_period and (notice.kind is Kind.WARNING or later.first > notice.first)
