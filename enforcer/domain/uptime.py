"""How long a cluster ran: sessions from its events, and the part of them inside a day. Pure.

Uptime is RUNNING to TERMINATING. A RESTARTING does not end a session, and a launch that never reached RUNNING is no
uptime. The event list may have gaps (between two starts a TERMINATING can be missing, other events can be missing or
come after it); a session whose bounds had to be inferred says so in `estimate`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from itertools import groupby

LONGEST_LAUNCH = timedelta(hours=1)
"""What was still there so long after its launch, and did not fail, has been running."""
HALF_A_DAY = timedelta(hours=12)
INSTANT = timedelta(milliseconds=1)
"""The smallest difference between two instants."""
LIST_LAG = timedelta(seconds=1)
"""The list's time of a restart and its event's may differ by so much."""
UNCERTAIN = "whether it reached RUNNING was not among the events"
NO_RUNNING = "its RUNNING was not among the events"
LAUNCHES = frozenset({"CREATING", "STARTING"})
MOVES = LAUNCHES | {"RUNNING", "RESTARTING", "TERMINATING"}
LIVELY = frozenset({"RESIZING", "UPSIZE_COMPLETED"})
"""Events of which only a running cluster tells, and none that has ended."""
SILENT = frozenset(
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
"""Events that come while a cluster is launching, too, and say nothing about whether it ran."""
HINTS = frozenset(
    """
    AUTOMATIC_CLUSTER_UPDATE AUTOSCALING_BACKOFF AUTOSCALING_FAILED AUTOSCALING_STATS_REPORT CLUSTER_MIGRATED DBFS_DOWN
    DECOMMISSION_ENDED DECOMMISSION_STARTED DEFERRED_POLICY_ENFORCEMENT_FAILED DEFERRED_POLICY_ENFORCEMENT_SCHEDULED
    DID_NOT_EXPAND_DISK DRIVER_HEALTHY DRIVER_NOT_RESPONDING DRIVER_UNAVAILABLE EDITED EXPANDED_DISK
    FAILED_TO_EXPAND_DISK METASTORE_DOWN NODE_EXCLUDED_DECOMMISSIONED SPARK_EXCEPTION UC_VOLUME_MISCONFIGURED
    """.split()
)
"""Events that come from running clusters and, some of them, from launches that fail: they prove nothing by themselves.

Between a launch and an end that names no launch failure, the first of them is taken for the RUNNING that is missing.
"""
KNOWN_TYPES = MOVES | LIVELY | SILENT | HINTS
"""Any other type has no meaning here: it proves nothing."""
CALLED_OFF_WITHIN = timedelta(minutes=1)
"""A launch that a person ends so soon has not come up."""
CALLED_OFF = "it was called off while it was launching"
LATER_FAILURES = frozenset(
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
"""Codes of failures that end running clusters, too. Every other failure is one of a launch."""
MEMBER, OTHER = "a member of the group", "somebody else"
"""Who did it, where names were purged: no more than counting needs to know."""


class Role(Enum):
    """Who started something."""

    UNKNOWN = "unknown"
    """Not known yet, or not told: it counts."""
    STUDENT = "student"
    STAFF = "staff"
    """Or the deploy, or the enforcer: it is shown apart."""


@dataclass(frozen=True, order=True)
class Event:
    """One entry of a cluster's event list, narrowed to what uptime needs."""

    at: datetime
    type: str
    """As the API has it; types we do not know are kept and mean nothing."""
    user: str | None = None
    """Who asked for it."""
    workers: int | None = None
    """How many it has from now on."""
    idle: timedelta | None = None
    """Of a TERMINATING by inactivity: how long nothing had run."""
    failed: bool = False
    """Of a TERMINATING: its reason is a failure, not a person's request or inactivity."""
    may_have_run: bool = False
    """Of a TERMINATING that failed: its reason is one that ends running clusters, too, and not launches alone."""


@dataclass(frozen=True)
class Restart:
    at: datetime
    user: str | None
    role: Role = field(default=Role.UNKNOWN, compare=False)
    """Of the user. Events do not tell it."""


