"""SQL warehouses, their uptime, and every query that ran on them or on serverless compute."""

from dataclasses import dataclass, field
from typing import Any, Literal

from emulator.base.clock import Millis
from emulator.models.clusters import UptimeSession

WarehouseState = Literal["STARTING", "RUNNING", "STOPPING", "STOPPED", "DELETED"]
QueryStatus = Literal["QUEUED", "RUNNING", "FINISHED", "FAILED", "CANCELED"]
KEPT_QUERIES = 20_000
"""The history keeps this number of queries; older ones are dropped."""


@dataclass
class Warehouse:
    id: str
    name: str
    creator: str
    """User name or application id of its creator. It decides nothing: rights are grants."""
    cluster_size: str = "2X-Small"
    auto_stop_minutes: int = 10
    """0: it never stops by itself."""
    serverless: bool = True
    state: WarehouseState = "STOPPED"
    photon: bool = True
    min_clusters: int = 1
    max_clusters: int = 1
    spot_policy: str = "COST_OPTIMIZED"
    type: Literal["PRO", "CLASSIC"] = "PRO"
    channel: dict[str, Any] = field(default_factory=lambda: {"name": "CHANNEL_NAME_CURRENT"})
    tags: dict[str, Any] | None = None
    """As it was sent: `{"custom_tags": [{"key", "value"}]}`."""
    started_by: str | None = None
    """Name of the principal that started it last, by any means; None: nobody did."""
    busy_until: Millis = 0
    """When the last known query ends or ended."""

    @property
    def acl_name(self) -> str:
        """Its name in permissions."""
        return f"/sql/warehouses/{self.id}"


@dataclass(kw_only=True)
class Query:
    """One query of user, on a warehouse or on serverless compute."""

    id: str
    user_id: str
    user_name: str
    text: str
    type: str
    """The kind of statement, such as `SELECT`."""
    warehouse_id: str | None
    """None: it runs on serverless compute, as those of notebooks and jobs do."""
    submitted_at: Millis
    duration: Millis
    """The time that it runs once it has begun."""
    client: str = ""
    status: QueryStatus = "QUEUED"
    began_at: Millis | None = None
    ended_at: Millis | None = None
    error: str | None = None
    rows: int = 0
    """The number of rows of the result."""
    task_run_id: int | None = None
    """The task of a job that it carries out."""
    is_executed: bool = False
    """Its text is executed when it begins; the statement of the same id has the result."""

    @property
    def is_over(self) -> bool:
        return self.status in ("FINISHED", "FAILED", "CANCELED")


@dataclass
class Warehouses:
    by_id: dict[str, Warehouse] = field(default_factory=dict)
    sessions: dict[str, list[UptimeSession]] = field(default_factory=dict)
    """The truth of uptime by warehouse id, oldest first. It outlives the warehouses."""
    queries: dict[str, Query] = field(default_factory=dict)
    """By id, in the order in which they were submitted."""
    open_queries: list[str] = field(default_factory=list)
    """The ids of the queries that wait or run."""
    config: dict[str, Any] = field(default_factory=dict)
    """What was set of the configuration that all warehouses share."""

    def named(self, name: str) -> Warehouse | None:
        return next((warehouse for warehouse in self.by_id.values() if warehouse.name == name), None)

    def remember(self, query: Query) -> None:
        """Add a query to the history, which drops its oldest query that is over if it is full."""
        self.queries[query.id] = query
        self.open_queries.append(query.id)
        if len(self.queries) > KEPT_QUERIES:
            oldest = next((id for id, one in self.queries.items() if one.is_over), None)
            if oldest is not None:
                del self.queries[oldest]
