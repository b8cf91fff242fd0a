"""HTTP handlers of `volumes` as securables. `emulator.volumes` has their files."""

from typing import Any

from emulator.api.errors import invalid
from emulator.api.routing import Request, Routes
from emulator.grants import access
from emulator.grants.privileges import CREATE_VOLUME
from emulator.models.unity_catalog.securables import SCHEMA, VOLUME
from emulator.unity_catalog import records
from emulator.unity_catalog.documents import described
from emulator.unity_catalog.storage import managed_location, require_location

routes = Routes()
PATH = "/api/2.1/unity-catalog/volumes"


@routes.get(PATH)
def list_volumes(request: Request) -> dict[str, Any]:
    schema = access.found(request, SCHEMA, schema_name(request))
    access.require_sight(request, schema)
    return records.page(request, "volumes", access.unity_catalog(request).children(VOLUME, schema.full_name))


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    """Create a volume, either managed, or external at a URL in an external location."""
    body = request.body
    access.unity_catalog(request)
    name = records.checked_name(body, VOLUME, "CreateVolume")
    schema = records.schema_of(body, "CreateVolume")
    type = records.required(body, "volume_type", "CreateVolume")
    if type not in ("MANAGED", "EXTERNAL"):
        raise invalid(f"volume_type must be MANAGED or EXTERNAL, not {type}")
    location = records.text(body, "storage_location").rstrip("/")
    if type == "MANAGED" and location:
        raise invalid("CreateVolume storage_location can not be provided.")
    if type == "EXTERNAL" and not location:
        raise invalid("CreateVolume Missing required field: storage_location")
    parent = records.container(request, SCHEMA, schema, CREATE_VOLUME)
    if location:
        require_location(request, location, "CREATE_EXTERNAL_VOLUME")
    details = {"comment": records.text(body, "comment"), "volume_type": type}
    made = records.make(request, VOLUME, f"{parent.full_name}.{name}", details)
    made.details["storage_location"] = location or managed_location(request, parent, "volumes", made.id)
    request.workspace.state.volumes.make_folders(("Volumes", *made.full_name.split(".")), request.now)
    return described(request, made)


@routes.get(PATH + "/{full_name}")
def show(request: Request) -> dict[str, Any]:
    return records.show(request, VOLUME)


@routes.patch(PATH + "/{full_name}")
def change(request: Request) -> dict[str, Any]:
    volume = access.found(request, VOLUME, request.parameters["full_name"])
    return records.change(request, volume, ("comment",), "UpdateVolume")


@routes.delete(PATH + "/{full_name}")
def delete(request: Request) -> dict[str, Any]:
    """Delete a volume with its files."""
    volume = access.found(request, VOLUME, request.parameters["full_name"])
    access.require_manage(request, volume)
    records.drop(request, volume)
    return {}


def schema_name(request: Request) -> str:
    """Return the full name of the schema in the query."""
    return f"{request.required_argument('catalog_name')}.{request.required_argument('schema_name')}"