@dataclass(frozen=True)
class Session:
    """One stretch of uptime."""

    start: datetime
    end: datetime | None = None
    """None while the cluster is still running."""
    started_by: str | None = None
    """None: not told."""
    restarts: tuple[Restart, ...] = ()
    workers: tuple[tuple[datetime, int], ...] = ()
    """How many from which moment on, where it was told."""
    estimate: str | None = None
    """Why its bounds are not exact; None: they are."""
    last_told: datetime | None = field(default=None, compare=False)
    """The last event while it ran: it did not end before."""
    role: Role = field(default=Role.UNKNOWN, compare=False)
    """Of who started it. Events do not tell it."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Users of whom it is not known yet whether they are staff, and whose sessions count meanwhile."""
        starters = [(self.started_by, self.role), *((restart.user, restart.role) for restart in self.restarts)]
        return tuple(dict.fromkeys(user for user, role in starters if user and role is Role.UNKNOWN))


@dataclass(frozen=True)
class Sighting:
    """What the cluster list said of a cluster at one poll."""

    at: datetime
    running: bool
    """Counts as uptime: RUNNING, RESIZING or RESTARTING."""
    since: datetime | None = None
    """When it was last started or restarted, by the list's own times."""
    terminated: datetime | None = None
    """When its last stop was through, by the list's own times; while it is being stopped, when we looked."""


@dataclass(frozen=True)
class Told:
    """What the events of a cluster tell."""

    sessions: tuple[Session, ...] = ()
    """Oldest first."""
    launching: datetime | None = None
    """Since when a launch goes on of which nothing more was told."""
    last: datetime | None = None
    """The last event of a launch or a session; what comes after an end, late or about a stopped cluster, is none."""
    if_running: tuple[Session, ...] | None = None
    """`sessions` if the hints of the pending launch come from a running cluster; None without hints."""
    failed_launch: tuple[datetime, datetime, str | None] | None = None
    """Begin and end of the launch that failed last, if nothing came after it, and who asked for it."""


def sessions_of(events: Iterable[Event]) -> tuple[Session, ...]:
    """The sessions that these events of one cluster tell of, oldest first. Order and repetition do not matter."""
    return told_by(events).sessions


def told_by(events: Iterable[Event]) -> Told:
    """What these events of one cluster tell. Order and repetition do not matter."""
    reader = _Reader()
    ordered = sorted(set(events), key=lambda event: event.at)
    for _, moment in groupby(ordered, key=lambda event: event.at):
        reader.read_moment(moment)
    sessions, launching = reader.sessions, reader.launch.at if reader.launch else None
    if_running = reader.sessions_if_running()
    return Told(sessions, launching, reader.last, if_running, reader.failed_launch)


def close_unseen(sessions: tuple[Session, ...], last_running: datetime | None, reason: str) -> tuple[Session, ...]:
    """End the open session when it was last seen running: for a cluster that no longer exists, or one that the list
    shows as stopped while its events do not."""
    if not sessions or sessions[-1].end is not None:
        return sessions
    last = sessions[-1]
    end = max(last.start, last_running or last.start, last.last_told or last.start)
    return (*sessions[:-1], replace(last, end=end, estimate=reason))


