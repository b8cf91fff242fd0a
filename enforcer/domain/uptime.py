"""Uptime of a cluster: derives sessions from its events, and the part of a session within a day. Pure.

Uptime lasts from RUNNING to TERMINATING. RESTARTING does not end a session, and a launch that never reaches RUNNING is
not uptime. Events may be missing (such as a TERMINATING between two starts) or late; if the bounds of a session had to
be inferred, its `estimate` gives the reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from itertools import groupby

LONGEST_LAUNCH = timedelta(hours=1)
"""A cluster that exists this long after a launch that did not fail is assumed to have run since then."""
HALF_A_DAY = timedelta(hours=12)
RESOLUTION = timedelta(milliseconds=1)
"""Resolution of timestamps."""
LIST_LAG = timedelta(seconds=1)
"""Maximum difference between the times of a restart in the list and in its event."""
UNCERTAIN = "whether it reached RUNNING was not among the events"
NO_RUNNING = "its RUNNING was not among the events"
LAUNCH_EVENTS = frozenset({"CREATING", "STARTING"})
STATE_EVENTS = LAUNCH_EVENTS | {"RUNNING", "RESTARTING", "TERMINATING"}
RUNNING_ONLY_EVENTS = frozenset({"RESIZING", "UPSIZE_COMPLETED"})
"""Event types that only running clusters produce."""
NEUTRAL_EVENTS = frozenset(
    {
        "ADD_NODES_FAILED",
        "INIT_SCRIPTS_FINISHED",
        "INIT_SCRIPTS_STARTED",
        "NODES_LOST",
        "NODE_BLACKLISTED",
        "PINNED",
        "UNPINNED",
    }
)
"""Event types that launching clusters produce as well; they do not show whether the cluster ran."""
RUNNING_HINTS = frozenset(
    """
    AUTOMATIC_CLUSTER_UPDATE AUTOSCALING_BACKOFF AUTOSCALING_FAILED AUTOSCALING_STATS_REPORT CLUSTER_MIGRATED DBFS_DOWN
    DECOMMISSION_ENDED DECOMMISSION_STARTED DEFERRED_POLICY_ENFORCEMENT_FAILED DEFERRED_POLICY_ENFORCEMENT_SCHEDULED
    DID_NOT_EXPAND_DISK DRIVER_HEALTHY DRIVER_NOT_RESPONDING DRIVER_UNAVAILABLE EDITED EXPANDED_DISK
    FAILED_TO_EXPAND_DISK METASTORE_DOWN NODE_EXCLUDED_DECOMMISSIONED SPARK_EXCEPTION UC_VOLUME_MISCONFIGURED
    """.split()
)
"""Event types that running clusters produce, and failing launches may produce: no proof by themselves.

