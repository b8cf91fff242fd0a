"""Filters, sorts and pages cluster lists."""

import base64
import binascii

from emulator.api.errors import invalid
from emulator.api.routing import Request
from emulator.base.clock import Millis
from emulator.models.clusters import Cluster
from emulator.permissions.cluster_access import visible_clusters

MAX_PAGE_SIZE = 100
STATE_ORDER = ("RUNNING", "RESIZING", "RESTARTING", "PENDING", "TERMINATING", "ERROR", "UNKNOWN", "TERMINATED")
SOURCES = ("API", "JOB", "MODELS", "PIPELINE", "PIPELINE_MAINTENANCE", "SQL", "UI")


def filtered(request: Request) -> list[Cluster]:
    """Return the visible clusters that match `filter_by.*` in the query, sorted by `sort_by.*`."""
    sources = _list_argument(request, "filter_by.cluster_sources", SOURCES)
    states = _list_argument(request, "filter_by.cluster_states", STATE_ORDER)
    policy_id = request.argument("filter_by.policy_id")
    pinned = request.argument("filter_by.is_pinned")
    found = [
        cluster
        for cluster in visible_clusters(request)
        if (not sources or cluster.source in sources)
        and (not states or cluster.state in states)
        and (not policy_id or cluster.definition.get("policy_id") == policy_id)
        and (not pinned or cluster.pinned == (pinned.lower() == "true"))
    ]
    return _sorted(request, found)


def _list_argument(request: Request, name: str, known: tuple[str, ...]) -> list[str]:
    values = [value for text in request.query.get(name, ()) for value in text.split(",") if value]
    for value in values:
        if value not in known:
            raise invalid(f"{name} must be one of {', '.join(known)}, not {value!r}")
    return values


def _sorted(request: Request, clusters: list[Cluster]) -> list[Cluster]:
    field = request.argument("sort_by.field") or "DEFAULT"
    direction = request.argument("sort_by.direction") or "ASC"
    if field not in ("DEFAULT", "CLUSTER_NAME") or direction not in ("ASC", "DESC"):
        raise invalid("sort_by.field must be DEFAULT or CLUSTER_NAME, and sort_by.direction ASC or DESC")
    if field == "CLUSTER_NAME":
        return sorted(clusters, key=_by_name, reverse=direction == "DESC")
    return sorted(clusters, key=_default_order, reverse=direction == "DESC")


def _by_name(cluster: Cluster) -> tuple[str, str, Millis]:
    return cluster.name.casefold(), cluster.name, cluster.created_at


def _default_order(cluster: Cluster) -> tuple[int, bool, tuple[str, str, Millis]]:
    return STATE_ORDER.index(cluster.state), not cluster.pinned, _by_name(cluster)


def paginate(request: Request, clusters: list[Cluster]) -> tuple[list[Cluster], str, str]:
    """Return the clusters on the requested page, and the tokens for the next and the previous page."""
    size = request.number("page_size", MAX_PAGE_SIZE)
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise invalid(f"page_size must be between 1 and {MAX_PAGE_SIZE}, not {size}")
    start = _decode_token(request.argument("page_token"))
    following = _encode_token(start + size) if start + size < len(clusters) else ""
    previous = _encode_token(max(0, start - size)) if start > 0 else ""
    return clusters[start : start + size], following, previous


def _encode_token(start: int) -> str:
    return base64.urlsafe_b64encode(f"from:{start}".encode()).decode()


def _decode_token(token: str | None) -> int:
    if not token:
        return 0
    try:
        kind, _, start = base64.urlsafe_b64decode(token).decode().partition(":")
        if kind == "from":
            return max(0, int(start))
    except (binascii.Error, ValueError):
        pass
    raise invalid("Invalid page token.")
