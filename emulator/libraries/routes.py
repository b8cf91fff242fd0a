"""HTTP handlers for libraries: `/api/2.0/libraries/*`."""

from typing import Any

from emulator.api.errors import invalid
from emulator.api.routing import Request, Routes
from emulator.libraries import installation
from emulator.models.libraries import KINDS, Installation, is_library
from emulator.permissions.cluster_access import permitted_cluster, visible_clusters

routes = Routes()


@routes.post("/api/2.0/libraries/install")
def install(request: Request) -> dict[str, Any]:
    cluster = permitted_cluster(request, "CAN_MANAGE")
    installation.install(request.workspace, cluster.cluster_id, _libraries(request), request.now)
    return {}


@routes.post("/api/2.0/libraries/uninstall")
def uninstall(request: Request) -> dict[str, Any]:
    cluster = permitted_cluster(request, "CAN_MANAGE")
    installation.uninstall(request.workspace, cluster.cluster_id, _libraries(request))
    return {}


@routes.get("/api/2.0/libraries/cluster-status")
def cluster_status(request: Request) -> dict[str, Any]:
    return _statuses(request, permitted_cluster(request, "CAN_ATTACH_TO").cluster_id)


@routes.get("/api/2.0/libraries/all-cluster-statuses")
def all_cluster_statuses(request: Request) -> dict[str, Any]:
    libraries = request.workspace.state.libraries
    return {
        "statuses": [
            _statuses(request, cluster.cluster_id)
            for cluster in visible_clusters(request)
            if libraries.on_cluster(cluster.cluster_id)
        ]
    }


def _libraries(request: Request) -> list[dict[str, Any]]:
    wanted = request.required("libraries")
    if not isinstance(wanted, list):
        raise invalid("libraries must be a list")
    for library in wanted:
        if not is_library(library):
            raise invalid(f"A library is exactly one of {', '.join(KINDS)}, not {library!r}")
    return wanted


def _statuses(request: Request, cluster_id: str) -> dict[str, Any]:
    installations = request.workspace.state.libraries.on_cluster(cluster_id)
    return {"cluster_id": cluster_id, "library_statuses": [_status(one) for one in installations]}


def _status(installation: Installation) -> dict[str, Any]:
    return {
        "library": installation.library,
        "status": installation.status,
        "messages": installation.messages,
        "is_library_for_all_clusters": False,
    }
