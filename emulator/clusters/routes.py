"""HTTP of `clusters`: `/api/2.1/clusters/*`, with `/api/2.0` as an alias for older scripts."""

import copy
from typing import Any

from emulator.api.errors import invalid, invalid_state, missing
from emulator.api.routing import Call, Routes
from emulator.catalog import node_types
from emulator.clusters import command_routes, definition, lifecycle, listing, run_routes
from emulator.clusters.details import details, summary
from emulator.clusters.events import query, record
from emulator.models.clusters import PIN_LIMIT, STOPPED, Cluster
from emulator.permissions.cluster_access import find, object_id, permitted, require_on, unknown
from emulator.permissions.rights import require_admin

clusters = Routes()


def both(name: str) -> tuple[str, str]:
    return f"/api/2.1/clusters/{name}", f"/api/2.0/clusters/{name}"


@clusters.post(*both("create"))
def create(call: Call) -> dict[str, str]:
    state = call.workspace.state.clusters
    token = str(call.body.get("idempotency_token") or "")
    if token and (known := state.by_id.get(state.creation_tokens.get(token, ""))):
        return {"cluster_id": known.cluster_id}
    sent = copy.deepcopy(call.body)
    source = _cloned(call)
    if source is not None:
        sent = copy.deepcopy(source.submitted) | sent
    cluster = lifecycle.create(
        call.workspace, call.caller, definition.completed(call.workspace, call.caller, sent), sent, call.now
    )
    if token:
        state.creation_tokens[token] = cluster.cluster_id
    return {"cluster_id": cluster.cluster_id}


def _cloned(call: Call) -> Cluster | None:
    wanted = call.body.get("clone_from")
    source = str(wanted.get("source_cluster_id") or "") if isinstance(wanted, dict) else ""
    if not source:
        return None
    cluster = find(call.workspace, source, call.now)
    require_on(call, source, "CAN_ATTACH_TO")
    return cluster


@clusters.get(*both("get"))
def get(call: Call) -> dict[str, Any]:
    return details(call.workspace, permitted(call, "CAN_ATTACH_TO"))


@clusters.get("/api/2.1/clusters/list")
def list_pages(call: Call) -> dict[str, Any]:
    shown, following, previous = listing.page(call, listing.chosen(call))
    answer: dict[str, Any] = {"next_page_token": following, "prev_page_token": previous}
    if shown:
        answer["clusters"] = [summary(call.workspace, cluster) for cluster in shown]
    return answer


@clusters.get("/api/2.0/clusters/list")
def list_all(call: Call) -> dict[str, Any]:
    shown = listing.chosen(call)
    return {"clusters": [summary(call.workspace, cluster) for cluster in shown]} if shown else {}


@clusters.post(*both("edit"))
def edit(call: Call) -> dict[str, Any]:
    cluster = permitted(call, "CAN_MANAGE")
    lifecycle.require_editable(cluster)
    sent = copy.deepcopy(call.body)
    lifecycle.edit(
        call.workspace,
        cluster,
        call.caller,
        definition.completed(call.workspace, call.caller, sent, cluster.creator_user_name),
        sent,
        call.now,
    )
    return {}


@clusters.post(*both("update"))
def update(call: Call) -> dict[str, Any]:
    cluster = permitted(call, "CAN_MANAGE")
    mask, changes = call.body.get("update_mask") or "", call.body.get("cluster") or {}
    if not isinstance(mask, str) or not isinstance(changes, dict):
        raise invalid("update_mask must be text such as 'custom_tags,num_workers', and cluster an object")
    lifecycle.require_editable(cluster)
    sent = definition.merged(cluster.submitted, mask, changes) | {"cluster_id": cluster.cluster_id}
    completed = definition.completed(call.workspace, call.caller, sent, cluster.creator_user_name)
    lifecycle.edit(call.workspace, cluster, call.caller, completed, sent, call.now)
    return {}


@clusters.post(*both("start"))
def start(call: Call) -> dict[str, Any]:
    lifecycle.start(call.workspace, permitted(call, "CAN_RESTART"), call.caller, call.now)
    return {}


