"""`/api/2.0/sql/warehouses`: those there are can be looked at and deleted; the emulator runs none."""

import uuid
from typing import Any

from emulator.api.errors import denied, missing
from emulator.api.routing import Request, Routes
from emulator.models.scim import USERS
from emulator.models.settings import Warehouse
from emulator.permissions.rights import require_admin
from emulator.state.workspace import EmulatedWorkspace

PATH = "/api/2.0/sql/warehouses"
ENTITLEMENT = "databricks-sql-access"

routes = Routes()


def add(workspace: EmulatedWorkspace, name: str) -> Warehouse:
    """A stopped warehouse that everybody may use, such as the one that the platform puts into its newer workspaces."""
    state = workspace.state
    warehouse = Warehouse(state.ids.hex("warehouse", name, 16), name, workspace.options.admin)
    state.settings.warehouses[warehouse.id] = warehouse
    object_id = f"/sql/warehouses/{warehouse.id}"
    creator, everybody = state.directory.find_user(warehouse.creator), state.directory.find_group(USERS)
    if creator:
        state.acls.grant(object_id, creator.id, "IS_OWNER")
    if everybody:
        state.acls.grant(object_id, everybody.id, "CAN_USE")
    return warehouse


@routes.get(PATH)
def list_warehouses(request: Request) -> dict[str, Any]:
    _require_sql(request)
    found = request.workspace.state.settings.warehouses.values()
    return {"warehouses": [_info(warehouse) for warehouse in found], "next_page_token": ""}


@routes.get(PATH + "/{id}")
def show(request: Request) -> dict[str, Any]:
    _require_sql(request)
    return _info(_find(request))


@routes.delete(PATH + "/{id}")
def delete(request: Request) -> dict[str, Any]:
    require_admin(request)
    warehouse = _find(request)
    del request.workspace.state.settings.warehouses[warehouse.id]
    request.workspace.state.acls.remove_object(f"/sql/warehouses/{warehouse.id}")
    return {}


@routes.get("/api/2.0/preview/sql/data_sources")
def list_data_sources(request: Request) -> list[dict[str, Any]]:
    """One a warehouse, which is how the older SQL API names them."""
    _require_sql(request)
    found = request.workspace.state.settings.warehouses.values()
    return [
        {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, warehouse.id)),
            "name": warehouse.name,
            "warehouse_id": warehouse.id,
            "type": "databricks_internal",
        }
        for warehouse in found
    ]


def _require_sql(request: Request) -> None:
    if not request.workspace.state.directory.has_entitlement(request.caller.id, ENTITLEMENT):
        raise denied("This API is disabled for users without the databricks-sql-access entitlement.")


def _find(request: Request) -> Warehouse:
    warehouse = request.workspace.state.settings.warehouses.get(request.parameters["id"])
    if warehouse is None:
        raise missing(f"SQL warehouse {request.parameters['id']} does not exist.")
    return warehouse


def _info(warehouse: Warehouse) -> dict[str, Any]:
    return {
        "id": warehouse.id,
        "name": warehouse.name,
        "creator_name": warehouse.creator,
        "cluster_size": warehouse.cluster_size,
        "auto_stop_mins": warehouse.auto_stop_minutes,
        "min_num_clusters": 1,
        "max_num_clusters": 1,
        "num_clusters": 0,
        "num_active_sessions": 0,
        "enable_photon": True,
        "enable_serverless_compute": warehouse.serverless,
        "warehouse_type": "PRO",
        "spot_instance_policy": "COST_OPTIMIZED",
        "channel": {"name": "CHANNEL_NAME_CURRENT"},
        "state": warehouse.state,
        "health": {},
    }
