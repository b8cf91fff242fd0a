"""HTTP handlers of `/api/2.0/preview/sql/alerts`: alerts in the older API, which clients still use."""

from typing import Any

from emulator.api.errors import invalid
from emulator.api.routing import Request, Routes
from emulator.models.sql.saved_queries import SavedObject
from emulator.permissions.rights import has_permission
from emulator.saved_queries import alerts, records
from emulator.saved_queries.folders import describe_parent, parent_path
from emulator.warehouses.access import require_sql

routes = Routes()
PATH = "/api/2.0/preview/sql/alerts"
OPERATORS = {
    ">": "GREATER_THAN",
    ">=": "GREATER_THAN_OR_EQUAL",
    "<": "LESS_THAN",
    "<=": "LESS_THAN_OR_EQUAL",
    "==": "EQUAL",
    "!=": "NOT_EQUAL",
}
"""Operators, with their names in the current API."""
_STATES = {"ok": "OK", "triggered": "TRIGGERED", "unknown": "UNKNOWN"}
_CHANGED = ("display_name", "query_id", "condition", "custom_subject", "custom_body", "seconds_to_retrigger")


@routes.get(PATH)
def list_alerts(request: Request) -> list[dict[str, Any]]:
    """Return the alerts that the caller may read."""
    require_sql(request)
    workspace, caller = request.workspace, request.caller.id
    return [
        _info(request, one)
        for one in workspace.state.saved_queries.of_type("alert")
        if has_permission(workspace, caller, "sql/alerts", one.acl_name, "CAN_READ")
    ]


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    sent = _sent(request) | {"parent_path": parent_path(request)}
    saved = records.create(request, "alert", sent, alerts.FIELDS, alerts.check, renames=True)
    saved.muted = request.body["options"].get("muted") is True
    return _info(request, saved)


@routes.get(PATH + "/{id}")
def show(request: Request) -> dict[str, Any]:
    return _info(request, records.find(request, "alert", request.parameters["id"], "CAN_READ"))


@routes.put(PATH + "/{id}")
def update(request: Request) -> dict[str, Any]:
    saved = records.find(request, "alert", request.parameters["id"], "CAN_EDIT")
    records.update(request, saved, _sent(request), _CHANGED, alerts.FIELDS, alerts.check, renames=True)
    saved.muted = request.body["options"].get("muted") is True
    return {}


@routes.delete(PATH + "/{id}")
def delete(request: Request) -> dict[str, Any]:
    """Move the alert to the trash, which keeps it for 30 days."""
    return records.move_to_trash(request, "alert", request.parameters["id"])


def _sent(request: Request) -> dict[str, Any]:
    """Return the fields of the request with their names in the current API. Raises 400 for invalid options."""
    body, options = request.body, request.required("options")
    if not isinstance(options, dict) or not isinstance(options.get("column"), str):
        raise invalid("options must be an object with column, op and value")
    operator = OPERATORS.get(str(options.get("op")))
    if operator is None:
        raise invalid(f"options.op must be one of {' '.join(OPERATORS)}")
    condition = {
        "op": operator,
        "operand": {"column": {"name": options["column"]}},
        "threshold": {"value": _threshold(options.get("value"))},
    }
    if options.get("empty_result_state"):
        state = _STATES.get(str(options["empty_result_state"]))
        if state is None:
            raise invalid(f"options.empty_result_state must be one of {', '.join(_STATES)}")
        condition["empty_result_state"] = state
    return {
        "display_name": body.get("name"),
        "query_id": body.get("query_id"),
        "condition": condition,
        "custom_subject": options.get("custom_subject") or None,
        "custom_body": options.get("custom_body") or None,
        "seconds_to_retrigger": body.get("rearm"),
    }


def _threshold(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"bool_value": value}
        case int() | float():
            return {"double_value": value}
        case str():
            return {"string_value": value}
    raise invalid("options.value must be a text, a number, or true or false")


def _info(request: Request, saved: SavedObject) -> dict[str, Any]:
    current = alerts.describe(request, saved)
    condition = current["condition"]
    column = _inner(condition, "operand", "column").get("name", "")
    threshold = _inner(condition, "threshold", "value")
    names: dict[str, str] = {new: old for old, new in OPERATORS.items()}
    states = {new: old for old, new in _STATES.items()}
    options: dict[str, Any] = {
        "column": column,
        "op": names.get(condition["op"], condition["op"]),
        "value": next(iter(threshold.values()), ""),
        "muted": saved.muted,
        **{name: current[name] for name in ("custom_subject", "custom_body") if name in current},
    }
    empty_state = states.get(str(condition.get("empty_result_state")))
    if empty_state:
        options["empty_result_state"] = empty_state
    return {
        "id": saved.id,
        "name": saved.name,
        "query": {"id": current["query_id"]},
        "options": options,
        "rearm": current["seconds_to_retrigger"],
        "state": current["state"].lower(),
        "created_at": current["create_time"],
        "updated_at": current["update_time"],
        **describe_parent(request, saved),
    }


def _inner(value: Any, *names: str) -> dict[str, Any]:
    """Return the object that is inside objects under these names; empty if it is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
