"""HTTP handlers of `functions` and of registered `models`, which are functions in the permissions API."""

from typing import Any

from emulator.api.errors import invalid
from emulator.api.routing import Request, Routes
from emulator.grants import access
from emulator.grants.privileges import CREATE_FUNCTION, CREATE_MODEL
from emulator.models.unity_catalog.securables import FUNCTION, MODEL, SCHEMA, Securable
from emulator.unity_catalog import records
from emulator.unity_catalog.documents import described
from emulator.unity_catalog.storage import managed_location
from emulator.unity_catalog.volumes import schema_name

routes = Routes()
PATH = "/api/2.1/unity-catalog/functions"
MODELS = "/api/2.1/unity-catalog/models"
_APART = (
    *("name", "catalog_name", "schema_name", "owner", "full_name", "metastore_id", "function_id", "securable_type"),
    *("created_at", "created_by", "updated_at", "updated_by"),
)


@routes.get(PATH)
def list_functions(request: Request) -> dict[str, Any]:
    return records.page(request, "functions", _in_schema(request, schema_name(request), ""))


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    """Create a function from `function_info`, whose fields are stored unchanged."""
    info = request.body.get("function_info")
    if not isinstance(info, dict):
        raise invalid("CreateFunction Missing required field: function_info")
    details = {name: value for name, value in info.items() if name not in _APART}
    return described(request, _made(request, info, details, "CreateFunction", CREATE_FUNCTION, ""))


@routes.get(PATH + "/{full_name}")
def show(request: Request) -> dict[str, Any]:
    return _shown(request, "")


@routes.patch(PATH + "/{full_name}")
def change(request: Request) -> dict[str, Any]:
    """Change the owner or name of a function."""
    return records.change(request, _found(request, ""), (), "UpdateFunction")


@routes.delete(PATH + "/{full_name}")
def delete(request: Request) -> dict[str, Any]:
    return _dropped(request, "")


@routes.get(MODELS)
def list_models(request: Request) -> dict[str, Any]:
    """Return the models of a schema, or of the metastore."""
    if request.argument("schema_name"):
        found = _in_schema(request, schema_name(request), MODEL)
    else:
        found = [one for one in access.unity_catalog(request).of_type(FUNCTION) if one.subtype == MODEL]
    return records.page(request, "registered_models", found)


@routes.post(MODELS)
def create_model(request: Request) -> dict[str, Any]:
    details = {"comment": records.text(request.body, "comment")}
    model = _made(request, request.body, details, "CreateRegisteredModel", CREATE_MODEL, MODEL)
    schema = access.found(request, SCHEMA, model.full_name.rpartition(".")[0])
    model.details["storage_location"] = managed_location(request, schema, "models", model.id)
    return described(request, model)


@routes.get(MODELS + "/{full_name}")
def show_model(request: Request) -> dict[str, Any]:
    return _shown(request, MODEL)


@routes.patch(MODELS + "/{full_name}")
def change_model(request: Request) -> dict[str, Any]:
    return records.change(request, _found(request, MODEL), ("comment",), "UpdateRegisteredModel")


@routes.delete(MODELS + "/{full_name}")
def delete_model(request: Request) -> dict[str, Any]:
    return _dropped(request, MODEL)


@routes.get(MODELS + "/{full_name}/versions")
def list_versions(request: Request) -> dict[str, Any]:
    """Return an empty list: nothing in the emulator creates model versions."""
    access.require_sight(request, _found(request, MODEL))
    return {"model_versions": []}


def _in_schema(request: Request, full_name: str, subtype: str) -> list[Securable]:
    schema = access.found(request, SCHEMA, full_name)
    access.require_sight(request, schema)
    found = access.unity_catalog(request).children(FUNCTION, schema.full_name)
    return [one for one in found if one.subtype == subtype]


def _made(
    request: Request, info: dict[str, Any], details: dict[str, Any], operation: str, privilege: str, subtype: str
) -> Securable:
    access.unity_catalog(request)
    name = records.checked_name(info, FUNCTION, operation)
    parent = records.container(request, SCHEMA, records.schema_of(info, operation), privilege)
    return records.make(request, FUNCTION, f"{parent.full_name}.{name}", details, subtype=subtype)


def _found(request: Request, subtype: str) -> Securable:
    function = access.found(request, FUNCTION, request.parameters["full_name"])
    if function.subtype != subtype:
        raise access.missing(FUNCTION, request.parameters["full_name"])
    return function


def _shown(request: Request, subtype: str) -> dict[str, Any]:
    function = _found(request, subtype)
    access.require_sight(request, function)
    return described(request, function)


def _dropped(request: Request, subtype: str) -> dict[str, Any]:
    function = _found(request, subtype)
    access.require_manage(request, function)
    records.drop(request, function)
    return {}
