"""The API's ClusterDetails, with the fields that only running clusters have."""

import hashlib
from typing import Any

from emulator.base.clock import Millis
from emulator.models.clusters import STOPPED_STATES, USABLE_STATES, Cluster
from emulator.models.scim import Directory
from emulator.reference import node_types
from emulator.state.workspace import EmulatedWorkspace

JDBC_PORT = 10000
LOG_DELIVERY_MS = 300_000
"""Milliseconds between two deliveries of a cluster's logs."""
INHERITED_TAGS = {"application": "databricks", "databricks-environment": "true"}
"""Tags of the managed resource group, which every cluster inherits."""
RELEASE = 7
"""The last part of a runtime's release number."""
NETWORK_DOMAIN = "westeurope.tunnel.azuredatabricks.invalid"
SPOT = ("SPOT_AZURE", "SPOT_WITH_FALLBACK_AZURE")
NOT_IN_SPEC = ("cluster_id", "idempotency_token")


def summary(workspace: EmulatedWorkspace, cluster: Cluster) -> dict[str, Any]:
    """Return the cluster as in `clusters/list`."""
    shown: dict[str, Any] = {
        "cluster_id": cluster.cluster_id,
        "creator_user_name": cluster.creator_user_name,
        **cluster.definition,
        "default_tags": {
            "Vendor": "Databricks",
            "Creator": cluster.creator_user_name,
            "ClusterName": cluster.name,
            "ClusterId": cluster.cluster_id,
            **INHERITED_TAGS,
        },
        **_sources(cluster.definition),
        **_runtime(cluster.definition),
        "disk_spec": {},
        "init_scripts_safe_mode": False,
        "cluster_source": cluster.source,
        "state": cluster.state,
        "state_message": cluster.state_message,
        "start_time": cluster.created_at,
        "last_state_loss_time": cluster.last_state_loss_time,
    }
    if cluster.autoscale:
        shown.pop("num_workers", None)
    else:
        shown.setdefault("num_workers", cluster.min_workers)
    if cluster.last_restarted_time is not None:
        shown["last_restarted_time"] = cluster.last_restarted_time
    if cluster.state in STOPPED_STATES:
        if cluster.terminated_time is not None:
            shown["terminated_time"] = cluster.terminated_time
        if cluster.termination_reason is not None:
            shown["termination_reason"] = cluster.termination_reason
    if cluster.pinned_by is not None:
        shown["pinned_by_user_name"] = cluster.pinned_by
    if cluster.dedicated_to:
        shown["assigned_principal"] = _assigned_principal(workspace.state.directory, cluster.dedicated_to)
    if cluster.state in USABLE_STATES:
        shown |= _running_details(workspace, cluster)
    if cluster.definition.get("cluster_log_conf") and cluster.last_state_loss_time:
        shown["cluster_log_status"] = {"last_attempted": _last_log_delivery(workspace, cluster)}
    return shown


def details(workspace: EmulatedWorkspace, cluster: Cluster) -> dict[str, Any]:
    """Return the cluster as in `clusters/get`."""
    spec = {name: value for name, value in cluster.submitted.items() if name not in NOT_IN_SPEC}
    return summary(workspace, cluster) | {"spec": spec}


def _running_details(workspace: EmulatedWorkspace, cluster: Cluster) -> dict[str, Any]:
    worker = node_types.node_types().get(cluster.definition["node_type_id"], {})
    driver = node_types.node_types().get(cluster.definition["driver_node_type_id"], {})
    nodes = [_node(workspace, cluster, number) for number in range(cluster.workers + 1)]
    scale = {"autoscale": cluster.autoscale | {"target_workers": cluster.target_workers}} if cluster.autoscale else {}
    return scale | {
        "driver": nodes[0],
        "driver_healthy": True,
        "executors": nodes[1:],
        "spark_context_id": cluster.spark_context_id,
        "last_activity_time": min(cluster.busy_until, workspace.clock.now()),
        "jdbc_port": JDBC_PORT,
        "cluster_cores": driver.get("num_cores", 0.0) + cluster.workers * worker.get("num_cores", 0.0),
        "cluster_memory_mb": driver.get("memory_mb", 0) + cluster.workers * worker.get("memory_mb", 0),
    }


def _node(workspace: EmulatedWorkspace, cluster: Cluster, number: int) -> dict[str, Any]:
    """Return one machine of the cluster. It stays the same until the cluster is terminated."""
    since = cluster.machines_since or cluster.last_state_loss_time
    key = f"{workspace.state.ids.seed}:{cluster.cluster_id}:{since}:{number}"
    digest = hashlib.sha256(key.encode()).digest()
    address = f"10.139.{digest[0]}.{max(4, digest[1])}"
    return {
        "private_ip": address,
        "host_private_ip": address,
        "node_id": digest[:16].hex(),
        "instance_id": digest[16:].hex(),
        "start_timestamp": since,
        "ngrok_endpoint_base_domain": NETWORK_DOMAIN,
        "node_attributes": {"is_spot": _is_spot(cluster.definition.get("azure_attributes") or {}, number)},
    }


def _is_spot(azure: dict[str, Any], number: int) -> bool:
    """Return whether the machine of that number is a spot one; the driver has the number 0."""
    on_demand = azure.get("first_on_demand")
    return azure.get("availability") in SPOT and (not isinstance(on_demand, int) or number >= on_demand)


def _sources(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the pool or the node type from which workers and driver are taken."""
    kinds = {"instance_source": "", "driver_instance_source": "driver_"}
    return {
        name: {"instance_pool_id": definition[f"{prefix}instance_pool_id"]}
        if definition.get(f"{prefix}instance_pool_id")
        else {"node_type_id": definition[f"{prefix}node_type_id"]}
        for name, prefix in kinds.items()
    }


def _runtime(definition: dict[str, Any]) -> dict[str, str]:
    """Return the build that the cluster runs, and the runtime's number of a release."""
    version = str(definition["spark_version"])
    node_type = node_types.node_types().get(definition["node_type_id"], {})
    effective = node_types.effective_version(
        version,
        photon=definition.get("runtime_engine") == "PHOTON",
        ml=definition.get("use_ml_runtime") is True,
        gpu=bool(node_type.get("num_gpus")),
    )
    number = node_types.runtime_number(version)
    release = {"release_version": f"{number[0]}.{number[1]}.{RELEASE}"} if number else {}
    return {"effective_spark_version": effective, **release}


def _assigned_principal(directory: Directory, name: str) -> str:
    """Return `user:<name>`, or `group:<name>` for a cluster that is dedicated to a group."""
    kind = "group" if directory.find_user(name) is None and directory.find_group(name) else "user"
    return f"{kind}:{name}"


def _last_log_delivery(workspace: EmulatedWorkspace, cluster: Cluster) -> Millis:
    """Return the instant of the last delivery: every few minutes since the cluster runs, and when it terminates."""
    if cluster.state in STOPPED_STATES and cluster.terminated_time is not None:
        return cluster.terminated_time
    since = max(0, workspace.clock.now() - cluster.last_state_loss_time)
    return cluster.last_state_loss_time + since // LOG_DELIVERY_MS * LOG_DELIVERY_MS
