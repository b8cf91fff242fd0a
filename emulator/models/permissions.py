"""Permission levels of every kind of object, and the level a person has: grants add up, revoking acts at once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from emulator.api.errors import denied

if TYPE_CHECKING:
    from emulator.api.routing import Call
    from emulator.state.workspace import Workspace

MANAGE = "CAN_MANAGE"
OWNER = "IS_OWNER"


@dataclass(frozen=True)
class ObjectType:
    """One kind of object that has permissions."""

    url: str
    """As it stands in the path of the permissions API; may hold a slash."""
    name: str
    """`object_type` of the answer, which the provider compares."""
    levels: tuple[str, ...]
    """From least to most. Each includes those before it."""
    root: str
    """The object from which administrators inherit their rights; empty where they hold them directly."""
    kept_as: str = ""
    """The type whose names its objects bear, where that is not `url` (the two spellings of warehouses)."""
    single: bool = False
    """There is one of it, which is the type itself (`authorization/tokens`)."""

    @property
    def top(self) -> str:
        """What administrators have."""
        return MANAGE if MANAGE in self.levels else self.levels[-1]

    @property
    def has_owner(self) -> bool:
        return OWNER in self.levels

    def object_id(self, number: str) -> str:
        """`/clusters/0301-101500-abc12def`; for a single one its own name."""
        return f"/{self.url}" if self.single else f"/{self.kept_as or self.url}/{number}"


TREE_LEVELS = ("CAN_READ", "CAN_RUN", "CAN_EDIT", MANAGE)
WAREHOUSE_LEVELS = ("CAN_VIEW", "CAN_USE", "CAN_MONITOR", MANAGE, OWNER)
TYPES = {
    type.url: type
    for type in (
        ObjectType("clusters", "cluster", ("CAN_ATTACH_TO", "CAN_RESTART", MANAGE), "/clusters/"),
        ObjectType("cluster-policies", "cluster-policy", ("CAN_USE",), "/cluster-policies/"),
        ObjectType("instance-pools", "instance-pool", ("CAN_ATTACH_TO", MANAGE), "/instance-pools/"),
        # Administrators' rights on the tree are a direct grant on its root, so they come down as a folder's do.
        ObjectType("directories", "directory", TREE_LEVELS, ""),
        ObjectType("notebooks", "notebook", TREE_LEVELS, ""),
        ObjectType("files", "file", TREE_LEVELS, ""),
        ObjectType("repos", "repo", TREE_LEVELS, ""),
        ObjectType("jobs", "job", ("CAN_VIEW", "CAN_MANAGE_RUN", MANAGE, OWNER), "/jobs/"),
        ObjectType("sql/warehouses", "warehouses", WAREHOUSE_LEVELS, "/warehouses/"),
        ObjectType("warehouses", "warehouses", WAREHOUSE_LEVELS, "/warehouses/", kept_as="sql/warehouses"),
        ObjectType("authorization/tokens", "tokens", ("CAN_USE", MANAGE), "", single=True),
        ObjectType("authorization/passwords", "passwords", ("CAN_USE",), "/authorization/", single=True),
    )
}


@dataclass
class Acls:
    """The direct grants. Objects are named as in answers, such as `/clusters/0301-101500-abc12def`."""

    direct: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Object → principal's id → levels."""

    def grant(self, object_id: str, principal_id: str, level: str) -> None:
        levels = self.direct.setdefault(object_id, {}).setdefault(principal_id, [])
        if level not in levels:
            levels.append(level)

    def set(self, object_id: str, grants: dict[str, list[str]]) -> None:
        """Let these be all direct grants on the object."""
        if grants:
            self.direct[object_id] = grants
        else:
            self.forget(object_id)

    def forget(self, object_id: str) -> None:
        """The object is gone."""
        self.direct.pop(object_id, None)

    def forget_principal(self, principal_id: str) -> None:
        """The principal is gone; an object on which it alone had rights is as if nobody ever had any."""
        for object_id, grants in list(self.direct.items()):
            if grants.pop(principal_id, None) and not grants:
                del self.direct[object_id]


def lineage(workspace: "Workspace", object_id: str) -> Iterator[str]:
    """The object, then everything it inherits from, nearest first (for workspace objects: its folders)."""
    yield object_id
    yield from workspace.state.objects.ancestors(object_id)


def levels_of(workspace: "Workspace", principal_id: str, object_id: str) -> set[str]:
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


def may(workspace: "Workspace", principal_id: str, object_type: str, object_id: str, level: str) -> bool:
    """Whether the principal has `level` or more on the object. Administrators may everything.

    `object_type` is the URL's, such as `clusters`; `object_id` is `/clusters/…`.
    """
    if workspace.state.directory.is_admin(principal_id):
        return True
    levels = TYPES[object_type].levels
    enough = set(levels[levels.index(level) :])
    return bool(enough & levels_of(workspace, principal_id, object_id))


def require(call: "Call", object_type: str, object_id: str, level: str, message: str) -> None:
    """Raises 403 PERMISSION_DENIED with `message` unless the caller has `level` or more."""
    if not may(call.workspace, call.caller.id, object_type, object_id, level):
        raise denied(message)


def require_admin(call: "Call", message: str = "Only administrators can perform this operation.") -> None:
    """Raises 403 PERMISSION_DENIED unless the caller belongs to the group `admins`."""
    if not call.workspace.state.directory.is_admin(call.caller.id):
        raise denied(message)
