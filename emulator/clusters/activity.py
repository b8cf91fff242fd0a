"""Use of a cluster, and the number of its workers: changed by request, or by autoscaling as it is used."""

from emulator.base.clock import Millis
from emulator.base.scheduler import task_handler
from emulator.clusters.events import record
from emulator.models.clusters import Cluster
from emulator.state.workspace import EmulatedWorkspace

SCALE = "clusters.scale"
CHANGE = "clusters.change"
SCALE_UP_AFTER_MS = 30_000
"""Work that lasts so long (ms) makes an autoscaling cluster grow."""
SCALE_DOWN_AFTER_MS = 150_000
"""So long (ms) after the last work it shrinks again."""


def record_use(workspace: EmulatedWorkspace, cluster: Cluster, until: Millis, at: Millis) -> None:
    """Somebody uses the running cluster from `at` to `until`, which keeps it from idling and may scale it up."""
    cluster.busy_until = max(cluster.busy_until, until)
    if cluster.autoscale and cluster.busy_until >= at + SCALE_UP_AFTER_MS:
        workspace.state.scheduler.cancel(SCALE, cluster_id=cluster.cluster_id)
        workspace.state.scheduler.schedule(at + SCALE_UP_AFTER_MS, SCALE, cluster_id=cluster.cluster_id)


@task_handler(SCALE)
def scale(workspace: EmulatedWorkspace, at: Millis, *, cluster_id: str) -> None:
    """Grow to the most workers while it is used; shrink to the fewest once it has not been used for a while."""
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
    """RESIZING from now on, RUNNING with `target` workers one transition later."""
    cluster.state, cluster.target_workers = "RESIZING", target
    cluster.state_message = f"Resizing to {target} workers"
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
    workspace.state.scheduler.schedule(at + workspace.transition(), CHANGE, cluster_id=cluster.cluster_id, to="RESIZED")


def finish_resize(workspace: EmulatedWorkspace, cluster: Cluster, at: Millis) -> None:
    """The nodes have come or gone."""
    grew = cluster.target_workers > cluster.workers
    cluster.workers = cluster.target_workers
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
