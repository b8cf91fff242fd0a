"""Carries out what `new_cluster` decides, for all clusters that wait to be stopped."""

import time
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from labkit.extras.sdk import ApiClient, DatabricksError, NotFound, configure, listed, me, object_of
from labkit.text import first_line
from labkit.workspace_access import enter
from stopping.new_cluster import Leave, decide

_ANSWER_SECONDS = 60
_TERMINATION_SECONDS = 120
_AT_ONCE = 8


def stopper(environ: MutableMapping[str, str]) -> Callable[[Sequence[str]], dict[str, str]]:
    """`stop_all` for the workspace of the environment, to which it connects once, unless that fails."""

    @cache
    def connected() -> tuple[ApiClient, str]:
        # Not .env: Terraform, which starts this, does not read it either.
        api = ApiClient(configure(enter(environ), http_seconds=15, retry_seconds=_ANSWER_SECONDS))
        return api, me(api)[1]

    return lambda cluster_ids: stop_all(cluster_ids, connected)


def stop_all(cluster_ids: Sequence[str], connected: Callable[[], tuple[ApiClient, str]]) -> dict[str, str]:
    """Stop the clusters that only the deploy has used, and wait until they are.

    `connected` gives the workspace and the name of who deploys. Returns a sentence for each cluster that was left
    running, an empty text for the others.
    """
    try:
        api, caller = connected()
    except (DatabricksError, ValueError, OSError, TimeoutError) as error:
        return dict.fromkeys(cluster_ids, f"{first_line(error)}.")
    with ThreadPoolExecutor(_AT_ONCE) as stoppers:
        said = dict(zip(cluster_ids, stoppers.map(lambda each: stop(api, each, me=caller), cluster_ids), strict=True))
    await_termination(api, {cluster_id for cluster_id, sentence in said.items() if not sentence})
    return said


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
    query = {"filter_by": {"cluster_states": ["TERMINATING"]}, "page_size": 100}
    found = listed(api, "/api/2.1/clusters/list", "clusters", query)
    return {str(cluster["cluster_id"]) for cluster in found}


def _object(answer: Any) -> dict[str, Any]:
    return answer if isinstance(answer, dict) else {}
