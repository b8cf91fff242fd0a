"""Maps events to kinds, and returns their rows in the normalised calendar. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Protocol

from course_calendar.table import CalendarRow

CLASS = "class"
"""The only kind with hours; all other kinds last whole days."""


class Event(Protocol):
    """An event in local time."""

    @property
    def begins(self) -> datetime: ...
    @property
    def ends(self) -> datetime: ...
    @property
    def is_all_day(self) -> bool: ...
    @property
    def names(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Classified:
    """The rows, and the number of ignored events by title and categories."""

    rows: frozenset[CalendarRow] = frozenset()
    ignored: Mapping[tuple[str, ...], int] = field(default_factory=dict)


def classify(events: Iterable[Event], rules: Mapping[str, str], *, first: date, last: date) -> Classified:
    """Return the rows for events that a rule matches, clipped to the days of the term.

    A rule maps a title or category to a kind; `*` matches any characters, case does not matter, and the first rule
    that matches applies.
    """
    compiled = [(re.compile(re.escape(name.casefold()).replace(r"\*", ".*")), kind) for name, kind in rules.items()]
    rows: set[CalendarRow] = set()
    ignored: Counter[tuple[str, ...]] = Counter()
    for event in events:
        names = [name.casefold() for name in event.names]
        kind = next((kind for pattern, kind in compiled if any(map(pattern.fullmatch, names))), None)
        found = list(_rows(event, kind)) if kind else []
        if not found:
            ignored[event.names] += 1
        for row in found:
            if row.last_day >= first and row.first_day <= last:
                rows.add(_clipped(row, first, last))
    return Classified(frozenset(rows), dict(sorted(ignored.items())))


def _clipped(row: CalendarRow, first: date, last: date) -> CalendarRow:
    return CalendarRow(max(row.first_day, first), min(row.last_day, last), row.kind, row.hours)


def _rows(event: Event, kind: str) -> Iterator[CalendarRow]:
    """Yield the rows of an event. A class without a duration has none."""
    begins, ends = event.begins, event.ends
    if event.is_all_day or kind != CLASS:
        last = ends - timedelta(minutes=1) if ends > begins else ends
        yield CalendarRow(begins.date(), last.date(), kind)
    elif timedelta() < ends - begins < timedelta(days=1):
        yield CalendarRow(begins.date(), begins.date(), kind, f"{begins:%H:%M}-{ends:%H:%M}")
    elif ends > begins:
        yield from _long_class(begins, ends)


def _long_class(begins: datetime, ends: datetime) -> Iterator[CalendarRow]:
    """Yield the rows of a class of a day or more: the rest of its first day, whole days, the start of its last day."""
    first, last = begins.date(), ends.date()
    if begins.time() > time():
        yield CalendarRow(first, first, CLASS, f"{begins:%H:%M}-00:00")
        first += timedelta(days=1)
    if first < last:
        yield CalendarRow(first, last - timedelta(days=1), CLASS)
    if ends.time() > time():
        yield CalendarRow(last, last, CLASS, f"00:00-{ends:%H:%M}")
