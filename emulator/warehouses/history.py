"""`/api/2.0/sql/history/queries`: the queries that the caller may view, newest first."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emulator.api.errors import invalid
from emulator.api.routing import Request
from emulator.base.clock import Millis
from emulator.models.warehouses import Query
from emulator.permissions.rights import levels_of
from emulator.warehouses.access import require_sql

PAGE = 100
MAX_RESULTS = 1000
MAX_RANGE = 30 * 24 * 60 * 60 * 1000
"""Maximum length of a time range, in milliseconds."""
LEVELS_THAT_SHOW = {"CAN_VIEW", "CAN_MONITOR", "CAN_MANAGE", "IS_OWNER"}
"""Each of these levels on a warehouse lets a user view the queries of other users on it. CAN_USE does not."""
STATUSES = ("QUEUED", "STARTED", "COMPILING", "COMPILED", "RUNNING", "CANCELED", "FAILED", "FINISHED")


@dataclass(frozen=True)
class Filter:
    """The filter of a request; an empty set means all."""

    user_ids: frozenset[str]
    warehouse_ids: frozenset[str]
    statuses: frozenset[str]
    statement_ids: frozenset[str]
    begin: Millis | None
    end: Millis | None

    def matches(self, query: Query) -> bool:
        return (
            (not self.user_ids or query.user_id in self.user_ids)
            and (not self.warehouse_ids or query.warehouse_id in self.warehouse_ids)
            and (not self.statuses or query.status in self.statuses)
            and (not self.statement_ids or query.id in self.statement_ids)
            and (self.begin is None or query.submitted_at >= self.begin)
            and (self.end is None or query.submitted_at <= self.end)
        )


def page(request: Request) -> dict[str, Any]:
    """Return one page. Raises 400 INVALID_PARAMETER_VALUE for an invalid size, token, status or time range."""
    require_sql(request)
    size, wanted, token = _size(request), _filter(request), _argument(request, "page_token")
    found: list[Query] = []
    visibility = _Visibility(request)
    for query in _from(request, token):
        if wanted.matches(query) and visibility.includes(query):
            found.append(query)
            if len(found) > size:
                break
    answer: dict[str, Any] = {
        "res": [info(request, query) for query in found[:size]],
        "has_next_page": len(found) > size,
    }
    if len(found) > size:
        answer["next_page_token"] = _token(found[size])
    return answer


def info(request: Request, query: Query) -> dict[str, Any]:
    """Return the query as the API returns it; a query on serverless compute has no `warehouse_id`."""
    end = query.ended_at or request.now
    document: dict[str, Any] = {
        "query_id": query.id,
        "status": query.status,
        "query_text": query.text,
        "query_start_time_ms": query.submitted_at,
        "user_id": int(query.user_id),
        "user_name": query.user_name,
        "executed_as_user_id": int(query.user_id),
        "executed_as_user_name": query.user_name,
        "duration": end - query.submitted_at,
        "rows_produced": query.rows,
        "is_final": query.is_over,
        "statement_type": query.type,
        "plans_state": "IGNORED_SMALL_DURATION",
        "client_application": query.client,
        "lookup_key": query.id,
    }
    if query.ended_at is not None:
        document |= {"query_end_time_ms": query.ended_at, "execution_end_time_ms": query.ended_at}
    if query.error is not None:
        document["error_message"] = query.error
    if query.warehouse_id is not None:
        document |= {"warehouse_id": query.warehouse_id, "endpoint_id": query.warehouse_id}
    if request.flag("include_metrics") or request.body.get("include_metrics") is True:
        began = query.began_at or end
        document["metrics"] = {
            "total_time_ms": end - query.submitted_at,
            "execution_time_ms": end - began,
            "compilation_time_ms": 0,
            "rows_produced_count": query.rows,
        }
    return document


class _Visibility:
    """Decides which queries the caller may view.

    An administrator may view all; other users their own, and those on warehouses on which they have a level of
    `LEVELS_THAT_SHOW`.
    """

    def __init__(self, request: Request) -> None:
        self._workspace, self._caller = request.workspace, request.caller
        self._is_admin = request.workspace.state.directory.is_admin(request.caller.id)
        self._open: dict[str, bool] = {}

    def includes(self, query: Query) -> bool:
        if self._is_admin or query.user_id == self._caller.id:
            return True
        if query.warehouse_id is None:
            return False
        if query.warehouse_id not in self._open:
            levels = levels_of(self._workspace, self._caller.id, f"/sql/warehouses/{query.warehouse_id}")
            self._open[query.warehouse_id] = bool(levels & LEVELS_THAT_SHOW)
        return self._open[query.warehouse_id]


def _from(request: Request, token: Any) -> Iterator[Query]:
    """Yield the queries, newest first, beginning with the one that the token names."""
    newest_first = reversed(request.workspace.state.warehouses.queries.values())
    if not token:
        yield from newest_first
        return
    submitted_at, query_id = _parsed_token(str(token))
    reached = False
    for query in newest_first:
        # The query itself may have been dropped from the history meanwhile.
        reached = reached or query.id == query_id or query.submitted_at < submitted_at
        if reached:
            yield query


def _token(query: Query) -> str:
    return base64.urlsafe_b64encode(json.dumps([query.submitted_at, query.id]).encode()).decode()


def _parsed_token(token: str) -> tuple[Millis, str]:
    try:
        submitted_at, query_id = json.loads(base64.urlsafe_b64decode(token))
        return int(submitted_at), str(query_id)
    except (ValueError, TypeError, binascii.Error):
        raise invalid("page_token is not from an earlier response.") from None


def _size(request: Request) -> int:
    value = _argument(request, "max_results")
    size = PAGE if value in (None, "", 0, "0") else _number(value, "max_results")
    if not 0 < size <= MAX_RESULTS:
        raise invalid(f"max_results must be between 1 and {MAX_RESULTS}, not {size}.")
    return size


def _filter(request: Request) -> Filter:
    begin, end = _instant(request, "start_time_ms"), _instant(request, "end_time_ms")
    if begin is not None and (request.now if end is None else end) - begin > MAX_RANGE:
        raise invalid("The time range of query_start_time_range must be less than or equal to 30 days.")
    statuses = _values(request, "statuses")
    for status in statuses:
        if status not in STATUSES:
            raise invalid(f"{status!r} is not a status of queries; there are {', '.join(STATUSES)}.")
    return Filter(
        user_ids=_values(request, "user_ids"),
        warehouse_ids=_values(request, "warehouse_ids"),
        statuses=statuses,
        statement_ids=_values(request, "statement_ids"),
        begin=begin,
        end=end,
    )


def _values(request: Request, name: str) -> frozenset[str]:
    sent = _sent_filter(request).get(name)
    if sent is not None and not isinstance(sent, list):
        raise invalid(f"filter_by.{name} must be a list.")
    return frozenset(map(str, [*request.query.get(f"filter_by.{name}", ()), *(sent or ())]))


def _instant(request: Request, name: str) -> Millis | None:
    time_range = _sent_filter(request).get("query_start_time_range") or {}
    sent = time_range.get(name) if isinstance(time_range, dict) else None
    value = request.argument(f"filter_by.query_start_time_range.{name}") or sent
    return None if value in (None, "") else _number(value, name)


def _sent_filter(request: Request) -> dict[str, Any]:
    """Return the filter in the body, where the documentation of this GET has it."""
    sent = request.body.get("filter_by") or {}
    if not isinstance(sent, dict):
        raise invalid("filter_by must be an object.")
    return sent


def _argument(request: Request, name: str) -> Any:
    return request.argument(name) or request.body.get(name)


def _number(value: Any, name: str) -> int:
    try:
        return int(value)
    except (ValueError, TypeError):
        raise invalid(f"{name} must be an integer, not {value!r}.") from None
