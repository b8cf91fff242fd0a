"""Empty lists of services that the emulator does not have, so that programs which list everything do not fail.

If pipelines or Unity Catalog are added as packages, their routes move there.
"""

from typing import Any

from emulator.api.errors import ApiError
from emulator.api.routing import Request, Routes

routes = Routes()


@routes.get("/api/2.0/instance-profiles/list")
def list_instance_profiles(request: Request) -> dict[str, Any]:
    return {"instance_profiles": []}


@routes.get("/api/2.0/apps")
def list_apps(request: Request) -> dict[str, Any]:
    return {"apps": []}


@routes.get("/api/2.0/pipelines")
def list_pipelines(request: Request) -> dict[str, Any]:
    return {"statuses": []}


@routes.get("/api/2.1/unity-catalog/current-metastore-assignment")
def show_metastore_assignment(request: Request) -> dict[str, Any]:
    return {
        "metastore_id": _metastore(request),
        "workspace_id": int(request.workspace.state.workspace_id),
        "default_catalog_name": "main",
    }


@routes.get("/api/2.1/unity-catalog/metastore_summary")
def show_metastore(request: Request) -> dict[str, Any]:
    metastore_id = _metastore(request)
    return {"metastore_id": metastore_id, "name": "metastore", "cloud": "azure", "privilege_model_version": "1.0"}


def _metastore(request: Request) -> str:
    """Return the metastore id. Raises 404 if the workspace has none."""
    metastore_id = request.workspace.state.settings.metastore_id
    if metastore_id is None:
        raise ApiError(404, "METASTORE_DOES_NOT_EXIST", "No metastore assigned for the current workspace.")
    return metastore_id
