"""The content of a group's page: what its quota is, how much is used, and why. Pure.

Days and clock times are those of the course's time zone. An idle group's content does not depend on the time, so that
its page is not written again; only a new week or a day of the calendar with other limits changes it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum

from enforcer.domain.allowances import Allowance, LimitOverride, Window, overrides_on, windows_between
from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.quota import LimitUsage, Period
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.time_requests.model import TimeRequest
from labkit.course_file import LIMITS, WEEKDAYS, WHOLE_DAY, CalendarEntry, PageOptions

MINUTE = timedelta(minutes=1)
MOST_CHANGES = 10
"""Maximum number of allowances on a page."""
MOST_CALENDAR_LINES = 20
MOST_MAILS = 5
MOST_REQUESTS = 5


class State(Enum):
    """What a group can do with its cluster now."""

    RUNNING = "running"
    UNCOUNTED = "uncounted"
    """The cluster is running, and its time does not count: staff started it, or a window is open."""
    READY = "ready"
    """The cluster is off, and the group may start it."""
    REACHED = "reached"
    """A limit is reached, so the group may not start the cluster."""


@dataclass(frozen=True)
class PeriodUsage:
    """The usage of one limit, in whole minutes."""

    period: str
    """`day`, `week` or `term`."""
    used: int
    left: int
    """Rounded up."""
    hard: int
    usual: int
    """The hard limit without calendar and allowances."""
    is_near: bool
    """Whether the limit at which the group is warned is reached."""
    is_over: bool
    resets: date | None
    """The first day on which the group has new time; None for the term, and if nothing is used and the limit is not
    reached.
    """


@dataclass(frozen=True)
class Change:
    """An allowance by staff; exactly one of the first four fields describes what it changes."""

    minutes: int | None
    """Added to the limit of each day."""
    is_unlimited: bool
    is_blocked: bool
    window: Window | None
    """Time that does not count."""
    first_day: date
    last_day: date
    reason: str


@dataclass(frozen=True)
class CalendarLine:
    """An entry of the course's calendar that is not over."""

    kind: str
    """`class`, `exam`, `holiday` or `blackout`."""
    title: str
    effect: str
    """`usual`, `free`, `unlimited`, `blocked` or `limits`."""
    weekday: int | None
    """0 is Monday; None means every day from the first to the last."""
    begins: str
    """Clock time such as `10:00`; empty for whole days."""
    ends: str
    first_day: date
    last_day: date
    hard: int | None
    """The limit in minutes if the effect is `limits`."""


@dataclass(frozen=True)
class Mail:
    """A mail to the group about one of its limits."""

    kind: MessageKind
    at: datetime
    subject: str


@dataclass(frozen=True)
class AskingForTime:
    """How a group asks for more time."""

    admin: str = ""
    """The staff's address; empty if there is none."""
    request_path: str = ""
    """The workspace path of the group's file for time requests; empty if the course has no such files."""
    request_address: str = ""
    """The URL of that file."""


@dataclass(frozen=True)
class PageContent:
    course: str
    group: str
    """The group's name in the course."""
    clusters: tuple[str, ...]
    """Names of the group's clusters."""
    state: State
    as_of: datetime | None
    """The time of the figures while a cluster of the group is running; None if none is."""
    last_ran: datetime | None
    """When the group's last cluster stopped; None if one is running or none ever ran."""
    free_until: datetime | None
    """When the open window ends in which a group may use its cluster and the time does not count."""
    runs_out: datetime | None
    """When the first limit is reached if the clusters run on; None if none is reached before it resets."""
    usages: tuple[PeriodUsage, ...]
    """In the order day, week, term; empty on a day without limits."""
    unlimited_reasons: tuple[str, ...]
    """Why the day has no limits."""
    changes: tuple[Change, ...]
    more_changes: int
    """Number of allowances that are not in `changes`."""
    calendar: tuple[CalendarLine, ...]
    mails: tuple[Mail, ...]
    requests: tuple[TimeRequest, ...]
    """The latest ones first, with local times."""
    asking: AskingForTime
    first_weekday: int
    """The day on which a week begins; 0 is Monday."""
    last_day: date
    """The last day of the term."""
    runtime: str
    libraries: tuple[str, ...]

    @property
    def without_figures(self) -> "PageContent":
        """The content without what changes by itself while a cluster is running."""
        usages = tuple(replace(usage, used=0, left=0) for usage in self.usages)
        return replace(self, as_of=None, runs_out=None, usages=usages)


