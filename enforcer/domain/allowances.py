"""Allowances: dated changes of limits with a reason, stored as small files beside the course file. Pure.

A file is never edited: an allowance is one file, its revocation a second one. Precedence: blocked, unlimited, window,
minutes; minutes of several allowances add up. Entries of the course's calendar are allowances, too, and staff override
them.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum, IntEnum
from typing import Any

from labkit.course_file import BLOCKED, FREE, LIMITS, UNLIMITED, WEEKDAYS, CalendarEntry

VERSION = 1
SHORT_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Interval = tuple[datetime, datetime]
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
"""Allowed range of an allowance's days; other days are rejected."""
MOST_MINUTES = 100_000
"""Maximum change in minutes; a term is shorter."""
LONGEST_TEXT = 10_000
"""Maximum length of a string, in characters."""
_BEFORE_THE_TERM = datetime(2000, 1, 1, tzinfo=UTC)
"""The course file does not contain when an entry was written; it counts as known from the start of its day."""


class AllowanceError(ValueError):
    """An invalid allowance; the message contains the problem and the expected value."""


class LimitOverride(Enum):
    """Effect on the limits of its days of an allowance without minutes or a window."""

    UNLIMITED = "unlimited"
    BLOCKED = "none"


class Source(IntEnum):
    """Where an allowance is from; a higher one overrides a lower one."""

    IMPORTED_CALENDAR = 0
    CALENDAR = 1
    STAFF = 2


@dataclass(frozen=True)
class DayLimits:
    """Limits for a day instead of the group's usual ones."""

    hard: timedelta
    soft: timedelta | None = None
    """Warning limit. None: the margin before the hard limit is the usual one."""


@dataclass(frozen=True)
class Window:
    """Part of the local day in which usage does not count and no cluster is stopped, such as a lesson."""

    weekday: int | None
    """0 is Monday. None means every day of the allowance."""
    begins: time
    ends: time
    """End of the window; on the next day if it is not later than `begins`."""

    def __str__(self) -> str:
        day = "" if self.weekday is None else f"{SHORT_WEEKDAYS[self.weekday]} "
        return f"{day}{self.begins:%H:%M}-{self.ends:%H:%M}"

    def on(self, day: date, tz: tzinfo) -> Interval | None:
        """Return the window that begins on this local day, in UTC; None if the weekday differs."""
        if self.weekday is not None and day.weekday() != self.weekday:
            return None
        last = day if self.ends > self.begins else day + timedelta(days=1)
        begins, ends = datetime.combine(day, self.begins, tz), datetime.combine(last, self.ends, tz)
        return begins.astimezone(UTC), ends.astimezone(UTC)


@dataclass(frozen=True)
class Allowance:
    id: str
    group: str | None
    """Display name. None means all groups."""
    first_day: date
    last_day: date
    """Last day (inclusive). Days are in the course's time zone."""
    change: timedelta | LimitOverride | Window | DayLimits
    """A timedelta raises or lowers the limits of each day by that amount."""
    reason: str
    given_by: str
    given_at: datetime
    weekday: int | None = None
    """The weekday on which the allowance applies: 0 is Monday, None every day. A window has a weekday of its own."""
    source: Source = Source.STAFF
    time_request: str = ""
    """Id of the time request that the allowance answers; empty if it answers none."""
    only_day: bool = False
    """Whether a change in minutes is for the limit of the day only, and not for those of week and term."""

    def covers(self, group: str, day: date) -> bool:
        is_its_day = self.first_day <= day <= self.last_day and self.weekday in (None, day.weekday())
        return self.group in (None, group) and is_its_day

    @property
    def effect(self) -> str:
        """What changes, without the reason: `+ 60 minutes`."""
        match self.change:
            case timedelta() as change:
                minutes = round(change / timedelta(minutes=1))
                return f"{'-' if minutes < 0 else '+'} {abs(minutes)} minutes"
            case LimitOverride() as override:
                return "blocked" if override is LimitOverride.BLOCKED else override.value
            case Window() as window:
                return f"window {window}"
            case DayLimits(hard):
                return f"{round(hard / timedelta(minutes=1))} minutes"

    def __str__(self) -> str:
        return f"{self.effect}: {self.reason}"


@dataclass(frozen=True)
class Revocation:
    id: str
    revokes: str
    reason: str
    given_by: str
    given_at: datetime
    time_request: str = ""
    """Id of the time request that is denied; then `revokes` is the id that its allowance would have. Else empty."""


