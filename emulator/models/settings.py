"""Workspace settings, and the little there is of the services that the lab leaves alone."""

from dataclasses import dataclass, field
from typing import Any

from emulator.base.clock import Millis
from emulator.models.warehouses import Warehouse

LEGACY_DBFS = "disable_legacy_dbfs"
"""The setting that switches DBFS and other legacy features off."""


@dataclass
class VersionedSetting:
    """A setting that is changed under an etag."""

    value: dict[str, Any] | None = None
    """As in the API, such as `{"disable_legacy_dbfs": {"value": true}}`; None: it is at its default."""
    version: int = 1
    """Grows with every change; the etag tells it."""


@dataclass
class InitScript:
    """One of the scripts that run on every node of every cluster; its position is its place in the list."""

    id: str
    name: str
    script: str
    """Base64, as it was sent."""
    enabled: bool
    created_by: str
    created_at: Millis
    updated_by: str
    updated_at: Millis


@dataclass
class IpAccessList:
    """Addresses from which the workspace may, or may not, be used. The emulator keeps them and lets everybody in."""

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
    """What was set of `workspace-conf`."""
    versioned: dict[str, VersionedSetting] = field(default_factory=dict)
    """By type, such as `disable_legacy_dbfs`. A missing entry is equivalent to `VersionedSetting()`."""
    init_scripts: list[InitScript] = field(default_factory=list)
    """In the order in which they run."""
    ip_lists: dict[str, IpAccessList] = field(default_factory=dict)
    warehouses: dict[str, Warehouse] = field(default_factory=dict)
    """Always empty: versions up to 0.1.2 kept warehouses here. `WorkspaceState` moves them to its own."""
    metastore_id: str | None = None
    """UUID of the Unity Catalog metastore that the workspace is assigned to; None: it is assigned to none."""

    def max_token_days(self) -> int | None:
        """How long a personal access token may live; None: as long as its owner wants."""
        return int(self.conf.get("maxTokenLifetimeDays") or 0) or None
