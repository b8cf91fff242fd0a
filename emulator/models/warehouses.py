"""SQL warehouses, their uptime, and every query that ran on them or on serverless compute."""

from dataclasses import dataclass, field
from typing import Any, Literal

from emulator.base.clock import Millis
from emulator.models.clusters import UptimeSession

WarehouseState = Literal["STARTING", "RUNNING", "STOPPING", "STOPPED", "DELETED"]
QueryStatus = Literal["QUEUED", "RUNNING", "FINISHED", "FAILED", "CANCELED"]
KEPT_QUERIES = 20_000
"""Number of queries that the history keeps; older ones are removed."""


@dataclass
class Warehouse:
    id: str
    name: str
    creator: str
    """User name or application id of its creator. It grants no permission; those are in the access control list."""
    cluster_size: str = "2X-Small"
    auto_stop_minutes: int = 10
    """0: it does not stop automatically."""
    serverless: bool = True
    state: WarehouseState = "STOPPED"
    photon: bool = True
    min_clusters: int = 1
    max_clusters: int = 1
    spot_policy: str = "COST_OPTIMIZED"
    type: Literal["PRO", "CLASSIC"] = "PRO"
    channel: dict[str, Any] = field(default_factory=lambda: {"name": "CHANNEL_NAME_CURRENT"})
    tags: dict[str, Any] | None = None
    """The tags as they were sent: `{"custom_tags": [{"key", "value"}]}`."""
    started_by: str | None = None
    """Name of the principal that started it last, directly or by a query; None: it was never started."""
    busy_until: Millis = 0
    """When the last known query ends or ended."""

    @property
    def acl_name(self) -> str:
        """The name of the object in access control lists."""
        return f"/sql/warehouses/{self.id}"


@dataclass(kw_only=True)
class Query:
    """One query of a user, on a warehouse or on serverless compute."""

    id: str
    user_id: str
    user_name: str
    text: str
    type: str
    """The kind of statement, such as `SELECT`."""
    warehouse_id: str | None
    """None: it runs on serverless compute, like queries of notebooks and jobs."""
    submitted_at: Millis
    duration: Millis
    """How long it runs after it has begun."""
    client: str = ""
    status: QueryStatus = "QUEUED"
    began_at: Millis | None = None
    ended_at: Millis | None = None
    error: str | None = None
    rows: int = 0
    """The number of rows of the result."""
    task_run_id: int | None = None
    """The task of a job that it executes."""
    is_executed: bool = False
    """Whether its text is executed when it begins; the statement with the same id has the result."""

    @property
    def is_over(self) -> bool:
        return self.status in ("FINISHED", "FAILED", "CANCELED")


@dataclass
class Warehouses:
    by_id: dict[str, Warehouse] = field(default_factory=dict)
    sessions: dict[str, list[UptimeSession]] = field(default_factory=dict)
    """Actual uptime by warehouse id, oldest first. It is kept when a warehouse is deleted."""
    queries: dict[str, Query] = field(default_factory=dict)
    """By id, in the order in which they were submitted."""
    open_queries: list[str] = field(default_factory=list)
    """The ids of the queries that wait or run."""
    config: dict[str, Any] = field(default_factory=dict)
    """The values that were set in the configuration that all warehouses share."""

    def find_by_name(self, name: str) -> Warehouse | None:
        return next((warehouse for warehouse in self.by_id.values() if warehouse.name == name), None)

    def add_query(self, query: Query) -> None:
        """Add a query to the history; if it is full, remove the oldest query that has ended."""
        self.queries[query.id] = query
        self.open_queries.append(query.id)
        if len(self.queries) > KEPT_QUERIES:
            oldest = next((id for id, one in self.queries.items() if one.is_over), None)
            if oldest is not None:
                del self.queries[oldest]
