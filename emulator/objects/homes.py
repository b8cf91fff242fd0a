"""Homes: the folder of a user or service principal under `/Users`, which outlives its owner."""

from emulator.base.paths import Place
from emulator.state.workspace import Workspace


def make_home(workspace: Workspace, principal_name: str) -> None:
    """Make `/Users/<name>` unless it is there, and give it to the user or service principal of that name.

    `principal_name` is the user name or the application id. Somebody who comes back finds the old home.
    """
    state = workspace.state
    place = Place(("Users", principal_name))
    state.objects.make_folders(state.ids, place, workspace.clock.now())
    owner = state.directory.user_named(principal_name) or state.directory.service_principal_named(principal_name)
    home = state.objects.find(place.names)
    if owner and home:
        state.acls.grant(home.acl_name, owner.id, "CAN_MANAGE")
