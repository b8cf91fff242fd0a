"""`/api/2.0/groups`: the API of groups that is older than SCIM and names members by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emulator.api.errors import ApiError, ScimError, exists, invalid, missing
from emulator.api.routing import Call, Routes
from emulator.models.scim import Group, Principal, User
from emulator.permissions.rights import require_admin
from emulator.scim import changes

routes = Routes()


@routes.post("/api/2.0/groups/create")
def create(call: Call) -> dict[str, Any]:
    require_admin(call)
    name = str(call.required("group_name"))
    if call.workspace.state.directory.group_named(name):
        raise exists(f"Group with name {name} already exists.")
    with _older_shape():
        return {"group_name": changes.create_group(call.workspace, {"displayName": name}, call.now).display_name}


@routes.post("/api/2.0/groups/delete")
def delete(call: Call) -> dict[str, Any]:
    require_admin(call)
    group = _group(call, str(call.required("group_name")))
    with _older_shape():
        changes.delete(call.workspace, group, call.caller.id)
    return {}


@routes.get("/api/2.0/groups/list")
def list_names(call: Call) -> dict[str, Any]:
    require_admin(call)
    return {"group_names": [group.display_name for group in call.workspace.state.directory.groups.values()]}


@routes.get("/api/2.0/groups/list-members")
def list_members(call: Call) -> dict[str, Any]:
    require_admin(call)
    group = _group(call, call.required_argument("group_name"))
    members = map(call.workspace.state.directory.principal, group.members)
    return {"members": [_named(member) for member in members if isinstance(member, User | Group)]}


@routes.get("/api/2.0/groups/list-parents")
def list_parents(call: Call) -> dict[str, Any]:
    require_admin(call)
    member = _member(call, call.argument("user_name"), call.argument("group_name"))
    return {"group_names": [group.display_name for group in call.workspace.state.directory.parents(member.id)]}


@routes.post("/api/2.0/groups/add-member")
def add_member(call: Call) -> dict[str, Any]:
    parent, member = _pair(call)
    if member.id in parent.members:
        raise exists(f"{_shown(member)} is already a member of the group {parent.display_name}.")
    _change(call, parent, {"op": "add", "path": "members", "value": [{"value": member.id}]})
    return {}


@routes.post("/api/2.0/groups/remove-member")
def remove_member(call: Call) -> dict[str, Any]:
    parent, member = _pair(call)
    if member.id not in parent.members:
        raise missing(f"{_shown(member)} is not a member of the group {parent.display_name}.")
    _change(call, parent, {"op": "remove", "path": f'members[value eq "{member.id}"]'})
    return {}


def _pair(call: Call) -> tuple[Group, Principal]:
    require_admin(call)
    parent = _group(call, str(call.required("parent_name")))
    return parent, _member(call, call.body.get("user_name"), call.body.get("group_name"))


def _change(call: Call, group: Group, operation: dict[str, Any]) -> None:
    with _older_shape():
        changes.patch(call.workspace, group, {"Operations": [operation]})


@contextmanager
def _older_shape() -> Iterator[None]:
    """Refusals of SCIM in the shape that callers of this API know."""
    try:
        yield
    except ScimError as error:
        code = "PERMISSION_DENIED" if error.status == 403 else "INVALID_PARAMETER_VALUE"
        raise ApiError(error.status, code, error.message) from None


def _group(call: Call, name: str) -> Group:
    group = call.workspace.state.directory.group_named(name)
    if group is None:
        raise missing(f"Group with name {name} does not exist.")
    return group


def _member(call: Call, user_name: Any, group_name: Any) -> Principal:
    if bool(user_name) == bool(group_name):
        raise invalid("Exactly one of user_name and group_name must be given.")
    if group_name:
        return _group(call, str(group_name))
    user = call.workspace.state.directory.user_named(str(user_name))
    if user is None:
        raise missing(f"User with name {user_name} does not exist.")
    return user


def _named(member: User | Group) -> dict[str, str]:
    return {"user_name": member.user_name} if isinstance(member, User) else {"group_name": member.display_name}


def _shown(member: Principal) -> str:
    return f"User {member.user_name}" if isinstance(member, User) else f"Group {member.display_name}"
