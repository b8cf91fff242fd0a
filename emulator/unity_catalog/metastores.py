"""HTTP handlers of the metastore: its assignment, system schemas and allowlists."""

from typing import Any

from emulator.api.errors import ApiError, denied, invalid
from emulator.api.routing import Request, Routes
from emulator.grants import access
from emulator.grants.principals import name_of
from emulator.models.unity_catalog.securables import CATALOG, METASTORE, SCHEMA, SYSTEM, Securable
from emulator.unity_catalog import records
from emulator.unity_catalog.seed import MANAGED_SCHEMAS, OPTIONAL_SCHEMAS

routes = Routes()
BASE = "/api/2.1/unity-catalog"
ARTIFACTS = ("INIT_SCRIPT", "LIBRARY_JAR", "LIBRARY_MAVEN")
PREFIX = "PREFIX_MATCH"


@routes.get(BASE + "/current-metastore-assignment")
def show_assignment(request: Request) -> dict[str, Any]:
    return {
        "metastore_id": _metastore(request).id,
        "workspace_id": int(request.workspace.state.workspace_id),
        "default_catalog_name": access.unity_catalog(request).default_catalog,
    }


@routes.get(BASE + "/metastore_summary")
def show_summary(request: Request) -> dict[str, Any]:
    return _described(request, _metastore(request))


@routes.get(BASE + "/metastores")
def list_metastores(request: Request) -> dict[str, Any]:
    """Return the metastore of the workspace."""
    return {"metastores": [_described(request, _metastore(request))]}


@routes.get(BASE + "/metastores/{id}")
def show(request: Request) -> dict[str, Any]:
    return _described(request, _asked(request))


@routes.put(BASE + "/workspaces/{workspace_id}/metastore")
def put_assignment(request: Request) -> dict[str, Any]:
    """Assign the metastore to a workspace. Assignments of other workspaces are accepted and not stored."""
    _check_assignment(request, records.required(request.body, "metastore_id", "CreateMetastoreAssignment"))
    return _assigned(request)


@routes.patch(BASE + "/workspaces/{workspace_id}/metastore")
def change_assignment(request: Request) -> dict[str, Any]:
    _check_assignment(request, records.text(request.body, "metastore_id") or _metastore(request).id)
    return _assigned(request)


@routes.delete(BASE + "/workspaces/{workspace_id}/metastore")
def delete_assignment(request: Request) -> dict[str, Any]:
    _check_assignment(request, request.required_argument("metastore_id"))
    if request.parameters["workspace_id"] == request.workspace.state.workspace_id:
        raise denied("The workspace that answers cannot be unassigned from its metastore.")
    return {}


@routes.get(BASE + "/metastores/{id}/systemschemas")
def list_system_schemas(request: Request) -> dict[str, Any]:
    _asked(request)
    enabled = access.unity_catalog(request).system_schemas
    entries = [{"schema": name, "state": "ENABLE_COMPLETED"} for name in MANAGED_SCHEMAS]
    entries += [
        {"schema": name, "state": "ENABLE_COMPLETED" if name in enabled else "AVAILABLE"} for name in OPTIONAL_SCHEMAS
    ]
    return records.paged(request, "schemas", entries)


@routes.put(BASE + "/metastores/{id}/systemschemas/{name}")
def enable_system_schema(request: Request) -> dict[str, Any]:
    catalog, name = access.unity_catalog(request), _system_schema(request, "enabled")
    if name in catalog.system_schemas:
        raise ApiError(400, "SCHEMA_ALREADY_EXISTS", f"Schema '{name}' already exists")
    catalog.system_schemas.append(name)
    records.make(request, SCHEMA, f"system.{name}", {}, owner=SYSTEM)
    return {}


