"""ClusterDetails of the API, with the fields that only running clusters have."""

import hashlib
from typing import Any

from emulator.models.clusters import USABLE_STATES, Cluster
from emulator.reference import node_types
from emulator.state.workspace import EmulatedWorkspace

JDBC_PORT = 10000
NOT_IN_SPEC = ("cluster_id", "idempotency_token")


def summary(workspace: EmulatedWorkspace, cluster: Cluster) -> dict[str, Any]:
    """Return the cluster in the format of lists."""
    shown: dict[str, Any] = {
        "cluster_id": cluster.cluster_id,
        "creator_user_name": cluster.creator_user_name,
        **cluster.definition,
        "default_tags": {
            "Vendor": "Databricks",
            "Creator": cluster.creator_user_name,
            "ClusterName": cluster.name,
            "ClusterId": cluster.cluster_id,
        },
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
    if cluster.terminated_time is not None:
        shown["terminated_time"] = cluster.terminated_time
    if cluster.termination_reason is not None:
        shown["termination_reason"] = cluster.termination_reason
    if cluster.state in USABLE_STATES:
        shown |= _running_details(workspace, cluster)
    return shown


def details(workspace: EmulatedWorkspace, cluster: Cluster) -> dict[str, Any]:
    """Return the cluster in the format of `clusters/get`."""
    spec = {name: value for name, value in cluster.submitted.items() if name not in NOT_IN_SPEC}
    return summary(workspace, cluster) | {"spec": spec}


def _running_details(workspace: EmulatedWorkspace, cluster: Cluster) -> dict[str, Any]:
    worker = node_types.node_types().get(cluster.definition["node_type_id"], {})
    driver = node_types.node_types().get(cluster.definition["driver_node_type_id"], {})
    nodes = [_node(workspace, cluster, number) for number in range(cluster.workers + 1)]
    return {
        "driver": nodes[0],
        "executors": nodes[1:],
        "spark_context_id": cluster.spark_context_id,
        "last_activity_time": min(cluster.busy_until, workspace.clock.now()),
        "jdbc_port": JDBC_PORT,
        "cluster_cores": driver.get("num_cores", 0.0) + cluster.workers * worker.get("num_cores", 0.0),
        "cluster_memory_mb": driver.get("memory_mb", 0) + cluster.workers * worker.get("memory_mb", 0),
    }


def _node(workspace: EmulatedWorkspace, cluster: Cluster, number: int) -> dict[str, Any]:
    """Return one machine of the cluster. It stays the same as long as the Spark context does."""
    key = f"{workspace.state.ids.seed}:{cluster.cluster_id}:{cluster.spark_context_id}:{number}"
    digest = hashlib.sha256(key.encode()).digest()
    address = f"10.139.{digest[0]}.{max(4, digest[1])}"
    return {
        "private_ip": address,
        "host_private_ip": address,
        "node_id": digest[:16].hex(),
        "instance_id": digest[16:].hex(),
        "start_timestamp": cluster.last_state_loss_time,
    }
