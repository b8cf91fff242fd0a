"""The states of a warehouse. What takes time is entered in the agenda and happens exactly when it is due.

Uptime runs from RUNNING to STOPPING; `uptime` is noted here and nowhere else.
"""

from dataclasses import asdict

from emulator.api.errors import ApiError, denied, invalid
from emulator.base.clock import Millis
from emulator.base.scheduler import task_handler
from emulator.models.scim import ServicePrincipal, User
from emulator.models.warehouses import Warehouse
from emulator.permissions.rights import has_permission
from emulator.state.workspace import EmulatedWorkspace
from emulator.warehouses import queries, uptime
from emulator.warehouses.definition import Definition

MINUTE = 60_000
CHANGE = "warehouses.change"
IDLE = "warehouses.idle"


def create(
    workspace: EmulatedWorkspace, caller: User | ServicePrincipal, definition: Definition, at: Millis
) -> Warehouse:
    """A new warehouse, which starts at once. Its creator owns it.

    Raises 400 INVALID_PARAMETER_VALUE if another warehouse has this name.
    """
    _require_new_name(workspace, definition.name)
    warehouse = add(workspace, definition, caller)
    _launch(workspace, warehouse, caller.name, at)
    return warehouse


def add(workspace: EmulatedWorkspace, definition: Definition, owner: User | ServicePrincipal) -> Warehouse:
    """A new warehouse of this owner, which is stopped."""
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
    """Give it another definition. A warehouse that runs is restarted; its session continues.

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
    """Start a warehouse that is stopped or stopping; nothing happens to one that is up or starting."""
    if warehouse.state in ("STOPPED", "STOPPING"):
        _launch(workspace, warehouse, user.name, at)


def stop(workspace: EmulatedWorkspace, warehouse: Warehouse, at: Millis) -> None:
    """STOPPING from now on, STOPPED one transition later; nothing happens to one that is off or on its way there."""
    if warehouse.state in ("STOPPED", "STOPPING"):
        return
    _interrupt(workspace, warehouse, at, "The SQL warehouse was stopped.")
    warehouse.state = "STOPPING"
    uptime.close_session(workspace.state.warehouses, warehouse.id, at)
    workspace.state.scheduler.schedule(at + workspace.transition(), CHANGE, warehouse_id=warehouse.id, to="STOPPED")


def remove(workspace: EmulatedWorkspace, warehouse: Warehouse, at: Millis) -> None:
    """Delete it, in any state. Its uptime and its queries are kept."""
    state = workspace.state
    _interrupt(workspace, warehouse, at, "The SQL warehouse was deleted.")
    uptime.close_session(state.warehouses, warehouse.id, at)
    warehouse.state = "DELETED"
    del state.warehouses.by_id[warehouse.id]
    state.acls.remove_object(warehouse.acl_name)


def ensure_started(
    workspace: EmulatedWorkspace, warehouse: Warehouse, user: User | ServicePrincipal, at: Millis
) -> None:
    """What a query does first: start a stopped warehouse. Raises 403 without CAN_USE."""
    if not has_permission(workspace, user.id, "sql/warehouses", warehouse.acl_name, "CAN_USE"):
        raise not_permitted(user, warehouse, "Use")
    start(workspace, warehouse, user, at)


def not_permitted(user: User | ServicePrincipal, warehouse: Warehouse, ability: str) -> ApiError:
    """403 PERMISSION_DENIED that says which ability is missing: View, Use or Manage."""
    return denied(
        f"{user.name} does not have {ability} permissions on SQL warehouse {warehouse.id}. "
        "Please contact the owner or an administrator for access."
    )


def _require_new_name(workspace: EmulatedWorkspace, name: str) -> None:
    if workspace.state.warehouses.named(name):
        raise invalid(f"SQL warehouse with name `{name}` already exists")


def _launch(workspace: EmulatedWorkspace, warehouse: Warehouse, user: str, at: Millis) -> None:
    workspace.state.scheduler.cancel(CHANGE, warehouse_id=warehouse.id)
    warehouse.state, warehouse.started_by = "STARTING", user
    workspace.state.scheduler.schedule(at + workspace.transition(), CHANGE, warehouse_id=warehouse.id, to="RUNNING")


def _interrupt(workspace: EmulatedWorkspace, warehouse: Warehouse, at: Millis, reason: str) -> None:
    """What was going to happen to it does not; its queries end."""
    for kind in (CHANGE, IDLE):
        workspace.state.scheduler.cancel(kind, warehouse_id=warehouse.id)
    warehouse.busy_until = min(warehouse.busy_until, at)
    queries.on_stopped(workspace, warehouse, at, reason)


@task_handler(CHANGE)
def change(workspace: EmulatedWorkspace, at: Millis, *, warehouse_id: str, to: str) -> None:
    """The warehouse reaches the state that it was on its way to."""
    warehouse = workspace.state.warehouses.by_id[warehouse_id]
    if to == "STOPPED":
        warehouse.state = "STOPPED"
        return
    warehouse.state, warehouse.busy_until = "RUNNING", at
    uptime.open_session(workspace.state.warehouses, warehouse_id, at, warehouse.started_by)
    queries.on_running(workspace, warehouse, at)
    _watch_idling(workspace, warehouse)


def _watch_idling(workspace: EmulatedWorkspace, warehouse: Warehouse) -> None:
    if warehouse.auto_stop_minutes:
        due = warehouse.busy_until + warehouse.auto_stop_minutes * MINUTE
        workspace.state.scheduler.schedule(due, IDLE, warehouse_id=warehouse.id)


@task_handler(IDLE)
def idle(workspace: EmulatedWorkspace, at: Millis, *, warehouse_id: str) -> None:
    """Stop the warehouse if it was idle for its time; otherwise look again when that may be the case."""
    warehouse = workspace.state.warehouses.by_id[warehouse_id]
    if at < warehouse.busy_until + warehouse.auto_stop_minutes * MINUTE:
        _watch_idling(workspace, warehouse)
    else:
        stop(workspace, warehouse, at)
