"""HTTP handlers of `/api/2.0/preview/sql/queries`: saved queries in the older API, which clients still use."""

from typing import Any

from emulator.api.errors import ApiError, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.models.sql.saved_queries import SavedObject
from emulator.permissions.rights import has_permission
from emulator.saved_queries import queries, records
from emulator.saved_queries.folders import describe_parent, parent_path
from emulator.warehouses.access import data_source_id, require_sql

routes = Routes()
PATH = "/api/2.0/preview/sql/queries"
PAGE_SIZE = 25
MAX_PAGE_SIZE = 250
_NAMES = {"name": "display_name", "query": "query_text", "description": "description", "tags": "tags"}
"""Fields with other names, and the same values, in the current API."""
_CHANGED = (*_NAMES.values(), "warehouse_id", "parameters", "run_as_mode")


@routes.get(PATH)
def list_queries(request: Request) -> dict[str, Any]:
    """Return a page of the queries that the caller may read; the first page is 1."""
    require_sql(request)
    size, number = request.number("page_size", PAGE_SIZE), request.number("page", 1)
    if not 1 <= size <= MAX_PAGE_SIZE or number < 1:
        raise invalid(f"page_size must be between 1 and {MAX_PAGE_SIZE}, and page a number from 1.")
    workspace, caller = request.workspace, request.caller.id
    found = [
        one
        for one in workspace.state.saved_queries.of_type("query")
        if has_permission(workspace, caller, "sql/queries", one.acl_name, "CAN_READ")
    ]
    shown = found[(number - 1) * size : number * size]
    results = [_info(request, one) for one in shown]
    return {"count": len(found), "page": number, "page_size": size, "results": results}


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    sent = _sent(request) | {"parent_path": parent_path(request)}
    return _info(request, records.create(request, "query", sent, queries.FIELDS, queries.check, renames=True))


@routes.get(PATH + "/{id}")
def show(request: Request) -> dict[str, Any]:
    return _info(request, records.find(request, "query", request.parameters["id"], "CAN_READ"))


@routes.post(PATH + "/{id}")
def update(request: Request) -> dict[str, Any]:
    """Change the fields that the request has. Without `options`, parameters stay."""
    saved = records.find(request, "query", request.parameters["id"], "CAN_EDIT")
    sent = _sent(request)
    names = [name for name in _CHANGED if name in sent]
    records.update(request, saved, sent, names, queries.FIELDS, queries.check, renames=True)
    return _info(request, saved)


@routes.delete(PATH + "/{id}")
def delete(request: Request) -> dict[str, Any]:
    """Move the query to the trash, which keeps it for 30 days."""
    return records.move_to_trash(request, "query", request.parameters["id"])


def _sent(request: Request) -> dict[str, Any]:
    """Return the fields of the request with their names in the current API."""
    body = request.body
    if body.get("schedule"):
        raise invalid("Schedules of queries are not supported; schedule a SQL task of a job instead.")
    sent = {new: body[old] for old, new in _NAMES.items() if old in body}
    if body.get("data_source_id"):
        sent["warehouse_id"] = _warehouse_id(request, body["data_source_id"])
    if body.get("run_as_role"):
        sent["run_as_mode"] = str(body["run_as_role"]).upper()
    options = body.get("options")
    if options is not None:
        parameters = options.get("parameters") or [] if isinstance(options, dict) else None
        if not isinstance(parameters, list):
            raise invalid("options.parameters must be a list")
        sent["parameters"] = [_current_parameter(one) for one in parameters]
    return sent


def _warehouse_id(request: Request, source: Any) -> str:
    for warehouse in request.workspace.state.warehouses.by_id.values():
        if data_source_id(warehouse) == source:
            return warehouse.id
    raise missing(f"Data source {source} does not exist.")


def _current_parameter(one: Any) -> dict[str, Any]:
    """Return a parameter in the form of the current API. Raises 400 for no parameter, 501 for types beside text and
    number."""
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        raise invalid("Each parameter must be an object with a name")
    value = {"text": "text_value", "number": "numeric_value"}.get(str(one.get("type")))
    if value is None:
        text = f"The emulator has no parameters of the type {one.get('type')!r} in this API"
        raise ApiError(501, "NOT_IMPLEMENTED", text)
    return {"name": one["name"], "title": one.get("title") or one["name"], value: {"value": one.get("value")}}


def _older_parameter(one: dict[str, Any]) -> dict[str, Any] | None:
    """Return a parameter in the form of this API; None for types that it has in other forms."""
    for type, name in (("text", "text_value"), ("number", "numeric_value")):
        if isinstance(one.get(name), dict):
            title = {"title": one["title"]} if one.get("title") else {}
            return {"name": one.get("name"), **title, "type": type, "value": one[name].get("value")}
    return None


def _info(request: Request, saved: SavedObject) -> dict[str, Any]:
    current = queries.describe(request, saved)
    warehouse = request.workspace.state.warehouses.by_id.get(current.get("warehouse_id", ""))
    parameters = [_older_parameter(one) for one in current.get("parameters", []) if isinstance(one, dict)]
    return {
        "id": saved.id,
        **{old: current.get(new, "") for old, new in _NAMES.items() if old != "tags"},
        "tags": current.get("tags", []),
        "data_source_id": data_source_id(warehouse) if warehouse else "",
        "run_as_role": current["run_as_mode"].lower(),
        "options": {"parameters": [one for one in parameters if one]},
        "schedule": None,
        "visualizations": [],
        "is_archived": saved.trashed_at is not None,
        "created_at": current["create_time"],
        "updated_at": current["update_time"],
        **describe_parent(request, saved),
    }
