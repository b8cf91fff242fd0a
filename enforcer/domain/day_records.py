"""What is on record of a day that is over: settled totals and the actions of its polls. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

EARLIER = "counted by the earlier system"
INCOMPLETE = "settled before all events had come"


@dataclass(frozen=True)
class DayTotal:
    cluster_id: str
    day: date
    group: str
    used: timedelta
    soft: timedelta | None
    hard: timedelta | None
    """None: unlimited."""
    over: timedelta
    shown_apart: timedelta
    sessions: int
    estimate: bool
    imported: bool = False
    """The earlier system's figure; it knew neither sessions nor the limits of the day."""

    @property
    def reason(self) -> str | None:
        """Why the figure is not exact; None: it is."""
        return (EARLIER if self.imported else INCOMPLETE) if self.estimate else None


@dataclass(frozen=True)
class DoneAction:
    kind: str
    cluster_id: str
    group: str
    reason: str
    noted: datetime
    done: datetime | None
    error: str | None


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
"""Of the table of a day's report. A file with this header is known as ours."""
