"""Homes: folders of users and service principals in `/Users`, which are kept when their owners are deleted."""

from emulator.base.paths import WorkspacePath
from emulator.state.workspace import EmulatedWorkspace


def make_home(workspace: EmulatedWorkspace, principal_name: str) -> None:
    """Create `/Users/<name>` if it does not exist, and grant CAN_MANAGE to the user or service principal.

    `principal_name` is the user name or the application id. A user who is created again gets the old home.
    """
    state = workspace.state
    path = WorkspacePath(("Users", principal_name))
    state.objects.make_folders(state.ids, path, workspace.clock.now())
    owner = state.directory.find_user(principal_name) or state.directory.find_service_principal(principal_name)
    home = state.objects.find(path.names)
    if owner and home:
        state.acls.grant(home.acl_name, owner.id, "CAN_MANAGE")
