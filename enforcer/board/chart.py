"""The geometry of the board's charts, in percent of their width and height. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from enforcer.board.model import BurnDown, GroupUsage

HOUR = timedelta(hours=1)
ZERO = timedelta()
GRID_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10_000)
"""Possible distances of grid lines, in hours."""
MOST_GRID_LINES, MOST_DATES = 5, 5
LAST_DATE_PERCENT = 93
"""Dates further to the right would be cut off."""


@dataclass(frozen=True)
class Line:
    """A grid line, or a date on the axis."""

    at: float
    label: str


@dataclass(frozen=True)
class BurnDownChart:
    """Points are pairs such as `12.5,40` in a square of 100 by 100 with the origin at the top left."""

    used: str
    band: str
    """Outline of the forecast's band; empty if it is unknown."""
    expected: str
    grid: tuple[Line, ...]
    dates: tuple[Line, ...]
    today: float
    zero: float
    """Height of the line at which nothing is left, or nothing is used."""


def burn_down_chart(burn_down: BurnDown) -> BurnDownChart:
    """Return the chart of the time left or, without a budget, of the time used."""
    budget = burn_down.budget
    days = (burn_down.last_day - burn_down.first_day).days + 1
    bands = [(one.day, one.band) for one in burn_down.forecast.days if one.band is not None]

    def value(used: timedelta) -> timedelta:
        return used if budget is None else budget - used

    actual = [(burn_down.first_day - timedelta(days=1), value(ZERO))]
    actual += [(day, value(used)) for day, used in burn_down.used_by_day]
    ends = [value(used) for _, band in bands[-1:] for used in (band.low, band.high)]
    values = [ZERO, HOUR, *(one for _, one in actual), *ends]
    low, high = min(values), max(values)

    def x(day: date) -> float:
        return round(((day - burn_down.first_day).days + 1) / days * 100, 2)

    def y(one: timedelta) -> float:
        return round((high - one) / (high - low) * 100, 2)

    def points(pairs: Iterable[tuple[date, timedelta]]) -> str:
        return " ".join(f"{x(day):g},{y(one):g}" for day, one in pairs)

    before = bands[0][0] - timedelta(days=1) if bands else burn_down.last_day
    begin = (before, value(burn_down.forecast.used))
    upper = [begin, *((day, value(band.low)) for day, band in bands)]
    lower = [begin, *((day, value(band.high)) for day, band in bands)]
    today = burn_down.used_by_day[-1][0] if burn_down.used_by_day else burn_down.first_day
    step = next((one for one in GRID_STEPS if (high - low) / HOUR / one <= MOST_GRID_LINES), GRID_STEPS[-1])
    first_line = -((-low // HOUR) // step) if low < ZERO else 0
    numbers = range(first_line, int(high / HOUR) // step + 1)
    return BurnDownChart(
        used=points(actual),
        band=points([*upper, *reversed(lower)]) if bands else "",
        expected=points([begin, *((day, value(band.expected)) for day, band in bands)]) if bands else "",
        grid=tuple(Line(y(number * step * HOUR), f"{number * step:,} h") for number in numbers),
        dates=tuple(_dates(burn_down, days, x)),
        today=x(today),
        zero=y(ZERO),
    )


def _dates(burn_down: BurnDown, days: int, x: Callable[[date], float]) -> Iterable[Line]:
    step = timedelta(weeks=max(1, -(-days // 7 // MOST_DATES)))
    day = burn_down.first_day
    while day <= burn_down.last_day:
        at = x(day - timedelta(days=1))
        if at <= LAST_DATE_PERCENT:
            yield Line(at, f"{day.day} {day:%b}")
        day += step


@dataclass(frozen=True)
class Bar:
    """A group's usage today, in percent of the longest bar or limit."""

    used: float
    soft: float | None
    hard: float | None


def bars_of(uses: Sequence[GroupUsage]) -> list[tuple[GroupUsage, Bar]]:
    """Return each group with its bar; all bars have the same scale."""
    limits = [use.day.limit.hard for use in uses if use.day]
    longest = max([*limits, *(use.used for use in uses), HOUR])

    def percent(one: timedelta) -> float:
        return round(one / longest * 100, 2)

    def bar(use: GroupUsage) -> Bar:
        limit = use.day.limit if use.day else None
        return Bar(percent(use.used), percent(limit.soft) if limit else None, percent(limit.hard) if limit else None)

    return [(use, bar(use)) for use in uses]


def burn_down_sentence(burn_down: BurnDown) -> str:
    """Return the chart's content as a sentence."""
    budget, at_end = burn_down.budget, burn_down.forecast.at_end
    used = burn_down.used_by_day[-1][1] if burn_down.used_by_day else ZERO
    if budget is None:
        text = f"{_whole(used)} h used since the term began; not every group has a limit for the term."
    else:
        share = f" ({used / budget:.0%})" if budget else ""
        text = f"{_whole(used)} h of {_whole(budget)} h used{share}."
    if at_end is None:
        is_over = not burn_down.forecast.days
        return text if is_over else f"{text} The forecast needs two weeks of use."
    low, expected, high = map(_whole, (at_end.low, at_end.expected, at_end.high))
    until = f"{burn_down.last_day.day} {burn_down.last_day:%B}"
    text += f" Forecast for {until}: about {expected} h, between {low} and {high} h."
    if burn_down.groups_over:
        number = burn_down.groups_over
        groups = "1 group is" if number == 1 else f"{number} groups are"
        text += f" {groups} expected to reach the limit for the term before that."
    return text


def _whole(length: timedelta) -> str:
    """Return whole hours such as `1,423`."""
    return f"{round(length / HOUR):,}"
