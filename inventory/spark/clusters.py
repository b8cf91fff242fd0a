"""Clusters in a workspace: state, Python and Spark versions, and starting them."""

import logging
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from inventory.spark.errors import CLIENT_VERSION, SparkError
from inventory.transport.client import Client
from inventory.transport.request_body import json_body
from inventory.transport.response import Response, TransportError
from inventory.transport.workspace import WorkspaceApi, WorkspaceError

log = logging.getLogger(__name__)
RUNTIME = re.compile(r"(\d+)\.(\d+)")
PYTHON_VERSIONS = {(13, 0): "3.10", (15, 0): "3.11", (16, 0): "3.12"}
"""Lowest Databricks Runtime → Python version."""
SPARK_VERSIONS = {(13, 0): "3.4", (14, 0): "3.5", (17, 0): "4.0"}
"""Lowest Databricks Runtime → Spark version; the server's must not be older than the client's."""
NEWEST_KNOWN_RUNTIME = 17
"""Newest known Databricks Runtime; the versions of newer ones are unknown."""
UNSUPPORTED_ACCESS_MODES = ("NONE", "LEGACY_PASSTHROUGH", "LEGACY_TABLE_ACL", "LEGACY_SINGLE_USER")
RUNNING_STATES = ("RUNNING", "RESIZING")
STARTING_STATES = ("PENDING", "RESTARTING")
POLL_SECONDS = 5.0
START_TIMEOUT_SECONDS = 20 * 60.0


@dataclass(frozen=True)
class Cluster:
    """A cluster as described by the workspace."""

    id: str
    name: str
    state: str
    runtime: str
    """Databricks Runtime, such as `17.3.x-scala2.13`."""
    access_mode: str

    @property
    def python(self) -> str | None:
        """Python version, such as `3.12`; None if unknown."""
        return _version_of_runtime(PYTHON_VERSIONS, self.runtime)

    @property
    def spark(self) -> str | None:
        """Spark version, such as `4.0`; None if unknown."""
        return _version_of_runtime(SPARK_VERSIONS, self.runtime)


def get_cluster(client: Client, cluster_id: str) -> Cluster:
    """Return a cluster. Raises SparkError if it does not exist or is not visible."""
    try:
        found = WorkspaceApi(client).get_document(
            "/api/2.0/clusters/get", {"cluster_id": cluster_id}, f"cluster {cluster_id}"
        )
    except WorkspaceError as error:
        raise SparkError(str(error)) from None
    named = {name: str(found.get(name) or "") for name in ("cluster_name", "state", "spark_version")}
    mode = str(found.get("data_security_mode") or "")
    return Cluster(cluster_id, named["cluster_name"], named["state"], named["spark_version"], mode)


def compatibility_problems(cluster: Cluster, python: str) -> list[str]:
    """Return the reasons why a client with this Python version (`3.12`) cannot use the cluster. Pure."""
    found = []
    runtime = f"cluster {cluster.id} has runtime {cluster.runtime}"
    if cluster.spark and _version_tuple(cluster.spark) < _version_tuple(CLIENT_VERSION):
        found.append(
            f"{runtime} with Spark {cluster.spark}, but this client needs Spark {CLIENT_VERSION} or newer:"
            " choose a cluster with Databricks Runtime 17 or newer, scan from a notebook on this cluster"
            " (docs/notebook.md), or scan without a cluster."
        )
    if cluster.python and cluster.python != python:
        found.append(
            f"{runtime} with Python {cluster.python}, but this is Python {python}: start this program with Python"
            f" {cluster.python}, choose a cluster whose runtime has Python {python}, or scan without --cluster-id."
        )
    if cluster.access_mode in UNSUPPORTED_ACCESS_MODES:
        found.append(
            f"cluster {cluster.id} has the access mode {cluster.access_mode}, but Spark Connect needs dedicated or"
            " standard access: choose a different cluster."
        )
    return found


def ensure_running(client: Client, cluster_id: str, *, start: bool, python: str, stop: threading.Event) -> None:
    """Make sure that a cluster is running and compatible; start it if `start` is set. Raises SparkError.

    `stop` ends the wait early.
    """
    cluster = get_cluster(client, cluster_id)
    if problems := compatibility_problems(cluster, python):
        raise SparkError(" ".join(problems))
    if cluster.state in RUNNING_STATES:
        return
    if cluster.state not in STARTING_STATES:
        if not start:
            raise SparkError(f"cluster {cluster_id} is stopped ({cluster.state}); --start-cluster starts it.")
        _start(client, cluster, stop)
    log.info("waiting for cluster %s", cluster_id)
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not stop.is_set() and time.monotonic() < deadline:
        state = get_cluster(client, cluster_id).state
        if state in RUNNING_STATES:
            return
        if state not in STARTING_STATES:
            raise SparkError(f"cluster {cluster_id} did not start: it is {state}; see its event log.")
        stop.wait(POLL_SECONDS)
    if not stop.is_set():
        raise SparkError(f"cluster {cluster_id} did not start within {START_TIMEOUT_SECONDS / 60:.0f} minutes.")


def _start(client: Client, cluster: Cluster, stop: threading.Event) -> None:
    while cluster.state == "TERMINATING" and not stop.is_set():
        stop.wait(POLL_SECONDS)
        cluster = get_cluster(client, cluster.id)
    log.info("starting cluster %s", cluster.id)
    outcome: Response | TransportError
    try:
        outcome = client.send("POST", "/api/2.0/clusters/start", json_body({"cluster_id": cluster.id}))
    except TransportError as error:
        outcome = error
    if isinstance(outcome, TransportError) or not outcome.ok:
        reason = str(outcome) if isinstance(outcome, TransportError) else outcome.reason
        # The cluster may have just been started by somebody else.
        if get_cluster(client, cluster.id).state not in (*STARTING_STATES, *RUNNING_STATES):
            raise SparkError(f"cluster {cluster.id} cannot be started: {reason.rstrip('.')}.")


def _version_of_runtime(table: Mapping[tuple[int, int], str], runtime: str) -> str | None:
    match = RUNTIME.match(runtime)
    if not match or int(match[1]) > NEWEST_KNOWN_RUNTIME:
        return None
    version = (int(match[1]), int(match[2]))
    return next((value for first, value in sorted(table.items(), reverse=True) if version >= first), None)


def _version_tuple(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
