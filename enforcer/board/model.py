"""The facts about a lab, and the board that is made from them. Pure.

A board contains the groups' names and titles, but no name of a person unless it was made `with_names`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import Enum

from enforcer.domain.day_records import PollRecord, RecordedAction
from enforcer.domain.message_kinds import FailedMessage
from enforcer.domain.observations import OtherCluster
from enforcer.domain.quota import LimitUsage
from enforcer.domain.snapshot import Snapshot
from enforcer.reports.forecast import Forecast
from enforcer.time_requests.model import TimeRequest


@dataclass(frozen=True)
class BoardFacts:
    """What the ledger contains about a course. Lists are oldest first and cover the last days."""

    snapshot: Snapshot
    """The course with all its sessions, as of the last tick or later."""
    made_at: datetime
    last_poll: PollRecord | None
    first_poll: datetime | None
    settled: Mapping[tuple[str, date], timedelta]
    """Settled usage by cluster id and day."""
    actions: tuple[RecordedAction, ...]
    polls: tuple[PollRecord, ...]
    restricted: frozenset[str]
    """Ids of the clusters whose group is restricted."""
    held: frozenset[str]
    """Ids of the clusters whose stops were held in the last hours."""
    failed_messages: tuple[FailedMessage, ...]
    waiting_messages: int
    others: tuple[OtherCluster, ...] | None
    """Running clusters that are not the course's. None means unknown."""
    users_without_group: int | None
    """None means unknown."""
    time_requests: tuple[TimeRequest, ...] = ()
    """All time requests of the course."""


@dataclass(frozen=True)
class GroupName:
    name: str
    title: str
    """The name that its members use; empty if there is none."""


class State(Enum):
    """How much time a group's limits leave it today."""

    USUAL = "time left"
    NEAR = "near the limit"
    OVER = "used up"
    BLOCKED = "blocked"
    UNLIMITED = "unlimited"


@dataclass(frozen=True)
class RunningCluster:
    group: GroupName
    cluster: str
    since: datetime
    is_counting: bool
    """False for a session of staff or a deployment, and inside a window."""
    tightest_usage: LimitUsage | None
    """Usage of the limit that is reached first. None: no limit applies."""
    stops_at: datetime | None
    """When the limit is reached if nothing changes."""
    window_ends: datetime | None
    """When the current window ends; None outside a window."""
    started_by: str = ""


@dataclass(frozen=True)
class GroupUsage:
    """The usage of one group today, in this week and in the term."""

    group: GroupName
    state: State
    is_running: bool
    is_restricted: bool
    used: timedelta
    day: LimitUsage | None
    week: LimitUsage | None
    term: LimitUsage | None
    term_used: timedelta
    """Time used since the term began, also without a limit of the term."""
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Week:
    first_day: date
    last_day: date
    has_begun: bool
    is_current: bool


@dataclass(frozen=True)
class HeatCell:
    used: timedelta
    level: int
    """0 for nothing, then 1 to 5 by the share of the week's limit or, without one, of the busiest group's usage."""


@dataclass(frozen=True)
class HeatRow:
    use: GroupUsage
    cells: tuple[HeatCell, ...]
    """For each week that has begun."""


@dataclass(frozen=True)
class BurnDown:
    """The usage of all groups since the term began, and its forecast."""

    first_day: date
    last_day: date
    used_by_day: tuple[tuple[date, timedelta], ...]
    """Cumulative usage at the end of each day, and of today so far."""
    forecast: Forecast
    budget: timedelta | None
    """The term limits of all groups together. None: not every group has one."""
    groups_over: int | None
    """Number of groups that are expected to reach their limit for the term. None: unknown, or without limits."""


@dataclass(frozen=True)
class ActionEntry:
    at: datetime
    group: GroupName
    kind: str
    reason: str
    error: str = ""


@dataclass(frozen=True)
class AllowanceEntry:
    """An allowance by staff, or an entry of the course's calendar."""

    groups: tuple[GroupName, ...]
    """Empty means all groups."""
    first_day: date
    last_day: date
    effect: str
    reason: str
    is_today: bool
    given_by: str = ""


@dataclass(frozen=True)
class TimeRequestEntry:
    id: str
    """The argument of `approve` and `deny`."""
    group: GroupName
    asked_at: datetime
    minutes: int | None
    """None if the file cannot be understood."""
    reason: str
    is_waiting: bool
    outcome: str
    """The state in a word, with the minutes that were given: `granted 30 minutes`."""
    answer: str


@dataclass(frozen=True)
class FailedMail:
    kind: str
    group: GroupName | None
    """None for messages that are not about one group."""
    queued_at: datetime
    attempts: int
    is_given_up: bool
    error: str


@dataclass(frozen=True)
class PollGap:
    begins: datetime
    ends: datetime
    missed: int
    """Number of polls that should have run in between."""
    is_open: bool = False
    """Whether it has not ended yet."""


@dataclass(frozen=True)
class Health:
    """The enforcer's own state. Counts are of the last 24 hours."""

    last_poll: datetime | None
    lag: timedelta | None
    """Time since the last poll."""
    is_late: bool
    duration: timedelta | None
    """Duration of the last poll."""
    problems: int
    """Number of problems of the last poll."""
    polls: int
    polls_with_problems: int
    failed_actions: tuple[ActionEntry, ...]
    held: tuple[GroupName, ...]
    restricted: int
    waiting_messages: int
    reading_problems: tuple[str, ...]
    """Messages about the parts of the stored course file and allowances that could not be read."""


@dataclass(frozen=True)
class Alert:
    """A sentence about something that needs a person's attention."""

    text: str
    anchor: str
    """Id of the section with the details."""


@dataclass(frozen=True)
class Board:
    """Everything that the page shows. Instants are in the course's time zone."""

    title: str
    course: str
    term: str
    tz: tzinfo
    as_of: datetime
    """The moment of the figures: `made_at`, or the last poll if it was too long ago."""
    made_at: datetime
    today: date
    first_day: date
    last_day: date
    alerts: tuple[Alert, ...]
    running: tuple[RunningCluster, ...]
    groups: tuple[GroupUsage, ...]
    weeks: tuple[Week, ...]
    heat: tuple[HeatRow, ...]
    burn_down: BurnDown
    stops: tuple[ActionEntry, ...]
    warnings: tuple[ActionEntry, ...]
    time_requests: tuple[TimeRequestEntry, ...] | None
    """Those that wait, oldest first, then those of the last days, the latest first. None: groups cannot ask."""
    allowances: tuple[AllowanceEntry, ...]
    calendar: tuple[AllowanceEntry, ...]
    others: tuple[OtherCluster, ...] | None
    users_without_group: int | None
    failed_mails: tuple[FailedMail, ...]
    gaps: tuple[PollGap, ...]
    watched_from: datetime | None
    """Time from which missed polls are known; None if there was no poll."""
    health: Health
    with_names: bool = False
    is_demo: bool = False

    @property
    def busy_groups(self) -> tuple[GroupUsage, ...]:
        """The groups that ran today or may not run, the busiest first."""
        busy = (one for one in self.groups if one.used or one.is_running or one.state in (State.OVER, State.BLOCKED))
        return tuple(sorted(busy, key=lambda one: -one.used))

    @property
    def used_today(self) -> timedelta:
        return sum((one.used for one in self.groups), timedelta())
