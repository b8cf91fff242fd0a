"""HTTP handlers of `/api/2.0/sql/queries`: saved queries."""

from collections.abc import Mapping
from typing import Any

from emulator.api.errors import invalid
from emulator.api.routing import Request, Routes
from emulator.models.sql.saved_queries import SavedObject
from emulator.saved_queries import records

routes = Routes()
PATH = "/api/2.0/sql/queries"
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


@routes.get(PATH)
def list_queries(request: Request) -> dict[str, Any]:
    """List the queries that the caller may read, without their folders."""

    def entry(saved: SavedObject) -> dict[str, Any]:
        return {name: value for name, value in describe(request, saved).items() if name != "parent_path"}

    return records.page(request, "query", entry)


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    sent, renames = records.sent_object(request, "query"), records.wants_free_name(request)
    return describe(request, records.create(request, "query", sent, FIELDS, check, renames=renames))


@routes.get(PATH + "/{id}")
def show(request: Request) -> dict[str, Any]:
    return describe(request, records.find(request, "query", request.parameters["id"], "CAN_READ"))


@routes.patch(PATH + "/{id}")
def update(request: Request) -> dict[str, Any]:
    saved = records.find(request, "query", request.parameters["id"], "CAN_EDIT")
    sent, renames = records.sent_object(request, "query"), records.wants_free_name(request)
    records.update(request, saved, sent, records.masked(request, sent, FIELDS), FIELDS, check, renames=renames)
    return describe(request, saved)


@routes.delete(PATH + "/{id}")
def delete(request: Request) -> dict[str, Any]:
    """Move the query to the trash, which keeps it for 30 days."""
    return records.move_to_trash(request, "query", request.parameters["id"])


def check(request: Request, values: Mapping[str, Any]) -> None:
    """Raise 400 for an unknown `run_as_mode`."""
    if values.get("run_as_mode", RUN_AS[0]) not in RUN_AS:
        raise invalid(f"run_as_mode must be one of {', '.join(RUN_AS)}")


def describe(request: Request, saved: SavedObject) -> dict[str, Any]:
    defaults = {"query_text": "", "apply_auto_limit": False, "run_as_mode": RUN_AS[0]}
    return defaults | records.describe(request, saved) | {"last_modifier_user_name": saved.modified_by}