def page_content(
    snapshot: Snapshot,
    group: str,
    options: PageOptions,
    *,
    stopped: frozenset[str] = frozenset(),
    last_ran: datetime | None = None,
    mails: Iterable[Mail] = (),
    requests: Iterable[TimeRequest] = (),
    asking: AskingForTime = AskingForTime(),
) -> PageContent:
    """Return the page of a group in the course file.

    `stopped` are the ids of the clusters that this tick has stopped. `last_ran` is the end of the group's last session.
    """
    course, tz = snapshot.course, snapshot.course.calendar.tz
    clusters = [cluster for cluster in snapshot.clusters if group_of(cluster) == group]
    running = [cluster for cluster in clusters if cluster.observation.running and cluster.id not in stopped]
    counting = [cluster for cluster in running if snapshot.is_counting(cluster)]
    limit_usages = snapshot.limit_usages_of(group)
    is_over = any(usage.is_over for usage in limit_usages)
    windows = windows_between(snapshot.now, snapshot.now + timedelta(days=2), group, snapshot.in_force, tz)
    is_open = bool(windows) and windows[0][0] <= snapshot.now and (bool(running) or is_over)
    state = _state(is_running=bool(running), is_counting=bool(counting), is_open=is_open, is_over=is_over)
    overrides = () if limit_usages else overrides_on(snapshot.today, group, snapshot.in_force)
    changes = _changes(snapshot, group, limit_usages)
    ended = snapshot.now if any(cluster.id in stopped for cluster in clusters) else last_ran
    return PageContent(
        course=course.title or course.id,
        group=course.groups[group].title or group,
        clusters=tuple(sorted(cluster.name for cluster in clusters)),
        state=state,
        as_of=_minute(snapshot.now.astimezone(tz)) if running else None,
        last_ran=None if running or ended is None else _minute(ended.astimezone(tz)),
        free_until=_minute(windows[0][1].astimezone(tz)) if is_open else None,
        runs_out=_runs_out(snapshot, limit_usages, windows, len(counting)) if counting else None,
        usages=tuple(_period_usage(snapshot, group, usage) for usage in sorted(limit_usages, key=_position)),
        unlimited_reasons=tuple(dict.fromkeys(one.reason for one in overrides)),
        changes=changes[-MOST_CHANGES:],
        more_changes=len(changes[:-MOST_CHANGES]),
        calendar=_calendar(snapshot, group),
        mails=tuple(replace(mail, at=_minute(mail.at.astimezone(tz))) for mail in mails)[:MOST_MAILS],
        requests=tuple(_local(request, snapshot) for request in requests)[:MOST_REQUESTS],
        asking=asking,
        first_weekday=course.calendar.first_weekday,
        last_day=course.calendar.last_day,
        runtime=options.runtime,
        libraries=options.libraries,
    )


def _state(*, is_running: bool, is_counting: bool, is_open: bool, is_over: bool) -> State:
    if is_running:
        return State.RUNNING if is_counting and not is_open else State.UNCOUNTED
    return State.REACHED if is_over and not is_open else State.READY


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _position(usage: LimitUsage) -> int:
    return list(Period).index(usage.limit.period)


def _period_usage(snapshot: Snapshot, group: str, usage: LimitUsage) -> PeriodUsage:
    limit = usage.limit
    is_dated = limit.period is not Period.TERM and (usage.used > timedelta() or usage.is_over)
    return PeriodUsage(
        limit.period.value,
        usage.used // MINUTE,
        -(-usage.left // MINUTE),
        round(limit.hard / MINUTE),
        round(limit.base / MINUTE),
        usage.is_near,
        usage.is_over,
        snapshot.first_usable_day(group, limit.last_day + timedelta(days=1)) if is_dated else None,
    )


def _runs_out(
    snapshot: Snapshot, limit_usages: Iterable[LimitUsage], windows: Sequence[tuple[datetime, datetime]], running: int
) -> datetime | None:
    """Return when the first limit is reached, to the minute. Time in windows does not count."""
    tz = snapshot.course.calendar.tz
    found = []
    for usage in limit_usages:
        at, left = snapshot.now, usage.left / running
        for begins, ends in windows:
            if at + left <= begins:
                break
            left -= max(timedelta(), begins - at)
            at = max(at, ends)
        at += left
        if at.astimezone(tz).date() <= usage.limit.last_day:
            found.append(_minute(at.astimezone(tz)))
    return min(found, default=None)


def _changes(snapshot: Snapshot, group: str, limit_usages: Iterable[LimitUsage]) -> tuple[Change, ...]:
    """Return the allowances by staff that change a current limit or a future day, in the order of their days."""
    in_limits = {allowance.id for usage in limit_usages for allowance in usage.limit.allowances}
    relevant = [
        allowance
        for allowance in snapshot.allowances
        if allowance.group in (None, group) and (allowance.last_day >= snapshot.today or allowance.id in in_limits)
    ]
    return tuple(_change(one) for one in sorted(relevant, key=lambda one: (one.last_day, one.first_day, one.id)))


def _change(allowance: Allowance) -> Change:
    change = allowance.change
    return Change(
        round(change / MINUTE) if isinstance(change, timedelta) else None,
        change is LimitOverride.UNLIMITED,
        change is LimitOverride.BLOCKED,
        change if isinstance(change, Window) else None,
        allowance.first_day,
        allowance.last_day,
        allowance.reason,
    )


def _calendar(snapshot: Snapshot, group: str) -> tuple[CalendarLine, ...]:
    """Return the entries of the course's calendar that are not over, the ones that end first at the beginning."""
    entries = [
        entry
        for entry in snapshot.course.entries
        if entry.last_day >= snapshot.today and (not entry.groups or group in entry.groups)
    ]
    entries.sort(key=lambda entry: (entry.last_day, entry.first_day, entry.kind, entry.title))
    return tuple(map(_calendar_line, entries[:MOST_CALENDAR_LINES]))


def _calendar_line(entry: CalendarEntry) -> CalendarLine:
    has_hours = entry.hours != WHOLE_DAY
    return CalendarLine(
        entry.kind,
        entry.title,
        entry.effect,
        None if entry.weekday is None else WEEKDAYS.index(entry.weekday),
        f"{entry.hours.begins:%H:%M}" if has_hours else "",
        f"{entry.hours.ends:%H:%M}" if has_hours else "",
        entry.first_day,
        entry.last_day,
        round(entry.hard_minutes) if entry.effect == LIMITS and entry.hard_minutes is not None else None,
    )


def _local(request: TimeRequest, snapshot: Snapshot) -> TimeRequest:
    tz = snapshot.course.calendar.tz
    answered = request.answered_at and _minute(request.answered_at.astimezone(tz))
    return replace(request, asked_at=_minute(request.asked_at.astimezone(tz)), answered_at=answered)