Between a launch and an end that is not a launch failure, the first such event is taken as the missing RUNNING.
"""
KNOWN_TYPES = STATE_EVENTS | RUNNING_ONLY_EVENTS | NEUTRAL_EVENTS | RUNNING_HINTS
"""Event types that are evaluated; all others are ignored."""
CALLED_OFF_WITHIN = timedelta(minutes=1)
"""A launch that a person cancels within this time is assumed not to have reached RUNNING."""
CALLED_OFF = "it was called off while it was launching"
RUNTIME_FAILURES = frozenset(
    {
        "ABUSE_DETECTED",
        "CLOUD_PROVIDER_SHUTDOWN",
        "COMMUNICATION_LOST",
        "DBFS_COMPONENT_UNHEALTHY",
        "DRIVER_UNREACHABLE",
        "DRIVER_UNRESPONSIVE",
        "EXECUTION_COMPONENT_UNHEALTHY",
        "INSTANCE_UNREACHABLE",
        "INTERNAL_ERROR",
        "METASTORE_COMPONENT_UNHEALTHY",
        "SPARK_ERROR",
        "SPOT_INSTANCE_TERMINATION",
        "TRIAL_EXPIRED",
        "UNKNOWN",
    }
)
"""Codes of failures that also end running clusters. Every other code is a launch failure."""
MEMBER, OTHER = "a member of the group", "somebody else"
"""Replacements for anonymised names, which is all that counting needs."""


class Role(Enum):
    """Role of the account that started or restarted a cluster."""

    UNKNOWN = "unknown"
    """Not known yet, or the event has no user: the session counts."""
    STUDENT = "student"
    STAFF = "staff"
    """Staff, a deployment or the enforcer: the session does not count."""


@dataclass(frozen=True, order=True)
class Event:
    """One entry of a cluster's event list, reduced to the fields that uptime depends on."""

    at: datetime
    type: str
    """Event type in the API; events of unknown types are stored, but ignored."""
    user: str | None = None
    """User who requested the action."""
    workers: int | None = None
    """Number of workers from this event on."""
    idle: timedelta | None = None
    """For a TERMINATING caused by inactivity: how long the cluster had been idle."""
    failed: bool = False
    """For a TERMINATING: whether its reason is a failure, not a user's request or inactivity."""
    may_have_run: bool = False
    """For a TERMINATING with a failure: whether its reason also ends running clusters, not only launches."""


@dataclass(frozen=True)
class Restart:
    at: datetime
    user: str | None
    role: Role = field(default=Role.UNKNOWN, compare=False)
    """Role of the user, which is not part of events."""


@dataclass(frozen=True)
class Session:
    """One period of uptime."""

    start: datetime
    end: datetime | None = None
    """None while the cluster is running."""
    started_by: str | None = None
    """None if the events have no user."""
    restarts: tuple[Restart, ...] = ()
    workers: tuple[tuple[datetime, int], ...] = ()
    """Changes of the number of workers: time and new number, if events contain it."""
    estimate: str | None = None
    """Why start or end is an estimate; None if both are exact."""
    last_reported: datetime | None = field(default=None, compare=False)
    """Time of the last event in the session, which did not end earlier."""
    role: Role = field(default=Role.UNKNOWN, compare=False)
    """Role of the user who started it, which is not part of events."""

    @property
    def unknown_users(self) -> tuple[str, ...]:
        """Users of unknown role who started or restarted it; their sessions count until the role is known."""
        starters = [(self.started_by, self.role), *((restart.user, restart.role) for restart in self.restarts)]
        return tuple(dict.fromkeys(user for user, role in starters if user and role is Role.UNKNOWN))


@dataclass(frozen=True)
class Observation:
    """State of a cluster in the cluster list at one poll."""

    at: datetime
    running: bool
    """Whether the state counts as uptime: RUNNING, RESIZING or RESTARTING."""
    started: datetime | None = None
    """Time of the last start or restart in the list entry."""
    terminated: datetime | None = None
    """Time of the last completed stop in the list entry; while the cluster is being stopped, the time of the poll."""


@dataclass(frozen=True)
class Timeline:
    """Sessions and launches derived from the events of a cluster."""

    sessions: tuple[Session, ...] = ()
    """Oldest first."""
    launching_since: datetime | None = None
    """Start of a launch that no later event belongs to."""
    last_event: datetime | None = None
    """Time of the last event of a launch or session; late events and events of a stopped cluster are ignored."""
    sessions_if_running: tuple[Session, ...] | None = None
    """`sessions` on the assumption that the hints of the pending launch come from a running cluster; None without
    hints."""
    failed_launch: tuple[datetime, datetime, str | None] | None = None
    """Start, end and user of the last failed launch, if no later event exists."""


def sessions_of(events: Iterable[Event]) -> tuple[Session, ...]:
    """Return the sessions derived from events of one cluster, oldest first. Order and duplicates do not matter."""
    return timeline_of(events).sessions


