"""HTTP handlers of `/api/2.0/sql/queries`: saved queries."""

from collections.abc import Mapping
from typing import Any

from emulator.api.errors import invalid
from emulator.api.routing import Request
from emulator.models.sql.saved_queries import SavedObject
from emulator.saved_queries import records
from emulator.saved_queries.resource import Resource

FIELDS: records.Fields = {
    "display_name": (str,),
    "query_text": (str,),
    "warehouse_id": (str,),
    "description": (str,),
    "catalog": (str,),
    "schema": (str,),
    "run_as_mode": (str,),
    "apply_auto_limit": (bool,),
    "parameters": (list,),
    "tags": (list,),
}
RUN_AS = ("OWNER", "VIEWER")


def check(request: Request, values: Mapping[str, Any]) -> None:
    """Raise 400 for an unknown `run_as_mode`."""
    if values.get("run_as_mode", RUN_AS[0]) not in RUN_AS:
        raise invalid(f"run_as_mode must be one of {', '.join(RUN_AS)}")


def describe(request: Request, saved: SavedObject) -> dict[str, Any]:
    defaults = {"query_text": "", "apply_auto_limit": False, "run_as_mode": RUN_AS[0]}
    return defaults | records.describe(request, saved) | {"last_modifier_user_name": saved.modified_by}


routes = Resource("query", "/api/2.0/sql/queries", FIELDS, check, describe).routes
