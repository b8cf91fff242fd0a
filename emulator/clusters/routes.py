"""HTTP handlers for clusters: `/api/2.1/clusters/*`, with `/api/2.0` as an alias for older scripts."""

import copy
from typing import Any

from emulator.api.errors import invalid, invalid_state, missing
from emulator.api.routing import Request, Routes
from emulator.clusters import command_routes, definition, lifecycle, listing
from emulator.clusters.details import details, summary
from emulator.clusters.events import list_events, record
from emulator.models.clusters import PIN_LIMIT, STOPPED_STATES, Cluster
from emulator.permissions.cluster_access import (
    find_cluster,
    object_id,
    permitted_cluster,
    require_cluster_permission,
    unknown_cluster,
)
from emulator.permissions.rights import require_admin
from emulator.reference import node_types

clusters = Routes()


def both_versions(name: str) -> tuple[str, str]:
    return f"/api/2.1/clusters/{name}", f"/api/2.0/clusters/{name}"


@clusters.post(*both_versions("create"))
def create(request: Request) -> dict[str, str]:
    state = request.workspace.state.clusters
    token = str(request.body.get("idempotency_token") or "")
    if token and (known := state.by_id.get(state.creation_tokens.get(token, ""))):
        return {"cluster_id": known.cluster_id}
    sent = copy.deepcopy(request.body)
    source = _clone_source(request)
    if source is not None:
        sent = copy.deepcopy(source.submitted) | sent
    cluster = lifecycle.create(
        request.workspace,
        request.caller,
        definition.complete(request.workspace, request.caller, sent),
        sent,
        request.now,
    )
    if token:
        state.creation_tokens[token] = cluster.cluster_id
    return {"cluster_id": cluster.cluster_id}


def _clone_source(request: Request) -> Cluster | None:
    wanted = request.body.get("clone_from")
    source = str(wanted.get("source_cluster_id") or "") if isinstance(wanted, dict) else ""
    if not source:
        return None
    cluster = find_cluster(request.workspace, source, request.now)
    require_cluster_permission(request, source, "CAN_ATTACH_TO")
    return cluster


@clusters.get(*both_versions("get"))
def get(request: Request) -> dict[str, Any]:
    return details(request.workspace, permitted_cluster(request, "CAN_ATTACH_TO"))


@clusters.get("/api/2.1/clusters/list")
def list_pages(request: Request) -> dict[str, Any]:
    shown, following, previous = listing.paginate(request, listing.filtered(request))
    answer: dict[str, Any] = {"next_page_token": following, "prev_page_token": previous}
    if shown:
        answer["clusters"] = [summary(request.workspace, cluster) for cluster in shown]
    return answer


@clusters.get("/api/2.0/clusters/list")
def list_all(request: Request) -> dict[str, Any]:
    shown = listing.filtered(request)
    return {"clusters": [summary(request.workspace, cluster) for cluster in shown]} if shown else {}


@clusters.post(*both_versions("edit"))
def edit(request: Request) -> dict[str, Any]:
    cluster = permitted_cluster(request, "CAN_MANAGE")
    lifecycle.require_editable(cluster)
    sent = copy.deepcopy(request.body)
    lifecycle.edit(
        request.workspace,
        cluster,
        request.caller,
        definition.complete(request.workspace, request.caller, sent, cluster.creator_user_name),
        sent,
        request.now,
    )
    return {}


@clusters.post(*both_versions("update"))
def update(request: Request) -> dict[str, Any]:
    cluster = permitted_cluster(request, "CAN_MANAGE")
    mask, changes = request.body.get("update_mask") or "", request.body.get("cluster") or {}
    if not isinstance(mask, str) or not isinstance(changes, dict):
        raise invalid("update_mask must be text such as 'custom_tags,num_workers', and cluster an object")
    lifecycle.require_editable(cluster)
    sent = definition.apply_update_mask(cluster.submitted, mask, changes) | {"cluster_id": cluster.cluster_id}
    completed = definition.complete(request.workspace, request.caller, sent, cluster.creator_user_name)
    lifecycle.edit(request.workspace, cluster, request.caller, completed, sent, request.now)
    return {}


@clusters.post(*both_versions("start"))
def start(request: Request) -> dict[str, Any]:
    lifecycle.start(request.workspace, permitted_cluster(request, "CAN_RESTART"), request.caller, request.now)
    return {}


