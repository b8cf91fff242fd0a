"""Records the nodes or size of a cluster or warehouse when it becomes RUNNING or is resized."""

from dataclasses import replace
from typing import TypeVar

from emulator.base.clock import Millis
from emulator.models.billing.records import Billing, ClusterMakeup, ServerlessUse, WarehouseKind, WarehouseMakeup
from emulator.models.clusters import Cluster
from emulator.models.warehouses import Query, Warehouse

Makeup = TypeVar("Makeup", ClusterMakeup, WarehouseMakeup)


def record_cluster(billing: Billing, cluster: Cluster, at: Millis) -> None:
    """Record the nodes that the cluster has from `at`."""
    _record(billing.clusters.setdefault(cluster.cluster_id, []), cluster_makeup(cluster, cluster.workers, at))


def record_warehouse(billing: Billing, warehouse: Warehouse, at: Millis) -> None:
    """Record the size that the warehouse has from `at`."""
    _record(billing.warehouses.setdefault(warehouse.id, []), warehouse_makeup(warehouse, at))


def begin_serverless(billing: Billing, query: Query, at: Millis) -> None:
    """Record that the query, which has no warehouse, uses serverless compute from `at`."""
    billing.serverless[query.id] = ServerlessUse(
        query_id=query.id, user_name=query.user_name, start=at, task_run_id=query.task_run_id
    )


def end_serverless(billing: Billing, query: Query, at: Millis) -> None:
    """Record when the query stopped using serverless compute; do nothing if it did not use any."""
    use = billing.serverless.get(query.id)
    if use is not None and use.end is None:
        use.end = at


def cluster_makeup(cluster: Cluster, workers: int, at: Millis) -> ClusterMakeup:
    """Return the cluster's nodes if it has this number of workers."""
    definition = cluster.definition
    worker_type = str(definition.get("node_type_id") or "")
    tags = definition.get("custom_tags") or {}
    return ClusterMakeup(
        at=at,
        driver_type=str(definition.get("driver_node_type_id") or worker_type),
        worker_type=worker_type,
        workers=workers,
        photon=definition.get("runtime_engine") == "PHOTON" or "-photon-" in str(definition.get("spark_version")),
        is_job=cluster.source == "JOB",
        pool_id=definition.get("instance_pool_id"),
        tags={str(name): str(value) for name, value in tags.items()},
    )


def warehouse_makeup(warehouse: Warehouse, at: Millis) -> WarehouseMakeup:
    """Return the warehouse's size."""
    kind: WarehouseKind = "SERVERLESS" if warehouse.serverless else warehouse.type
    pairs = (warehouse.tags or {}).get("custom_tags") or []
    return WarehouseMakeup(
        at=at,
        size=warehouse.cluster_size,
        clusters=warehouse.min_clusters,
        kind=kind,
        owner=warehouse.creator,
        tags={str(pair["key"]): str(pair["value"]) for pair in pairs},
    )


def _record(recorded: list[Makeup], makeup: Makeup) -> None:
    if recorded and replace(recorded[-1], at=makeup.at) == makeup:
        return
    if recorded and recorded[-1].at == makeup.at:
        recorded.pop()
    recorded.append(makeup)
