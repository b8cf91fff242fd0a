"""Forecast of the usage until the term's last day, from the usage of past days. Pure.

The rule: each future day is expected to be the mean of the past days with the same weekday, as in the seasonal mean
method (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, sections 5.2 and 5.7). `low` and
`high` are the first and third quartile of these days, widened to include the mean; quartiles are interpolated as in
definition 7 of Hyndman and Fan, Sample Quantiles in Statistical Packages (1996), which is `statistics.quantiles` with
`method="inclusive"`. The bounds of several days are added: quantiles are additive if all days are low or high together
(Dhaene et al., The Concept of Comonotonicity, 2002), so the sum is the widest band that these quartiles permit. In
words: at `low` every coming day is as quiet as a quiet one in four, at `high` as busy as a busy one in four.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from itertools import accumulate
from statistics import quantiles

from enforcer.domain.allowances import Allowance, DayLimits, LimitOverride, Source, overrides_on
from enforcer.domain.course import HOLIDAY, Course, is_on
from labkit.course_file import WHOLE_DAY

BLACKOUT, EXAM = "blackout", "exam"
LEAST_EVIDENCE_DAYS = 14
"""With fewer past days the band is unknown: each weekday is needed twice."""
LEAST_SAME_WEEKDAYS = 2
"""A weekday with fewer past days is expected to be like all past days."""
_RESOLUTION = timedelta(microseconds=1)


class DayMark(Enum):
    """What the calendar means for a day's usage."""

    USUAL = "usual"
    EXAM = "exam"
    """An exam: usage may differ from other days with this weekday."""
    UNLIMITED = "unlimited"
    """No limit applies: usage may be higher than on other days with this weekday."""
    OFF = "off"
    """A holiday, a blackout, or a day on which the group is blocked: no usage is expected."""


@dataclass(frozen=True)
class Band:
    """Usage from the first known day to the end of a day."""

    low: timedelta
    expected: timedelta
    high: timedelta


@dataclass(frozen=True)
class ForecastDay:
    day: date
    mark: DayMark
    band: Band | None
    """Cumulative usage at the end of the day. None: unknown, because there is too little evidence."""


@dataclass(frozen=True)
class Forecast:
    used: timedelta
    """Usage before the first forecast day."""
    evidence_days: int
    """Number of past days from which the forecast is computed."""
    days: tuple[ForecastDay, ...]
    """From today to the term's last day, oldest first; empty after the term."""

    @property
    def is_known(self) -> bool:
        """Whether there is enough evidence for a band."""
        return self.evidence_days >= LEAST_EVIDENCE_DAYS

    @property
    def at_end(self) -> Band | None:
        """The usage at the end of the term. None: unknown, or the term is over."""
        return self.days[-1].band if self.days else None

    def first_day_over(self, limit: timedelta) -> date | None:
        """Return the first day at whose end the expected usage has reached a limit; None if unknown or never."""
        return next((one.day for one in self.days if one.band is not None and one.band.expected >= limit), None)


def forecast(
    totals: Mapping[date, timedelta], *, today: date, last_day: date, marks: Mapping[date, DayMark]
) -> Forecast:
    """Return the forecast from `today` to `last_day`.

    `totals` has the usage of each known local day, in any order. A day without usage has a zero; a day that is missing
    is unknown. Today's total so far is only a lower bound, and later days are ignored. `marks` are those of
    `marks_of`; a day without a mark is a usual one. Days that are off are no evidence.
    """
    past = {day: used for day, used in totals.items() if day < today}
    evidence = {day: used for day, used in past.items() if marks.get(day) is not DayMark.OFF}
    used = sum(past.values(), timedelta())
    days = [today + timedelta(days=number) for number in range((last_day - today).days + 1)]
    future_marks = [marks.get(day, DayMark.USUAL) for day in days]
    if len(evidence) < LEAST_EVIDENCE_DAYS:
        unknown = (ForecastDay(day, mark, None) for day, mark in zip(days, future_marks, strict=True))
        return Forecast(used, len(evidence), tuple(unknown))
    usual = _usual_days(evidence)
    off = Band(timedelta(), timedelta(), timedelta())
    steps = [off if mark is DayMark.OFF else usual[day.weekday()] for day, mark in zip(days, future_marks, strict=True)]
    if steps:
        steps[0] = _at_least(steps[0], totals.get(today, timedelta()))
    bands = accumulate(steps, _sum, initial=Band(used, used, used))
    next(bands)
    forecast_days = zip(days, future_marks, bands, strict=True)
    return Forecast(used, len(evidence), tuple(ForecastDay(*one) for one in forecast_days))


def marks_of(
    course: Course, allowances: Iterable[Allowance], days: Collection[date], group: str | None = None
) -> dict[date, DayMark]:
    """Return the mark of each day for a group. `allowances` are those by staff that are in force.

    Without `group`, the marks are for the course as a whole: only entries and allowances for all groups count. What
    staff grant or block overrides the calendar.
    """
    name = group or ""
    relevant = (*course.scheduled, *allowances)
    overriding = [one for one in relevant if isinstance(one.change, LimitOverride | DayLimits)]
    entries = [entry for entry in course.entries if entry.kind in (HOLIDAY, BLACKOUT, EXAM)]
    marks = {}
    for day in days:
        override = next(iter(overrides_on(day, name, overriding)), None)
        kinds = {entry.kind for entry in entries if is_on(entry, day, name)}
        whole_days = {entry.kind for entry in entries if entry.hours == WHOLE_DAY and is_on(entry, day, name)}
        if override and _is_block(override):
            marks[day] = DayMark.OFF
        elif override and override.source is Source.STAFF:
            marks[day] = DayMark.UNLIMITED
        elif HOLIDAY in whole_days or (BLACKOUT in whole_days and not override):
            marks[day] = DayMark.OFF
        elif EXAM in kinds:
            marks[day] = DayMark.EXAM
        else:
            is_unlimited = override and override.change is LimitOverride.UNLIMITED
            marks[day] = DayMark.UNLIMITED if is_unlimited else DayMark.USUAL
    return marks


def _is_block(override: Allowance) -> bool:
    has_no_time = isinstance(override.change, DayLimits) and not override.change.hard
    return override.change is LimitOverride.BLOCKED or has_no_time


def _usual_days(evidence: Mapping[date, timedelta]) -> list[Band]:
    """Return what a day with each weekday adds, Monday first."""
    everything = list(evidence.values())
    weekdays: list[list[timedelta]] = [[] for _ in range(7)]
    for day, used in evidence.items():
        weekdays[day.weekday()].append(used)
    return [_band_of(same if len(same) >= LEAST_SAME_WEEKDAYS else everything) for same in weekdays]


def _band_of(values: Sequence[timedelta]) -> Band:
    """Return the mean of two or more values with their quartiles, rounded to microseconds."""
    mean = sum(values, timedelta()) / len(values)
    first, _, third = quantiles([value // _RESOLUTION for value in values], n=4, method="inclusive")
    return Band(min(mean, first * _RESOLUTION), mean, max(mean, third * _RESOLUTION))


def _at_least(band: Band, used: timedelta) -> Band:
    return Band(max(band.low, used), max(band.expected, used), max(band.high, used))


def _sum(one: Band, other: Band) -> Band:
    return Band(one.low + other.low, one.expected + other.expected, one.high + other.high)