def timeline_of(events: Iterable[Event]) -> Timeline:
    """Return sessions and launches derived from events of one cluster. Order and duplicates do not matter."""
    reader = _EventReader()
    ordered = sorted(set(events), key=_total_order)
    for _, moment in groupby(ordered, key=lambda event: event.at):
        reader.read_moment(moment)
    sessions, launching = reader.sessions, reader.launch.at if reader.launch else None
    if_running = reader.sessions_if_running()
    return Timeline(sessions, launching, reader.last_event, if_running, reader.failed_launch)


def _total_order(event: Event) -> tuple[datetime, str, str, int, timedelta, bool, bool]:
    """Sort key that no two different events share, so that sessions do not depend on the order of a set."""
    workers = -1 if event.workers is None else event.workers
    idle = timedelta(-1) if event.idle is None else event.idle
    return event.at, event.type, event.user or "", workers, idle, event.failed, event.may_have_run


def close_open_session(
    sessions: tuple[Session, ...], last_running: datetime | None, reason: str
) -> tuple[Session, ...]:
    """End the open session when the cluster was last seen running: for a cluster that no longer exists, or that the
    list shows as stopped without an event.
    """
    if not sessions or sessions[-1].end is not None:
        return sessions
    last = sessions[-1]
    end = max(last.start, last_running or last.start, last.last_reported or last.start)
    return (*sessions[:-1], replace(last, end=end, estimate=reason))


def reconcile(timeline: Timeline, observations: tuple[Observation, ...]) -> tuple[Session, ...]:
    """Correct the sessions according to the cluster list if events are missing; mark each correction as an estimate.

    `observations` are ordered by time; the last one is the current state. If the list shows a stopped cluster, an open
    session ends; if it shows a running cluster and there is no open session, one begins; a start or end that is only in
    the list is taken from there.
    """
    sessions = timeline.sessions
    if not observations:
        return sessions
    now = observations[-1]
    is_unread = now.started is not None and (timeline.last_event is None or now.started > timeline.last_event)
    has_ended = bool(timeline.launching_since and now.terminated and now.terminated >= timeline.launching_since)
    if timeline.sessions_if_running is not None and (now.running or is_unread or has_ended):
        return reconcile(
            replace(timeline, sessions=timeline.sessions_if_running, launching_since=None, sessions_if_running=None),
            observations,
        )
    if timeline.failed_launch and (ran_at := _seen_running(observations, *timeline.failed_launch[:2])):
        _, end, user = timeline.failed_launch
        sessions = (*sessions, Session(ran_at, end, user, estimate=NO_RUNNING))
    if sessions and sessions[-1].end is None:
        last = sessions[-1]
        if now.running:
            is_unreported = is_unread or _is_unreported(now.started, last)
            reason = last.estimate or (
                "the list shows a start that was not among the events" if is_unreported else None
            )
            return (*sessions[:-1], replace(last, estimate=reason))
        if now.at < last.start:
            return sessions
        seen = [observation.at for observation in observations if observation.running and observation.at >= last.start]
        ended = now.terminated if now.terminated and now.terminated >= last.start else max(seen, default=None)
        sessions = close_open_session(sessions, ended, "its end was not among the events; taken from the cluster list")
        if not is_unread:
            return sessions
    elif sessions and _is_unreported(now.started, sessions[-1]):
        reason = "the list shows that it was started in between, and neither that nor an end was among the events"
        return (*sessions[:-1], replace(sessions[-1], estimate=sessions[-1].estimate or reason))
    last_end = sessions[-1].end if sessions else None
    if now.running:
        since = now.started or now.at
        start = max(since, last_end) if last_end else since
        reason = "its start was not among the events; taken from the cluster list"
        return (*sessions, Session(start=min(start, now.at), estimate=reason))
    if is_unread and now.started and (last_end is None or last_end <= now.started):
        # The end is from the list, too; during a launch only the start is known.
        reason = "it was not among the events; taken from the cluster list"
        return (*sessions, Session(now.started, max(now.started, now.terminated or now.started), estimate=reason))
    if timeline.launching_since and not is_unread and now.terminated and now.terminated >= timeline.launching_since:
        return (*sessions, Session(timeline.launching_since, timeline.launching_since, estimate=UNCERTAIN))
    return sessions


