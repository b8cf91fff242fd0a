"""Stops clusters that were just created, unless they are in use. One process serves all requests in a queue."""

import time
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from labkit.extras.sdk import ApiClient, DatabricksError, NotFound, configure, get_object, identify, list_all
from labkit.text import first_line
from labkit.workspace.access import choose_and_apply
from stopping.request_queue import RequestQueue

_START_EVENTS = ("CREATING", "STARTING", "RESTARTING")
_RUNNING_STATES = ("RUNNING", "RESIZING")
_STOPPED_STATES = ("TERMINATING", "TERMINATED")
# While a cluster starts, the platform itself records activity on it.
_SETTLING_MS = 10_000

_POLL_SECONDS = 0.1
# The server waits this long for further requests; otherwise each process would become a server and import the SDK.
_LINGER_SECONDS = 1.0
_BATCHES = 16
_ANSWER_SECONDS = 60
_TERMINATION_SECONDS = 120
_WORKERS = 8


@dataclass(frozen=True)
class StopCluster:
    """The cluster is idle; it runs only because the deployment created it."""


@dataclass(frozen=True)
class KeepRunning:
    """The cluster is left as it is. `reason` is empty if no warning is needed."""

    reason: str = ""


StopDecision = StopCluster | KeepRunning


def serve_requests(queue: RequestQueue, environ: MutableMapping[str, str]) -> None:
    """Serve the pending cluster ids, and those that arrive meanwhile or within a second.

    Pending clusters are stopped as a batch. Batches run in parallel, so that no request waits for earlier ones. The
    answer to a request is the reason why the cluster still runs, or an empty string.
    """
    workspace = _Connection(environ)
    batches: dict[Future[None], set[str]] = {}
    pending: set[str] = set()
    last_request = time.monotonic()
    with ThreadPoolExecutor(_BATCHES) as executor:
        while batches or pending or time.monotonic() - last_request < _LINGER_SECONDS:
            pending = queue.pending().difference(*batches.values())
            if pending and len(batches) < _BATCHES:
                batches[executor.submit(_serve_batch, queue, workspace, pending)] = pending
                last_request = time.monotonic()
            time.sleep(_POLL_SECONDS)
            for batch in [batch for batch in batches if batch.done()]:
                del batches[batch]
                batch.result()


def _serve_batch(queue: RequestQueue, workspace: "_Connection", cluster_ids: Iterable[str]) -> None:
    for cluster_id, reason in stop_clusters(workspace, sorted(cluster_ids)).items():
        queue.write_answer(cluster_id, reason)


class _Connection:
    """A connection to the workspace that the environment specifies."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self._connection: tuple[ApiClient, str] | None = None

    def connect(self) -> tuple[ApiClient, str]:
        """Return a client and the deploying user's name, cached.

        Raise WorkspaceChoiceError or one of the SDK's errors.
        """
        if self._connection is None:
            # .env is ignored, because Terraform, which starts this program, does not read it either.
            api = ApiClient(configure(choose_and_apply(self._environ), http_seconds=15, retry_seconds=_ANSWER_SECONDS))
            self._connection = api, identify(api)[1]
        return self._connection


def stop_clusters(workspace: _Connection, cluster_ids: Sequence[str]) -> dict[str, str]:
    """Stop the clusters that only the deployment has used, and wait until they are terminated.

    Map each cluster id to the reason why the cluster still runs, or to an empty string.
    """
    try:
        api, caller = workspace.connect()
    except (DatabricksError, ValueError, OSError, TimeoutError) as error:
        return dict.fromkeys(cluster_ids, f"{first_line(error)}.")
    with ThreadPoolExecutor(_WORKERS) as executor:
        reasons = dict(
            zip(
                cluster_ids,
                executor.map(lambda each: stop_cluster(api, each, deployer=caller), cluster_ids),
                strict=True,
            )
        )
    await_termination(api, {cluster_id for cluster_id, reason in reasons.items() if not reason})
    return reasons


def stop_cluster(api: ApiClient, cluster_id: str, *, deployer: str) -> str:
    """Stop one cluster unless it is in use. Return the reason if it still runs, else an empty string."""
    try:
        cluster = get_object(api, "/api/2.1/clusters/get", cluster_id=cluster_id)
        newest = {"cluster_id": cluster_id, "order": "DESC", "limit": 100}
        page = _object(api.do("POST", "/api/2.1/clusters/events", body=newest))
        match decide_stop(cluster, page.get("events") or [], deployer=deployer):
            case KeepRunning(reason):
                return reason
            case _:
                api.do("POST", "/api/2.1/clusters/delete", body={"cluster_id": cluster_id})
                return ""
    except NotFound:
        return ""
    except (DatabricksError, OSError, TimeoutError) as error:
        return f"{first_line(error)}."


def decide_stop(cluster: Mapping[str, Any], events: Sequence[Mapping[str, Any]], *, deployer: str) -> StopDecision:
    """Decide whether to stop a live cluster, given its events (newest first) and the deploying user's name. Pure.

    The cluster is stopped only if the deployment itself started its current session and nothing indicates that it is in
    use.
    """
    state = str(cluster.get("state"))
    if state in _STOPPED_STATES:
        return KeepRunning()
    starts = [event for event in events if event.get("type") in _START_EVENTS]
    if not starts:
        return KeepRunning("its starter is unknown")
    starter = str((starts[0].get("details") or {}).get("user") or "")
    if starter.lower() != deployer.lower():
        return KeepRunning(f"{starter or 'somebody'} has started it since")
    if state not in _RUNNING_STATES:
        return KeepRunning(f"its state is {state}")
    ready = [int(event["timestamp"]) for event in events if event.get("type") == "RUNNING"]
    if ready and int(cluster.get("last_activity_time") or 0) > ready[0] + _SETTLING_MS:
        return KeepRunning("it is in use")
    return StopCluster()


def await_termination(api: ApiClient, cluster_ids: Iterable[str]) -> None:
    """Wait until no cluster is terminating. Return early after a timeout or if the clusters cannot be listed."""
    pending = set(cluster_ids)
    deadline = time.monotonic() + _TERMINATION_SECONDS
    pause = 0.3
    while pending and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(1.1 * pause, 3.0)
        try:
            pending &= terminating(api)
        except (DatabricksError, OSError, TimeoutError):
            return


def terminating(api: ApiClient) -> set[str]:
    """Return the ids of the clusters that are terminating."""
    query = {"filter_by": {"cluster_states": ["TERMINATING"]}, "page_size": 100}
    found = list_all(api, "/api/2.1/clusters/list", "clusters", query)
    return {str(cluster["cluster_id"]) for cluster in found}


def _object(answer: Any) -> dict[str, Any]:
    return answer if isinstance(answer, dict) else {}
