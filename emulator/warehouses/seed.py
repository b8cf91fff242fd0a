"""The warehouse that the platform puts into a new workspace."""

from emulator.models.scim import USERS
from emulator.models.warehouses import Warehouse
from emulator.state.workspace import EmulatedWorkspace
from emulator.warehouses import lifecycle
from emulator.warehouses.definition import defined

STARTER = "Serverless Starter Warehouse"


def seed(workspace: EmulatedWorkspace) -> None:
    add_open_warehouse(workspace, STARTER, "Small")


def add_open_warehouse(workspace: EmulatedWorkspace, name: str, size: str) -> Warehouse:
    """A stopped serverless warehouse of the administrator that everybody may use."""
    sent = {"name": name, "cluster_size": size, "auto_stop_mins": 10, "enable_serverless_compute": True}
    warehouse = lifecycle.add(workspace, defined(sent), workspace.administrator)
    everybody = workspace.state.directory.find_group(USERS)
    if everybody:
        workspace.state.acls.grant(warehouse.acl_name, everybody.id, "CAN_USE")
    return warehouse
