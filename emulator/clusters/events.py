"""The event list of a cluster: recording, queries, and event faults."""

import base64
import hashlib
import json
from typing import Any

from emulator.api.errors import invalid
from emulator.base.clock import Millis
from emulator.models.clusters import Cluster, ClusterEvent, EventFault, matches
from emulator.state.workspace import EmulatedWorkspace

TYPES = frozenset(
    """
    ADD_NODES_FAILED AUTOMATIC_CLUSTER_UPDATE AUTOSCALING_BACKOFF AUTOSCALING_FAILED AUTOSCALING_STATS_REPORT
    CLUSTER_MIGRATED CREATING DBFS_DOWN DECOMMISSION_ENDED DECOMMISSION_STARTED DEFERRED_POLICY_ENFORCEMENT_FAILED
    DEFERRED_POLICY_ENFORCEMENT_SCHEDULED DID_NOT_EXPAND_DISK DRIVER_HEALTHY DRIVER_NOT_RESPONDING DRIVER_UNAVAILABLE
    EDITED EXPANDED_DISK FAILED_TO_EXPAND_DISK INIT_SCRIPTS_FINISHED INIT_SCRIPTS_STARTED METASTORE_DOWN
    NODES_LOST NODE_BLACKLISTED NODE_EXCLUDED_DECOMMISSIONED PINNED RESIZING RESTARTING RUNNING SPARK_EXCEPTION
    STARTING TERMINATING UC_VOLUME_MISCONFIGURED UNPINNED UPSIZE_COMPLETED
    """.split()
)
DEFAULT_LIMIT = 50
MAX_LIMIT = 500
DROPPED_TYPES = ("TERMINATING",)
LATE_TYPES = ("NODES_LOST", "EXPANDED_DISK")
GIGABYTE = 1024**3


def record(workspace: EmulatedWorkspace, cluster: Cluster, at: Millis, type: str, **details: Any) -> None:
    """Record an event at `at`; details that are None are omitted. Event faults may drop or delay it, or add another
    event."""
    clusters = workspace.state.clusters
    listed = clusters.events.setdefault(cluster.cluster_id, [])
    event = ClusterEvent(at, type, {name: value for name, value in details.items() if value is not None})
    dropped = False
    late: list[ClusterEvent] = []
    for number, fault in enumerate(clusters.event_faults):
        if not _applies(workspace, fault, number, cluster, event):
            continue
        if fault.mode == "dropped":
            dropped = True
        elif fault.mode == "delayed":
            event.visible_from = at + int(fault.seconds * 1000)
        else:
            late.append(_late_event(workspace, fault, cluster, at + int(fault.seconds * 1000)))
    listed.extend(late if dropped else [event, *late])


def _applies(
    workspace: EmulatedWorkspace, fault: EventFault, number: int, cluster: Cluster, event: ClusterEvent
) -> bool:
    if fault.count is not None and fault.met >= fault.count:
        return False
    if fault.mode == "late":
        concerned = event.type == "TERMINATING"
    else:
        types = fault.types or (DROPPED_TYPES if fault.mode == "dropped" else ())
        concerned = not types or event.type in types
    if not concerned or not matches(fault.cluster, cluster):
        return False
    key = f"{workspace.state.ids.seed}:{number}:{cluster.cluster_id}:{event.type}:{event.timestamp}"
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big") / 2**48
    if share >= fault.rate:
        return False
    fault.met += 1
    return True


def _late_event(workspace: EmulatedWorkspace, fault: EventFault, cluster: Cluster, at: Millis) -> ClusterEvent:
    """Return an event that a node sends after the termination request. It is not listed before its own timestamp."""
    types = fault.types or LATE_TYPES
    type = types[fault.met % len(types)]
    instance = workspace.state.ids.hex("instance", f"{cluster.cluster_id}:late", 32)
    details: dict[str, Any] = {"instance_id": instance}
    if type == "EXPANDED_DISK":
        details |= {"previous_disk_size": 100 * GIGABYTE, "disk_size": 150 * GIGABYTE, "free_space": 9 * GIGABYTE}
    else:
        details |= {"current_num_workers": 0, "target_num_workers": cluster.target_workers}
    return ClusterEvent(at, type, details, visible_from=at)


def list_events(workspace: EmulatedWorkspace, cluster_id: str, body: dict[str, Any], now: Millis) -> dict[str, Any]:
    """Return the response of `clusters/events`, paged as requested: with offset and limit, or with page tokens.

    Raises 400 INVALID_PARAMETER_VALUE for an invalid limit, order, type or token.
    """
    by_token = "page_token" in body or "page_size" in body
    wanted = _decode_token(body["page_token"]) if body.get("page_token") else dict(body)
    if by_token:
        wanted["limit"] = body.get("page_size") or wanted.get("limit") or DEFAULT_LIMIT
    limit = _number(wanted, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    offset = _number(wanted, "offset", 0, 0, None)
    order = wanted.get("order") or "DESC"
    if order not in ("ASC", "DESC"):
        raise invalid(f"order must be ASC or DESC, not {order!r}")
    types = wanted.get("event_types") or []
    if not isinstance(types, list):
        raise invalid(f"event_types must be a list, not {types!r}")
    unknown = [type for type in types if not isinstance(type, str) or type not in TYPES]
    if unknown:
        raise invalid(f"Unknown event type: {unknown[0]}")
    end = _number(wanted, "end_time", now, 0, None)
    found = _visible_events(workspace, cluster_id, _number(wanted, "start_time", 0, 0, None), end, types, now)
    if order == "DESC":
        found.reverse()
    answer: dict[str, Any] = {
        "events": [
            {"cluster_id": cluster_id, "timestamp": event.timestamp, "type": event.type, "details": event.details}
            for event in found[offset : offset + limit]
        ],
        "total_count": len(found),
    }
    # Requests for further pages have a fixed end time, so that later events do not shift the pages.
    same: dict[str, Any] = {name: wanted[name] for name in ("start_time", "event_types") if name in wanted}
    same |= {"cluster_id": cluster_id, "order": order, "limit": limit, "end_time": end}
    if offset + limit < len(found):
        following = same | {"offset": offset + limit}
        if not by_token:
            answer["next_page"] = following
        answer["next_page_token"] = _encode_token(following)
    if offset > 0:
        answer["prev_page_token"] = _encode_token(same | {"offset": max(0, offset - limit)})
    return answer


def _visible_events(
    workspace: EmulatedWorkspace, cluster_id: str, start: Millis, end: Millis, types: list[str], now: Millis
) -> list[ClusterEvent]:
    """Return the events that are visible now, oldest first; at the same instant, in the order of recording."""
    found = [
        event
        for event in workspace.state.clusters.events.get(cluster_id, ())
        if start <= event.timestamp <= end and event.visible_from <= now and (not types or event.type in types)
    ]
    return sorted(found, key=lambda event: event.timestamp)


def _number(wanted: dict[str, Any], name: str, default: int, minimum: int, maximum: int | None) -> int:
    value = wanted.get(name)
    if value is None:
        return default
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or value < minimum
        or (maximum is not None and value > maximum)
    ):
        raise invalid(
            f"{name} must be {f'between {minimum} and {maximum}' if maximum else f'at least {minimum}'}, not {value!r}"
        )
    return value


def _encode_token(page: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(page, separators=(",", ":")).encode()).decode()


def _decode_token(token: Any) -> dict[str, Any]:
    try:
        page = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError):
        page = None
    if not isinstance(page, dict):
        raise invalid("Invalid page token.")
    return page
