"""The permission to use tokens in a new workspace, which all users have."""

from emulator.models.scim import ADMINS, USERS
from emulator.state.workspace import EmulatedWorkspace


def seed(workspace: EmulatedWorkspace) -> None:
    """Grant the levels. Administrators get a direct grant, which remains when all others are removed."""
    state = workspace.state
    for name, level in ((ADMINS, "CAN_MANAGE"), (USERS, "CAN_USE")):
        group = state.directory.find_group(name)
        if group:
            state.acls.grant("/authorization/tokens", group.id, level)
