"""The text of a cell's value, as a CSV export would have it. Pure."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta

Value = str | bool | int | float | datetime | date | time | timedelta
"""The value of a cell; an empty string if the cell is empty."""

_EXACT = 10**15
"""Spreadsheet programs keep 15 digits of a number."""


def cell_text(value: Value) -> str:
    """Return a cell's text: strings unchanged, whole numbers without a fraction, dates and times in ISO 8601.

    A number of more than 15 digits is written with an exponent, because its last digits are lost.
    """
    match value:
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return _number_text(value)
        case datetime():
            second = (value + timedelta(milliseconds=500)).replace(microsecond=0)
            return second.isoformat(sep=" ").removesuffix(" 00:00:00")
        case date():
            return value.isoformat()
        case time():
            return value.isoformat(timespec="seconds")
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _number_text(number: float) -> str:
    if math.isfinite(number) and number == int(number) and abs(number) < _EXACT:
        return str(int(number))
    return f"{number:.15g}".upper()
