"""A principal's permission levels on an object, including grants to its groups and on parent folders."""

from collections.abc import Iterator

from emulator.api.errors import denied
from emulator.api.routing import Request
from emulator.models.mlflow import REGISTRY_ACL
from emulator.models.permissions import TYPES
from emulator.state.workspace import EmulatedWorkspace


def with_ancestors(workspace: EmulatedWorkspace, object_id: str) -> Iterator[str]:
    """Yield the object and everything that it inherits from, nearest first: for workspace objects the folders, for a
    model the registry."""
    yield object_id
    if object_id.startswith("/registered-models/") and object_id != REGISTRY_ACL:
        yield REGISTRY_ACL
    yield from workspace.state.objects.ancestors(object_id)


def levels_of(workspace: EmulatedWorkspace, principal_id: str, object_id: str) -> set[str]:
    """Return all levels that the principal has on the object: directly, through groups, from parent folders."""
    directory = workspace.state.directory
    holders = {principal_id, *directory.memberships(principal_id)}
    direct = workspace.state.acls.direct
    found: set[str] = set()
    for source_id in with_ancestors(workspace, object_id):
        for holder, levels in direct.get(source_id, {}).items():
            if holder in holders:
                found.update(levels)
    return found


def has_permission(
    workspace: EmulatedWorkspace, principal_id: str, object_type: str, object_id: str, level: str
) -> bool:
    """Return whether the principal has `level` or a higher level on the object. Administrators have all levels.

    `object_type` is the type in the URL, such as `clusters`; `object_id` is `/clusters/…`.
    """
    if workspace.state.directory.is_admin(principal_id):
        return True
    levels = TYPES[object_type].levels
    enough = set(levels[levels.index(level) :])
    return bool(enough & levels_of(workspace, principal_id, object_id))


def require_permission(request: Request, object_type: str, object_id: str, level: str, message: str) -> None:
    """Raise 403 PERMISSION_DENIED with `message` unless the caller has `level` or a higher level."""
    if not has_permission(request.workspace, request.caller.id, object_type, object_id, level):
        raise denied(message)


def require_admin(request: Request, message: str = "Only administrators can perform this operation.") -> None:
    """Raise 403 PERMISSION_DENIED unless the caller belongs to the group `admins`."""
    if not request.workspace.state.directory.is_admin(request.caller.id):
        raise denied(message)
