"""Finding a warehouse for a caller, with the platform's refusals."""

from emulator.api.errors import denied, missing
from emulator.api.routing import Request
from emulator.models.warehouses import Warehouse
from emulator.permissions.rights import has_permission
from emulator.warehouses.lifecycle import not_permitted

ENTITLEMENT = "databricks-sql-access"


def require_sql(request: Request) -> None:
    """Raises 403 PERMISSION_DENIED for a caller without the entitlement to use SQL."""
    if not request.workspace.state.directory.has_entitlement(request.caller.id, ENTITLEMENT):
        raise denied(f"This API is disabled for users without the {ENTITLEMENT} entitlement.")


def permitted(request: Request, warehouse_id: str, level: str, ability: str) -> Warehouse:
    """The warehouse, if the caller has `level` or more on it; `ability` is the word for it: View, Use or Manage.

    Raises 404 for an unknown warehouse, 403 without the right.
    """
    require_sql(request)
    warehouse = request.workspace.state.warehouses.by_id.get(warehouse_id)
    if warehouse is None:
        raise missing(f"SQL warehouse {warehouse_id} does not exist.")
    if not has_permission(request.workspace, request.caller.id, "sql/warehouses", warehouse.acl_name, level):
        raise not_permitted(request.caller, warehouse, ability)
    return warehouse


def visible(request: Request, level: str) -> list[Warehouse]:
    """The warehouses on which the caller has `level` or more."""
    require_sql(request)
    workspace = request.workspace
    found = list(workspace.state.warehouses.by_id.values())
    if workspace.state.directory.is_admin(request.caller.id):
        return found
    return [one for one in found if has_permission(workspace, request.caller.id, "sql/warehouses", one.acl_name, level)]
