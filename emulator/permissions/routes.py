"""HTTP of `permissions`: reading, replacing and changing the grants on an object, for every type of object."""

from collections.abc import Callable
from typing import Any

from emulator.api.routing import Call, Routes
from emulator.models.permissions import MANAGE, TYPES, ObjectType
from emulator.permissions import changes, documents
from emulator.permissions.existence import require_object
from emulator.permissions.rights import require, require_admin

routes = Routes()


def _serve(object_type: ObjectType) -> None:
    """Each type has routes of its own, since some types have a slash in them."""
    path = f"/api/2.0/permissions/{object_type.url}" + ("" if object_type.single else "/{id}")

    @routes.get(path)
    def read(call: Call) -> dict[str, Any]:
        object_id = _object(call, object_type)
        if object_type.single:
            require_admin(call, _refusal(call, object_type, "Manage"))
        else:
            require(call, object_type.url, object_id, object_type.levels[0], _refusal(call, object_type, "View"))
        return documents.object_permissions(call.workspace, object_type, object_id)

    @routes.get(f"{path}/permissionLevels")
    def levels(call: Call) -> dict[str, Any]:
        _object(call, object_type)
        return documents.permission_levels(object_type)

    @routes.put(path)
    def replace(call: Call) -> dict[str, Any]:
        return _set(call, object_type, changes.replaced)

    @routes.patch(path)
    def change(call: Call) -> dict[str, Any]:
        return _set(call, object_type, changes.merged)


def _set(call: Call, object_type: ObjectType, change: Callable[..., changes.Grants]) -> dict[str, Any]:
    object_id = _object(call, object_type)
    if MANAGE in object_type.levels:
        require(call, object_type.url, object_id, MANAGE, _refusal(call, object_type, "Manage"))
    else:
        require_admin(call, _refusal(call, object_type, "Manage"))
    state = call.workspace.state
    # The provider leaves an empty list out, which then means that nobody is to be named.
    wanted = changes.requested(state.directory, object_type, call.body.get("access_control_list") or [])
    state.acls.set(object_id, change(call.workspace, object_type, object_id, wanted))
    return documents.object_permissions(call.workspace, object_type, object_id)


def _object(call: Call, object_type: ObjectType) -> str:
    number = call.parameters.get("id", "")
    require_object(call.workspace, object_type, number)
    return object_type.object_id(number)


def _refusal(call: Call, object_type: ObjectType, word: str) -> str:
    noun = object_type.name.replace("-", " ")
    object_id = object_type.object_id(call.parameters.get("id", "")).rpartition("/")[2]
    return (
        f"{call.caller.name} does not have {word} permissions on {noun} {object_id}. "
        "Please contact the owner or an administrator for access."
    )


for _object_type in TYPES.values():
    _serve(_object_type)
