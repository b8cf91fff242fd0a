"""Who can own securables and be given privileges: users, service principals and groups of the account.

Groups of the workspace cannot, `users` and `admins` neither. In their place the platform has two groups that it keeps
itself, named after the workspace; its own catalog begins with grants to them.
"""

from collections.abc import Collection

from emulator.api.errors import ApiError
from emulator.api.routing import Request
from emulator.base.clock import Millis
from emulator.models.scim import ADMINS, USERS, Principal
from emulator.models.unity_catalog.securables import ACCOUNT_USERS, SYSTEM
from emulator.state.workspace import EmulatedWorkspace

WORKSPACE_USERS, WORKSPACE_ADMINS = "_workspace_users", "_workspace_admins"
"""Ids of the two groups that the platform keeps; their names have the workspace's name and id besides."""


def workspace_group(workspace: EmulatedWorkspace, id: str) -> str:
    """The name of WORKSPACE_USERS or WORKSPACE_ADMINS."""
    return f"{id}_{workspace.options.name}_{workspace.state.workspace_id}"


def holders(workspace: EmulatedWorkspace, principal_id: str) -> Collection[str]:
    """The ids whose grants a principal has: its own, its groups', and those of the groups that everybody is in."""
    directory = workspace.state.directory
    found = {principal_id, ACCOUNT_USERS, *directory.memberships(principal_id)}
    users, admins = directory.find_group(USERS), directory.find_group(ADMINS)
    if users and users.id in found:
        found.add(WORKSPACE_USERS)
    if admins and admins.id in found:
        found.add(WORKSPACE_ADMINS)
    return found


def caller_holders(request: Request) -> Collection[str]:
    return holders(request.workspace, request.caller.id)


def resolve(workspace: EmulatedWorkspace, name: str, now: Millis) -> str:
    """The id of the principal with this name.

    Raises 404 PRINCIPAL_DOES_NOT_EXIST for a name that nobody has, for a group of the workspace, and for a principal
    that is so new that Unity Catalog does not know it yet.
    """
    for id in (WORKSPACE_USERS, WORKSPACE_ADMINS):
        if name == workspace_group(workspace, id):
            return id
    if name.casefold() == ACCOUNT_USERS:
        return ACCOUNT_USERS
    directory = workspace.state.directory
    group = directory.find_group(name)
    found: Principal | None = directory.find_user(name) or directory.find_service_principal(name)
    if found is None and group and group.account_level:
        found = group
    if found is None or found.visible_from > now:
        raise ApiError(404, "PRINCIPAL_DOES_NOT_EXIST", f"Could not find principal with name {name}.")
    return found.id


def name_of(workspace: EmulatedWorkspace, principal_id: str, written: str = "") -> str:
    """The name in answers: as it was written if that is still the name; empty for a principal that is gone."""
    if principal_id in (ACCOUNT_USERS, SYSTEM):
        return principal_id
    if principal_id in (WORKSPACE_USERS, WORKSPACE_ADMINS):
        return workspace_group(workspace, principal_id)
    principal = workspace.state.directory.principal(principal_id)
    if principal is None:
        return ""
    return written if written.casefold() == principal.name.casefold() else principal.name
