"""The state machine of a cluster. Transitions that take time are scheduled, and happen exactly when they are due.

Uptime is the time from RUNNING to TERMINATING, and is recorded here.
"""

from typing import Any

from emulator.api.errors import ApiError, invalid_state
from emulator.base.clock import Millis
from emulator.base.scheduler import task_handler
from emulator.clusters import activity, commands
from emulator.clusters.definition import attributes, size, with_size
from emulator.clusters.events import record
from emulator.libraries import installation
from emulator.metering import uptime
from emulator.metering.makeup import record_cluster
from emulator.models.clusters import STOPPED_STATES, USABLE_STATES, Cluster
from emulator.models.scim import ServicePrincipal, User
from emulator.permissions.cluster_access import (
    autostart_denied,
    has_cluster_permission,
    object_id,
    permission_denied,
    require_dedicated_user,
)
from emulator.state.workspace import EmulatedWorkspace

MINUTE = 60_000
CHANGE = "clusters.change"
IDLE = "clusters.idle"
DRIVER_START_MS = 85_000
"""Maximum time in milliseconds from the driver's start to RUNNING; it is at most the time of the launch."""
LAUNCH_EVENT = "clusters.trouble"


def unexpected_state(cluster: Cluster) -> ApiError:
    """Return 400 INVALID_STATE with the message that clients check."""
    return invalid_state(f"Cluster {cluster.cluster_id} is in unexpected state {cluster.state.capitalize()}.")


def create(
    workspace: EmulatedWorkspace,
    caller: User | ServicePrincipal,
    definition: dict[str, Any],
    submitted: dict[str, Any],
    at: Millis,
    source: str = "API",
) -> Cluster:
    """Create and launch a cluster. Its creator gets CAN_MANAGE on it."""
    state = workspace.state
    name = str(definition.get("cluster_name") or "")
    cluster = Cluster(
        cluster_id=_new_id(workspace, name, at),
        definition=definition,
        submitted=submitted,
        creator_id=caller.id,
        creator_user_name=caller.name,
        created_at=at,
        source=source,
    )
    state.clusters.by_id[cluster.cluster_id] = cluster
    state.acls.grant(object_id(cluster.cluster_id), caller.id, "CAN_MANAGE")
    record(
        workspace,
        cluster,
        at,
        "CREATING",
        attributes=attributes(definition),
        cluster_size=size(definition),
        user=caller.name,
    )
    _launch(workspace, cluster, caller.name, at)
    return cluster


def _new_id(workspace: EmulatedWorkspace, name: str, at: Millis) -> str:
    """Return an id such as `0301-101500-abc12def`, derived from seed and name, so that runs are reproducible."""
    ids, known = workspace.state.ids, workspace.state.clusters.sessions
    while True:
        digits = f"{ids.number('cluster-number', name) % 10**10:010}"
        cluster_id = f"{digits[:4]}-{digits[4:]}-{ids.hex('cluster', name, 8)}"
        if cluster_id not in known and cluster_id not in workspace.state.clusters.by_id:
            return cluster_id


def start(workspace: EmulatedWorkspace, cluster: Cluster, user: User | ServicePrincipal, at: Millis) -> None:
    """Launch a stopped cluster. Raises 400 INVALID_STATE if it is not stopped. Permissions must be checked before."""
    if cluster.state not in STOPPED_STATES:
        raise unexpected_state(cluster)
    record(workspace, cluster, at, "STARTING", cluster_size=size(cluster.definition), user=user.name)
    _launch(workspace, cluster, user.name, at)


def _launch(workspace: EmulatedWorkspace, cluster: Cluster, user: str, at: Millis) -> None:
    cluster.started_by = user
    cluster.launched_at = at
    cluster.state, cluster.state_message = "PENDING", activity.FINDING_INSTANCES
    cluster.terminated_time = cluster.termination_reason = None
    cluster.target_workers = cluster.min_workers
    _schedule_launch_end(workspace, cluster, at)