@clusters.post(*both_versions("restart"))
def restart(request: Request) -> dict[str, Any]:
    lifecycle.restart(request.workspace, permitted_cluster(request, "CAN_RESTART"), request.caller, request.now)
    return {}


@clusters.post(*both_versions("delete"))
def terminate(request: Request) -> dict[str, Any]:
    lifecycle.terminate(request.workspace, permitted_cluster(request, "CAN_RESTART"), request.caller, request.now)
    return {}


@clusters.post(*both_versions("permanent-delete"))
def remove(request: Request) -> dict[str, Any]:
    cluster_id = str(request.required("cluster_id"))
    cluster = request.workspace.state.clusters.by_id.get(cluster_id)
    if cluster is None:
        # Unlike other requests this returns 404: the provider accepts only 404 as "already deleted".
        raise missing(f"Cluster {cluster_id} does not exist")
    require_cluster_permission(request, cluster_id, "CAN_MANAGE")
    if cluster.pinned:
        raise invalid_state(
            f"Cannot delete pinned cluster {cluster_id}. Please ask an admin to unpin the cluster first."
        )
    lifecycle.remove(request.workspace, cluster, request.now)
    return {}


@clusters.post(*both_versions("pin"))
def pin(request: Request) -> dict[str, Any]:
    cluster = _cluster_to_pin(request)
    if cluster.pinned:
        return {}
    if request.workspace.state.clusters.pinned >= PIN_LIMIT:
        raise invalid(
            f"Cannot pin cluster {cluster.cluster_id}: there are {PIN_LIMIT} pinned clusters, which is the limit."
        )
    cluster.pinned, cluster.pinned_by = True, request.caller.id
    record(request.workspace, cluster, request.now, "PINNED", user=request.caller.name)
    return {}


@clusters.post(*both_versions("unpin"))
def unpin(request: Request) -> dict[str, Any]:
    cluster = _cluster_to_pin(request)
    if cluster.pinned:
        cluster.pinned, cluster.pinned_by, cluster.unpinned_at = False, None, request.now
        record(request.workspace, cluster, request.now, "UNPINNED", user=request.caller.name)
    return {}


def _cluster_to_pin(request: Request) -> Cluster:
    require_admin(
        request, f"{request.caller.name} is not an administrator: only administrators can pin and unpin clusters."
    )
    return find_cluster(request.workspace, str(request.required("cluster_id")), request.now)


@clusters.post(*both_versions("resize"))
def resize(request: Request) -> dict[str, Any]:
    cluster = permitted_cluster(request, "CAN_MANAGE")
    workers, scale = request.body.get("num_workers"), request.body.get("autoscale")
    if (workers is None) == (scale is None):
        raise invalid("Exactly 1 of num_workers or autoscale must be specified.")
    definition.check_size(workers, scale)
    lifecycle.resize(request.workspace, cluster, request.caller, workers, scale, request.now)
    return {}


@clusters.post(*both_versions("change-owner"))
def change_owner(request: Request) -> dict[str, Any]:
    require_admin(request)
    cluster = find_cluster(request.workspace, str(request.required("cluster_id")), request.now)
    name = str(request.required("owner_username"))
    directory = request.workspace.state.directory
    owner = directory.find_user(name) or directory.find_service_principal(name)
    if owner is None:
        raise invalid(f"User {name} does not exist")
    if cluster.state not in STOPPED_STATES:
        raise lifecycle.unexpected_state(cluster)
    cluster.creator_id, cluster.creator_user_name = owner.id, owner.name
    request.workspace.state.acls.grant(object_id(cluster.cluster_id), owner.id, "CAN_MANAGE")
    return {}


@clusters.post(*both_versions("events"))
def events(request: Request) -> dict[str, Any]:
    cluster_id = str(request.required("cluster_id"))
    if cluster_id not in request.workspace.state.clusters.by_id:
        raise unknown_cluster(cluster_id)
    require_cluster_permission(request, cluster_id, "CAN_ATTACH_TO")
    return list_events(request.workspace, cluster_id, request.body, request.now)


@clusters.get(*both_versions("spark-versions"))
def spark_versions(request: Request) -> dict[str, Any]:
    return {"versions": list(node_types.spark_versions())}


@clusters.get(*both_versions("list-node-types"))
def list_node_types(request: Request) -> dict[str, Any]:
    return {"node_types": list(node_types.node_types().values())}


@clusters.get(*both_versions("list-zones"))
def zones(request: Request) -> dict[str, Any]:
    return dict(node_types.ZONES)


routes = [*clusters, *command_routes.routes]
