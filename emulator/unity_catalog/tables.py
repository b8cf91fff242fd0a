"""HTTP handlers of `tables` and `table-summaries`: tables and views as records, without rows."""

import fnmatch
import re
from typing import Any

from emulator.api.routing import Request, Routes
from emulator.grants import access
from emulator.grants.privileges import CREATE_TABLE
from emulator.models.unity_catalog.securables import CATALOG, SCHEMA, TABLE, Securable
from emulator.unity_catalog import records
from emulator.unity_catalog.documents import described
from emulator.unity_catalog.storage import managed_location, require_location
from emulator.unity_catalog.volumes import schema_name

routes = Routes()
PATH = "/api/2.1/unity-catalog/tables"
_FIELDS = ("columns", "data_source_format", "view_definition", "properties", "comment")
_CHANGED = (*_FIELDS, "storage_location")


@routes.get(PATH)
def list_tables(request: Request) -> dict[str, Any]:
    schema = access.found(request, SCHEMA, schema_name(request))
    access.require_sight(request, schema)
    answer = records.page(request, "tables", access.unity_catalog(request).children(TABLE, schema.full_name))
    for name in ("columns", "properties"):
        if request.flag(f"omit_{name}"):
            for table in answer["tables"]:
                table.pop(name, None)
    return answer


@routes.get("/api/2.1/unity-catalog/table-summaries")
def list_summaries(request: Request) -> dict[str, Any]:
    """Return names and types of tables in a catalog. In the patterns, % matches any text."""
    catalog = access.found(request, CATALOG, request.required_argument("catalog_name"))
    held = access.unity_catalog(request)
    schemas, tables = (_pattern(request.argument(f"{name}_name_pattern")) for name in ("schema", "table"))
    found = [
        table
        for schema in held.children(SCHEMA, catalog.full_name)
        if schemas.fullmatch(schema.name)
        for table in held.children(TABLE, schema.full_name)
        if tables.fullmatch(table.name)
    ]
    entries = [
        {"full_name": one.full_name, "table_type": one.details["table_type"]} for one in access.visible(request, found)
    ]
    return records.paged(request, "tables", entries)


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    body = request.body
    access.unity_catalog(request)
    name = records.checked_name(body, TABLE, "CreateTable")
    schema = records.schema_of(body, "CreateTable")
    type = records.required(body, "table_type", "CreateTable")
    details = records.details(body, _FIELDS)
    parent = records.container(request, SCHEMA, schema, CREATE_TABLE)
    location = records.text(body, "storage_location").rstrip("/")
    if type == "EXTERNAL":
        require_location(request, records.required(body, "storage_location", "CreateTable"), "CREATE_EXTERNAL_TABLE")
    return described(request, add(request, parent, name, type, details, location))


def add(
    request: Request, schema: Securable, name: str, type: str, details: dict[str, Any], location: str = ""
) -> Securable:
    """Create a table of the caller without checking privileges. `type` is as in the API: MANAGED, VIEW, …"""
    made = records.make(request, TABLE, f"{schema.full_name}.{name}", details | {"table_type": type})
    if type == "MANAGED":
        made.details["storage_location"] = managed_location(request, schema, "tables", made.id)
    elif location:
        made.details["storage_location"] = location
    return made


@routes.get(PATH + "/{full_name}")
def show(request: Request) -> dict[str, Any]:
    return records.show(request, TABLE)


@routes.get(PATH + "/{full_name}/exists")
def show_existence(request: Request) -> dict[str, Any]:
    """Return whether the table exists. Raises 403 if the caller may not see its schema."""
    full_name = request.parameters["full_name"].lower()
    access.require_sight(request, access.found(request, SCHEMA, full_name.rpartition(".")[0]))
    return {"table_exists": access.unity_catalog(request).find(TABLE, full_name) is not None}


@routes.patch(PATH + "/{full_name}")
def change(request: Request) -> dict[str, Any]:
    table = access.found(request, TABLE, request.parameters["full_name"])
    return records.change(request, table, _CHANGED, "UpdateTable")


@routes.delete(PATH + "/{full_name}")
def delete(request: Request) -> dict[str, Any]:
    table = access.found(request, TABLE, request.parameters["full_name"])
    access.require_manage(request, table)
    records.drop(request, table)
    return {}


def _pattern(text: str | None) -> re.Pattern[str]:
    """Return a pattern with % as a regular expression."""
    globbed = fnmatch.translate("".join(f"[{letter}]" if letter in "[*?" else letter for letter in text or "%"))
    return re.compile(globbed.replace("%", ".*"))
