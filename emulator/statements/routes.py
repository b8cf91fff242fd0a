"""HTTP of `/api/2.0/sql/statements`."""

import re
from typing import Any

from emulator.api.errors import ApiError, denied, invalid, missing
from emulator.api.routing import DeferredResponse, Request, Routes
from emulator.models.sql.statements import Statement
from emulator.models.warehouses import Query
from emulator.statements import documents, execution
from emulator.warehouses import lifecycle, queries
from emulator.warehouses.access import find_warehouse

PATH = "/api/2.0/sql/statements"
DEFAULT_WAIT = 10
_WAIT = re.compile(r"(\d+)s")
_CLIENT = re.compile(r"[^/\s]+")

routes = Routes()


@routes.post(PATH, PATH + "/")
def execute(request: Request) -> dict[str, Any] | DeferredResponse:
    """Answer when the statement is over or the time to wait has passed, whatever comes first."""
    statement = _statement(request)
    wait = _wait(request)
    on_timeout = request.body.get("on_wait_timeout") or "CONTINUE"
    if on_timeout not in ("CONTINUE", "CANCEL"):
        raise invalid(f"on_wait_timeout must be CONTINUE or CANCEL, not {on_timeout!r}.")
    warehouse = find_warehouse(request, str(request.required("warehouse_id")), "CAN_USE", "Use")
    workspace = request.workspace
    lifecycle.ensure_started(workspace, warehouse, request.caller, request.now)
    agent = _CLIENT.match(request.headers.get("user-agent", ""))
    query = execution.submit(workspace, warehouse, request.caller, statement, request.now, agent[0] if agent else "")
    workspace.state.scheduler.run_due(workspace, request.now)
    if query.is_over or not wait:
        return documents.statement_document(statement, query)

    def respond(later: Request) -> dict[str, Any]:
        if on_timeout == "CANCEL":
            queries.cancel(workspace, query, later.now)
        return documents.statement_document(statement, query)

    return DeferredResponse(lambda: query.is_over, wait, respond)


@routes.get(PATH + "/{id}")
def get(request: Request) -> dict[str, Any]:
    return documents.statement_document(*_found(request))


@routes.get(PATH + "/{id}/result/chunks/{index}")
def get_chunk(request: Request) -> dict[str, Any]:
    statement, query = _found(request)
    state, index = documents.state_of(statement, query), request.parameters["index"]
    if state != "SUCCEEDED":
        raise ApiError(404, "NOT_FOUND", f"The statement {statement.id} has no result: it is {state}.")
    if not index.isdecimal() or int(index) >= max(1, documents.chunk_count(statement)):
        raise invalid(f"The statement {statement.id} has no chunk {index}.")
    return documents.chunk_document(statement, int(index))


@routes.post(PATH + "/{id}/cancel")
def cancel(request: Request) -> dict[str, Any]:
    """Nothing happens to a statement that is over."""
    _, query = _found(request)
    queries.cancel(request.workspace, query, request.now)
    return {}


def _found(request: Request) -> tuple[Statement, Query]:
    """Raises 404 for an unknown statement, 403 for that of somebody else."""
    statement_id = request.parameters["id"]
    state = request.workspace.state
    statement, query = state.statements.by_id.get(statement_id), state.warehouses.queries.get(statement_id)
    if statement is None or query is None:
        raise missing(f"The statement {statement_id} was not found.")
    if query.user_id != request.caller.id:
        raise denied(f"{request.caller.name} is not the owner of statement {statement_id}.")
    return statement, query


def _statement(request: Request) -> Statement:
    """Raises 400 for what no statement can be, 501 for results that are not inline."""
    body = request.body
    text = request.required("statement")
    if not isinstance(text, str):
        raise invalid("statement must be a string.")
    disposition, format = body.get("disposition") or "INLINE", body.get("format") or "JSON_ARRAY"
    if disposition == "EXTERNAL_LINKS":
        raise ApiError(501, "NOT_IMPLEMENTED", "The emulator has results with the disposition INLINE alone.")
    if disposition != "INLINE" or format != "JSON_ARRAY":
        raise invalid(f"The format {format} is not supported with the disposition {disposition}.")
    parameters = body.get("parameters") or []
    if not isinstance(parameters, list) or not all(isinstance(one, dict) and one.get("name") for one in parameters):
        raise invalid("parameters must be a list of objects with a name.")
    return Statement(
        id="",
        text=text,
        catalog=str(body["catalog"]) if body.get("catalog") else None,
        schema=str(body.get("schema") or execution.DEFAULT_SCHEMA),
        parameters=parameters,
        row_limit=_limit(request, "row_limit"),
        byte_limit=_limit(request, "byte_limit"),
    )


def _limit(request: Request, name: str) -> int | None:
    value = request.body.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise invalid(f"{name} must be a positive integer, not {value!r}.")
    return value


def _wait(request: Request) -> int:
    """Seconds to wait for the statement."""
    value = request.body.get("wait_timeout")
    if value is None:
        return DEFAULT_WAIT
    found = _WAIT.fullmatch(str(value))
    seconds = int(found[1]) if found else -1
    if seconds != 0 and not 5 <= seconds <= 50:
        raise invalid(f"wait_timeout must be 0s, or between 5s and 50s, not {value!r}.")
    return seconds
