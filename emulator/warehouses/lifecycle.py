"""The states of a warehouse. Changes that take time are scheduled and happen exactly when they are due.

Uptime is the time from RUNNING to STOPPING; only this module records it.
"""

from dataclasses import asdict

from emulator.api.errors import ApiError, denied, invalid
from emulator.base.clock import Millis
from emulator.base.scheduler import task_handler
from emulator.metering import uptime
from emulator.metering.makeup import record_warehouse
from emulator.models.scim import ServicePrincipal, User
from emulator.models.warehouses import Warehouse
from emulator.permissions.rights import has_permission
from emulator.state.workspace import EmulatedWorkspace
from emulator.warehouses import queries
from emulator.warehouses.definition import Definition

MINUTE = 60_000
CHANGE = "warehouses.change"
IDLE = "warehouses.idle"


def create(
    workspace: EmulatedWorkspace, caller: User | ServicePrincipal, definition: Definition, at: Millis
) -> Warehouse:
    """Create a warehouse, which starts at once; its creator is its owner.

    Raises 400 INVALID_PARAMETER_VALUE if another warehouse has this name.
    """
    _require_new_name(workspace, definition.name)
    warehouse = add(workspace, definition, caller)
    _launch(workspace, warehouse, caller.name, at)
    return warehouse


def add(workspace: EmulatedWorkspace, definition: Definition, owner: User | ServicePrincipal) -> Warehouse:
    """Create a stopped warehouse with this owner."""
    state = workspace.state
    warehouse = Warehouse(id=state.ids.hex("warehouse", definition.name, 16), creator=owner.name, **asdict(definition))
    state.warehouses.by_id[warehouse.id] = warehouse
    state.acls.grant(warehouse.acl_name, owner.id, "IS_OWNER")
    return warehouse


def edit(
    workspace: EmulatedWorkspace,
    warehouse: Warehouse,
    user: User | ServicePrincipal,
    definition: Definition,
    at: Millis,
) -> None:
    """Change the definition. A running warehouse restarts; its uptime session continues.

    Raises 400 INVALID_PARAMETER_VALUE if another warehouse has the new name.
    """
    if definition.name != warehouse.name:
        _require_new_name(workspace, definition.name)
    for name, value in asdict(definition).items():
        setattr(warehouse, name, value)
    if warehouse.state == "RUNNING":
        _interrupt(workspace, warehouse, at, "The SQL warehouse was restarted.")
        uptime.record_restart(workspace.state.warehouses, warehouse.id, at, user.name)
        _launch(workspace, warehouse, user.name, at)


def start(workspace: EmulatedWorkspace, warehouse: Warehouse, user: User | ServicePrincipal, at: Millis) -> None:
    """Start a warehouse that is stopped or stopping; do nothing if it is running or starting."""
    if warehouse.state in ("STOPPED", "STOPPING"):
        _launch(workspace, warehouse, user.name, at)


def stop(workspace: EmulatedWorkspace, warehouse: Warehouse, at: Millis) -> None:
    """Stop a warehouse that is neither STOPPED nor STOPPING: it is STOPPING now, STOPPED one transition later."""
    if warehouse.state in ("STOPPED", "STOPPING"):
        return
    _interrupt(workspace, warehouse, at, "The SQL warehouse was stopped.")
    warehouse.state = "STOPPING"
    uptime.close_session(workspace.state.warehouses, warehouse.id, at)
    workspace.state.scheduler.schedule(at + workspace.transition(), CHANGE, warehouse_id=warehouse.id, to="STOPPED")


def remove(workspace: EmulatedWorkspace, warehouse: Warehouse, at: Millis) -> None:
    """Delete a warehouse in any state. Its uptime sessions and its queries are kept."""
    state = workspace.state
    _interrupt(workspace, warehouse, at, "The SQL warehouse was deleted.")
    uptime.close_session(state.warehouses, warehouse.id, at)
    warehouse.state = "DELETED"
    del state.warehouses.by_id[warehouse.id]
    state.acls.remove_object(warehouse.acl_name)


def ensure_started(
    workspace: EmulatedWorkspace, warehouse: Warehouse, user: User | ServicePrincipal, at: Millis
) -> None:
    """Start a stopped warehouse for a query. Raises 403 unless the user has CAN_USE."""
    if not has_permission(workspace, user.id, "sql/warehouses", warehouse.acl_name, "CAN_USE"):
        raise not_permitted(user, warehouse, "Use")
    start(workspace, warehouse, user, at)


def not_permitted(user: User | ServicePrincipal, warehouse: Warehouse, ability: str) -> ApiError:
    """Return a 403 PERMISSION_DENIED that names the missing ability: View, Use or Manage."""
    return denied(
        f"{user.name} does not have {ability} permissions on SQL warehouse {warehouse.id}. "
        "Please contact the owner or an administrator for access."
    )


def _require_new_name(workspace: EmulatedWorkspace, name: str) -> None:
    if workspace.state.warehouses.find_by_name(name):
        raise invalid(f"SQL warehouse with name `{name}` already exists")


def _launch(workspace: EmulatedWorkspace, warehouse: Warehouse, user: str, at: Millis) -> None:
    workspace.state.scheduler.cancel(CHANGE, warehouse_id=warehouse.id)
    warehouse.state, warehouse.started_by = "STARTING", user
    workspace.state.scheduler.schedule(at + workspace.transition(), CHANGE, warehouse_id=warehouse.id, to="RUNNING")


def _interrupt(workspace: EmulatedWorkspace, warehouse: Warehouse, at: Millis, reason: str) -> None:
    """Cancel the scheduled changes of the warehouse and end its queries."""
    for kind in (CHANGE, IDLE):
        workspace.state.scheduler.cancel(kind, warehouse_id=warehouse.id)
    warehouse.busy_until = min(warehouse.busy_until, at)
    queries.on_stopped(workspace, warehouse, at, reason)


@task_handler(CHANGE)
def change(workspace: EmulatedWorkspace, at: Millis, *, warehouse_id: str, to: str) -> None:
    """Set the state that the warehouse has reached."""
    warehouse = workspace.state.warehouses.by_id[warehouse_id]
    if to == "STOPPED":
        warehouse.state = "STOPPED"
        return
    warehouse.state, warehouse.busy_until = "RUNNING", at
    uptime.open_session(workspace.state.warehouses, warehouse_id, at, warehouse.started_by)
    record_warehouse(workspace.state.billing, warehouse, at)
    queries.on_running(workspace, warehouse, at)
    _schedule_idle_check(workspace, warehouse)


def _schedule_idle_check(workspace: EmulatedWorkspace, warehouse: Warehouse) -> None:
    if warehouse.auto_stop_minutes:
        due = warehouse.busy_until + warehouse.auto_stop_minutes * MINUTE
        workspace.state.scheduler.schedule(due, IDLE, warehouse_id=warehouse.id)


@task_handler(IDLE)
def idle(workspace: EmulatedWorkspace, at: Millis, *, warehouse_id: str) -> None:
    """Stop the warehouse if it was idle for `auto_stop_minutes`; otherwise schedule the next check."""
    warehouse = workspace.state.warehouses.by_id[warehouse_id]
    if at < warehouse.busy_until + warehouse.auto_stop_minutes * MINUTE:
        _schedule_idle_check(workspace, warehouse)
    else:
        stop(workspace, warehouse, at)
