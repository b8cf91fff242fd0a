"""The events in a calendar file (RFC 5545), with recurrences and their exceptions, as local times."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from math import prod
from typing import Any

import icalendar
import recurring_ical_events

from labkit.text import quoted

MAX_EVENTS = 5000
"""Maximum number of events in a file."""
MAX_RECURRING = 500
"""Maximum number of events that repeat: each takes up to 50 ms."""
MAX_OCCURRENCES_PER_DAY = 24
_TIMES = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS"})
_FREQUENT = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})


class CalendarError(Exception):
    """A calendar cannot be used; the message is a sentence without its address or content."""


@dataclass(frozen=True)
class Occurrence:
    """One event on the clock on the wall, without a zone. It exists only until its kind is known: `names` are never
    stored.
    """

    begins: datetime
    ends: datetime
    is_all_day: bool
    """Both are midnights, `ends` that after the last day."""
    names: tuple[str, ...]
    """The title, then the categories."""


def read_occurrences(data: bytes, *, first: date, last: date, tz: tzinfo) -> list[Occurrence]:
    """Return the events of a calendar file between two days (inclusive), without cancelled ones.

    `tz` is the zone of the result and of times without a zone. Raises CalendarError.
    """
    try:
        with warnings.catch_warnings():
            # The library warns of unusual names of zones, which it understands.
            warnings.simplefilter("ignore")
            calendars = _parse(data)
            _check_events(calendars)
            return _in_term(calendars, first, last, tz)
    except CalendarError:
        raise
    except UnicodeDecodeError:
        raise CalendarError("the calendar is not UTF-8; export it again as iCalendar (.ics).") from None
    except Exception as error:  # noqa: BLE001 - the libraries raise many types for invalid values
        raise CalendarError(_unusable(error)) from None


def _parse(data: bytes) -> list[Any]:
    text = data.decode("utf-8-sig").strip()
    if text.startswith("BEGIN:VCALENDAR") and not text.endswith("END:VCALENDAR"):
        raise CalendarError("the calendar is incomplete: its last line must be END:VCALENDAR; export it again.")
    calendars = icalendar.Calendar.from_ical(text, multiple=True)
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise CalendarError("this is not a calendar: a file that begins with BEGIN:VCALENDAR is expected.")
    return list(calendars)


def _in_term(calendars: Iterable[Any], first: date, last: date, tz: tzinfo) -> list[Occurrence]:
    begins, ends = datetime.combine(first, time()), datetime.combine(last + timedelta(days=1), time())
    day, moment = timedelta(days=1), timedelta.resolution
    # Days around the term are included, because the library compares in each event's own zone.
    found = [
        _occurrence(event, tz)
        for calendar in calendars
        for event in recurring_ical_events.of(calendar).between(first - day, last + 2 * day)
        if str(event.get("STATUS", "")).upper() != "CANCELLED"
    ]
    # An event without a duration counts as one moment.
    in_term = (one for one in found if one.begins < ends and max(one.ends, one.begins + moment) > begins)
    return sorted(in_term, key=lambda one: (one.begins, one.ends, one.names))


def _unusable(error: Exception) -> str:
    # The message of the error may contain titles or addresses.
    return f"the calendar has an invalid value ({type(error).__name__}); export it again as iCalendar (.ics)."


def _check_events(calendars: Iterable[Any]) -> None:
    """Raise CalendarError for a calendar that would take very long to expand, or in which a time is invalid or
    in an unknown zone: the library leaves these out.
    """
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if len(events) > MAX_EVENTS:
        raise CalendarError(f"the calendar has more than {MAX_EVENTS} events; export only the course's calendar.")
    if sum("RRULE" in event for event in events) > MAX_RECURRING:
        raise CalendarError(f"more than {MAX_RECURRING} events repeat; export only the course's calendar.")
    for event in events:
        invalid = _TIMES.intersection(str(name).upper() for name, _ in event.errors)
        if invalid or "DTSTART" not in event:
            name = min(invalid, default="DTSTART")
            raise CalendarError(f"an event of the calendar has no valid {name}; export it again as iCalendar (.ics).")
        zone = next(filter(None, map(_unknown_zone, _values(event))), None)
        if zone:
            raise CalendarError(
                f"an event has the unknown time zone {quoted(zone)}; correct it in the calendar program."
            )
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            frequencies = {str(name).upper() for name in rule.get("FREQ", [])}
            times = prod(max(1, len(rule.get(key, []))) for key in ("BYHOUR", "BYMINUTE", "BYSECOND"))
            if frequencies & _FREQUENT or times > MAX_OCCURRENCES_PER_DAY:
                raise CalendarError("an event repeats every hour or more often; remove it from the calendar.")


def _values(event: Any) -> Iterator[Any]:
    """Yield the values of an event that contain times."""
    for key in ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE"):
        values = event.get(key, [])
        yield from values if isinstance(values, list) else [values]


def _unknown_zone(value: Any) -> str | None:
    """Return the name of a zone that the library does not know: it leaves out the zone of such times."""
    moments = [one.dt for one in getattr(value, "dts", [value])]
    has_naive = any(isinstance(moment, datetime) and moment.tzinfo is None for moment in moments)
    return str(value.params["TZID"]) if has_naive and "TZID" in value.params else None


def _occurrence(event: Any, tz: tzinfo) -> Occurrence:
    begins, ends = event["DTSTART"].dt, event["DTEND"].dt if "DTEND" in event else event["DTSTART"].dt
    is_all_day = not isinstance(begins, datetime)
    if is_all_day:
        # A day without an end is one day.
        ends = max(ends if not isinstance(ends, datetime) else ends.date(), begins + timedelta(days=1))
    local_begins, local_ends = _wall(begins, tz), _wall(ends, tz)
    return Occurrence(local_begins, max(local_begins, local_ends), is_all_day, _names(event))


def _wall(moment: date, tz: tzinfo) -> datetime:
    """Return a time on the wall, in whole minutes."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time())
    local = moment.astimezone(tz) if moment.tzinfo else moment
    return local.replace(tzinfo=None, second=0, microsecond=0, fold=0)


def _names(event: Any) -> tuple[str, ...]:
    lists = event.get("CATEGORIES", [])
    categories = [name for one in (lists if isinstance(lists, list) else [lists]) for name in one.cats]
    return tuple(" ".join(str(name).split()) for name in (event.get("SUMMARY", ""), *categories))
