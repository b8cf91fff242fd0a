"""Saved queries and alerts of SQL. Plain data."""

from dataclasses import dataclass, field
from typing import Any, Literal

from emulator.base.clock import Millis

SavedType = Literal["query", "alert"]
KEPT_IN_TRASH: Millis = 30 * 24 * 3600 * 1000
"""How long the trash keeps an object."""
PERMISSION_TYPES: dict[SavedType, str] = {"query": "sql/queries", "alert": "sql/alerts"}
"""Types in the paths of the permissions API."""


@dataclass(kw_only=True)
class SavedObject:
    """A saved query or an alert."""

    id: str
    type: SavedType
    owner: str
    """The id of the principal that created it, unless the owner was changed."""
    parent_path: str
    """The folder, such as `/Workspace/Users/dana@lab`."""
    created_at: Millis
    updated_at: Millis
    modified_by: str
    """Name of the principal that changed it last."""
    fields: dict[str, Any] = field(default_factory=dict)
    """The fields that clients set, by their names in the API."""
    muted: bool = False
    """Whether an alert notifies nobody; only the older API has this."""
    trashed_at: Millis | None = None

    @property
    def name(self) -> str:
        return str(self.fields["display_name"])

    @property
    def acl_name(self) -> str:
        """The name of the object in access control lists."""
        return f"/{PERMISSION_TYPES[self.type]}/{self.id}"


@dataclass
class SavedQueries:
    """All saved queries and alerts, including those in the trash."""

    by_id: dict[str, SavedObject] = field(default_factory=dict)
    """In the order of creation."""

    def of_type(self, type: SavedType) -> list[SavedObject]:
        """Return the objects of this type that are not in the trash, oldest first."""
        return [one for one in self.by_id.values() if one.type == type and one.trashed_at is None]

    def find(self, type: SavedType, id: str, now: Millis) -> SavedObject | None:
        """Return the object, also from the trash until it is deleted there; None if it does not exist."""
        found = self.by_id.get(id)
        if found is None or found.type != type:
            return None
        is_gone = found.trashed_at is not None and now - found.trashed_at >= KEPT_IN_TRASH
        return None if is_gone else found
