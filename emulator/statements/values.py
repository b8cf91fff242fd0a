"""Types of Databricks SQL, and their values: as SQLite holds them and as texts of a result."""

import json
import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from emulator.models.sql.statements import Column

_LENGTH = re.compile(r"\((\d+)(?:\s*,\s*(\d+))?\)")
_WHOLE = {"TINYINT", "SMALLINT", "INT", "BIGINT"}
_FRACTIONS = {"FLOAT", "DOUBLE"}
SYNONYMS = {
    "INTEGER": "INT",
    "LONG": "BIGINT",
    "SHORT": "SMALLINT",
    "BYTE": "TINYINT",
    "REAL": "FLOAT",
    "TEXT": "STRING",
    "VARCHAR": "STRING",
    "CHAR": "STRING",
    "NUMERIC": "DECIMAL",
    "DEC": "DECIMAL",
    "BOOL": "BOOLEAN",
    "TIMESTAMPTZ": "TIMESTAMP",
    "TIMESTAMPNTZ": "TIMESTAMP_NTZ",
    "TIMESTAMPLTZ": "TIMESTAMP",
    "DATETIME": "TIMESTAMP",
    "UNKNOWN": "STRING",
    "NULL": "VOID",
}
TYPE_NAMES = {"TINYINT": "BYTE", "SMALLINT": "SHORT", "BIGINT": "LONG", "VOID": "NULL", "TIMESTAMP_NTZ": "TIMESTAMP"}
"""Types whose name in a result's `type_name` differs from their SQL name."""


@lru_cache(maxsize=1000)
def base_type(type: str) -> str:
    """`DECIMAL` of `DECIMAL(10,2)`, in the standard word."""
    name = re.split(r"[(<\s]", type.strip().upper(), maxsplit=1)[0]
    return SYNONYMS.get(name, name)


def column_document(column: Column, position: int) -> dict[str, Any]:
    """The column as the manifest of a result describes it."""
    base = base_type(column.type)
    document: dict[str, Any] = {
        "name": column.name,
        "type_text": column.type,
        "type_name": TYPE_NAMES.get(base, base),
        "position": position,
    }
    length = _LENGTH.search(column.type) if base == "DECIMAL" else None
    if length:
        document |= {"type_precision": int(length[1]), "type_scale": int(length[2] or 0)}
    return document


def to_text(value: Any, type: str) -> str | None:
    """A value of SQLite as the result shows it; None for NULL."""
    if value is None:
        return None
    base = base_type(type)
    if base == "BOOLEAN":
        return "true" if value in (1, True, "1", "true") else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if base == "DECIMAL" and isinstance(value, int | float):
        length = _LENGTH.search(type)
        # SQLite computes decimals as floats, of which 15 digits are exact.
        return f"{Decimal(f'{value:.15g}'):.{int(length[2] or 0) if length else 0}f}"
    if base in _WHOLE and isinstance(value, float):
        return str(int(value))
    if base in _FRACTIONS and isinstance(value, int):
        return str(float(value))
    return str(value)


def from_text(text: str | None, type: str) -> Any:
    """The value that SQLite holds for a text of a table. Raises ValueError for a text that is not of the type."""
    if text is None:
        return None
    base = base_type(type)
    if base in _WHOLE:
        return int(text)
    if base in _FRACTIONS or base == "DECIMAL":
        return float(text)
    if base == "DATE":
        return date.fromisoformat(text[:10]).isoformat()
    if base == "BOOLEAN":
        if text.lower() not in ("true", "false", "1", "0", "yes", "no", "t", "f"):
            raise ValueError(text)
        return int(text.lower() in ("true", "1", "yes", "t"))
    return text


def cell(value: Any, type: str) -> str | None:
    """A value of Python, such as a system table has, as the text of a table's row."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict | list) else to_text(value, type)
