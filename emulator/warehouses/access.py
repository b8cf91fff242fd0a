"""Finds warehouses for a caller, or raises the error that the platform returns."""

import uuid

from emulator.api.errors import denied, missing
from emulator.api.routing import Request
from emulator.models.warehouses import Warehouse
from emulator.permissions.rights import has_permission
from emulator.warehouses.lifecycle import not_permitted

ENTITLEMENT = "databricks-sql-access"


def require_sql(request: Request) -> None:
    """Raise 403 PERMISSION_DENIED for a caller without the entitlement to use SQL."""
    if not request.workspace.state.directory.has_entitlement(request.caller.id, ENTITLEMENT):
        raise denied(f"This API is disabled for users without the {ENTITLEMENT} entitlement.")


def find_warehouse(request: Request, warehouse_id: str, level: str, ability: str) -> Warehouse:
    """Return the warehouse, if the caller has `level` or a higher permission on it.

    `ability` is the word for the level in the error: View, Use or Manage. Raises 404 for an unknown warehouse, 403 if
    the caller lacks the permission.
    """
    require_sql(request)
    warehouse = request.workspace.state.warehouses.by_id.get(warehouse_id)
    if warehouse is None:
        raise missing(f"SQL warehouse {warehouse_id} does not exist.")
    if not has_permission(request.workspace, request.caller.id, "sql/warehouses", warehouse.acl_name, level):
        raise not_permitted(request.caller, warehouse, ability)
    return warehouse


def data_source_id(warehouse: Warehouse) -> str:
    """Return the id that the older SQL API has for the warehouse."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, warehouse.id))


def visible_warehouses(request: Request, level: str) -> list[Warehouse]:
    """Return the warehouses on which the caller has `level` or a higher permission."""
    require_sql(request)
    workspace = request.workspace
    found = list(workspace.state.warehouses.by_id.values())
    if workspace.state.directory.is_admin(request.caller.id):
        return found
    return [one for one in found if has_permission(workspace, request.caller.id, "sql/warehouses", one.acl_name, level)]