@clusters.post(*both("restart"))
def restart(call: Call) -> dict[str, Any]:
    lifecycle.restart(call.workspace, permitted(call, "CAN_RESTART"), call.caller, call.now)
    return {}


@clusters.post(*both("delete"))
def terminate(call: Call) -> dict[str, Any]:
    lifecycle.terminate(call.workspace, permitted(call, "CAN_RESTART"), call.caller, call.now)
    return {}


@clusters.post(*both("permanent-delete"))
def remove(call: Call) -> dict[str, Any]:
    cluster_id = str(call.required("cluster_id"))
    cluster = call.workspace.state.clusters.by_id.get(cluster_id)
    if cluster is None:
        # 404, unlike everywhere else: the provider takes only that for "it is gone already".
        raise missing(f"Cluster {cluster_id} does not exist")
    require_on(call, cluster_id, "CAN_MANAGE")
    if cluster.pinned:
        raise invalid_state(
            f"Cannot delete pinned cluster {cluster_id}. Please ask an admin to unpin the cluster first."
        )
    lifecycle.remove(call.workspace, cluster, call.now)
    return {}


@clusters.post(*both("pin"))
def pin(call: Call) -> dict[str, Any]:
    cluster = _pinnable(call)
    if cluster.pinned:
        return {}
    if call.workspace.state.clusters.pinned >= PIN_LIMIT:
        raise invalid(
            f"Cannot pin cluster {cluster.cluster_id}: there are {PIN_LIMIT} pinned clusters, which is the limit."
        )
    cluster.pinned = True
    record(call.workspace, cluster, call.now, "PINNED", user=call.caller.name)
    return {}


@clusters.post(*both("unpin"))
def unpin(call: Call) -> dict[str, Any]:
    cluster = _pinnable(call)
    if cluster.pinned:
        cluster.pinned, cluster.unpinned_at = False, call.now
        record(call.workspace, cluster, call.now, "UNPINNED", user=call.caller.name)
    return {}


def _pinnable(call: Call) -> Cluster:
    require_admin(call, f"{call.caller.name} is not an administrator: only administrators can pin and unpin clusters.")
    return find(call.workspace, str(call.required("cluster_id")), call.now)


@clusters.post(*both("resize"))
def resize(call: Call) -> dict[str, Any]:
    cluster = permitted(call, "CAN_MANAGE")
    workers, scale = call.body.get("num_workers"), call.body.get("autoscale")
    if (workers is None) == (scale is None):
        raise invalid("Exactly 1 of num_workers or autoscale must be specified.")
    definition.check_size(workers, scale)
    lifecycle.resize(call.workspace, cluster, call.caller, workers, scale, call.now)
    return {}


@clusters.post(*both("change-owner"))
def change_owner(call: Call) -> dict[str, Any]:
    require_admin(call)
    cluster = find(call.workspace, str(call.required("cluster_id")), call.now)
    name = str(call.required("owner_username"))
    directory = call.workspace.state.directory
    owner = directory.user_named(name) or directory.service_principal_named(name)
    if owner is None:
        raise invalid(f"User {name} does not exist")
    if cluster.state not in STOPPED:
        raise lifecycle.unexpected(cluster)
    cluster.creator_id, cluster.creator_user_name = owner.id, owner.name
    call.workspace.state.acls.grant(object_id(cluster.cluster_id), owner.id, "CAN_MANAGE")
    return {}


@clusters.post(*both("events"))
def events(call: Call) -> dict[str, Any]:
    cluster_id = str(call.required("cluster_id"))
    if cluster_id not in call.workspace.state.clusters.by_id:
        raise unknown(cluster_id)
    require_on(call, cluster_id, "CAN_ATTACH_TO")
    return query(call.workspace, cluster_id, call.body, call.now)


@clusters.get(*both("spark-versions"))
def spark_versions(call: Call) -> dict[str, Any]:
    return {"versions": list(node_types.spark_versions())}


@clusters.get(*both("list-node-types"))
def list_node_types(call: Call) -> dict[str, Any]:
    return {"node_types": list(node_types.node_types().values())}


@clusters.get(*both("list-zones"))
def zones(call: Call) -> dict[str, Any]:
    return dict(node_types.ZONES)


routes = [*clusters, *command_routes.routes, *run_routes.routes]
