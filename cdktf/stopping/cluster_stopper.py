"""Carries out what `new_cluster` decides, for all clusters that wait to be stopped."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from labkit.text import first_line
from light_sdk import ApiClient, Config, DatabricksError, NotFound, listed, object_of
from stopping.new_cluster import Leave, decide

_ANSWER_SECONDS = 60
_TERMINATION_SECONDS = 120
_AT_ONCE = 8


def stop_all(cluster_ids: Sequence[str]) -> dict[str, str]:
    """Stop the clusters that only the deploy has used, and wait until they are.

    Returns a sentence for each cluster that was left running, an empty text for the others.
    """
    try:
        api, me = connection()
    except (DatabricksError, ValueError, OSError, TimeoutError) as error:
        return dict.fromkeys(cluster_ids, f"{first_line(error)}.")
    with ThreadPoolExecutor(_AT_ONCE) as stoppers:
        said = dict(zip(cluster_ids, stoppers.map(lambda each: stop(api, each, me=me), cluster_ids), strict=True))
    await_termination(api, {cluster_id for cluster_id, sentence in said.items() if not sentence})
    return said


@cache
def connection() -> tuple[ApiClient, str]:
    """The workspace of the environment and the name of who deploys; made once, unless that fails."""
    api = ApiClient(Config(retry_timeout_seconds=_ANSWER_SECONDS, http_timeout_seconds=15))
    return api, str(object_of(api, "/api/2.0/preview/scim/v2/Me").get("userName"))


def stop(api: ApiClient, cluster_id: str, *, me: str) -> str:
    """Stop one cluster if it may be. Returns why not, or an empty text."""
    try:
        cluster = object_of(api, "/api/2.1/clusters/get", cluster_id=cluster_id)
        newest = {"cluster_id": cluster_id, "order": "DESC", "limit": 100}
        page = _object(api.do("POST", "/api/2.1/clusters/events", body=newest))
        match decide(cluster, page.get("events") or [], me=me):
            case Leave(because):
                return because
            case _:
                api.do("POST", "/api/2.1/clusters/delete", body={"cluster_id": cluster_id})
                return ""
    except NotFound:
        return ""
    except (DatabricksError, OSError, TimeoutError) as error:
        return f"{first_line(error)}."


def await_termination(api: ApiClient, cluster_ids: Iterable[str]) -> None:
    """Return once none of the clusters is on its way down, they have had the time for it, or nobody can tell."""
    waiting = set(cluster_ids)
    deadline = time.monotonic() + _TERMINATION_SECONDS
    pause = 0.3
    while waiting and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(1.1 * pause, 3.0)
        try:
            waiting &= terminating(api)
        except (DatabricksError, OSError, TimeoutError):
            return


def terminating(api: ApiClient) -> set[str]:
    """The ids of the clusters that are on their way down."""
    states = {"cluster_states": ["TERMINATING"]}
    found = listed(api, "/api/2.1/clusters/list", "clusters", filter_by=states, page_size=100)
    return {str(cluster["cluster_id"]) for cluster in found}


def _object(answer: Any) -> dict[str, Any]:
    return answer if isinstance(answer, dict) else {}
