"""HTTP handlers of `schemas`."""

from typing import Any

from emulator.api.errors import ApiError
from emulator.api.routing import Request, Routes
from emulator.grants import access
from emulator.grants.privileges import CREATE_SCHEMA
from emulator.models.unity_catalog.securables import CATALOG, FUNCTION, SCHEMA, TABLE, VOLUME
from emulator.unity_catalog import records
from emulator.unity_catalog.catalogs import default_properties
from emulator.unity_catalog.documents import described

routes = Routes()
PATH = "/api/2.1/unity-catalog/schemas"


@routes.get(PATH)
def list_schemas(request: Request) -> dict[str, Any]:
    catalog = access.found(request, CATALOG, request.required_argument("catalog_name"))
    access.require_sight(request, catalog)
    return records.page(request, "schemas", access.unity_catalog(request).children(SCHEMA, catalog.full_name))


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    body = request.body
    access.unity_catalog(request)
    name = records.checked_name(body, SCHEMA, "CreateSchema")
    catalog_name = records.required(body, "catalog_name", "CreateSchema")
    catalog = records.container(request, CATALOG, catalog_name, CREATE_SCHEMA)
    details = {
        "comment": records.text(body, "comment"),
        "storage_root": records.text(body, "storage_root"),
        "properties": default_properties(request, records.pairs(body, "properties")),
    }
    made = records.make(request, SCHEMA, f"{catalog.full_name}.{name}", details)
    if details["storage_root"]:
        made.details["storage_location"] = f"{details['storage_root']}/__unitystorage/schemas/{made.id}"
    return described(request, made)


@routes.get(PATH + "/{full_name}")
def show(request: Request) -> dict[str, Any]:
    return records.show(request, SCHEMA)


@routes.patch(PATH + "/{full_name}")
def change(request: Request) -> dict[str, Any]:
    schema = access.found(request, SCHEMA, request.parameters["full_name"])
    return records.change(request, schema, ("comment", "properties", "enable_predictive_optimization"), "UpdateSchema")


@routes.delete(PATH + "/{full_name}")
def delete(request: Request) -> dict[str, Any]:
    """Delete a schema. Raises 400 if it is not empty, unless `force` is true. Models count as functions."""
    schema = access.found(request, SCHEMA, request.parameters["full_name"])
    access.require_manage(request, schema)
    catalog = access.unity_catalog(request)
    tables, functions, volumes = (len(catalog.children(type, schema.full_name)) for type in (TABLE, FUNCTION, VOLUME))
    if tables + functions + volumes and not request.flag("force"):
        raise ApiError(
            400,
            "INVALID_STATE",
            f"Schema '{schema.full_name}' is not empty. The schema has {tables} tables(s), {functions} functions(s), "
            f"{volumes} volumes(s)",
        )
    records.drop(request, schema)
    return {}