def reconcile(told: Told, sightings: tuple[Sighting, ...]) -> tuple[Session, ...]:
    """Put right what the cluster list knows better than the events; each change is marked as an estimate.

    `sightings` are in order of time; the last one is of now. A list that shows a stopped cluster ends an open
    session; one that shows a running cluster opens one where the events tell of none; a start or an end that only the
    list knows is taken from it.
    """
    sessions = told.sessions
    if not sightings:
        return sessions
    now = sightings[-1]
    is_unread = now.since is not None and (told.last is None or now.since > told.last)
    has_ended = bool(told.launching and now.terminated and now.terminated >= told.launching)
    if told.if_running is not None and (now.running or is_unread or has_ended):
        return reconcile(replace(told, sessions=told.if_running, launching=None, if_running=None), sightings)
    if told.failed_launch and (ran_at := _seen_running(sightings, *told.failed_launch[:2])):
        _, end, user = told.failed_launch
        sessions = (*sessions, Session(ran_at, end, user, estimate=NO_RUNNING))
    if sessions and sessions[-1].end is None:
        last = sessions[-1]
        if now.running:
            is_untold = is_unread or _is_untold(now.since, last)
            reason = last.estimate or ("the list shows a start that was not among the events" if is_untold else None)
            return (*sessions[:-1], replace(last, estimate=reason))
        if now.at < last.start:
            return sessions
        seen = [sighting.at for sighting in sightings if sighting.running and sighting.at >= last.start]
        ended = now.terminated if now.terminated and now.terminated >= last.start else max(seen, default=None)
        sessions = close_unseen(sessions, ended, "its end was not among the events; taken from the cluster list")
        if not is_unread:
            return sessions
    elif sessions and _is_untold(now.since, sessions[-1]):
        reason = "the list shows that it was started in between, and neither that nor an end was among the events"
        return (*sessions[:-1], replace(sessions[-1], estimate=sessions[-1].estimate or reason))
    last_end = sessions[-1].end if sessions else None
    if now.running:
        since = now.since or now.at
        start = max(since, last_end) if last_end else since
        reason = "its start was not among the events; taken from the cluster list"
        return (*sessions, Session(start=min(start, now.at), estimate=reason))
    if is_unread and now.since and (last_end is None or last_end <= now.since):
        # Its end too is the list's; while it is being launched nobody can tell more than that it was started.
        reason = "it was not among the events; taken from the cluster list"
        return (*sessions, Session(now.since, max(now.since, now.terminated or now.since), estimate=reason))
    if told.launching and not is_unread and now.terminated and now.terminated >= told.launching:
        return (*sessions, Session(told.launching, told.launching, estimate=UNCERTAIN))
    return sessions


def _seen_running(sightings: tuple[Sighting, ...], begins: datetime, ends: datetime) -> datetime | None:
    """When the list first showed a running cluster between two instants."""
    return next((sighting.at for sighting in sightings if sighting.running and begins < sighting.at < ends), None)


def _is_untold(since: datetime | None, session: Session) -> bool:
    """Whether the start that the list shows lies inside a session that the events tell of as one stretch."""
    if since is None or since <= session.start or (session.end is not None and since >= session.end):
        return False
    return all(abs(since - restart.at) > LIST_LAG for restart in session.restarts)


def doubts(sessions: Iterable[Session]) -> tuple[str, ...]:
    """Why the figures of these sessions are not exact, each reason once; empty: they are."""
    return tuple(dict.fromkeys(s.estimate for s in sessions if s.estimate and s.estimate != CALLED_OFF))


def day_bounds(day: date, tz: tzinfo) -> tuple[datetime, datetime]:
    """The first instant of the local day and of the next, in UTC: 23, 24 or 25 hours apart."""
    # Convert before subtracting: on the day the clocks change, local midnights are not 24 hours apart.
    return tuple(datetime.combine(d, time(), tz).astimezone(UTC) for d in (day, day + timedelta(days=1)))  # type: ignore[return-value]


def counted_from(session: Session, *, count_all: bool = False) -> datetime | None:
    """From when on a session counts against its group; None: not at all.

    It counts from its start unless staff started it, then from the first restart by anybody else. `count_all` counts
    every session.
    """
    if count_all or session.role is not Role.STAFF:
        return session.start
    return next((r.at for r in session.restarts if r.user and r.role is not Role.STAFF), None)


def overlap(
    begins: datetime, ends: datetime, sessions: Iterable[Session], *, now: datetime, count_all: bool
) -> timedelta:
    """The counted time of these sessions between two instants; an open session runs until `now`.

    Two that run at the same time add up.
    """
    total = timedelta()
    for session in sessions:
        start = counted_from(session, count_all=count_all)
        if start is not None:
            total += max(timedelta(), min(session.end or now, ends) - max(start, begins))
    return total


def used_on(day: date, sessions: Iterable[Session], *, now: datetime, tz: tzinfo, count_all: bool = True) -> timedelta:
    """The part of these sessions that falls inside the local day; the counted part of it without `count_all`."""
    begins, ends = day_bounds(day, tz)
    return overlap(begins, ends, sessions, now=now, count_all=count_all)


_RANK = {"CREATING": 2, "STARTING": 2, "RUNNING": 4}
"""The order of events of the same millisecond, as far as it does not depend on what was before."""


