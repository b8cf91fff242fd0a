"""The periods of a workspace that are charged: from uptime sessions and what ran in them."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TypeVar

from emulator.base.clock import Millis
from emulator.billing.usage import Charge, Period
from emulator.metering.makeup import cluster_makeup, warehouse_makeup
from emulator.models.billing.records import ClusterMakeup, ServerlessUse, WarehouseMakeup
from emulator.models.clusters import UptimeSession
from emulator.models.jobs import MultiTaskRun
from emulator.reference import prices
from emulator.state.state import WorkspaceState

Makeup = TypeVar("Makeup", ClusterMakeup, WarehouseMakeup)
_SQL_SKUS = {"CLASSIC": prices.SQL_CLASSIC, "PRO": prices.SQL_PRO, "SERVERLESS": prices.SQL_SERVERLESS}


def periods(state: WorkspaceState, now: Millis) -> list[Period]:
    """Return everything that was charged until now: clusters, warehouses and queries on serverless compute."""
    runs = _runs_by_cluster(state)
    found: list[Period] = []
    for cluster_id, sessions in state.clusters.sessions.items():
        for start, end, makeup in split(sessions, _cluster_makeups(state, cluster_id), now):
            found += cluster_periods(cluster_id, makeup, start, end, runs.get(cluster_id))
    for warehouse_id, sessions in state.warehouses.sessions.items():
        for start, end, size in split(sessions, _warehouse_makeups(state, warehouse_id), now):
            found.append(warehouse_period(warehouse_id, size, start, end))
    found += [serverless_period(use, _run_of(state, use), now) for use in state.billing.serverless.values()]
    return found


def split(
    sessions: Iterable[UptimeSession], makeups: Sequence[Makeup], now: Millis
) -> Iterator[tuple[Millis, Millis, Makeup]]:
    """Yield beginning, end and makeup of each part of the sessions in which the makeup is constant.

    `makeups` are in the order of time; the first one also applies before its instant. An open session ends now.
    """
    instants = [makeup.at for makeup in makeups]
    for session in sessions:
        start, end = session.start, now if session.end is None else min(session.end, now)
        number = max(0, bisect_right(instants, start) - 1)
        while number < len(makeups) and start < end:
            following = instants[number + 1] if number + 1 < len(makeups) else end
            until = min(end, max(start, following))
            if start < until:
                yield start, until, makeups[number]
            start, number = until, number + 1


def cluster_periods(
    cluster_id: str, makeup: ClusterMakeup, start: Millis, end: Millis, run: MultiTaskRun | None = None
) -> list[Period]:
    """Return one period for each node type of the cluster."""
    nodes = Counter({makeup.driver_type: 1})
    nodes[makeup.worker_type] += makeup.workers
    factor = Decimal(1)
    sku = prices.JOBS if makeup.is_job else prices.ALL_PURPOSE
    if makeup.photon:
        factor = prices.PHOTON_JOBS if makeup.is_job else prices.PHOTON_ALL_PURPOSE
        sku = prices.JOBS_PHOTON if makeup.is_job else prices.ALL_PURPOSE_PHOTON
    features: tuple[tuple[str, str | bool], ...] = (("is_serverless", False), ("is_photon", makeup.photon))
    found = []
    for node_type, count in nodes.items():
        metadata = [("cluster_id", cluster_id), ("node_type", node_type)]
        if makeup.pool_id:
            metadata.append(("instance_pool_id", makeup.pool_id))
        charge = Charge(
            sku_name=sku,
            product="JOBS" if makeup.is_job else "ALL_PURPOSE",
            metadata=(*metadata, *_of_run(run)),
            identity=(("run_as", run.run_as),) if run else (),
            features=(("jobs_tier", "CLASSIC"), *features) if makeup.is_job else features,
            tags=tuple(sorted(makeup.tags.items())),
        )
        dbus = count * prices.NODE_DBUS.get(node_type, Decimal(0)) * factor
        found.append(Period(charge, start, end, int(1000 * dbus)))
    return found


def warehouse_period(warehouse_id: str, makeup: WarehouseMakeup, start: Millis, end: Millis) -> Period:
    """Return the period of a warehouse."""
    charge = Charge(
        sku_name=_SQL_SKUS[makeup.kind],
        product="SQL",
        metadata=(("warehouse_id", warehouse_id),),
        identity=(("owned_by", makeup.owner),),
        features=(
            ("sql_tier", "CLASSIC" if makeup.kind == "CLASSIC" else "PRO"),
            ("is_serverless", makeup.kind == "SERVERLESS"),
            ("is_photon", True),
        ),
        tags=tuple(sorted(makeup.tags.items())),
    )
    return Period(charge, start, end, int(1000 * makeup.clusters * prices.WAREHOUSE_DBUS[makeup.size]))


def serverless_period(use: ServerlessUse, run: MultiTaskRun | None, now: Millis) -> Period:
    """Return the period of a query on serverless compute, of a notebook or of the run of a job."""
    named = (("job_name", run.name),) if run and run.job_id is not None else ()
    charge = Charge(
        sku_name=prices.JOBS_SERVERLESS if run else prices.ALL_PURPOSE_SERVERLESS,
        product="JOBS" if run else "INTERACTIVE",
        metadata=(*_of_run(run), *named),
        identity=(("run_as", run.run_as if run else use.user_name),),
        features=(("is_serverless", True), ("is_photon", True)),
    )
    end = now if use.end is None else min(use.end, now)
    return Period(charge, use.start, end, int(1000 * prices.SERVERLESS_DBUS))


def _of_run(run: MultiTaskRun | None) -> tuple[tuple[str, str], ...]:
    if run is None:
        return ()
    job = (("job_id", str(run.job_id)),) if run.job_id is not None else ()
    return (*job, ("job_run_id", str(run.run_id)))


def _cluster_makeups(state: WorkspaceState, cluster_id: str) -> Sequence[ClusterMakeup]:
    """Return the recorded nodes and sizes; for states of older versions, which have none, the current definition."""
    recorded, cluster = state.billing.clusters.get(cluster_id, []), state.clusters.by_id.get(cluster_id)
    return recorded or ([cluster_makeup(cluster, cluster.workers or cluster.min_workers, 0)] if cluster else [])


def _warehouse_makeups(state: WorkspaceState, warehouse_id: str) -> Sequence[WarehouseMakeup]:
    recorded, warehouse = state.billing.warehouses.get(warehouse_id, []), state.warehouses.by_id.get(warehouse_id)
    return recorded or ([warehouse_makeup(warehouse, 0)] if warehouse else [])


def _runs_by_cluster(state: WorkspaceState) -> dict[str, MultiTaskRun]:
    """Return the runs for which clusters were created, by cluster id."""
    found: dict[str, MultiTaskRun] = {}
    for run in state.jobs.runs.values():
        own = [task.cluster_id for task in run.tasks if task.cluster_id and task.definition.get("new_cluster")]
        found |= dict.fromkeys([*run.job_clusters.values(), *own], run)
    return found


def _run_of(state: WorkspaceState, use: ServerlessUse) -> MultiTaskRun | None:
    return state.jobs.runs.get(str(state.jobs.run_of_task.get(str(use.task_run_id))))