def _schedule_launch_end(workspace: EmulatedWorkspace, cluster: Cluster, at: Millis) -> None:
    failure, scheduler = workspace.state.clusters.next_launch_failure(cluster), workspace.state.scheduler
    if failure is None:
        scheduler.schedule(at + workspace.transition(), CHANGE, cluster_id=cluster.cluster_id, to="RUNNING")
        return
    lasts = workspace.transition() if failure.seconds is None else int(failure.seconds * 1000)
    for number, type in enumerate(failure.troubles, 1):
        due = at + lasts * number // (len(failure.troubles) + 1)
        scheduler.schedule(due, LAUNCH_EVENT, cluster_id=cluster.cluster_id, type=type)
    outcome = {"to": "FAILED", "code": failure.code, "ends": failure.ends_in}
    scheduler.schedule(at + lasts, CHANGE, cluster_id=cluster.cluster_id, **outcome)


def restart(workspace: EmulatedWorkspace, cluster: Cluster, user: User | ServicePrincipal, at: Millis) -> None:
    """Restart a running cluster; its uptime session continues. Raises 400 INVALID_STATE if it is not RUNNING."""
    if cluster.state != "RUNNING":
        raise unexpected_state(cluster)
    _cancel_pending_work(workspace, cluster, at)
    cluster.state, cluster.state_message = "RESTARTING", "Restarting"
    cluster.last_restarted_time = at
    cluster.target_workers = cluster.min_workers
    record(workspace, cluster, at, "RESTARTING", user=user.name)
    uptime.record_restart(workspace.state.clusters, cluster.cluster_id, at, user.name)
    _schedule_launch_end(workspace, cluster, at)


def edit(
    workspace: EmulatedWorkspace,
    cluster: Cluster,
    user: User | ServicePrincipal,
    definition: dict[str, Any],
    submitted: dict[str, Any],
    at: Millis,
) -> None:
    """Change the definition. A running cluster restarts, a stopped cluster stays stopped. Raises 400 in any other
    state."""
    require_editable(cluster)
    record(
        workspace,
        cluster,
        at,
        "EDITED",
        attributes=attributes(definition),
        previous_attributes=attributes(cluster.definition),
        cluster_size=size(definition),
        previous_cluster_size=size(cluster.definition),
        user=user.name,
    )
    cluster.definition, cluster.submitted = definition, submitted
    if cluster.state == "RUNNING":
        restart(workspace, cluster, user, at)


def require_editable(cluster: Cluster) -> None:
    """Raise 400 INVALID_STATE, which the provider retries, unless the cluster is running or stopped."""
    if cluster.state != "RUNNING" and cluster.state not in STOPPED_STATES:
        raise unexpected_state(cluster)


def resize(
    workspace: EmulatedWorkspace,
    cluster: Cluster,
    user: User | ServicePrincipal,
    workers: int | None,
    scale: dict[str, Any] | None,
    at: Millis,
) -> None:
    """Change a running cluster's number of workers without a restart."""
    if cluster.state != "RUNNING":
        raise unexpected_state(cluster)
    cluster.definition = with_size(cluster.definition, workers, scale)
    target = min(max(cluster.workers, cluster.min_workers), cluster.max_workers)
    activity.change_size(workspace, cluster, target, "USER_REQUEST", at, user.name)


def terminate(workspace: EmulatedWorkspace, cluster: Cluster, user: User | ServicePrincipal, at: Millis) -> None:
    """Terminate the cluster and keep its definition. Does nothing if it is already stopped or TERMINATING."""
    if cluster.state in STOPPED_STATES or cluster.state == "TERMINATING":
        return
    reason = {"code": "USER_REQUEST", "type": "SUCCESS", "parameters": {"username": user.name}}
    end(workspace, cluster, reason, "Terminated by user request", at, user=user.name)


def end(
    workspace: EmulatedWorkspace,
    cluster: Cluster,
    reason: dict[str, Any],
    message: str,
    at: Millis,
    user: str | None = None,
    ends_in: str = "TERMINATED",
) -> None:
    """Set the state to TERMINATING now, and to `ends_in` one transition later. The uptime ends now."""
    _cancel_pending_work(workspace, cluster, at)
    cluster.state, cluster.state_message = "TERMINATING", message
    cluster.termination_reason = reason
    record(workspace, cluster, at, "TERMINATING", reason=reason, user=user)
    uptime.close_session(workspace.state.clusters, cluster.cluster_id, at)
    cluster.awaited_work = 0
    workspace.state.scheduler.schedule(at + workspace.transition(), CHANGE, cluster_id=cluster.cluster_id, to=ends_in)


