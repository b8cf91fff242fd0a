"""What clusters and warehouses consisted of and when, use of serverless compute, and corrections. Plain data.

Instants are milliseconds since 1970.
"""

from dataclasses import dataclass, field
from typing import Literal

WarehouseKind = Literal["CLASSIC", "PRO", "SERVERLESS"]


@dataclass(kw_only=True)
class ClusterMakeup:
    """The nodes of a cluster from an instant on, and what else decides about its usage records."""

    at: int
    driver_type: str
    worker_type: str
    workers: int
    photon: bool
    is_job: bool
    """It was created for the run of a job."""
    pool_id: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class WarehouseMakeup:
    """The size of a warehouse from an instant on, and what else decides about its usage records."""

    at: int
    size: str
    clusters: int
    kind: WarehouseKind
    owner: str
    """User name or application id."""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class ServerlessUse:
    """A query on serverless compute, from its beginning to its end."""

    query_id: str
    user_name: str
    start: int
    end: int | None = None
    """None while it runs."""
    task_run_id: int | None = None
    """The task of a job that it executes."""


@dataclass
class Correction:
    """A usage record that was retracted and, unless the factor is zero, restated."""

    at: int
    record_id: str
    """Of the retracted record."""
    factor: str
    """A decimal number: the restated quantity in relation to the retracted one."""


@dataclass
class Billing:
    clusters: dict[str, list[ClusterMakeup]] = field(default_factory=dict)
    """By cluster id, oldest first; kept after a cluster is deleted, like its uptime."""
    warehouses: dict[str, list[WarehouseMakeup]] = field(default_factory=dict)
    serverless: dict[str, ServerlessUse] = field(default_factory=dict)
    """By query id; kept also when the query history drops the query."""
    corrections: list[Correction] = field(default_factory=list)
