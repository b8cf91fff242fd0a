"""Records of a past day: settled totals and the actions of its polls. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

IMPORTED_ESTIMATE = "counted by the legacy system"
INCOMPLETE_ESTIMATE = "settled before all events had arrived"


@dataclass(frozen=True)
class DayTotal:
    cluster_id: str
    day: date
    group: str
    used: timedelta
    soft: timedelta | None
    hard: timedelta | None
    """Soft limit. None means unlimited."""
    overrun: timedelta
    uncounted: timedelta
    sessions: int
    estimate: bool
    imported: bool = False
    """Whether the figure is from the legacy system, which recorded neither sessions nor the limits of the day."""

    @property
    def reason(self) -> str | None:
        """Why the figure is an estimate; None if it is exact."""
        return (IMPORTED_ESTIMATE if self.imported else INCOMPLETE_ESTIMATE) if self.estimate else None


@dataclass(frozen=True)
class RecordedAction:
    kind: str
    cluster_id: str
    group: str
    reason: str
    noted: datetime
    done: datetime | None
    error: str | None


@dataclass(frozen=True)
class PollRecord:
    """A completed poll."""

    began: datetime
    ended: datetime
    failed: int
    """Number of problems that it reported."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """Number of requests to the workspace, by kind."""


REPORT_COLUMNS = (
    "day",
    "group",
    "name",
    "cluster",
    "used_minutes",
    "soft_minutes",
    "hard_minutes",
    "limit",
    "sessions",
    "first_start",
    "last_stop",
    "warned",
    "stopped",
    "overrun_minutes",
    "uncounted_minutes",
    "estimate",
)
"""Columns of the table in a daily report. A CSV file with this header is recognised as a report."""
