"""HTTP handlers of `/api/2.0/sql/warehouses`, their data sources, their common configuration, query history."""

from typing import Any

from emulator.api.errors import denied
from emulator.api.routing import Request, Routes
from emulator.models.warehouses import Warehouse
from emulator.permissions.rights import require_admin
from emulator.warehouses import history, lifecycle, queries
from emulator.warehouses.access import data_source_id, find_warehouse, require_sql, visible_warehouses
from emulator.warehouses.definition import parse_definition

PATH = "/api/2.0/sql/warehouses"
CREATION = "allow-cluster-create"

routes = Routes()


@routes.get(PATH)
def list_warehouses(request: Request) -> dict[str, Any]:
    """List the warehouses that the caller may view, or with `skip_cannot_use` those that the caller may use."""
    level = "CAN_USE" if request.flag("skip_cannot_use") else "CAN_VIEW"
    return {
        "warehouses": [_info(request, warehouse) for warehouse in visible_warehouses(request, level)],
        "next_page_token": "",
    }


@routes.post(PATH)
def create(request: Request) -> dict[str, str]:
    require_sql(request)
    if not request.workspace.state.directory.has_entitlement(request.caller.id, CREATION):
        raise denied(
            f"{request.caller.name} is not authorized to create SQL warehouses. Please contact an administrator."
        )
    return {"id": lifecycle.create(request.workspace, request.caller, parse_definition(request.body), request.now).id}


@routes.get(PATH + "/{id}")
def show(request: Request) -> dict[str, Any]:
    return _info(request, find_warehouse(request, request.parameters["id"], "CAN_VIEW", "View"))


@routes.post(PATH + "/{id}/edit")
def edit(request: Request) -> dict[str, Any]:
    warehouse = _managed(request)
    lifecycle.edit(
        request.workspace,
        warehouse,
        request.caller,
        parse_definition(request.body, _definition(warehouse)),
        request.now,
    )
    return {}


@routes.post(PATH + "/{id}/start")
def start(request: Request) -> dict[str, Any]:
    warehouse = find_warehouse(request, request.parameters["id"], "CAN_USE", "Use")
    lifecycle.start(request.workspace, warehouse, request.caller, request.now)
    return {}


@routes.post(PATH + "/{id}/stop")
def stop(request: Request) -> dict[str, Any]:
    lifecycle.stop(request.workspace, _managed(request), request.now)
    return {}


@routes.delete(PATH + "/{id}")
def delete(request: Request) -> dict[str, Any]:
    lifecycle.remove(request.workspace, _managed(request), request.now)
    return {}


@routes.get("/api/2.0/preview/sql/data_sources")
def list_data_sources(request: Request) -> list[dict[str, Any]]:
    """List one data source for each warehouse; the older SQL API refers to warehouses in this way."""
    return [
        {
            "id": data_source_id(warehouse),
            "name": warehouse.name,
            "warehouse_id": warehouse.id,
            "type": "databricks_internal",
        }
        for warehouse in visible_warehouses(request, "CAN_VIEW")
    ]


@routes.get("/api/2.0/sql/config/warehouses")
def show_config(request: Request) -> dict[str, Any]:
    """Return the configuration that all warehouses share."""
    require_admin(request)
    return _config(request)


@routes.put("/api/2.0/sql/config/warehouses")
def set_config(request: Request) -> dict[str, Any]:
    """Replace the configuration; `enable_serverless_compute` is kept if the request does not contain it."""
    require_admin(request)
    kept = {"enable_serverless_compute": _config(request)["enable_serverless_compute"]}
    request.workspace.state.warehouses.config = kept | request.body
    return {}


@routes.get("/api/2.0/sql/history/queries")
def list_queries(request: Request) -> dict[str, Any]:
    """List queries, newest first. Some clients send the filter in the body, as the documentation says."""
    return history.page(request)


def _managed(request: Request) -> Warehouse:
    return find_warehouse(request, request.parameters["id"], "CAN_MANAGE", "Manage")


def _config(request: Request) -> dict[str, Any]:
    defaults = {"security_policy": "DATA_ACCESS_CONTROL", "data_access_config": [], "enable_serverless_compute": True}
    return defaults | request.workspace.state.warehouses.config


def _definition(warehouse: Warehouse) -> dict[str, Any]:
    """Return the fields that a request sets, under their names in the API."""
    fields = {
        "name": warehouse.name,
        "cluster_size": warehouse.cluster_size,
        "auto_stop_mins": warehouse.auto_stop_minutes,
        "min_num_clusters": warehouse.min_clusters,
        "max_num_clusters": warehouse.max_clusters,
        "enable_photon": warehouse.photon,
        "enable_serverless_compute": warehouse.serverless,
        "warehouse_type": warehouse.type,
        "spot_instance_policy": warehouse.spot_policy,
        "channel": warehouse.channel,
    }
    return fields | ({"tags": warehouse.tags} if warehouse.tags else {})


def _info(request: Request, warehouse: Warehouse) -> dict[str, Any]:
    is_up = warehouse.state == "RUNNING"
    host = request.workspace.options.url.rpartition("/")[2].partition(":")[0]
    path = f"/sql/1.0/warehouses/{warehouse.id}"
    jdbc = f"jdbc:spark://{host}:443/default;transportMode=http;ssl=1;AuthMech=3;httpPath={path};"
    return _definition(warehouse) | {
        "id": warehouse.id,
        "creator_name": warehouse.creator,
        "num_clusters": warehouse.min_clusters if is_up else 0,
        "num_active_sessions": queries.running(request.workspace, warehouse) if is_up else 0,
        "jdbc_url": jdbc,
        "odbc_params": {"hostname": host, "path": path, "port": 443, "protocol": "https"},
        "state": warehouse.state,
        "health": {"status": "HEALTHY"} if is_up else {},
    }
