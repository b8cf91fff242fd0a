"""What a new workspace has of the services in `settings`."""

from typing import TYPE_CHECKING

from emulator.settings import warehouses

if TYPE_CHECKING:
    from emulator.workspace import Workspace


def furnish(workspace: "Workspace") -> None:
    warehouses.add_starter(workspace)
