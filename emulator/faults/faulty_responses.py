"""Response faults: malformed bodies, pages with only tokens, endless pages."""

import json
from collections.abc import Callable, Mapping
from typing import Any

Change = Callable[[dict[str, Any]], Any]


def _each_list(change: Callable[[list[Any]], Any]) -> Change:
    """Return a change that is applied to each list in the body."""
    return lambda body: {name: change(value) if isinstance(value, list) else value for name, value in body.items()}


def _first_entries(change: Callable[[dict[str, Any]], Any]) -> Change:
    """Return a change that is applied to the first entry of each list in the body."""

    def first(entries: list[Any]) -> list[Any]:
        changed = change(dict(entries[0])) if entries and isinstance(entries[0], dict) else None
        return [*([changed] if entries else []), *entries[1:]]

    return _each_list(first)


def _with_values(**values: Any) -> Callable[[dict[str, Any]], Any]:
    """Return a change that replaces an entry's values for these keys, if it has them."""
    return lambda entry: {name: values.get(name, value) for name, value in entry.items()}


def _without_members(entry: Any) -> Any:
    return {name: value for name, value in entry.items() if name != "members"} if isinstance(entry, dict) else entry


MALFORMED_SHAPES: Mapping[str, Change] = {
    "null lists": _each_list(lambda entries: None),
    "objects for lists": _each_list(lambda entries: {str(number): entry for number, entry in enumerate(entries)}),
    "texts for lists": _each_list(lambda entries: "none"),
    "empty entries": _first_entries(lambda entry: {}),
    "null entries": _first_entries(lambda entry: None),
    "texts for entries": _first_entries(lambda entry: "an entry"),
    "no times": _first_entries(lambda entry: {name: value for name, value in entry.items() if "time" not in name}),
    "texts for times": _first_entries(
        _with_values(timestamp="yesterday", start_time="yesterday", terminated_time="yesterday")
    ),
    "negative times": _first_entries(
        _with_values(timestamp=-1, start_time=-1, last_restarted_time=-1, terminated_time=-1)
    ),
    "times of the year 9999": _first_entries(
        _with_values(timestamp=253_402_300_799_000, start_time=253_402_300_799_000)
    ),
    "numbers for names": _first_entries(
        _with_values(type=7, state=7, cluster_id=7, path=7, displayName=7, userName=7, id=7)
    ),
    "texts for details": _first_entries(
        _with_values(details="none", custom_tags="none", members="none", all_permissions="none")
    ),
    "no members": _each_list(lambda entries: [_without_members(entry) for entry in entries]),
    "an error": lambda body: {"error_code": "INTERNAL_ERROR", "message": "An error with the status 200."},
    "a text": lambda body: "ok",
    "a list": lambda body: [body],
    "null": lambda body: None,
}


def only_tokens(body: dict[str, Any]) -> Any:
    """Return a page without the deprecated fields: only a token refers to the next page."""
    return {name: value for name, value in body.items() if name not in ("next_page", "total_count")}


class FaultyResponses:
    """Applies response faults, and remembers the first page of each path for endless pages."""

    def __init__(self) -> None:
        self._pages: dict[str, dict[str, Any]] = {}
        self._number = 0

    def apply(self, kind: str, shape: str | None, path: str, status: int, body: Any) -> tuple[int, Any]:
        """Return status and body after a fault with this kind and shape.

        Errors are left unchanged, except with endless pages: every request then returns the path's first page, each
        time with a new page token.
        """
        if kind == "endless":
            if status == 200 and isinstance(body, dict):
                self._pages.setdefault(path, body)
            self._number += 1
            return 200, only_tokens(self._pages.get(path, {})) | {"next_page_token": f"page {self._number}"}
        if status != 200 or not isinstance(body, dict):
            return status, body
        change = only_tokens if kind == "only_tokens" else MALFORMED_SHAPES[shape or "null lists"]
        return status, change(json.loads(json.dumps(body)))
