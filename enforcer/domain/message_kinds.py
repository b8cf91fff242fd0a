"""Kinds of messages, the most urgent first, and when a later message supersedes a pending one. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class MessageKind(Enum):
    STOPPED = "stopped"
    CRASH = "crash"
    WARNING = "warning"
    GIVEN_UP = "given-up"
    DIGEST = "digest"
    STAFF_NOTE = "staff-note"
    TIME_REQUESTS = "time-requests"
    REPORT = "report"
    WEEKLY = "weekly"

    @property
    def rank(self) -> int:
        """Position in the send order: lower ranks are sent first."""
        return list(MessageKind).index(self)


LIMIT_KINDS = (MessageKind.WARNING, MessageKind.STOPPED)
"""Messages about limits. They describe a moment, so a later message about the same limits supersedes them."""


@dataclass(frozen=True)
class LimitMessage:
    """A queued message about a limit."""

    kind: MessageKind
    about: str
    period: str
    first_day: str
    """First day of the period, as an ISO date."""
    queued_at: datetime


@dataclass(frozen=True)
class FailedMessage:
    """A message that was given up, or whose last attempt failed."""

    kind: MessageKind
    about: str
    """A cluster's id, or another value that makes such a message unique."""
    queued_at: datetime
    attempts: int
    is_given_up: bool
    error: str


def is_outdated(notice: LimitMessage, later: LimitMessage) -> bool:
    """Return whether `later` supersedes `notice`, which is pending.

    A stop message supersedes any earlier one. A warning supersedes an earlier warning of the same period, but a stop
    message only if a new day, week or term has begun.
    """
    if later.about != notice.about or later.queued_at <= notice.queued_at:
        return False
    if later.kind is MessageKind.STOPPED:
        return True
    is_same_period = later.period == notice.period
    return is_same_period and (notice.kind is MessageKind.WARNING or later.first_day > notice.first_day)
