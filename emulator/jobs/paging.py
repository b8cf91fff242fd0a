"""Pages of jobs and of runs."""

from collections.abc import Callable
from typing import Any

from emulator.api.errors import invalid
from emulator.api.routing import Request

PAGE_SIZE = 20
MAX_PAGE_SIZE = 100


def page(request: Request, field: str, found: list[Any], describe: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return one page of a list, by `page_token`, or by `offset`, which older clients send."""
    size = request.number("limit", PAGE_SIZE) or PAGE_SIZE
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise invalid(f"limit must be between 1 and {MAX_PAGE_SIZE}, not {size}.")
    start = request.number("page_token", 0) or request.number("offset", 0)
    if start < 0:
        raise invalid(f"offset must not be negative, but is {start}.")
    answer: dict[str, Any] = {field: [describe(one) for one in found[start : start + size]]}
    answer["has_more"] = len(found) > start + size
    if start:
        answer["prev_page_token"] = str(max(0, start - size))
    if answer["has_more"]:
        answer["next_page_token"] = str(start + size)
    return answer
