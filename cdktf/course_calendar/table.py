"""The normalised calendar, a CSV file beside `lab.toml`: `kind,first_day,last_day,hours`. Pure.

It has no titles, people or addresses. Equal events give an equal file, so that plans stay equal.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from labkit.course_file import CALENDAR_KINDS, WHOLE_DAY, Hours, parse_hours
from labkit.csv_cells import write_rows

COLUMNS = ["kind", "first_day", "last_day", "hours"]


class TableError(ValueError):
    """The table is damaged; the message is a sentence."""


@dataclass(frozen=True, order=True)
class CalendarRow:
    """Days of one kind. `hours` is empty for whole days, else such as `10:00-12:00`."""

    first_day: date
    last_day: date
    kind: str
    hours: str = ""

    @property
    def part(self) -> Hours:
        return parse_hours(self.hours) if self.hours else WHOLE_DAY

    def __str__(self) -> str:
        days = f"{self.first_day}" if self.first_day == self.last_day else f"{self.first_day} to {self.last_day}"
        return f"{self.kind} {days}{' ' * bool(self.hours)}{self.hours}"


def table_name(course: str, term: str) -> str:
    """Return the name of the file for a course in a term."""
    return f"calendar-{course}-{term}.csv"


def format_table(rows: Iterable[CalendarRow]) -> str:
    """Return the file's content, sorted and without duplicates."""
    text = io.StringIO()
    cells = ([row.kind, row.first_day, row.last_day, row.hours] for row in sorted(set(rows)))
    write_rows(text, [COLUMNS, *cells], line_end="\n")
    return text.getvalue()


def parse_table(text: str, name: str) -> tuple[CalendarRow, ...]:
    """Return the rows of the file `name`. Raises TableError."""
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        lines = []
    if not lines or lines[0] != COLUMNS:
        raise TableError(f"{name}:1: the header must be {','.join(COLUMNS)}; import the calendar again.")
    return tuple(_row(cells, f"{name}:{number}") for number, cells in enumerate(lines[1:], start=2))


def _row(cells: list[str], place: str) -> CalendarRow:
    try:
        kind, first, last, hours = cells
        row = CalendarRow(date.fromisoformat(first), date.fromisoformat(last), kind, hours)
        if kind not in CALENDAR_KINDS or row.last_day < row.first_day or not _has_valid_hours(row):
            raise ValueError
    except ValueError:
        raise TableError(
            f"{place}: a kind, first and last day such as 2026-11-01, and optionally hours such as 10:00-12:00 are "
            "expected; import the calendar again."
        ) from None
    return row


def _has_valid_hours(row: CalendarRow) -> bool:
    """Return whether the hours are as they are written, which only classes have. Raises ValueError for other text."""
    return not row.hours or (row.kind == "class" and str(row.part) == row.hours)
