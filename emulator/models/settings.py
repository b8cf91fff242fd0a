"""Workspace settings, and data for services that the lab hardly uses."""

from dataclasses import dataclass, field
from typing import Any

from emulator.base.clock import Millis
from emulator.models.warehouses import Warehouse

LEGACY_DBFS = "disable_legacy_dbfs"
"""The setting that disables DBFS and other legacy features."""


@dataclass
class VersionedSetting:
    """A setting that is changed with an etag."""

    value: dict[str, Any] | None = None
    """As in the API, such as `{"disable_legacy_dbfs": {"value": true}}`; None means the default."""
    version: int = 1
    """Increases with each change; the etag contains it."""


@dataclass
class InitScript:
    """A global init script, which runs on every node of every cluster; its position is its index in the list."""

    id: str
    name: str
    script: str
    """Base64, as sent."""
    enabled: bool
    created_by: str
    created_at: Millis
    updated_by: str
    updated_at: Millis


@dataclass
class IpAccessList:
    """An IP access list. The emulator stores it, but does not enforce it."""

    id: str
    label: str
    list_type: str
    """`ALLOW` or `BLOCK`."""
    addresses: list[str]
    enabled: bool
    created_by: int
    created_at: Millis
    updated_by: int
    updated_at: Millis


@dataclass
class Settings:
    conf: dict[str, str] = field(default_factory=dict)
    """The values of `workspace-conf` that were set."""
    versioned: dict[str, VersionedSetting] = field(default_factory=dict)
    """By type, such as `disable_legacy_dbfs`. A missing entry is equivalent to `VersionedSetting()`."""
    init_scripts: list[InitScript] = field(default_factory=list)
    """In the order of execution."""
    ip_lists: dict[str, IpAccessList] = field(default_factory=dict)
    warehouses: dict[str, Warehouse] = field(default_factory=dict)
    """Always empty. Versions up to 0.1.2 stored warehouses here; `WorkspaceState` moves them to its own field."""
    metastore_id: str | None = None
    """UUID of the workspace's Unity Catalog metastore, or None."""

    def max_token_days(self) -> int | None:
        """Return the maximum lifetime of a personal access token in days; None means no limit."""
        return int(self.conf.get("maxTokenLifetimeDays") or 0) or None
