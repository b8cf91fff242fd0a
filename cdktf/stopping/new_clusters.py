"""Stops clusters that were just made, unless somebody uses them: the requests of a queue, by one process for all."""

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
# The platform notes an activity of its own while a cluster comes up.
_SETTLING_MS = 10_000

_POLL_SECONDS = 0.1
# The next request may come within this time; without it, every process that comes alone would import the SDK.
_LINGER_SECONDS = 1.0
_BATCHES = 16
_ANSWER_SECONDS = 60
_TERMINATION_SECONDS = 120
_WORKERS = 8


@dataclass(frozen=True)
class StopCluster:
    """The cluster idles because the deploy made it."""


@dataclass(frozen=True)
class KeepRunning:
    """The cluster is to be left alone. `reason` is empty where there is nothing to say about it."""

    reason: str = ""


StopDecision = StopCluster | KeepRunning


def serve_requests(queue: RequestQueue, environ: MutableMapping[str, str]) -> None:
    """Answer the ids of clusters that wait, and those that come meanwhile or within a second.

    What waits is stopped as a batch. Batches run side by side, so that no request waits for the answers of others. An
    answer is a sentence that says why the cluster was left running, or an empty text.
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
    """The workspace of the environment."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self._connection: tuple[ApiClient, str] | None = None

    def connect(self) -> tuple[ApiClient, str]:
        """A client, and the name of who deploys; made once, unless that fails.

        Raises WorkspaceChoiceError, or as the SDK.
        """
        if self._connection is None:
            # Not .env: Terraform, which starts this, does not read it either.
            api = ApiClient(configure(choose_and_apply(self._environ), http_seconds=15, retry_seconds=_ANSWER_SECONDS))
            self._connection = api, identify(api)[1]
        return self._connection


def stop_clusters(workspace: _Connection, cluster_ids: Sequence[str]) -> dict[str, str]:
    """Stop the clusters that only the deploy has used, and wait until they are.

    Returns a sentence for each cluster that was left running, an empty text for the others.
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
    """Stop one cluster if it may be. Returns why not, or an empty text."""
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
    """What to do with a live cluster, given its events (newest first) and the name of who deploys. Pure.

    It is stopped only if its present session was started by the deploy itself and nothing shows that it is in use.
    """
    state = str(cluster.get("state"))
    if state in _STOPPED_STATES:
        return KeepRunning()
    starts = [event for event in events if event.get("type") in _START_EVENTS]
    if not starts:
        return KeepRunning("it is not known who started it")
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
    """Return once none of the clusters is on its way down, they have had the time for it, or nobody can tell."""
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
    """The ids of the clusters that are on their way down."""
    query = {"filter_by": {"cluster_states": ["TERMINATING"]}, "page_size": 100}
    found = list_all(api, "/api/2.1/clusters/list", "clusters", query)
    return {str(cluster["cluster_id"]) for cluster in found}


def _object(answer: Any) -> dict[str, Any]:
    return answer if isinstance(answer, dict) else {}
