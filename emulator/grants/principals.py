"""Principals of Unity Catalog: users, service principals and account groups.

Workspace groups are not principals, also not `users` and `admins`. The platform has two system groups instead, which
are named after the workspace. The initial grants on the workspace's catalog are for them.
"""

from collections.abc import Collection

from emulator.api.errors import ApiError
from emulator.api.routing import Request
from emulator.base.clock import Millis
from emulator.models.scim import ADMINS, USERS, Principal
from emulator.models.unity_catalog.securables import ACCOUNT_USERS, SYSTEM
from emulator.state.workspace import EmulatedWorkspace

WORKSPACE_USERS, WORKSPACE_ADMINS = "_workspace_users", "_workspace_admins"
"""Ids of the two system groups; their names also contain the workspace's name and id."""


def workspace_group(workspace: EmulatedWorkspace, id: str) -> str:
    """Return the name of WORKSPACE_USERS or WORKSPACE_ADMINS."""
    return f"{id}_{workspace.options.name}_{workspace.state.workspace_id}"


def holders(workspace: EmulatedWorkspace, principal_id: str) -> Collection[str]:
    """Return the ids whose grants a principal has: its own, and those of all its groups."""
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
    """Return the id of the principal with this name.

    Raises 404 PRINCIPAL_DOES_NOT_EXIST for unknown names, workspace groups, and principals that are not visible yet.
    """
    for id in (WORKSPACE_USERS, WORKSPACE_ADMINS):
        if name == workspace_group(workspace, id):
            return id
    if name.casefold() == ACCOUNT_USERS:
        return ACCOUNT_USERS
    directory = workspace.state.directory
    found: Principal | None = directory.find_user(name) or directory.find_service_principal(name)
    if found is None:
        found = directory.find_account_group(name)
    if found is None or found.visible_from > now:
        raise ApiError(404, "PRINCIPAL_DOES_NOT_EXIST", f"Could not find principal with name {name}.")
    return found.id


def name_of(workspace: EmulatedWorkspace, principal_id: str, written: str = "") -> str:
    """Return the name for responses: as written in the request if it is still right, empty for a deleted principal."""
    if principal_id in (ACCOUNT_USERS, SYSTEM):
        return principal_id
    if principal_id in (WORKSPACE_USERS, WORKSPACE_ADMINS):
        return workspace_group(workspace, principal_id)
    principal = workspace.state.directory.principal(principal_id)
    if principal is None:
        return ""
    return written if written.casefold() == principal.name.casefold() else principal.name
