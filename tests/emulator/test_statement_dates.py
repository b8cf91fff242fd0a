"""Dates and instants in statements: arithmetic, comparison, truncation and formatting."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.statements.dates import FUNCTIONS
from in_process_workspace import InProcessWorkspace

WAREHOUSES = "/api/2.0/sql/warehouses"
NOON = "TIMESTAMP '2026-10-18 12:34:56'"
DAY = "DATE '2026-10-18'"


@cache
def workspace() -> tuple[InProcessWorkspace, str]:
    made = InProcessWorkspace(unity_catalog="auto")
    id = str(made.call("GET", WAREHOUSES)["warehouses"][0]["id"])
    made.call("POST", f"{WAREHOUSES}/{id}/start")
    made.advance(2)
    return made, id


def value(expression: str) -> tuple[str | None, str]:
    """Return the value and the type of an expression."""
    made, id = workspace()
    body = {"warehouse_id": id, "statement": f"SELECT {expression} AS x"}
    answer: dict[str, Any] = made.call("POST", "/api/2.0/sql/statements", body)
    assert answer["status"] == {"state": "SUCCEEDED"}, answer["status"]
    return answer["result"]["data_array"][0][0], answer["manifest"]["schema"]["columns"][0]["type_text"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"{DAY} - INTERVAL 30 DAYS", ("2026-09-18", "DATE")),
        (f"{DAY} - INTERVAL '1' MONTH", ("2026-09-18", "DATE")),
        (f"INTERVAL 1 YEAR + {DAY}", ("2027-10-18", "DATE")),
        (f"{NOON} + INTERVAL 13 HOURS", ("2026-10-19T01:34:56.000Z", "TIMESTAMP")),
        (f"{DAY} + INTERVAL 3 HOURS", ("2026-10-18T03:00:00.000Z", "TIMESTAMP")),
        ("DATE '2026-03-31' - INTERVAL 1 MONTH", ("2026-02-28", "DATE")),
        (f"date_sub({DAY}, 18)", ("2026-09-30", "DATE")),
        (f"date_add({NOON}, 14)", ("2026-11-01", "DATE")),
        (f"add_months({DAY}, -10)", ("2025-12-18", "DATE")),
        (f"dateadd(DAY, -1, {NOON})", ("2026-10-17T12:34:56.000Z", "TIMESTAMP")),
        (f"date_trunc('HOUR', {NOON})", ("2026-10-18T12:00:00.000Z", "TIMESTAMP")),
        (f"date_trunc('WEEK', {DAY})", ("2026-10-12T00:00:00.000Z", "TIMESTAMP")),
        (f"date_trunc('QUARTER', {DAY})", ("2026-10-01T00:00:00.000Z", "TIMESTAMP")),
        (f"trunc({DAY}, 'MM')", ("2026-10-01", "DATE")),
        (f"date_format({NOON}, 'yyyy-MM-dd HH:mm')", ("2026-10-18 12:34", "STRING")),
        (f"to_date({NOON})", ("2026-10-18", "DATE")),
        (f"datediff({DAY}, DATE '2026-10-01')", ("17", "INT")),
        (f"timestampdiff(MINUTE, {NOON}, TIMESTAMP '2026-10-18 13:34:55')", ("59", "INT")),
        (f"datediff(MONTH, DATE '2026-01-31', {DAY})", ("8", "INT")),
        (f"month({DAY})", ("10", "INT")),
        (f"extract(HOUR FROM {NOON})", ("12", "INT")),
        (f"{DAY} = date_trunc('DAY', {NOON})", ("true", "BOOLEAN")),
        (f"{NOON} >= '2026-10-18 07:00:00'", ("true", "BOOLEAN")),
        (f"{NOON} < '2026-10-18 07:00:00'", ("false", "BOOLEAN")),
        (f"{NOON} BETWEEN {DAY} AND '2026-10-19'", ("true", "BOOLEAN")),
        (f"{DAY} < '2026-10-18 00:00:00'", ("false", "BOOLEAN")),
        ("CAST(NULL AS DATE) - INTERVAL 1 DAY", (None, "DATE")),
    ],
)
def test_expressions_have_value_and_type(expression: str, expected: tuple[str | None, str]) -> None:
    assert value(expression) == expected


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(-4000, 4000))
def test_days_are_added_as_python_adds_them(day: date, number: int) -> None:
    moved = day + timedelta(days=number)
    assert FUNCTIONS["SHIFT_TIME"][1](day.isoformat(), number, "DAYS") == moved.isoformat()
    assert FUNCTIONS["TIME_BETWEEN"][1](moved.isoformat(), day.isoformat(), "DAY") == number


@given(st.datetimes(), st.sampled_from(["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE"]))
def test_truncation_is_idempotent_and_never_later(instant: Any, unit: str) -> None:
    truncate = FUNCTIONS["TRUNCATE_TIME"][1]
    text = instant.replace(year=max(2, instant.year)).isoformat(timespec="milliseconds") + "Z"
    once = truncate(text, unit)
    assert once <= text and truncate(once, unit) == once
