"""Access to clusters, with the platform's error messages."""

from emulator.api.errors import ApiError, denied, invalid, invalid_state
from emulator.api.routing import Request
from emulator.base.clock import Millis
from emulator.models.clusters import Cluster
from emulator.models.scim import ServicePrincipal, User
from emulator.permissions.rights import has_permission
from emulator.state.workspace import EmulatedWorkspace

DAY = 24 * 60 * 60 * 1000
LISTED_MS = 30 * DAY
"""How long an unpinned cluster is listed after it ended, in milliseconds."""
RETAINED_MS = 60 * DAY
"""How long an unpinned cluster can be requested after it ended, in milliseconds."""
PERMISSION_NOUNS = {"CAN_ATTACH_TO": "Attach", "CAN_RESTART": "Restart", "CAN_MANAGE": "Manage"}


def object_id(cluster_id: str) -> str:
    """Return the cluster's name in the permissions API."""
    return f"/clusters/{cluster_id}"


def unknown_cluster(cluster_id: str) -> ApiError:
    """Return 400 like the real service, since clients recognise the message."""
    return invalid(f"Cluster {cluster_id} does not exist")


def find_cluster(workspace: EmulatedWorkspace, cluster_id: str, now: Millis) -> Cluster:
    """Return the cluster. Raises 400: INVALID_PARAMETER_VALUE if unknown, INVALID_STATE if it ended too long ago."""
    cluster = workspace.state.clusters.by_id.get(cluster_id)
    if cluster is None:
        raise unknown_cluster(cluster_id)
    if time_since_end(cluster, now) > RETAINED_MS:
        raise invalid_state(
            f"Cannot access cluster {cluster_id} that was terminated or unpinned more than 30 days ago."
        )
    return cluster


def time_since_end(cluster: Cluster, now: Millis) -> Millis:
    """Return the milliseconds since the cluster ended or was unpinned, whichever was later; 0 if pinned or running."""
    if cluster.pinned or cluster.terminated_time is None:
        return 0
    return now - max(cluster.terminated_time, cluster.unpinned_at or 0)


def has_cluster_permission(
    workspace: EmulatedWorkspace, caller: User | ServicePrincipal, cluster_id: str, level: str
) -> bool:
    """Return whether the caller has `level` or a higher level on the cluster."""
    return has_permission(workspace, caller.id, "clusters", object_id(cluster_id), level)


def permission_denied(caller: User | ServicePrincipal, cluster_id: str, level: str) -> ApiError:
    """Return 403 PERMISSION_DENIED with the missing permission."""
    return denied(
        f"{caller.name} does not have {PERMISSION_NOUNS[level]} permissions on {cluster_id}. "
        "Please contact the owner or an administrator for access."
    )


def require_cluster_permission(request: Request, cluster_id: str, level: str) -> None:
    """Raise 403 unless the caller has `level` or a higher level on the cluster."""
    if not has_cluster_permission(request.workspace, request.caller, cluster_id, level):
        raise permission_denied(request.caller, cluster_id, level)


def permitted_cluster(request: Request, level: str) -> Cluster:
    """Return the cluster that body or query specify. Raises 403 unless the caller has `level` on it."""
    cluster_id = str(
        request.required("cluster_id") if request.method != "GET" else request.required_argument("cluster_id")
    )
    cluster = find_cluster(request.workspace, cluster_id, request.now)
    require_cluster_permission(request, cluster_id, level)
    return cluster


def visible_clusters(request: Request) -> list[Cluster]:
    """Return the clusters that the caller may attach to and that are pinned, not ended, or ended in the last 30
    days."""
    workspace = request.workspace
    found = [
        cluster
        for cluster in workspace.state.clusters.by_id.values()
        if time_since_end(cluster, request.now) <= LISTED_MS
    ]
    if workspace.state.directory.is_admin(request.caller.id):
        return found
    return [
        cluster
        for cluster in found
        if has_cluster_permission(workspace, request.caller, cluster.cluster_id, "CAN_ATTACH_TO")
    ]


def autostart_denied(cluster_id: str) -> ApiError:
    """Return the 403 for using a stopped cluster (attach, command or job) without CAN_RESTART."""
    return denied(f"You do not have permission to autostart {cluster_id}")


def require_dedicated_user(workspace: EmulatedWorkspace, cluster: Cluster, user: User | ServicePrincipal) -> None:
    """Raise 403 if the cluster is dedicated to a different user or group."""
    only = cluster.dedicated_to
    if only is None or only == user.name:
        return
    directory = workspace.state.directory
    group = directory.find_group(only)
    if group is None or group.id not in directory.memberships(user.id):
        raise denied(
            f"Single-user check failed: user '{user.name}' attempted to run a command on single-user cluster "
            f"{cluster.cluster_id}, but the single user of this cluster is '{only}'"
        )
