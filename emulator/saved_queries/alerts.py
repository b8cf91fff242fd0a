"""HTTP handlers of `/api/2.0/sql/alerts`: alerts on saved queries. Nothing evaluates them."""

from collections.abc import Mapping
from typing import Any

from emulator.api.errors import invalid, missing
from emulator.api.routing import Request, Routes
from emulator.models.sql.saved_queries import SavedObject
from emulator.saved_queries import records

routes = Routes()
PATH = "/api/2.0/sql/alerts"
FIELDS: records.Fields = {
    "display_name": (str,),
    "query_id": (str,),
    "condition": (dict,),
    "custom_subject": (str,),
    "custom_body": (str,),
    "notify_on_ok": (bool,),
    "seconds_to_retrigger": (int,),
}
OPERATORS = (
    "GREATER_THAN",
    "GREATER_THAN_OR_EQUAL",
    "LESS_THAN",
    "LESS_THAN_OR_EQUAL",
    "EQUAL",
    "NOT_EQUAL",
    "IS_NULL",
)


@routes.get(PATH)
def list_alerts(request: Request) -> dict[str, Any]:
    """List the alerts that the caller may read, without their folders."""

    def entry(saved: SavedObject) -> dict[str, Any]:
        return {name: value for name, value in describe(request, saved).items() if name != "parent_path"}

    return records.page(request, "alert", entry)


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    sent, renames = records.sent_object(request, "alert"), records.wants_free_name(request)
    return describe(request, records.create(request, "alert", sent, FIELDS, check, renames=renames))


@routes.get(PATH + "/{id}")
def show(request: Request) -> dict[str, Any]:
    return describe(request, records.find(request, "alert", request.parameters["id"], "CAN_READ"))


@routes.patch(PATH + "/{id}")
def update(request: Request) -> dict[str, Any]:
    saved = records.find(request, "alert", request.parameters["id"], "CAN_EDIT")
    sent, renames = records.sent_object(request, "alert"), records.wants_free_name(request)
    records.update(request, saved, sent, records.masked(request, sent, FIELDS), FIELDS, check, renames=renames)
    return describe(request, saved)


@routes.delete(PATH + "/{id}")
def delete(request: Request) -> dict[str, Any]:
    """Move the alert to the trash, which keeps it for 30 days."""
    return records.move_to_trash(request, "alert", request.parameters["id"])


def check(request: Request, values: Mapping[str, Any]) -> None:
    """Raise 400 without a condition with a known operator, 404 or 403 for a query that the caller may not read."""
    if not values.get("query_id"):
        raise invalid("Missing required field: alert.query_id")
    if values.get("condition", {}).get("op") not in OPERATORS:
        raise invalid(f"condition.op must be one of {', '.join(OPERATORS)}")
    query = records.find(request, "query", values["query_id"], "CAN_READ")
    if query.trashed_at is not None:
        raise missing(f"Query {query.id} is in the trash.")


def describe(request: Request, saved: SavedObject) -> dict[str, Any]:
    defaults = {"notify_on_ok": True, "seconds_to_retrigger": 0}
    return defaults | records.describe(request, saved) | {"state": "UNKNOWN"}
