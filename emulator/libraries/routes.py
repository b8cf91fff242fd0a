"""HTTP of `libraries`: `/api/2.0/libraries/*`."""

from typing import Any

from emulator.api.errors import invalid
from emulator.api.routing import Call, Routes
from emulator.libraries import flow
from emulator.models.libraries import KINDS, Installation, is_library
from emulator.permissions.cluster_access import permitted, visible

routes = Routes()


@routes.post("/api/2.0/libraries/install")
def install(call: Call) -> dict[str, Any]:
    cluster = permitted(call, "CAN_MANAGE")
    flow.install(call.workspace, cluster.cluster_id, _libraries(call), call.now)
    return {}


@routes.post("/api/2.0/libraries/uninstall")
def uninstall(call: Call) -> dict[str, Any]:
    cluster = permitted(call, "CAN_MANAGE")
    flow.uninstall(call.workspace, cluster.cluster_id, _libraries(call))
    return {}


@routes.get("/api/2.0/libraries/cluster-status")
def cluster_status(call: Call) -> dict[str, Any]:
    return _statuses(call, permitted(call, "CAN_ATTACH_TO").cluster_id)


@routes.get("/api/2.0/libraries/all-cluster-statuses")
def all_cluster_statuses(call: Call) -> dict[str, Any]:
    libraries = call.workspace.state.libraries
    return {
        "statuses": [
            _statuses(call, cluster.cluster_id) for cluster in visible(call) if libraries.of(cluster.cluster_id)
        ]
    }


def _libraries(call: Call) -> list[dict[str, Any]]:
    wanted = call.required("libraries")
    if not isinstance(wanted, list):
        raise invalid("libraries must be a list")
    for library in wanted:
        if not is_library(library):
            raise invalid(f"A library is exactly one of {', '.join(KINDS)}, not {library!r}")
    return wanted


def _statuses(call: Call, cluster_id: str) -> dict[str, Any]:
    installations = call.workspace.state.libraries.of(cluster_id)
    return {"cluster_id": cluster_id, "library_statuses": [_status(one) for one in installations]}


def _status(installation: Installation) -> dict[str, Any]:
    return {
        "library": installation.library,
        "status": installation.status,
        "messages": installation.messages,
        "is_library_for_all_clusters": False,
    }
