"""The folders in a new workspace: `/Users`, `/Shared` and `/Repos`."""

from emulator.base.paths import WorkspacePath
from emulator.generated_files.overlay import ROOT
from emulator.models.scim import ADMINS, USERS
from emulator.objects.homes import make_home
from emulator.state.workspace import EmulatedWorkspace


def seed(workspace: EmulatedWorkspace) -> None:
    """Create the folders. Administrators manage the root, and all users manage `/Shared`."""
    state, now = workspace.state, workspace.clock.now()
    for name in ("Users", "Shared", "Repos"):
        state.objects.make_folders(state.ids, WorkspacePath((name,)), now)
    admins, users = state.directory.find_group(ADMINS), state.directory.find_group(USERS)
    shared = state.objects.find(("Shared",))
    if admins:
        state.acls.grant(f"/directories/{ROOT}", admins.id, "CAN_MANAGE")
    if users and shared:
        state.acls.grant(shared.acl_name, users.id, "CAN_MANAGE")
    for user in state.directory.users.values():
        make_home(workspace, user.name)
