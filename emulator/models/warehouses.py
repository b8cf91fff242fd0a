"""SQL warehouses, their uptime, and every query that ran on them or on serverless compute."""

from dataclasses import dataclass, field
from typing import Any, Literal

from emulator.base.clock import Millis
from emulator.models.clusters import UptimeSession

WarehouseState = Literal["STARTING", "RUNNING", "STOPPING", "STOPPED", "DELETED"]
QueryStatus = Literal["QUEUED", "RUNNING", "FINISHED", "FAILED", "CANCELED"]
KEPT_QUERIES = 20_000
"""Maximum number of queries in the history; the oldest are removed."""


@dataclass
class Warehouse:
    id: str
    name: str
    creator: str
    """User name or application id of the creator. Permissions depend only on the access control list."""
    cluster_size: str = "2X-Small"
    auto_stop_minutes: int = 10
    """0 means that it does not stop automatically."""
    serverless: bool = True
    state: WarehouseState = "STOPPED"
    photon: bool = True
    min_clusters: int = 1
    max_clusters: int = 1
    spot_policy: str = "COST_OPTIMIZED"
    type: Literal["PRO", "CLASSIC"] = "PRO"
    channel: dict[str, Any] = field(default_factory=lambda: {"name": "CHANNEL_NAME_CURRENT"})
    tags: dict[str, Any] | None = None
    """The tags as sent: `{"custom_tags": [{"key", "value"}]}`."""
    started_by: str | None = None
    """Name of the principal that last started the warehouse, directly or by a query; None means never started."""
    busy_until: Millis = 0
    """Time at which the last known query ends or ended."""

    @property
    def acl_name(self) -> str:
        """The name of the object in access control lists."""
        return f"/sql/warehouses/{self.id}"


@dataclass(kw_only=True)
class Query:
    """A user's query on a warehouse or on serverless compute."""

    id: str
    user_id: str
    user_name: str
    text: str
    type: str
    """The kind of statement, such as `SELECT`."""
    warehouse_id: str | None
    """None means serverless compute, like queries from notebooks and jobs."""
    submitted_at: Millis
    duration: Millis
    """Duration after the start."""
    client: str = ""
    status: QueryStatus = "QUEUED"
    began_at: Millis | None = None
    ended_at: Millis | None = None
    error: str | None = None
    rows: int = 0
    """Number of rows in the result."""
    task_run_id: int | None = None
    """The job task that the query executes."""
    is_executed: bool = False
    """Whether the query's text is executed when it begins; the statement with the same id has the result."""

    @property
    def is_over(self) -> bool:
        return self.status in ("FINISHED", "FAILED", "CANCELED")


@dataclass
class Warehouses:
    by_id: dict[str, Warehouse] = field(default_factory=dict)
    sessions: dict[str, list[UptimeSession]] = field(default_factory=dict)
    """Actual uptime by warehouse id, oldest first, kept after a warehouse is deleted."""
    queries: dict[str, Query] = field(default_factory=dict)
    """Queries by id, in the order of submission."""
    open_queries: list[str] = field(default_factory=list)
    """Ids of queries that are waiting or running."""
    config: dict[str, Any] = field(default_factory=dict)
    """Values set in the configuration that all warehouses share."""

    def find_by_name(self, name: str) -> Warehouse | None:
        return next((warehouse for warehouse in self.by_id.values() if warehouse.name == name), None)

    def add_query(self, query: Query) -> None:
        """Add a query to the history; if it is full, remove the oldest finished query."""
        self.queries[query.id] = query
        self.open_queries.append(query.id)
        if len(self.queries) > KEPT_QUERIES:
            oldest = next((id for id, one in self.queries.items() if one.is_over), None)
            if oldest is not None:
                del self.queries[oldest]
