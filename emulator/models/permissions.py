"""Permission levels for all object types, and direct grants. Pure."""

from dataclasses import dataclass, field

MANAGE = "CAN_MANAGE"
OWNER = "IS_OWNER"


@dataclass(frozen=True)
class ObjectType:
    """An object type with permissions."""

    url: str
    """The type in the path of the permissions API; may contain a slash."""
    name: str
    """`object_type` in responses, which the provider compares."""
    levels: tuple[str, ...]
    """In ascending order. Each level includes the lower ones."""
    inherited_from: str
    """The object from which administrators inherit their level; empty if they have it directly."""
    canonical_url: str = ""
    """The type in object names, if different from `url` (warehouses have two spellings)."""
    is_singleton: bool = False
    """Whether the type itself is the only object (`authorization/tokens`)."""

    @property
    def admin_level(self) -> str:
        """Administrators' level."""
        return MANAGE if MANAGE in self.levels else self.levels[-1]

    @property
    def has_owner(self) -> bool:
        return OWNER in self.levels

    def object_id(self, number: str) -> str:
        """Return a name such as `/clusters/0301-101500-abc12def`; for a singleton, the type's name."""
        return f"/{self.url}" if self.is_singleton else f"/{self.canonical_url or self.url}/{number}"


TREE_LEVELS = ("CAN_READ", "CAN_RUN", "CAN_EDIT", MANAGE)
MODEL_LEVELS = ("CAN_READ", "CAN_EDIT", "CAN_MANAGE_STAGING_VERSIONS", "CAN_MANAGE_PRODUCTION_VERSIONS", MANAGE)
WAREHOUSE_LEVELS = ("CAN_VIEW", "CAN_USE", "CAN_MONITOR", MANAGE, OWNER)
TYPES = {
    type.url: type
    for type in (
        ObjectType("clusters", "cluster", ("CAN_ATTACH_TO", "CAN_RESTART", MANAGE), "/clusters/"),
        ObjectType("cluster-policies", "cluster-policy", ("CAN_USE",), "/cluster-policies/"),
        ObjectType("instance-pools", "instance-pool", ("CAN_ATTACH_TO", MANAGE), "/instance-pools/"),
        # Administrators have a direct grant on the root folder, which is inherited like any folder's grants.
        ObjectType("directories", "directory", TREE_LEVELS, ""),
        ObjectType("notebooks", "notebook", TREE_LEVELS, ""),
        ObjectType("files", "file", TREE_LEVELS, ""),
        ObjectType("repos", "repo", TREE_LEVELS, ""),
        ObjectType("dashboards", "dashboard", TREE_LEVELS, ""),
        ObjectType("experiments", "mlflowExperiment", ("CAN_READ", "CAN_EDIT", MANAGE), ""),
        # Administrators have a direct grant on the registry, which its models inherit.
        ObjectType("registered-models", "registered-model", MODEL_LEVELS, ""),
        ObjectType("jobs", "job", ("CAN_VIEW", "CAN_MANAGE_RUN", MANAGE, OWNER), "/jobs/"),
        ObjectType("sql/warehouses", "warehouses", WAREHOUSE_LEVELS, "/warehouses/"),
        ObjectType("warehouses", "warehouses", WAREHOUSE_LEVELS, "/warehouses/", canonical_url="sql/warehouses"),
        ObjectType("sql/queries", "query", TREE_LEVELS, "/sql/queries/"),
        ObjectType("sql/alerts", "alert", TREE_LEVELS, "/sql/alerts/"),
        ObjectType("authorization/tokens", "tokens", ("CAN_USE", MANAGE), "", is_singleton=True),
        ObjectType("authorization/passwords", "passwords", ("CAN_USE",), "/authorization/", is_singleton=True),
    )
}


@dataclass
class Acls:
    """Direct grants. Objects are named as in responses, such as `/clusters/0301-101500-abc12def`."""

    direct: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Object → principal's id → levels."""

    def grant(self, object_id: str, principal_id: str, level: str) -> None:
        levels = self.direct.setdefault(object_id, {}).setdefault(principal_id, [])
        if level not in levels:
            levels.append(level)

    def set(self, object_id: str, grants: dict[str, list[str]]) -> None:
        """Replace all direct grants on the object."""
        if grants:
            self.direct[object_id] = grants
        else:
            self.remove_object(object_id)

    def remove_object(self, object_id: str) -> None:
        """Remove the grants on a deleted object."""
        self.direct.pop(object_id, None)

    def remove_principal(self, principal_id: str) -> None:
        """Remove a deleted principal's grants. Objects without other grants then have no entry."""
        for object_id, grants in list(self.direct.items()):
            if grants.pop(principal_id, None) and not grants:
                del self.direct[object_id]
