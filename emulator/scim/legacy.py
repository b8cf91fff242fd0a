"""`/api/2.0/groups`: the groups API before SCIM, which identifies members by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emulator.api.errors import ApiError, ScimError, exists, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.models.scim import Group, Principal, User
from emulator.permissions.rights import require_admin
from emulator.scim import changes

routes = Routes()


@routes.post("/api/2.0/groups/create")
def create(request: Request) -> dict[str, Any]:
    require_admin(request)
    name = str(request.required("group_name"))
    if request.workspace.state.directory.find_group(name):
        raise exists(f"Group with name {name} already exists.")
    with _legacy_errors():
        return {"group_name": changes.create_group(request.workspace, {"displayName": name}, request.now).display_name}


@routes.post("/api/2.0/groups/delete")
def delete(request: Request) -> dict[str, Any]:
    require_admin(request)
    group = _group(request, str(request.required("group_name")))
    with _legacy_errors():
        changes.delete(request.workspace, group, request.caller.id)
    return {}


@routes.get("/api/2.0/groups/list")
def list_names(request: Request) -> dict[str, Any]:
    require_admin(request)
    groups = request.workspace.state.directory.groups.values()
    return {"group_names": [group.display_name for group in groups if group.assigned]}


@routes.get("/api/2.0/groups/list-members")
def list_members(request: Request) -> dict[str, Any]:
    require_admin(request)
    group = _group(request, request.required_argument("group_name"))
    members = map(request.workspace.state.directory.principal, group.members)
    return {"members": [_member_document(member) for member in members if isinstance(member, User | Group)]}


@routes.get("/api/2.0/groups/list-parents")
def list_parents(request: Request) -> dict[str, Any]:
    require_admin(request)
    member = _member(request, request.argument("user_name"), request.argument("group_name"))
    parents = request.workspace.state.directory.parents(member.id)
    return {"group_names": [group.display_name for group in parents if group.assigned]}


@routes.post("/api/2.0/groups/add-member")
def add_member(request: Request) -> dict[str, Any]:
    parent, member = _pair(request)
    if member.id in parent.members:
        raise exists(f"{_display_name(member)} is already a member of the group {parent.display_name}.")
    _change(request, parent, {"op": "add", "path": "members", "value": [{"value": member.id}]})
    return {}


@routes.post("/api/2.0/groups/remove-member")
def remove_member(request: Request) -> dict[str, Any]:
    parent, member = _pair(request)
    if member.id not in parent.members:
        raise missing(f"{_display_name(member)} is not a member of the group {parent.display_name}.")
    _change(request, parent, {"op": "remove", "path": f'members[value eq "{member.id}"]'})
    return {}


def _pair(request: Request) -> tuple[Group, Principal]:
    require_admin(request)
    parent = _group(request, str(request.required("parent_name")))
    return parent, _member(request, request.body.get("user_name"), request.body.get("group_name"))


def _change(request: Request, group: Group, operation: dict[str, Any]) -> None:
    with _legacy_errors():
        changes.patch(request.workspace, group, {"Operations": [operation]})


@contextmanager
def _legacy_errors() -> Iterator[None]:
    """Convert SCIM errors to this API's error format."""
    try:
        yield
    except ScimError as error:
        code = "PERMISSION_DENIED" if error.status == 403 else "INVALID_PARAMETER_VALUE"
        raise ApiError(error.status, code, error.message) from None


def _group(request: Request, name: str) -> Group:
    group = request.workspace.state.directory.find_group(name)
    if group is None:
        raise missing(f"Group with name {name} does not exist.")
    return group


def _member(request: Request, user_name: Any, group_name: Any) -> Principal:
    if bool(user_name) == bool(group_name):
        raise invalid("Exactly one of user_name and group_name must be given.")
    if group_name:
        return _group(request, str(group_name))
    user = request.workspace.state.directory.find_user(str(user_name))
    if user is None:
        raise missing(f"User with name {user_name} does not exist.")
    return user


def _member_document(member: User | Group) -> dict[str, str]:
    return {"user_name": member.user_name} if isinstance(member, User) else {"group_name": member.display_name}


def _display_name(member: Principal) -> str:
    return f"User {member.user_name}" if isinstance(member, User) else f"Group {member.display_name}"
