"""The right to use tokens in a new workspace: everybody has it."""

from typing import TYPE_CHECKING

from emulator.scim.models import USERS
from emulator.tokens.personal import USABLE

if TYPE_CHECKING:
    from emulator.workspace import Workspace


def furnish(workspace: "Workspace") -> None:
    everybody = workspace.state.directory.group_named(USERS)
    if everybody:
        workspace.state.acls.grant(USABLE, everybody.id, "CAN_USE")