def _quarter(instant: datetime) -> int:
    """Every zone's midnight lies between two quarters of an hour."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(minutes=15)


@dataclass
class _Reader:
    """Follows the events of one cluster."""

    closed: list[Session] = field(default_factory=list)
    open: Session | None = None
    launch: Event | None = None
    presumed: bool = False
    """The open session's RUNNING was not told, so one that still comes is its true start."""
    doubt: Session | None = None
    """What `_mark` closed for the launch of the open session."""
    is_coming_up: bool = False
    """The open session was told of something that may end in RUNNING once more."""
    came_up: datetime | None = None
    """The last RUNNING."""
    last: datetime | None = None
    """See `Told`."""
    hints: list[Event] = field(default_factory=list)
    """Of the pending launch."""
    failed_launch: tuple[datetime, datetime, str | None] | None = None
    """See `Told`."""

    @property
    def sessions(self) -> tuple[Session, ...]:
        return (*self.closed, self.open) if self.open else tuple(self.closed)

    def sessions_if_running(self) -> tuple[Session, ...] | None:
        """The sessions with one that the hints begin, which is the last thing that this reader is asked."""
        if not self.hints:
            return None
        self._presume_from_hints()
        return self.sessions

    def read_moment(self, events: Iterable[Event]) -> None:
        """All that happened in one millisecond."""
        # An end belongs to what was before, if anything was; so does a RUNNING that was awaited.
        ended = 0 if self.open else 6
        restarted = 3 if self.open and not self.is_coming_up else 5
        events = list(events)
        kinds = {event.type for event in events}
        if self.open and "TERMINATING" in kinds and not kinds & LAUNCHES:
            restarted = -1  # only what runs is restarted, and nothing started it again after its end
        order = {**_RANK, "TERMINATING": ended, "RESTARTING": restarted}
        for event in sorted(events, key=lambda event: order.get(event.type, 1)):
            self.read(event)

    def read(self, event: Event) -> None:
        if self.open or self.launch or event.type in MOVES | LIVELY:
            self.last = event.at
        if event.type in LAUNCHES:
            self._launch(event)
        elif event.type == "RUNNING":
            self._running(event)
        elif event.type == "RESTARTING":
            if self.open is None:
                self._presume(event, "its start was not among the events")
            self.presumed, self.is_coming_up = False, True
            self._note(event, restart=Restart(event.at, event.user))
        elif event.type == "TERMINATING":
            self._terminating(event)
        elif self.open is not None:
            self.is_coming_up = self.is_coming_up or event.type == "RESIZING"
            self._note(event)
        elif self.launch is not None and event.type in LIVELY:
            self._presume(event, NO_RUNNING)
        elif self.launch is not None and event.type in HINTS:
            self.hints.append(event)
        elif self.launch is None and event.type in LIVELY and not self._has_just_ended(event):
            self._presume(event, "its start was not among the events")

    def _launch(self, event: Event) -> None:
        if self.hints:
            self._presume_from_hints()
        self.failed_launch = None
        if self.open is not None:
            last, user = self.open.last_told or self.open.start, self.open.started_by
            reason = "its end was not among the events; it was started again"
            self._close(last, reason)
            self._doubt_days(last + HALF_A_DAY, event.at, user, reason)
            if _quarter(last) != _quarter(event.at):
                self._doubt_at(event.at - INSTANT, user, reason)
        elif self.launch is not None and self.launch.at < event.at:
            self._mark(self.launch.at)
        user = event.user or (self.launch.user if self.launch else None)
        self.launch = replace(event, user=user)

    def _running(self, event: Event) -> None:
        if self.open is None:
            unknown = None if self.launch else "its start was not among the events"
            self.open = Session(event.at, started_by=self.launch.user if self.launch else None, estimate=unknown)
        elif self.presumed:
            if self.closed and self.closed[-1] is self.doubt:
                self.closed.pop()
            self.open = replace(self.open, start=event.at, estimate=None)
        elif not self.is_coming_up and self.came_up != event.at:
            # Perhaps it ended and was started again meanwhile; then less than the whole was uptime.
            reason = "it came up again, and neither an end nor a restart was among the events"
            self.open = replace(self.open, estimate=self.open.estimate or reason)
        self.launch, self.presumed, self.is_coming_up, self.came_up = None, False, False, event.at
        self.hints, self.failed_launch = [], None
        self._note(event)

    def _terminating(self, event: Event) -> None:
        if self.open is None and event.idle is not None:
            launched = self.launch.at if self.launch else event.at - event.idle
            self._presume(event, NO_RUNNING, start=max(launched, event.at - event.idle))
        elif self.open is None and self.launch is not None and event.failed and not event.may_have_run:
            self.failed_launch = self.launch.at, event.at, self.launch.user
        elif self.open is None and self.hints:
            self._presume_from_hints()
        elif (
            self.open is None and self.launch is not None and event.user and not event.failed and self._is_early(event)
        ):
            self.closed.append(Session(event.at, event.at, self.launch.user, estimate=CALLED_OFF))
        elif self.open is None and self.launch is not None:
            # Cancelled while launching, or its RUNNING is missing: nobody can tell, so the time is 0 and marked.
            self._presume(event, UNCERTAIN)
        elif self.open is None and self.launch is None and not self._has_just_ended(event):
            self._presume(event, "its start was not among the events")
        if self.open is not None:
            reason = self.open.estimate
            if event.failed and not self.is_coming_up:
                # That of a later launch, perhaps; and what ran was lost some time before anybody noticed.
                reason = reason or "it ended by a failure; until when it ran was not among the events"
            self._close(event.at, reason)
        self.launch, self.hints = None, []

    def _is_early(self, event: Event) -> bool:
        return self.launch is not None and event.at - self.launch.at <= CALLED_OFF_WITHIN

    def _has_just_ended(self, event: Event) -> bool:
        """Whether a session ended in the same millisecond, so that the event may well be of that one."""
        return bool(self.closed) and self.closed[-1].end == event.at

    def _presume_from_hints(self) -> None:
        """Take the first hint for the RUNNING that is missing."""
        first, *others = self.hints
        self._presume(first, NO_RUNNING)
        for event in others:
            self._note(event)

    def _presume(self, event: Event, reason: str, *, start: datetime | None = None) -> None:
        start, self.doubt = start or event.at, None
        user = self.launch.user if self.launch else None
        if self.launch and start - self.launch.at > LONGEST_LAUNCH:
            start = self.launch.at
        elif self.launch and _quarter(self.launch.at) != _quarter(start):
            self._mark(self.launch.at)
        elif (
            not self.launch and self.closed and self.closed[-1].end and _quarter(self.closed[-1].end) != _quarter(start)
        ):
            self._doubt_days(self.closed[-1].end + INSTANT, start, None, reason)
        self.open = Session(start, started_by=user, estimate=reason)
        self.launch, self.presumed, self.hints, self.failed_launch = None, True, [], None
        self._note(event)

    def _mark(self, launched: datetime) -> None:
        """Say where it was launched that nobody can tell what became of it: that may have been on another day."""
        self._doubt_at(launched, self.launch.user if self.launch else None, UNCERTAIN)
        self.doubt = self.closed[-1]

    def _doubt_days(self, since: datetime, until: datetime, user: str | None, reason: str) -> None:
        """Say of each day between two instants that nobody can tell whether it ran then; no step skips a day."""
        while since < until:
            self._doubt_at(since, user, reason)
            since += HALF_A_DAY

    def _doubt_at(self, instant: datetime, user: str | None, reason: str) -> None:
        self.closed.append(Session(instant, instant, user, estimate=reason))

    def _note(self, event: Event, restart: Restart | None = None) -> None:
        assert self.open is not None
        self.open = replace(self.open, last_told=event.at)
        if restart:
            self.open = replace(self.open, restarts=(*self.open.restarts, restart))
        if event.workers is not None:
            self.open = replace(self.open, workers=(*self.open.workers, (event.at, event.workers)))

    def _close(self, end: datetime, estimate: str | None) -> None:
        assert self.open is not None
        self.closed.append(replace(self.open, end=end, estimate=estimate))
        self.open, self.presumed, self.is_coming_up = None, False, False