def _seen_running(observations: tuple[Observation, ...], begins: datetime, ends: datetime) -> datetime | None:
    """Return when the list first showed a running cluster between two points in time."""
    return next(
        (observation.at for observation in observations if observation.running and begins < observation.at < ends), None
    )


def _is_unreported(since: datetime | None, session: Session) -> bool:
    """Return whether the list shows a start inside a session whose events have no such restart."""
    if since is None or since <= session.start or (session.end is not None and since >= session.end):
        return False
    return all(abs(since - restart.at) > LIST_LAG for restart in session.restarts)


def estimate_reasons(sessions: Iterable[Session]) -> tuple[str, ...]:
    """Return the reasons for estimates in these sessions, each once; empty if all are exact."""
    return tuple(dict.fromkeys(s.estimate for s in sessions if s.estimate and s.estimate != CALLED_OFF))


def day_bounds(day: date, tz: tzinfo) -> tuple[datetime, datetime]:
    """Return the start of the local day and of the next one, in UTC: 23, 24 or 25 hours apart."""
    # Converted before subtracting: on days when the clocks change, local midnights are not 24 hours apart.
    return tuple(datetime.combine(d, time(), tz).astimezone(UTC) for d in (day, day + timedelta(days=1)))  # type: ignore[return-value]


def counted_from(session: Session, *, count_all: bool = False) -> datetime | None:
    """Return the time from which a session counts towards its group's limits; None if it does not count.

    It counts from its start or, if staff started it, from the first restart by anyone else. With `count_all` every
    session counts.
    """
    if count_all or session.role is not Role.STAFF:
        return session.start
    return next((r.at for r in session.restarts if r.user and r.role is not Role.STAFF), None)


def overlap(
    begins: datetime, ends: datetime, sessions: Iterable[Session], *, now: datetime, count_all: bool
) -> timedelta:
    """Return the counted time of these sessions between two points in time; an open session lasts until `now`.

    The times of simultaneous sessions add up.
    """
    total = timedelta()
    for session in sessions:
        start = counted_from(session, count_all=count_all)
        if start is not None:
            total += max(timedelta(), min(session.end or now, ends) - max(start, begins))
    return total


def used_on(day: date, sessions: Iterable[Session], *, now: datetime, tz: tzinfo, count_all: bool = True) -> timedelta:
    """Return the time of these sessions within the local day; without `count_all`, only the counted time."""
    begins, ends = day_bounds(day, tz)
    return overlap(begins, ends, sessions, now=now, count_all=count_all)


_RANK = {"CREATING": 2, "STARTING": 2, "RUNNING": 4}
"""Order of events in the same millisecond, unless it depends on earlier events."""


