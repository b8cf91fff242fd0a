"""Permissions in a new workspace: all users use tokens, administrators manage tokens and the registry of models."""

from emulator.models.mlflow import REGISTRY_ACL
from emulator.models.scim import ADMINS, USERS
from emulator.state.workspace import EmulatedWorkspace


def seed(workspace: EmulatedWorkspace) -> None:
    """Grant the levels. Administrators get a direct grant, which remains when all others are removed."""
    state = workspace.state
    for object_id, name, level in (
        ("/authorization/tokens", ADMINS, "CAN_MANAGE"),
        ("/authorization/tokens", USERS, "CAN_USE"),
        (REGISTRY_ACL, ADMINS, "CAN_MANAGE"),
    ):
        group = state.directory.find_group(name)
        if group:
            state.acls.grant(object_id, group.id, level)
