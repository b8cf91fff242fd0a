"""The clusters of a workspace, as far as a scan uses them: does one run, can it be started, which Python has it."""

import logging
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from inventory.spark.errors import CLIENT, SparkError
from inventory.transport.answer import Answer, Broken
from inventory.transport.client import Client
from inventory.transport.request_body import json_body
from inventory.transport.workspace import Workspace, WorkspaceError

log = logging.getLogger(__name__)
RUNTIME = re.compile(r"(\d+)\.(\d+)")
PYTHONS = {(13, 0): "3.10", (15, 0): "3.11", (16, 0): "3.12"}
"""The Python of Databricks Runtime, from this version on."""
SPARKS = {(13, 0): "3.4", (14, 0): "3.5", (17, 0): "4.0"}
"""And its Spark; the client needs one that is not older than itself."""
NEWEST = 17
"""Of newer ones nothing is known here; the server itself says what it has."""
NO_ACCESS_MODE = ("NONE", "LEGACY_PASSTHROUGH", "LEGACY_TABLE_ACL", "LEGACY_SINGLE_USER")
RUNNING = ("RUNNING", "RESIZING")
ON_THE_WAY = ("PENDING", "RESTARTING")
EVERY = 5.0
START_SECONDS = 20 * 60.0


@dataclass(frozen=True)
class Cluster:
    """What the workspace says of one."""

    id: str
    name: str
    state: str
    runtime: str
    """Such as `17.3.x-scala2.13`."""
    access_mode: str

    @property
    def python(self) -> str | None:
        """`3.12`; None where it is not known."""
        return _since(PYTHONS, self.runtime)

    @property
    def spark(self) -> str | None:
        """`4.0`; None where it is not known."""
        return _since(SPARKS, self.runtime)


def describe(client: Client, cluster_id: str) -> Cluster:
    """Raises SparkError if there is no such cluster, or it cannot be seen."""
    try:
        found = Workspace(client).ask("/api/2.0/clusters/get", {"cluster_id": cluster_id}, f"cluster {cluster_id}")
    except WorkspaceError as error:
        raise SparkError(str(error)) from None
    named = {name: str(found.get(name) or "") for name in ("cluster_name", "state", "spark_version")}
    mode = str(found.get("data_security_mode") or "")
    return Cluster(cluster_id, named["cluster_name"], named["state"], named["spark_version"], mode)


def advice(cluster: Cluster, python: str) -> list[str]:
    """What keeps a client with this Python (`3.12`) from using the cluster, a sentence each. Pure."""
    found = []
    has = f"cluster {cluster.id} has runtime {cluster.runtime}"
    if cluster.spark and _numbers(cluster.spark) < _numbers(CLIENT):
        found.append(
            f"{has} with Spark {cluster.spark}, and the client here needs Spark {CLIENT} or newer: choose a cluster"
            " with Databricks Runtime 17 or newer, scan from a notebook on this one (docs/notebook.md), or scan without"
            " a cluster."
        )
    if cluster.python and cluster.python != python:
        found.append(
            f"{has} with Python {cluster.python}, and this is Python {python}: start this program with Python"
            f" {cluster.python}, choose a cluster whose runtime has Python {python}, or scan without --cluster-id."
        )
    if cluster.access_mode in NO_ACCESS_MODE:
        found.append(
            f"cluster {cluster.id} has the access mode {cluster.access_mode}, and Spark Connect needs dedicated or"
            " standard access: choose another cluster."
        )
    return found


def ready(client: Client, cluster_id: str, *, start: bool, python: str, stop: threading.Event) -> None:
    """See that a cluster runs and can be used, and start it if that is wanted. Raises SparkError.

    `stop` ends the waiting early.
    """
    cluster = describe(client, cluster_id)
    if problems := advice(cluster, python):
        raise SparkError(" ".join(problems))
    if cluster.state in RUNNING:
        return
    if cluster.state not in ON_THE_WAY:
        if not start:
            raise SparkError(f"cluster {cluster_id} is stopped ({cluster.state}); --start-cluster starts it.")
        _start(client, cluster, stop)
    log.info("waiting for cluster %s", cluster_id)
    ends = time.monotonic() + START_SECONDS
    while not stop.is_set() and time.monotonic() < ends:
        state = describe(client, cluster_id).state
        if state in RUNNING:
            return
        if state not in ON_THE_WAY:
            raise SparkError(f"cluster {cluster_id} did not start: it is {state}; its event log says why.")
        stop.wait(EVERY)
    if not stop.is_set():
        raise SparkError(f"cluster {cluster_id} did not start within {START_SECONDS / 60:.0f} minutes.")


def _start(client: Client, cluster: Cluster, stop: threading.Event) -> None:
    while cluster.state == "TERMINATING" and not stop.is_set():
        stop.wait(EVERY)
        cluster = describe(client, cluster.id)
    log.info("starting cluster %s", cluster.id)
    outcome: Answer | Broken
    try:
        outcome = client.send("POST", "/api/2.0/clusters/start", json_body({"cluster_id": cluster.id}))
    except Broken as error:
        outcome = error
    if isinstance(outcome, Broken) or not outcome.ok:
        reason = str(outcome) if isinstance(outcome, Broken) else outcome.reason
        # Somebody else may have started it a moment ago.
        if describe(client, cluster.id).state not in (*ON_THE_WAY, *RUNNING):
            raise SparkError(f"cluster {cluster.id} cannot be started: {reason.rstrip('.')}.")


def _since(table: Mapping[tuple[int, int], str], runtime: str) -> str | None:
    match = RUNTIME.match(runtime)
    if not match or int(match[1]) > NEWEST:
        return None
    version = (int(match[1]), int(match[2]))
    return next((value for first, value in sorted(table.items(), reverse=True) if version >= first), None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
