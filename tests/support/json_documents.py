"""docs/json.md as data: the fields in every `--json` output, and a check of documents against them."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text(encoding="utf-8")


def fields(section: str) -> dict[str, str]:
    """Map each field in the table below this heading to its type."""
    body = re.split(r"^#+ ", DOCUMENT.split(f" {section}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", body, flags=re.MULTILINE))


def has_type(value: Any, kind: str) -> bool:
    if kind.endswith(" or null"):
        return value is None or has_type(value, kind.removesuffix(" or null"))
    if kind.startswith("list of "):
        return isinstance(value, list) and all(has_type(each, kind.removeprefix("list of ")) for each in value)
    match kind:
        case "text":
            return isinstance(value, str)
        case "true or false":
            return isinstance(value, bool)
        case "object":
            return isinstance(value, dict)
        case "whole number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "day":
            return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
        case "instant":
            return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value)) and bool(
                datetime.fromisoformat(value)
            )
    return mismatches(value, kind) == []


def mismatches(value: Any, section: str) -> list[str]:
    """Return the differences between a value and the section."""
    expected = fields(section)
    assert expected, f"docs/json.md has no section {section}"
    if value.keys() != expected.keys():
        return [f"fields {sorted(value)} instead of {sorted(expected)}"]
    return [
        f"{name}: {value[name]!r} is no {kind}" for name, kind in expected.items() if not has_type(value[name], kind)
    ]
