"""HTTP handlers for permissions: read, replace and change the grants on an object, for all object types."""

from collections.abc import Callable
from typing import Any

from emulator.api.routing import Request, Routes
from emulator.models.permissions import MANAGE, TYPES, ObjectType
from emulator.permissions import changes, documents
from emulator.permissions.existence import existing_object
from emulator.permissions.rights import require_admin, require_permission

routes = Routes()


def _add_routes(object_type: ObjectType) -> None:
    """Add the routes for an object type. Types have separate routes because some contain a slash."""
    path = f"/api/2.0/permissions/{object_type.url}" + ("" if object_type.is_singleton else "/{id}")

    @routes.get(path)
    def read(request: Request) -> dict[str, Any]:
        object_id = _object(request, object_type)
        if object_type.is_singleton:
            require_admin(request, _refusal(request, object_type, "Manage"))
        else:
            require_permission(
                request, object_type.url, object_id, object_type.levels[0], _refusal(request, object_type, "View")
            )
        return documents.object_permissions(request.workspace, object_type, object_id)

    @routes.get(f"{path}/permissionLevels")
    def levels(request: Request) -> dict[str, Any]:
        _object(request, object_type)
        return documents.permission_levels(object_type)

    @routes.put(path)
    def replace(request: Request) -> dict[str, Any]:
        return _set(request, object_type, changes.grants_after_put)

    @routes.patch(path)
    def change(request: Request) -> dict[str, Any]:
        return _set(request, object_type, changes.grants_after_patch)


def _set(request: Request, object_type: ObjectType, change: Callable[..., changes.Grants]) -> dict[str, Any]:
    object_id = _object(request, object_type)
    if MANAGE in object_type.levels:
        require_permission(request, object_type.url, object_id, MANAGE, _refusal(request, object_type, "Manage"))
    else:
        require_admin(request, _refusal(request, object_type, "Manage"))
    state = request.workspace.state
    # The provider omits an empty list, so a missing list means no entries.
    wanted = changes.requested_grants(state.directory, object_type, request.body.get("access_control_list") or [])
    state.acls.set(object_id, change(request.workspace, object_type, object_id, wanted))
    return documents.object_permissions(request.workspace, object_type, object_id)


def _object(request: Request, object_type: ObjectType) -> str:
    return existing_object(request.workspace, object_type, request.parameters.get("id", ""))


def _refusal(request: Request, object_type: ObjectType, word: str) -> str:
    noun = object_type.name.replace("-", " ")
    object_id = object_type.object_id(request.parameters.get("id", "")).rpartition("/")[2]
    return (
        f"{request.caller.name} does not have {word} permissions on {noun} {object_id}. "
        "Please contact the owner or an administrator for access."
    )


for _object_type in TYPES.values():
    _add_routes(_object_type)
