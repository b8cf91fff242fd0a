"""Instance pools."""

from dataclasses import dataclass, field
from typing import Any

from emulator.base.clock import Millis
from emulator.models.clusters import Clusters


@dataclass(kw_only=True)
class Pool:
    pool_id: str
    created_at: Millis
    creator_id: str
    creator_user_name: str
    definition: dict[str, Any]
    """The definition as sent, without the id."""

    @property
    def acl_name(self) -> str:
        return f"/instance-pools/{self.pool_id}"

    @property
    def name(self) -> str:
        return str(self.definition["instance_pool_name"])

    @property
    def node_type_id(self) -> str:
        return str(self.definition["node_type_id"])

    @property
    def min_idle(self) -> int:
        return int(self.definition.get("min_idle_instances") or 0)

    def describe(self, clusters: Clusters) -> dict[str, Any]:
        """Return the pool as in get and list responses: the definition, the platform's fields, and its use."""
        return {
            **self.definition,
            "instance_pool_id": self.pool_id,
            "azure_attributes": {"availability": "ON_DEMAND_AZURE"} | (self.definition.get("azure_attributes") or {}),
            "enable_elastic_disk": self.definition.get("enable_elastic_disk", True),
            "default_tags": {
                "Vendor": "Databricks",
                "DatabricksInstancePoolCreatorId": self.creator_id,
                "DatabricksInstancePoolId": self.pool_id,
            },
            "state": "ACTIVE",
            "status": {},
            "stats": self.stats(clusters),
        }

    def stats(self, clusters: Clusters) -> dict[str, int]:
        """Return the numbers of used, pending and idle instances. A driver counts in the driver pool."""
        used = pending = 0
        for cluster in clusters.by_id.values():
            workers_here = cluster.definition.get("instance_pool_id") == self.pool_id
            driver_here = cluster.definition.get("driver_instance_pool_id") == self.pool_id
            if cluster.state in ("RUNNING", "RESIZING"):
                used += cluster.workers * workers_here + driver_here
            elif cluster.state in ("PENDING", "RESTARTING"):
                pending += cluster.target_workers * workers_here + driver_here
        return {
            "used_count": used,
            "idle_count": self.min_idle,
            "pending_used_count": pending,
            "pending_idle_count": 0,
        }


@dataclass
class Pools:
    pools: dict[str, Pool] = field(default_factory=dict)
    """By id."""

    def find_by_name(self, name: str) -> Pool | None:
        return next((pool for pool in self.pools.values() if pool.name == name), None)