@routes.delete(BASE + "/metastores/{id}/systemschemas/{name}")
def disable_system_schema(request: Request) -> dict[str, Any]:
    catalog, name = access.unity_catalog(request), _system_schema(request, "disabled")
    schema = catalog.find(SCHEMA, f"system.{name}")
    if name not in catalog.system_schemas or schema is None:
        raise access.missing(SCHEMA, f"system.{name}")
    catalog.system_schemas.remove(name)
    catalog.remove(schema)
    return {}


@routes.get(BASE + "/artifact-allowlists/{type}")
def show_allowlist(request: Request) -> dict[str, Any]:
    return _allowlist(request, _artifact_type(request))


@routes.put(BASE + "/artifact-allowlists/{type}")
def set_allowlist(request: Request) -> dict[str, Any]:
    """Replace the allowlist of an artifact type."""
    type = _artifact_type(request)
    access.require_on_metastore(request, "MANAGE_ALLOWLIST")
    matchers = request.body.get("artifact_matchers") or []
    if not isinstance(matchers, list) or not all(isinstance(one, dict) and one.get("artifact") for one in matchers):
        raise invalid("artifact_matchers must be a list of objects with an artifact")
    given = [{"artifact": one["artifact"], "match_type": one.get("match_type", PREFIX)} for one in matchers]
    access.unity_catalog(request).allowlists[type] = {
        "artifact_matchers": given,
        "created_at": request.now,
        "created_by": request.caller.name,
    }
    return _allowlist(request, type)


def _allowlist(request: Request, type: str) -> dict[str, Any]:
    return access.unity_catalog(request).allowlists.get(type, {}) | {"metastore_id": _metastore(request).id}


def _artifact_type(request: Request) -> str:
    _metastore(request)
    if request.parameters["type"] not in ARTIFACTS:
        raise invalid(f"artifact_type must be one of {', '.join(ARTIFACTS)}, not {request.parameters['type']}")
    return request.parameters["type"]


def _metastore(request: Request) -> Securable:
    """Return the metastore. Raises 404 if none is assigned."""
    found = access.unity_catalog(request).metastore()
    assert found is not None
    return found


def _asked(request: Request) -> Securable:
    _metastore(request)
    return access.found(request, METASTORE, request.parameters["id"])


def _system_schema(request: Request, done: str) -> str:
    """Return the name of the schema. Raises 403 unless the caller manages the metastore, 400 for a managed schema."""
    metastore, name = _asked(request), request.parameters["name"]
    if not access.manages(request, metastore):
        raise access.refused_on_metastore(request, "MANAGE")
    if name in MANAGED_SCHEMAS:
        raise ApiError(400, "INVALID_STATE", f"{name} system schema can only be {done} by Databricks")
    if name not in OPTIONAL_SCHEMAS:
        raise access.missing(SCHEMA, f"system.{name}")
    return name


def _check_assignment(request: Request, metastore_id: str) -> None:
    """Raise 403 unless the caller manages the metastore, and 404 for another metastore."""
    metastore = access.found(request, METASTORE, metastore_id)
    if not access.manages(request, metastore):
        raise access.refused_on_metastore(request, "MANAGE")


def _assigned(request: Request) -> dict[str, Any]:
    default = records.text(request.body, "default_catalog_name")
    if default and request.parameters["workspace_id"] == request.workspace.state.workspace_id:
        access.found(request, CATALOG, default)
        access.unity_catalog(request).default_catalog = default.lower()
    return {}


def _described(request: Request, metastore: Securable) -> dict[str, Any]:
    document = {
        "metastore_id": metastore.id,
        "owner": name_of(request.workspace, metastore.owner),
        "created_at": metastore.created_at,
        "created_by": metastore.created_by,
        "updated_at": metastore.updated_at,
        "updated_by": metastore.updated_by,
        "cloud": "azure",
        "region": "westeurope",
        "privilege_model_version": "1.0",
        "delta_sharing_scope": "INTERNAL",
        "external_access_enabled": False,
        "global_metastore_id": f"azure:westeurope:{metastore.id}",
    }
    root = access.unity_catalog(request).storage_root
    return document | metastore.details | ({"storage_root": root} if root else {})