def parse_window(text: str) -> Window:
    """Parse `Mon 10:00-12:00`, or `10:00-12:00` for every day of the allowance. Raises AllowanceError."""
    match = re.fullmatch(r"\s*(?:([A-Za-z]{3})[a-z]*\s+)?(\d{1,2}:\d\d)\s*[-–]\s*(\d{1,2}:\d\d)\s*", text)
    expected = f'a window is written "Mon 10:00-12:00" or "10:00-12:00", not "{text}"'
    if not match:
        raise AllowanceError(expected)
    day, begins, ends = match.groups()
    if day and day.title() not in SHORT_WEEKDAYS:
        raise AllowanceError(f"{expected}; days are {', '.join(SHORT_WEEKDAYS)}")
    try:
        first, last = (_time_of_day(clock) for clock in (begins, ends))
    except ValueError:
        raise AllowanceError(f"{expected}; hours go from 0:00 to 23:59") from None
    if first == last:
        raise AllowanceError(f'the window "{text}" has the same start and end')
    return Window(SHORT_WEEKDAYS.index(day.title()) if day else None, first, last)


def _time_of_day(clock: str) -> time:
    """Parse `H:MM`. Raises ValueError for an invalid time."""
    hours, minutes = clock.split(":")
    return time(int(hours), int(minutes))


def allowances_from(entries: Iterable[CalendarEntry]) -> tuple[Allowance, ...]:
    """Return the allowances for calendar entries, one for each group, in the order of the entries.

    An entry without an effect on limits has none. Raises OverflowError for minutes that are not a valid duration.
    """
    return tuple(
        Allowance(
            f"calendar {number}",
            group,
            entry.first_day,
            entry.last_day,
            change,
            entry.title or entry.kind,
            "the course's calendar",
            _BEFORE_THE_TERM,
            _weekday_of(entry),
            Source.IMPORTED_CALENDAR if entry.is_imported else Source.CALENDAR,
        )
        for number, entry in enumerate(entries, start=1)
        if (change := _scheduled_change(entry)) is not None
        for group in entry.groups or (None,)
    )


def _scheduled_change(entry: CalendarEntry) -> LimitOverride | Window | DayLimits | None:
    if entry.effect == FREE:
        return Window(_weekday_of(entry), entry.hours.begins, entry.hours.ends)
    if entry.effect == LIMITS and entry.hard_minutes is not None:
        soft = None if entry.soft_minutes is None else timedelta(minutes=entry.soft_minutes)
        return DayLimits(timedelta(minutes=entry.hard_minutes), soft)
    return {UNLIMITED: LimitOverride.UNLIMITED, BLOCKED: LimitOverride.BLOCKED}.get(entry.effect)


def _weekday_of(entry: CalendarEntry) -> int | None:
    return None if entry.weekday is None else WEEKDAYS.index(entry.weekday)


def in_force(entries: Iterable[Allowance | Revocation]) -> tuple[Allowance, ...]:
    """Return the allowances that are not revoked, oldest first. Only the first answer to a time request counts."""
    given = {entry.id: entry for entry in entries}
    revoked = {entry.revokes for entry in given.values() if isinstance(entry, Revocation)}
    answered: set[str] = set()
    found = []
    for one in sorted(
        (entry for entry in given.values() if isinstance(entry, Allowance)), key=lambda one: (one.given_at, one.id)
    ):
        is_first = one.time_request not in answered
        answered |= {one.time_request} - {""}
        if is_first and one.id not in revoked:
            found.append(one)
    return tuple(found)


def overrides_on(day: date, group: str, allowances: Iterable[Allowance]) -> tuple[Allowance, ...]:
    """Return the allowances that replace a group's limits on a day: from the highest source all blocking ones, or else
    all unlimited ones, or else one with other limits: the last one for this group or, without one, for all groups.
    """
    covering = [
        one for one in allowances if isinstance(one.change, LimitOverride | DayLimits) and one.covers(group, day)
    ]
    highest = max((one.source for one in covering), default=None)
    candidates = [one for one in covering if one.source is highest]
    for override in (LimitOverride.BLOCKED, LimitOverride.UNLIMITED):
        if found := tuple(one for one in candidates if one.change is override):
            return found
    return tuple(sorted(candidates, key=lambda one: one.group is not None)[-1:])


def windows_between(
    begins: datetime, ends: datetime, group: str, allowances: Iterable[Allowance], tz: tzinfo
) -> tuple[Interval, ...]:
    """Return the group's windows between two points in time, merged if they touch, oldest first.

    A day on which the group is blocked has no windows, except those from a higher source than the block.
    """
    allowances = tuple(a for a in allowances if a.group in (None, group))
    overrides = tuple(a for a in allowances if isinstance(a.change, LimitOverride | DayLimits))
    # A window may have begun on the local day before `begins`.
    first, last = begins.astimezone(tz).date() - timedelta(days=1), ends.astimezone(tz).date()
    blocks: dict[date, Source | None] = {}
    found: list[Interval] = []
    for one in allowances:
        if not isinstance(one.change, Window):
            continue
        for day in _days(max(first, one.first_day), min(last, one.last_day)):
            interval = one.change.on(day, tz)
            if interval is None or not one.covers(group, day):
                continue
            if day not in blocks:
                blocks[day] = _block_on(day, group, overrides)
            block = blocks[day]
            if block is None or one.source > block:
                found.append(interval)
    # A window within the hour that the clocks skip has no length.
    clipped = sorted((max(b, begins), min(e, ends)) for b, e in found if b < ends and e > begins and b < e)
    return _joined(clipped)


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _block_on(day: date, group: str, overrides: Iterable[Allowance]) -> Source | None:
    """Return the source of the block in force on a day; None without one."""
    return next(
        (one.source for one in overrides_on(day, group, overrides) if one.change is LimitOverride.BLOCKED), None
    )


