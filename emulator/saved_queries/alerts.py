"""HTTP handlers of `/api/2.0/sql/alerts`: alerts on saved queries. Nothing evaluates them."""

from collections.abc import Mapping
from typing import Any

from emulator.api.errors import invalid, missing
from emulator.api.routing import Request
from emulator.models.sql.saved_queries import SavedObject
from emulator.saved_queries import records
from emulator.saved_queries.resource import Resource

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


routes = Resource("alert", "/api/2.0/sql/alerts", FIELDS, check, describe).routes
