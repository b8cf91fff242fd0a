"""Who may use tokens in a new workspace: everybody."""

from emulator.models.scim import ADMINS, USERS
from emulator.state.workspace import EmulatedWorkspace


def seed(workspace: EmulatedWorkspace) -> None:
    """Administrators manage tokens by a direct grant, which is all that stays when the rest is taken away."""
    state = workspace.state
    for name, level in ((ADMINS, "CAN_MANAGE"), (USERS, "CAN_USE")):
        group = state.directory.find_group(name)
        if group:
            state.acls.grant("/authorization/tokens", group.id, level)
