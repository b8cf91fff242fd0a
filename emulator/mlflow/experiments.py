"""HTTP handlers of `/api/2.0/mlflow/experiments`. The name of an experiment is its path in the workspace."""

from typing import Any

from emulator.api.errors import ApiError, exists, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.base.paths import WorkspacePath
from emulator.mlflow.tags import describe_tags, parse_tags
from emulator.models.files.objects import Node
from emulator.models.mlflow import ExperimentDetails
from emulator.objects.imports import add_object
from emulator.objects.paths import parse
from emulator.objects.rights import Rights

routes = Routes()
PATH = "/api/2.0/mlflow/experiments"


@routes.post(f"{PATH}/create")
def create(request: Request) -> dict[str, Any]:
    """Create an experiment in an existing folder."""
    path = parse(request.required("name"))
    tags = parse_tags(request.body.get("tags"))
    location = request.body.get("artifact_location") or ""
    if not isinstance(location, str):
        raise invalid("artifact_location must be a string")
    folder = _folder(request, path)
    node = add_object(request, Rights(request), folder, path, "MLFLOW_EXPERIMENT")
    request.workspace.state.mlflow.experiments[node.id] = ExperimentDetails(
        artifact_location=location or _default_location(node), tags=tags
    )
    return {"experiment_id": str(node.id)}


@routes.get(f"{PATH}/get")
def get(request: Request) -> dict[str, Any]:
    """Return an experiment, also a deleted one."""
    id = request.required_argument("experiment_id")
    deleted = request.workspace.state.mlflow.deleted.get(id)
    return {"experiment": deleted or _info(request, _find(request, id, "CAN_READ"))}


@routes.get(f"{PATH}/get-by-name")
def get_by_name(request: Request) -> dict[str, Any]:
    name = request.required_argument("experiment_name")
    path = parse(name)
    node = request.workspace.state.objects.find(path.names)
    if node is None or node.kind != "MLFLOW_EXPERIMENT":
        raise missing(f"Experiment with name '{name}' does not exist.")
    Rights(request).require(node, "CAN_READ", path)
    return {"experiment": _info(request, node)}


@routes.post(f"{PATH}/update")
def rename(request: Request) -> dict[str, Any]:
    """Rename an experiment; the new name may be in another folder."""
    node = _find(request, request.required("experiment_id"), "CAN_MANAGE")
    objects = request.workspace.state.objects
    path = parse(request.required("new_name"))
    if path.names != objects.names(node):
        folder = _folder(request, path)
        Rights(request).require(folder, "CAN_EDIT", path.parent)
        objects.move(node, folder, path.name)
        node.modified_at = request.now
    return {}


@routes.post(f"{PATH}/set-experiment-tag")
def set_tag(request: Request) -> dict[str, Any]:
    node = _find(request, request.required("experiment_id"), "CAN_EDIT")
    tags = parse_tags([{"key": request.required("key"), "value": request.body.get("value", "")}])
    details = request.workspace.state.mlflow.experiments.setdefault(node.id, _details(request, node))
    details.tags |= tags
    return {}


@routes.post(f"{PATH}/delete")
def delete(request: Request) -> dict[str, Any]:
    """Delete an experiment. Its path is free again; `get` still returns it, as deleted."""
    node = _find(request, request.required("experiment_id"), "CAN_MANAGE")
    state = request.workspace.state
    state.mlflow.deleted[str(node.id)] = _info(request, node) | {"lifecycle_stage": "deleted"}
    for gone in state.objects.remove(node):
        state.acls.remove_object(gone.acl_name)
    state.mlflow.experiments.pop(node.id, None)
    return {}


def _find(request: Request, id: Any, level: str) -> Node:
    """Return an experiment on which the caller has a permission. Raises 404 for an unknown id, 403 without it."""
    objects = request.workspace.state.objects
    node = objects.find_by_acl_name(f"/experiments/{id}")
    if node is None:
        raise missing(f"Node ID {id} does not exist.")
    Rights(request).require(node, level, WorkspacePath(objects.names(node)))
    return node


def _folder(request: Request, path: WorkspacePath) -> Node:
    """Return the folder of a new experiment. Raises 404 if it does not exist, 400 if the path is taken."""
    objects = request.workspace.state.objects
    folder = objects.find(path.parent.names)
    if not path.names or objects.find(path.names):
        raise exists(f"Node named '{path.name if path.names else '/'}' already exists")
    if folder is None or not folder.is_container:
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Parent directory {path.parent.text} does not exist.")
    return folder


def _default_location(node: Node) -> str:
    return f"dbfs:/databricks/mlflow-tracking/{node.id}"


def _details(request: Request, node: Node) -> ExperimentDetails:
    known = request.workspace.state.mlflow.experiments.get(node.id)
    return known or ExperimentDetails(artifact_location=_default_location(node))


def _info(request: Request, node: Node) -> dict[str, Any]:
    details = _details(request, node)
    return {
        "experiment_id": str(node.id),
        "name": request.workspace.state.objects.path(node),
        "artifact_location": details.artifact_location,
        "lifecycle_stage": "active",
        "creation_time": node.created_at,
        "last_update_time": node.modified_at,
    } | ({"tags": describe_tags(details.tags)} if details.tags else {})
