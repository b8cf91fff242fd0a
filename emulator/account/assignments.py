"""HTTP handlers for `/api/2.0/preview/permissionassignments`: account principals in this workspace.

Users and service principals are assigned as long as they exist. The permission ADMIN means membership in `admins`.
"""

from typing import Any

from emulator.api.errors import ApiError, ScimError, exists, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.models.scim import ADMINS, Directory, Group, Principal, ServicePrincipal, User
from emulator.permissions.rights import require_admin
from emulator.scim import changes

BASE = "/api/2.0/preview/permissionassignments"
NAMES = ("user_name", "group_name", "service_principal_name")

routes = Routes()


@routes.get(BASE)
def list_assignments(request: Request) -> dict[str, Any]:
    require_admin(request)
    directory = request.workspace.state.directory
    groups = [group for group in directory.groups.values() if group.account_level and group.assigned]
    principals: list[Principal] = [*directory.users.values(), *directory.service_principals.values(), *groups]
    return {"permission_assignments": [_document(directory, principal) for principal in principals]}


@routes.post(BASE)
def assign_by_name(request: Request) -> dict[str, Any]:
    """Assign principals by name, with the permission USER. Each failed entry has its own error."""
    require_admin(request)
    entries = request.body.get("permission_assignments")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise invalid("permission_assignments must be a list of objects")
    return {"permission_assignments": [_assign_entry(request, entry) for entry in entries]}


@routes.put(f"{BASE}/principals/{{id}}")
def assign(request: Request) -> dict[str, Any]:
    """Replace the permissions of a principal; without any permission, it is removed from the workspace."""
    require_admin(request)
    principal = _find(request)
    wanted = _permissions(request.body)
    if not wanted:
        _remove(request, principal)
        return {"permissions": [], "principal": _names(principal)}
    _assign(request, principal, wanted)
    return _document(request.workspace.state.directory, principal)


@routes.delete(f"{BASE}/principals/{{id}}")
def remove(request: Request) -> dict[str, Any]:
    require_admin(request)
    _remove(request, _find(request))
    return {}


def _assign_entry(request: Request, entry: dict[str, Any]) -> dict[str, Any]:
    wanted = _permissions(entry)
    given = {name: str(entry[name]) for name in NAMES if entry.get(name)}
    try:
        if len(given) != 1:
            raise invalid(f"Exactly one of {', '.join(NAMES)} must be given")
        if wanted != ["USER"]:
            raise invalid("By name, principals can only be assigned with the permission USER.")
        [(kind, name)] = given.items()
        principal = _find_by_name(request.workspace.state.directory, kind, name)
        if principal is None:
            raise missing(f"Principal {name} does not exist in the account.")
        _assign(request, principal, wanted)
    except ApiError as error:
        return {"permissions": wanted, "principal": given, "error": error.message}
    return _document(request.workspace.state.directory, principal)


def _find_by_name(directory: Directory, kind: str, name: str) -> Principal | None:
    match kind:
        case "user_name":
            return directory.find_user(name)
        case "group_name":
            return directory.find_account_group(name)
    return directory.find_service_principal(name)


def _find(request: Request) -> Principal:
    """Return the principal. Raises 404 if it is not in the account, like the workspace's own groups."""
    principal = request.workspace.state.directory.principal(request.parameters["id"])
    if principal is None or (isinstance(principal, Group) and not principal.account_level):
        raise missing(f"Principal with id {request.parameters['id']} does not exist in the account.")
    return principal


def _permissions(body: dict[str, Any]) -> list[str]:
    """Return `["ADMIN"]`, `["USER"]` or an empty list. ADMIN includes USER, and unknown values are ignored."""
    given = body.get("permissions") or []
    if not isinstance(given, list):
        raise invalid("permissions must be a list")
    return next(([known] for known in ("ADMIN", "USER") if known in given), [])


def _assign(request: Request, principal: Principal, wanted: list[str]) -> None:
    """Raise 400 if the workspace has its own group with this name, or would have no administrator."""
    directory = request.workspace.state.directory
    if isinstance(principal, Group) and not principal.assigned:
        if directory.find_group(principal.display_name):
            raise exists(f"Group with name {principal.display_name} already exists in the workspace.")
        principal.assigned = True
    _set_admin(directory, principal, wanted == ["ADMIN"])


def _set_admin(directory: Directory, principal: Principal, wanted: bool) -> None:
    admins = directory.find_group(ADMINS)
    if admins is None or (principal.id in admins.members) == wanted:
        return
    if wanted:
        admins.members.append(principal.id)
    elif admins.members == [principal.id]:
        raise invalid("The workspace needs at least one administrator.")
    else:
        admins.members.remove(principal.id)


def _remove(request: Request, principal: Principal) -> None:
    """Remove the principal from the workspace. A group stays in the account, but a user is deleted."""
    state = request.workspace.state
    if not isinstance(principal, Group):
        try:
            changes.delete(request.workspace, principal, request.caller.id)
        except ScimError as error:
            raise invalid(error.message) from None
        return
    _set_admin(state.directory, principal, False)
    for group in list(state.directory.parents(principal.id)):
        if not group.account_level:
            group.members.remove(principal.id)
    principal.assigned, principal.entitlements, principal.roles = False, [], []
    state.acls.remove_principal(principal.id)
    state.secrets.remove_principal(principal.id)


def _document(directory: Directory, principal: Principal) -> dict[str, Any]:
    admins = directory.find_group(ADMINS)
    is_admin = admins is not None and principal.id in admins.members
    return {"permissions": ["ADMIN" if is_admin else "USER"], "principal": _names(principal)}


def _names(principal: Principal) -> dict[str, Any]:
    kind = "user_name" if isinstance(principal, User) else "group_name"
    kind = "service_principal_name" if isinstance(principal, ServicePrincipal) else kind
    return {"principal_id": int(principal.id), "display_name": principal.display_name, kind: principal.name}