def remove(workspace: EmulatedWorkspace, cluster: Cluster, at: Millis) -> None:
    """Delete the cluster permanently, in any state: definition, events, grants and libraries. Its uptime is kept."""
    state, cluster_id = workspace.state, cluster.cluster_id
    _cancel_pending_work(workspace, cluster, at)
    uptime.close_session(state.clusters, cluster_id, at)
    installation.on_removed(workspace, cluster_id)
    commands.on_removed(workspace, cluster_id)
    del state.clusters.by_id[cluster_id]
    state.clusters.events.pop(cluster_id, None)
    state.acls.remove_object(object_id(cluster_id))


def _cancel_pending_work(workspace: EmulatedWorkspace, cluster: Cluster, at: Millis) -> None:
    """Cancel the cluster's scheduled tasks, and fail everything that runs on it."""
    scheduler = workspace.state.scheduler
    for kind in (CHANGE, IDLE, LAUNCH_EVENT, activity.SCALE):
        scheduler.cancel(kind, cluster_id=cluster.cluster_id)
    cluster.busy_until = min(cluster.busy_until, at)
    commands.on_stopped(workspace, cluster.cluster_id, at)
    installation.on_stopped(workspace, cluster.cluster_id, at)


@task_handler(commands.RELEASE)
def terminate_job_cluster(workspace: EmulatedWorkspace, at: Millis, *, cluster_id: str) -> None:
    """Terminate the cluster of a finished job run."""
    cluster = workspace.state.clusters.by_id.get(cluster_id)
    if cluster and cluster.state not in STOPPED_STATES and cluster.state != "TERMINATING":
        end(workspace, cluster, {"code": "JOB_FINISHED", "type": "SUCCESS"}, "Job run finished", at)


@task_handler(CHANGE)
def reach_state(
    workspace: EmulatedWorkspace, at: Millis, *, cluster_id: str, to: str, code: str = "", ends: str = "TERMINATED"
) -> None:
    """Finish a scheduled transition of the cluster."""
    cluster = workspace.state.clusters.by_id[cluster_id]
    match to:
        case "RUNNING":
            _become_running(workspace, cluster, at)
        case "FAILED":
            reason, message = launch_failure(cluster, code)
            end(workspace, cluster, reason, message, at, ends_in=ends)
        case "NODES_FOUND":
            activity.set_up_nodes(cluster)
        case "RESIZED":
            activity.finish_resize(workspace, cluster, at)
        case "TERMINATED" | "ERROR":
            cluster.state = "ERROR" if to == "ERROR" else "TERMINATED"
            cluster.terminated_time = at
            cluster.workers = cluster.target_workers = 0


@task_handler(LAUNCH_EVENT)
def record_launch_event(workspace: EmulatedWorkspace, at: Millis, *, cluster_id: str, type: str) -> None:
    """Record an error event during a launch that will fail."""
    record(workspace, workspace.state.clusters.by_id[cluster_id], at, type)


def _become_running(workspace: EmulatedWorkspace, cluster: Cluster, at: Millis) -> None:
    """Set the launched or restarted cluster to RUNNING."""
    if cluster.state == "PENDING":
        cluster.last_restarted_time = at
        cluster.machines_since = max(cluster.launched_at, at - DRIVER_START_MS)
    cluster.state, cluster.state_message = "RUNNING", ""
    cluster.workers = cluster.target_workers
    cluster.last_state_loss_time = at
    cluster.spark_context_id = workspace.state.ids.number("spark-context", cluster.cluster_id)
    scripts = cluster.definition.get("init_scripts")
    if scripts:
        record(workspace, cluster, at, "INIT_SCRIPTS_STARTED", init_scripts={"cluster": scripts})
        record(workspace, cluster, at, "INIT_SCRIPTS_FINISHED", init_scripts={"cluster": scripts})
    record(
        workspace,
        cluster,
        at,
        "RUNNING",
        current_num_workers=cluster.workers,
        target_num_workers=cluster.workers,
        user=cluster.started_by,
    )
    record(workspace, cluster, at, "DRIVER_HEALTHY")
    uptime.open_session(workspace.state.clusters, cluster.cluster_id, at, cluster.started_by)
    record_cluster(workspace.state.billing, cluster, at)
    cluster.busy_until, awaited, cluster.awaited_work = at, cluster.awaited_work, 0
    _schedule_idle_check(workspace, cluster)
    installation.on_running(workspace, cluster.cluster_id, at)
    if awaited:
        activity.record_use(workspace, cluster, at + awaited, at)
    commands.on_running(workspace, cluster, at)