def _quarter(instant: datetime) -> int:
    """Return the number of the quarter-hour; in every time zone, midnight is the start of one."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(minutes=15)


@dataclass
class _EventReader:
    """Derives sessions from the events of one cluster, read in order."""

    closed: list[Session] = field(default_factory=list)
    open: Session | None = None
    launch: Event | None = None
    presumed: bool = False
    """Whether the RUNNING of the open session is missing, so that a later RUNNING is its true start."""
    launch_estimate: Session | None = None
    """The session of zero length that `_mark_launch` added for the launch of the open session."""
    may_reach_running: bool = False
    """Whether the open session had an event, such as a restart, that may be followed by another RUNNING."""
    last_running: datetime | None = None
    """Time of the last RUNNING."""
    last_event: datetime | None = None
    """See `Timeline`."""
    hints: list[Event] = field(default_factory=list)
    """Hints of the pending launch."""
    failed_launch: tuple[datetime, datetime, str | None] | None = None
    """See `Timeline`."""

    @property
    def sessions(self) -> tuple[Session, ...]:
        return (*self.closed, self.open) if self.open else tuple(self.closed)

    def sessions_if_running(self) -> tuple[Session, ...] | None:
        """Return the sessions, with one that starts at the first hint. To be called last, because it changes the
        reader.
        """
        if not self.hints:
            return None
        self._presume_from_hints()
        return self.sessions

    def read_moment(self, events: Iterable[Event]) -> None:
        """Read all events of one millisecond."""
        # An end or an expected RUNNING belongs to the open session, if there is one.
        ended = 0 if self.open else 6
        restarted = 3 if self.open and not self.may_reach_running else 5
        events = list(events)
        kinds = {event.type for event in events}
        if self.open and "TERMINATING" in kinds and not kinds & LAUNCH_EVENTS:
            restarted = -1  # only a running cluster can be restarted, and no start follows the end
        order = {**_RANK, "TERMINATING": ended, "RESTARTING": restarted}
        for event in sorted(events, key=lambda event: order.get(event.type, 1)):
            self.read(event)

    def read(self, event: Event) -> None:
        if self.open or self.launch or event.type in STATE_EVENTS | RUNNING_ONLY_EVENTS:
            self.last_event = event.at
        if event.type in LAUNCH_EVENTS:
            self._launch(event)
        elif event.type == "RUNNING":
            self._running(event)
        elif event.type == "RESTARTING":
            if self.open is None:
                self._open_presumed(event, "its start was not among the events")
            self.presumed, self.may_reach_running = False, True
            self._extend_open(event, restart=Restart(event.at, event.user))
        elif event.type == "TERMINATING":
            self._terminating(event)
        elif self.open is not None:
            self.may_reach_running = self.may_reach_running or event.type == "RESIZING"
            self._extend_open(event)
        elif self.launch is not None and event.type in RUNNING_ONLY_EVENTS:
            self._open_presumed(event, NO_RUNNING)
        elif self.launch is not None and event.type in RUNNING_HINTS:
            self.hints.append(event)
        elif self.launch is None and event.type in RUNNING_ONLY_EVENTS and not self._has_just_ended(event):
            self._open_presumed(event, "its start was not among the events")

    def _launch(self, event: Event) -> None:
        if self.hints:
            self._presume_from_hints()
        self.failed_launch = None
        if self.open is not None:
            last, user = self.open.last_reported or self.open.start, self.open.started_by
            reason = "its end was not among the events; it was started again"
            self._close(last, reason)
            self._mark_days(last + HALF_A_DAY, event.at, user, reason)
            if _quarter(last) != _quarter(event.at):
                self._mark_at(event.at - RESOLUTION, user, reason)
        elif self.launch is not None and self.launch.at < event.at:
            self._mark_launch(self.launch.at)
        user = event.user or (self.launch.user if self.launch else None)
        self.launch = replace(event, user=user)

    def _running(self, event: Event) -> None:
        if self.open is None:
            unknown = None if self.launch else "its start was not among the events"
            self.open = Session(event.at, started_by=self.launch.user if self.launch else None, estimate=unknown)
        elif self.presumed:
            if self.closed and self.closed[-1] is self.launch_estimate:
                self.closed.pop()
            self.open = replace(self.open, start=event.at, estimate=None)
        elif not self.may_reach_running and self.last_running != event.at:
            # It may have ended and started again in between; then not all of the time was uptime.
            reason = "it came up again, and neither an end nor a restart was among the events"
            self.open = replace(self.open, estimate=self.open.estimate or reason)
        self.launch, self.presumed, self.may_reach_running, self.last_running = None, False, False, event.at
        self.hints, self.failed_launch = [], None
        self._extend_open(event)

    def _terminating(self, event: Event) -> None:
        if self.open is None and event.idle is not None:
            launched = self.launch.at if self.launch else event.at - event.idle
            self._open_presumed(event, NO_RUNNING, start=max(launched, event.at - event.idle))
        elif self.open is None and self.launch is not None and event.failed and not event.may_have_run:
            self.failed_launch = self.launch.at, event.at, self.launch.user
        elif self.open is None and self.hints:
            self._presume_from_hints()
        elif (
            self.open is None and self.launch is not None and event.user and not event.failed and self._is_early(event)
        ):
            self.closed.append(Session(event.at, event.at, self.launch.user, estimate=CALLED_OFF))
        elif self.open is None and self.launch is not None:
            # Cancelled during the launch, or its RUNNING is missing: the time is 0, marked as an estimate.
            self._open_presumed(event, UNCERTAIN)
        elif self.open is None and self.launch is None and not self._has_just_ended(event):
            self._open_presumed(event, "its start was not among the events")
        if self.open is not None:
            reason = self.open.estimate
            if event.failed and not self.may_reach_running:
                # It may be the failure of a later launch, and the cluster may have failed before this was detected.
                reason = reason or "it ended by a failure; until when it ran was not among the events"
            self._close(event.at, reason)
        self.launch, self.hints = None, []

    def _is_early(self, event: Event) -> bool:
        return self.launch is not None and event.at - self.launch.at <= CALLED_OFF_WITHIN

    def _has_just_ended(self, event: Event) -> bool:
        """Return whether a session ended in the same millisecond, so that the event may belong to it."""
        return bool(self.closed) and self.closed[-1].end == event.at

    def _presume_from_hints(self) -> None:
        """Take the first hint as the missing RUNNING."""
        first, *others = self.hints
        self._open_presumed(first, NO_RUNNING)
        for event in others:
            self._extend_open(event)

    def _open_presumed(self, event: Event, reason: str, *, start: datetime | None = None) -> None:
        start, self.launch_estimate = start or event.at, None
        user = self.launch.user if self.launch else None
        if self.launch and start - self.launch.at > LONGEST_LAUNCH:
            start = self.launch.at
        elif self.launch and _quarter(self.launch.at) != _quarter(start):
            self._mark_launch(self.launch.at)
        elif (
            not self.launch and self.closed and self.closed[-1].end and _quarter(self.closed[-1].end) != _quarter(start)
        ):
            self._mark_days(self.closed[-1].end + RESOLUTION, start, None, reason)
        self.open = Session(start, started_by=user, estimate=reason)
        self.launch, self.presumed, self.hints, self.failed_launch = None, True, [], None
        self._extend_open(event)

    def _mark_launch(self, launched: datetime) -> None:
        """Add an estimate of zero length at the launch, whose result is unknown: it may have been on another day."""
        self._mark_at(launched, self.launch.user if self.launch else None, UNCERTAIN)
        self.launch_estimate = self.closed[-1]

    def _mark_days(self, since: datetime, until: datetime, user: str | None, reason: str) -> None:
        """Add an estimate of zero length to each day between two points in time; the step is too short to skip a
        day."""
        while since < until:
            self._mark_at(since, user, reason)
            since += HALF_A_DAY

    def _mark_at(self, instant: datetime, user: str | None, reason: str) -> None:
        self.closed.append(Session(instant, instant, user, estimate=reason))

    def _extend_open(self, event: Event, restart: Restart | None = None) -> None:
        assert self.open is not None
        self.open = replace(self.open, last_reported=event.at)
        if restart:
            self.open = replace(self.open, restarts=(*self.open.restarts, restart))
        if event.workers is not None:
            self.open = replace(self.open, workers=(*self.open.workers, (event.at, event.workers)))

    def _close(self, end: datetime, estimate: str | None) -> None:
        assert self.open is not None
        self.closed.append(replace(self.open, end=end, estimate=estimate))
        self.open, self.presumed, self.may_reach_running = None, False, False
