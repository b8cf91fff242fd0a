"""Calendar entries of the course file as allowances, which those by staff override. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from enforcer.domain.allowances import Allowance, DayLimits, LimitOverride, Source, Window
from labkit.course_file import BLOCKED, FREE, LIMITS, UNLIMITED, WEEKDAYS, CalendarEntry

_BEFORE_THE_TERM = datetime(2000, 1, 1, tzinfo=UTC)
"""The course file does not contain when an entry was written; it counts as known from the start of its day."""


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
            _weekday(entry),
            Source.IMPORTED_CALENDAR if entry.is_imported else Source.CALENDAR,
        )
        for number, entry in enumerate(entries, start=1)
        if (change := _change(entry)) is not None
        for group in entry.groups or (None,)
    )


def _change(entry: CalendarEntry) -> LimitOverride | Window | DayLimits | None:
    if entry.effect == FREE:
        return Window(_weekday(entry), entry.hours.begins, entry.hours.ends)
    if entry.effect == LIMITS and entry.hard_minutes is not None:
        soft = None if entry.soft_minutes is None else timedelta(minutes=entry.soft_minutes)
        return DayLimits(timedelta(minutes=entry.hard_minutes), soft)
    return {UNLIMITED: LimitOverride.UNLIMITED, BLOCKED: LimitOverride.BLOCKED}.get(entry.effect)


def _weekday(entry: CalendarEntry) -> int | None:
    return None if entry.weekday is None else WEEKDAYS.index(entry.weekday)
