"""The level that a principal has on an object: grants add up over its groups and the folders above."""

from collections.abc import Iterator

from emulator.api.errors import denied
from emulator.api.routing import Call
from emulator.models.permissions import TYPES
from emulator.state.workspace import Workspace


def lineage(workspace: Workspace, object_id: str) -> Iterator[str]:
    """The object, then everything it inherits from, nearest first (for workspace objects: its folders)."""
    yield object_id
    yield from workspace.state.objects.ancestors(object_id)


def levels_of(workspace: Workspace, principal_id: str, object_id: str) -> set[str]:
    """Every level the principal was given on the object: directly, by its groups, by a folder above."""
    directory = workspace.state.directory
    holders = {principal_id, *directory.memberships(principal_id)}
    direct = workspace.state.acls.direct
    found: set[str] = set()
    for place in lineage(workspace, object_id):
        for holder, levels in direct.get(place, {}).items():
            if holder in holders:
                found.update(levels)
    return found


def may(workspace: Workspace, principal_id: str, object_type: str, object_id: str, level: str) -> bool:
    """Whether the principal has `level` or more on the object. Administrators may everything.

    `object_type` is the URL's, such as `clusters`; `object_id` is `/clusters/…`.
    """
    if workspace.state.directory.is_admin(principal_id):
        return True
    levels = TYPES[object_type].levels
    enough = set(levels[levels.index(level) :])
    return bool(enough & levels_of(workspace, principal_id, object_id))


def require(call: Call, object_type: str, object_id: str, level: str, message: str) -> None:
    """Raises 403 PERMISSION_DENIED with `message` unless the caller has `level` or more."""
    if not may(call.workspace, call.caller.id, object_type, object_id, level):
        raise denied(message)


def require_admin(call: Call, message: str = "Only administrators can perform this operation.") -> None:
    """Raises 403 PERMISSION_DENIED unless the caller belongs to the group `admins`."""
    if not call.workspace.state.directory.is_admin(call.caller.id):
        raise denied(message)
