"""Renders the board as one HTML page that needs no network and no script."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from enforcer.board.chart import bars_of, burn_down_chart, burn_down_sentence
from enforcer.board.model import Board
from enforcer.domain.usage import hours

TEMPLATES = Path(__file__).with_name("templates")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The Content-Security-Policy of the page: it loads nothing, and no script runs."""
MOST_ROWS = 100
"""Maximum number of rows in a table that has no row for each group."""
HOUR = timedelta(hours=1)


def render_board(board: Board) -> str:
    """Return the page. Everything in it that people wrote is escaped."""
    busy = bars_of(board.busy_groups)
    return (
        _environment()
        .get_template("board.html.j2")
        .render(
            board=board,
            bars=busy,
            chart=burn_down_chart(board.burn_down),
            chart_sentence=burn_down_sentence(board.burn_down),
            policy=POLICY,
            most_rows=MOST_ROWS,
        )
    )


def no_board(sentence: str) -> str:
    """Return a page with a sentence that explains why there is no board."""
    return _environment().get_template("no_board.html.j2").render(sentence=sentence, policy=POLICY)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "hours": hours,
        "decimal_hours": decimal_hours,
        "clock": clock,
        "moment": moment,
        "day": short_day,
        "days": days,
        "names": names,
        "ago": ago,
    }
    return environment


def decimal_hours(length: timedelta) -> str:
    """Return hours with one decimal place, such as `2.1`."""
    return f"{length / HOUR:.1f}"


def clock(moment: datetime) -> str:
    """Return `16:20`."""
    return f"{moment:%H:%M}"


def moment(moment: datetime) -> str:
    """Return `Mon 7 Dec, 16:20`."""
    return f"{short_day(moment)}, {moment:%H:%M}"


def short_day(day: date) -> str:
    """Return `Mon 7 Dec`."""
    return f"{day:%a} {day.day} {day:%b}"


def days(first_day: date, last_day: date) -> str:
    """Return `Mon 7 Dec`, or `Mon 7 – Tue 8 Dec` for several days."""
    if first_day == last_day:
        return short_day(first_day)
    is_same_month = (first_day.year, first_day.month) == (last_day.year, last_day.month)
    first = f"{first_day:%a} {first_day.day}" if is_same_month else short_day(first_day)
    return f"{first} – {short_day(last_day)}"


def names(words: Iterable[str]) -> str:
    return ", ".join(words)


def ago(length: timedelta) -> str:
    """Return the age of something: `4 min`, `2:05 h` or `3 days`."""
    if length < HOUR:
        return f"{max(0, length // timedelta(minutes=1))} min"
    if length < 48 * HOUR:
        return f"{hours(length)} h"
    return f"{length.days} days"
