"""Creates the warehouse that a new workspace has on the platform."""

from emulator.models.scim import USERS
from emulator.models.warehouses import Warehouse
from emulator.state.workspace import EmulatedWorkspace
from emulator.warehouses import lifecycle
from emulator.warehouses.definition import parse_definition

STARTER = "Serverless Starter Warehouse"


def seed(workspace: EmulatedWorkspace) -> None:
    add_open_warehouse(workspace, STARTER, "Small")


def add_open_warehouse(workspace: EmulatedWorkspace, name: str, size: str) -> Warehouse:
    """Create a stopped serverless warehouse of the administrator, which all users may use."""
    sent = {"name": name, "cluster_size": size, "auto_stop_mins": 10, "enable_serverless_compute": True}
    warehouse = lifecycle.add(workspace, parse_definition(sent), workspace.administrator)
    all_users = workspace.state.directory.find_group(USERS)
    if all_users:
        workspace.state.acls.grant(warehouse.acl_name, all_users.id, "CAN_USE")
    return warehouse
