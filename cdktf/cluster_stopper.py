"""Carries out what `new_cluster` decides, for all clusters that wait to be stopped."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError

from new_cluster import Leave, decide
from workspace_facts import first_line

_ANSWER_SECONDS = 60
_TERMINATION_SECONDS = 120
_AT_ONCE = 8


def stop_all(cluster_ids: Sequence[str]) -> dict[str, str]:
    """Stop the clusters that only the deploy has used, and wait until they are.

    Returns a sentence for each cluster that was left running, an empty text for the others.
    """
    try:
        client, me = connection()
    except (DatabricksError, ValueError, OSError, TimeoutError) as error:
        return dict.fromkeys(cluster_ids, first_line(error))
    with ThreadPoolExecutor(_AT_ONCE) as stoppers:
        said = dict(zip(cluster_ids, stoppers.map(lambda each: stop(client, each, me=me), cluster_ids), strict=True))
    await_termination(client, {cluster_id for cluster_id, sentence in said.items() if not sentence})
    return said


@cache
def connection() -> tuple[WorkspaceClient, str]:
    """A client of the workspace of the environment and the name of who deploys; made once, unless that fails."""
    client = WorkspaceClient(config=Config(retry_timeout_seconds=_ANSWER_SECONDS, http_timeout_seconds=15))
    return client, str(client.current_user.me().user_name)


def stop(client: WorkspaceClient, cluster_id: str, *, me: str) -> str:
    """Stop one cluster if it may be. Returns why not, or an empty text."""
    try:
        cluster = _object(client.api_client.do("GET", "/api/2.1/clusters/get", query={"cluster_id": cluster_id}))
        # Unlike the SDK's iterator this keeps types of events that the SDK does not know.
        page = _object(
            client.api_client.do(
                "POST", "/api/2.1/clusters/events", body={"cluster_id": cluster_id, "order": "DESC", "limit": 100}
            )
        )
        match decide(cluster, page.get("events") or [], me=me):
            case Leave(because):
                return because
            case _:
                client.clusters.delete(cluster_id)
                return ""
    except NotFound:
        return ""
    except (DatabricksError, OSError, TimeoutError) as error:
        return first_line(error)


def await_termination(client: WorkspaceClient, cluster_ids: Iterable[str]) -> None:
    """Return once the clusters are terminated, or have had the time for it."""
    waiting = set(cluster_ids)
    deadline = time.monotonic() + _TERMINATION_SECONDS
    pause = 0.2
    while waiting and time.monotonic() < deadline:
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            states = dict(zip(waiting, readers.map(lambda each: _state(client, each), waiting), strict=True))
        waiting = {cluster_id for cluster_id, state in states.items() if state == "TERMINATING"}
        if waiting:
            time.sleep(pause)
            pause = min(2 * pause, 5.0)


def _state(client: WorkspaceClient, cluster_id: str) -> str:
    try:
        cluster = _object(client.api_client.do("GET", "/api/2.1/clusters/get", query={"cluster_id": cluster_id}))
        return str(cluster.get("state"))
    except (DatabricksError, OSError, TimeoutError):
        return "unknown"


def _object(answer: Any) -> dict[str, Any]:
    return answer if isinstance(answer, dict) else {}
