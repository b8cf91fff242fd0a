"""Records the use of a cluster, and changes its number of workers by request or autoscaling."""

from emulator.base.clock import Millis
from emulator.base.scheduler import task_handler
from emulator.clusters.events import record
from emulator.metering.makeup import record_cluster
from emulator.models.clusters import Cluster
from emulator.state.workspace import EmulatedWorkspace

SCALE = "clusters.scale"
CHANGE = "clusters.change"
FINDING_INSTANCES = "Finding instances for new nodes, acquiring more instances if necessary"
"""The state message during a launch, and in the first half of a resize that adds nodes."""
SCALE_UP_AFTER_MS = 30_000
"""Milliseconds of continuous work after which an autoscaling cluster grows."""
SCALE_DOWN_AFTER_MS = 150_000
"""Milliseconds after its last work at which an autoscaling cluster shrinks."""


def record_use(workspace: EmulatedWorkspace, cluster: Cluster, until: Millis, at: Millis) -> None:
    """Record that the running cluster is in use from `at` to `until`, so that it does not idle and may scale up."""
    cluster.busy_until = max(cluster.busy_until, until)
    if cluster.autoscale and cluster.busy_until >= at + SCALE_UP_AFTER_MS:
        workspace.state.scheduler.cancel(SCALE, cluster_id=cluster.cluster_id)
        workspace.state.scheduler.schedule(at + SCALE_UP_AFTER_MS, SCALE, cluster_id=cluster.cluster_id)


@task_handler(SCALE)
def scale(workspace: EmulatedWorkspace, at: Millis, *, cluster_id: str) -> None:
    """Grow to the maximum number of workers during use; shrink to the minimum after a while without use."""
    cluster = workspace.state.clusters.by_id[cluster_id]
    if not cluster.autoscale:
        return
    if cluster.state != "RUNNING":
        workspace.state.scheduler.schedule(at + SCALE_UP_AFTER_MS, SCALE, cluster_id=cluster_id)
        return
    shrinks_at = cluster.busy_until + SCALE_DOWN_AFTER_MS
    if at < cluster.busy_until and cluster.workers < cluster.max_workers:
        change_size(workspace, cluster, cluster.max_workers, "AUTOSCALE", at)
    elif at >= shrinks_at and cluster.workers > cluster.min_workers:
        change_size(workspace, cluster, cluster.min_workers, "AUTOSCALE", at)
    if at < shrinks_at:
        workspace.state.scheduler.schedule(shrinks_at, SCALE, cluster_id=cluster_id)


def change_size(
    workspace: EmulatedWorkspace, cluster: Cluster, target: int, cause: str, at: Millis, user: str | None = None
) -> None:
    """Set the state to RESIZING now, and to RUNNING with `target` workers one transition later."""
    cluster.state, cluster.target_workers = "RESIZING", target
    grows = target > cluster.workers
    cluster.state_message = FINDING_INSTANCES if grows else f"Resizing to {target} workers"
    record(
        workspace,
        cluster,
        at,
        "RESIZING",
        cause=cause,
        current_num_workers=cluster.workers,
        target_num_workers=target,
        user=user,
    )
    schedule = workspace.state.scheduler.schedule
    if grows:
        schedule(at + workspace.transition(0.5), CHANGE, cluster_id=cluster.cluster_id, to="NODES_FOUND")
    schedule(at + workspace.transition(), CHANGE, cluster_id=cluster.cluster_id, to="RESIZED")


def set_up_nodes(cluster: Cluster) -> None:
    """Show that the new nodes of a resizing cluster are set up."""
    cluster.state_message = f"Setting up {cluster.target_workers - cluster.workers} nodes."


def finish_resize(workspace: EmulatedWorkspace, cluster: Cluster, at: Millis) -> None:
    """Set the resized cluster to RUNNING with its new number of workers."""
    grew = cluster.target_workers > cluster.workers
    cluster.workers = cluster.target_workers
    record_cluster(workspace.state.billing, cluster, at)
    cluster.state, cluster.state_message = "RUNNING", ""
    if grew:
        record(
            workspace,
            cluster,
            at,
            "UPSIZE_COMPLETED",
            current_num_workers=cluster.workers,
            target_num_workers=cluster.workers,
        )