def _joined(intervals: list[Interval]) -> tuple[Interval, ...]:
    joined: list[Interval] = []
    for begins, ends in intervals:
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((begins, ends))
    return tuple(joined)


def format_entry(entry: Allowance | Revocation) -> str:
    """Return the content of the file for an allowance or a revocation, as JSON."""
    document: dict[str, Any] = {"version": VERSION, "id": entry.id}
    if isinstance(entry, Revocation):
        document["revokes"] = entry.revokes
    else:
        document |= {"group": entry.group or "all", "first_day": str(entry.first_day), "last_day": str(entry.last_day)}
        match entry.change:
            case timedelta() as change:
                document["minutes"] = round(change / timedelta(minutes=1))
                if entry.only_day:
                    document["only_day"] = True
            case LimitOverride() as override:
                document[override.value] = True
            case Window() as window:
                document["window"] = str(window)
    if entry.time_request:
        document["time_request"] = entry.time_request
    document |= {"reason": entry.reason, "given_by": entry.given_by, "given_at": entry.given_at.isoformat()}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def parse_entry(text: str, path: str) -> Allowance | Revocation:
    """Parse the content of the file `path`. Raises AllowanceError."""
    try:
        document = json.loads(text)
        if not isinstance(document, dict):
            raise TypeError("an object was expected")
        if document["version"] != VERSION or isinstance(document["version"], bool):
            raise AllowanceError(
                f"version {document['version']!r} is not supported, only {VERSION}; upgrade this program"
            )
        common = (_text(document, "reason"), _text(document, "given_by"), _instant(_text(document, "given_at")))
        request = _text(document, "time_request") if document.get("time_request") else ""
        if "revokes" in document:
            return Revocation(_text(document, "id"), _text(document, "revokes"), *common, request)
        group = None if document["group"] == "all" else _text(document, "group")
        first, last = _day(_text(document, "first_day")), _day(_text(document, "last_day"))
        if last < first:
            raise AllowanceError(f"the last day ({last}) is before the first day ({first})")
        change = _change(document)
        only_day = document.get("only_day") is True and isinstance(change, timedelta)
        return Allowance(
            _text(document, "id"), group, first, last, change, *common, time_request=request, only_day=only_day
        )
    except AllowanceError as error:
        raise AllowanceError(f"{path}: {error}") from None
    except KeyError as error:
        raise AllowanceError(f"{path}: {error.args[0]} is missing") from None
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise AllowanceError(f"{path} is not an allowance: {error}") from None


def _change(document: dict[str, Any]) -> timedelta | LimitOverride | Window:
    changes: list[timedelta | LimitOverride | Window] = [
        override for override in LimitOverride if document.get(override.value) is True
    ]
    if "minutes" in document:
        minutes = document["minutes"]
        is_number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
        if not is_number or not -MOST_MINUTES <= minutes <= MOST_MINUTES or minutes != int(minutes):
            raise AllowanceError(f"minutes must be a whole number from {-MOST_MINUTES} to {MOST_MINUTES}")
        changes.append(timedelta(minutes=int(minutes)))
    if "window" in document:
        changes.append(parse_window(_text(document, "window")))
    if len(changes) != 1:
        raise AllowanceError("exactly one of minutes, unlimited, none and window is expected")
    return changes[0]


def _text(document: dict[str, Any], key: str) -> str:
    """Return a string that the ledger and messages can contain. Raises AllowanceError."""
    value = document[key]
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise AllowanceError(f"{key} must be a string of at most {LONGEST_TEXT} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise AllowanceError(f"{key} contains an unpaired surrogate") from None
    return value


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if not EARLIEST <= day <= LATEST:
        raise AllowanceError(f"days must be between {EARLIEST} and {LATEST}, not {day}")
    return day


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise AllowanceError(f"given_at {text} has no time zone")
    if not EARLIEST <= instant.date() <= LATEST:
        raise AllowanceError(f"given_at {text} must be between {EARLIEST} and {LATEST}")
    return instant.astimezone(UTC)
