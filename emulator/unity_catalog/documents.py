"""Securables in the format of the API."""

from typing import Any

from emulator.api.routing import Request
from emulator.grants.principals import name_of
from emulator.models.unity_catalog.securables import (
    CATALOG,
    CONNECTION,
    CREDENTIAL,
    EXTERNAL_LOCATION,
    FUNCTION,
    MODEL,
    SCHEMA,
    STORAGE_CREDENTIAL,
    TABLE,
    VOLUME,
    Securable,
)

_ID_FIELDS = {
    CATALOG: "id",
    SCHEMA: "schema_id",
    TABLE: "table_id",
    VOLUME: "volume_id",
    FUNCTION: "function_id",
    STORAGE_CREDENTIAL: "id",
    CREDENTIAL: "id",
    EXTERNAL_LOCATION: "id",
    CONNECTION: "connection_id",
}
_OPTIMIZATION = "enable_predictive_optimization"
_ISOLATION = {True: "ISOLATED", False: "OPEN"}


def described(request: Request, securable: Securable) -> dict[str, Any]:
    """Return the securable with owner, times and details, without empty fields."""
    state = request.workspace.state
    document: dict[str, Any] = {
        "name": securable.name,
        "full_name": securable.full_name,
        "owner": name_of(request.workspace, securable.owner),
        "metastore_id": state.settings.metastore_id,
        "created_at": securable.created_at,
        "created_by": securable.created_by,
        "updated_at": securable.updated_at,
        "updated_by": securable.updated_by,
        "securable_type": securable.type.upper(),
    }
    if not securable.subtype:
        document[_ID_FIELDS[securable.type]] = securable.id
    document |= _place(securable)
    document |= {name: value for name, value in securable.details.items() if value not in (None, "", {}, [])}
    if securable.type in (CATALOG, SCHEMA):
        document |= _optimization(request, securable) | {"browse_only": False}
    if securable.type == CATALOG:
        document |= {"isolation_mode": _ISOLATION[securable.isolated], "securable_kind": "CATALOG_STANDARD"}
    elif securable.type in (STORAGE_CREDENTIAL, CREDENTIAL, EXTERNAL_LOCATION):
        document["isolation_mode"] = f"ISOLATION_MODE_{_ISOLATION[securable.isolated]}"
    return document


def _place(securable: Securable) -> dict[str, str]:
    """Return the names of its catalog and schema."""
    catalog, *rest = securable.full_name.split(".")
    if securable.type == SCHEMA:
        return {"catalog_name": catalog, "catalog_type": "MANAGED_CATALOG"}
    if securable.type in (TABLE, VOLUME, FUNCTION) or securable.subtype == MODEL:
        return {"catalog_name": catalog, "schema_name": rest[0]}
    return {}


def _optimization(request: Request, securable: Securable) -> dict[str, Any]:
    """Return the setting of predictive optimization and its effective value with the source."""
    for one in request.workspace.state.unity_catalog.lineage(securable):
        value = one.details.get(_OPTIMIZATION, "INHERIT")
        if value != "INHERIT":
            effective = {"value": value}
            if one is not securable:
                effective |= {"inherited_from_type": one.type.upper(), "inherited_from_name": one.full_name}
            break
    else:
        metastore = request.workspace.state.unity_catalog.metastore()
        name = metastore.details.get("name", "") if metastore else ""
        effective = {"value": "ENABLE", "inherited_from_type": "METASTORE", "inherited_from_name": name}
    return {
        _OPTIMIZATION: securable.details.get(_OPTIMIZATION, "INHERIT"),
        "effective_predictive_optimization_flag": effective,
    }