def launch_failure(cluster: Cluster, code: str) -> tuple[dict[str, Any], str]:
    """Return termination reason and state message of a failed launch, with the cluster's name or its node type."""
    kind = "CLIENT_ERROR" if code.startswith("INVALID") else "CLOUD_FAILURE"
    node_type = cluster.definition["node_type_id"]
    azure_message = f"The requested size {node_type} is currently not available in this location."
    parameters = {"azure_error_code": "SkuNotAvailable", "azure_error_message": azure_message}
    title = code.replace("_", " ").capitalize()
    message = f"{title}: the launch of cluster {cluster.name or cluster.cluster_id} was refused. {azure_message}"
    return {"code": code, "type": kind, "parameters": parameters}, message


def ensure_started(workspace: EmulatedWorkspace, cluster: Cluster, user: User | ServicePrincipal, at: Millis) -> None:
    """Start the cluster as this user if it is stopped. Attaching, commands and jobs do this first.

    Raises 403 without CAN_ATTACH_TO, without CAN_RESTART if the cluster must be started, and if it is dedicated to a
    different user; 400 INVALID_STATE while it is terminating.
    """
    if not has_cluster_permission(workspace, user, cluster.cluster_id, "CAN_ATTACH_TO"):
        raise permission_denied(user, cluster.cluster_id, "CAN_ATTACH_TO")
    require_dedicated_user(workspace, cluster, user)
    if cluster.state == "TERMINATING":
        raise unexpected_state(cluster)
    if cluster.state in STOPPED_STATES:
        if not has_cluster_permission(workspace, user, cluster.cluster_id, "CAN_RESTART"):
            raise autostart_denied(cluster.cluster_id)
        start(workspace, cluster, user, at)


def simulate_work(
    workspace: EmulatedWorkspace, cluster: Cluster, user: User | ServicePrincipal, seconds: float, at: Millis
) -> None:
    """Run commands for this long, now or as soon as the cluster runs. Raises the errors of `ensure_started`."""
    ensure_started(workspace, cluster, user, at)
    milliseconds = int(seconds * 1000)
    if cluster.state in USABLE_STATES:
        activity.record_use(workspace, cluster, at + milliseconds, at)
    else:
        cluster.awaited_work = max(cluster.awaited_work, milliseconds)


def _schedule_idle_check(workspace: EmulatedWorkspace, cluster: Cluster) -> None:
    if cluster.autotermination_minutes:
        due = cluster.busy_until + cluster.autotermination_minutes * MINUTE
        workspace.state.scheduler.schedule(due, IDLE, cluster_id=cluster.cluster_id)


@task_handler(IDLE)
def check_idle(workspace: EmulatedWorkspace, at: Millis, *, cluster_id: str) -> None:
    """Terminate the cluster if it has been idle for long enough; otherwise schedule the next check."""
    cluster = workspace.state.clusters.by_id[cluster_id]
    minutes = cluster.autotermination_minutes
    if at < cluster.busy_until + minutes * MINUTE:
        _schedule_idle_check(workspace, cluster)
        return
    reason = {"code": "INACTIVITY", "type": "SUCCESS", "parameters": {"inactivity_duration_min": str(minutes)}}
    end(workspace, cluster, reason, f"Inactive cluster terminated (inactive for {minutes} minutes).", at)
