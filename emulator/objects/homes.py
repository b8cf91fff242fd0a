"""Homes: the folder of a user or service principal under `/Users`, which outlives its owner."""

from emulator.base.paths import WorkspacePath
from emulator.state.workspace import EmulatedWorkspace


def make_home(workspace: EmulatedWorkspace, principal_name: str) -> None:
    """Make `/Users/<name>` unless it is there, and give it to the user or service principal of that name.

    `principal_name` is the user name or the application id. Somebody who comes back finds the old home.
    """
    state = workspace.state
    path = WorkspacePath(("Users", principal_name))
    state.objects.make_folders(state.ids, path, workspace.clock.now())
    owner = state.directory.find_user(principal_name) or state.directory.find_service_principal(principal_name)
    home = state.objects.find(path.names)
    if owner and home:
        state.acls.grant(home.acl_name, owner.id, "CAN_MANAGE")
