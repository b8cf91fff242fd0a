"""HTTP handlers of the workspace's registry of models: models without versions."""

from typing import Any

from emulator.api.errors import exists, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.mlflow.tags import describe_tags, parse_tags
from emulator.models.mlflow import RegisteredModel
from emulator.models.permissions import MANAGE, TYPES
from emulator.permissions.rights import has_permission, levels_of, require_permission

routes = Routes()
PATH = "/api/2.0/mlflow/registered-models"
TYPE = "registered-models"
_WORDS = {"CAN_READ": "View", "CAN_EDIT": "Edit", MANAGE: "Manage"}


@routes.post(f"{PATH}/create")
def create(request: Request) -> dict[str, Any]:
    """Create a model; every user may."""
    state = request.workspace.state
    name, tags = _name(request, "name"), parse_tags(request.body.get("tags"))
    description = _description(request)
    _check_is_free(request, name)
    model = RegisteredModel(
        id=state.ids.hex("model", name, 32),
        name=name,
        creator=request.caller.name,
        created_at=request.now,
        updated_at=request.now,
        description=description,
        tags=tags,
    )
    state.mlflow.models[name] = model
    state.acls.grant(model.acl_name, request.caller.id, MANAGE)
    return {"registered_model": _info(model)}


@routes.get("/api/2.0/mlflow/databricks/registered-models/get")
def get(request: Request) -> dict[str, Any]:
    """Return a model with its id and the caller's permission level."""
    model = _find(request, request.required_argument("name"), "CAN_READ")
    levels = TYPES[TYPE].levels
    held = levels_of(request.workspace, request.caller.id, model.acl_name)
    is_admin = request.workspace.state.directory.is_admin(request.caller.id)
    level = MANAGE if is_admin else max(held, key=levels.index)
    return {"registered_model_databricks": _info(model) | {"id": model.id, "permission_level": level}}


@routes.get(f"{PATH}/list")
def list_models(request: Request) -> dict[str, Any]:
    """Return the models that the caller may read, in the order of creation."""
    models = request.workspace.state.mlflow.models.values()
    caller = request.caller.id
    return {
        "registered_models": [
            _info(one) for one in models if has_permission(request.workspace, caller, TYPE, one.acl_name, "CAN_READ")
        ]
    }


@routes.patch(f"{PATH}/update")
def update(request: Request) -> dict[str, Any]:
    """Change the description."""
    model = _find(request, request.required("name"), "CAN_EDIT")
    model.description, model.updated_at = _description(request), request.now
    return {"registered_model": _info(model)}


@routes.post(f"{PATH}/rename")
def rename(request: Request) -> dict[str, Any]:
    model = _find(request, request.required("name"), MANAGE)
    name = _name(request, "new_name")
    _check_is_free(request, name)
    models = request.workspace.state.mlflow.models
    del models[model.name]
    model.name, model.updated_at = name, request.now
    models[name] = model
    return {"registered_model": _info(model)}


@routes.delete(f"{PATH}/delete")
def delete(request: Request) -> dict[str, Any]:
    model = _find(request, request.argument_or_field("name") or "", MANAGE)
    state = request.workspace.state
    del state.mlflow.models[model.name]
    state.acls.remove_object(model.acl_name)
    return {}


def _find(request: Request, name: Any, level: str) -> RegisteredModel:
    """Return a model on which the caller has this permission. Raises 404 for an unknown id, 403 without it."""
    model = request.workspace.state.mlflow.models.get(str(name))
    if model is None:
        raise missing(f"RegisteredModel '{name}' does not exist.")
    text = f"{request.caller.name} does not have {_WORDS[level]} permissions on the registered model {name}."
    require_permission(request, TYPE, model.acl_name, level, text)
    return model


def _name(request: Request, field: str) -> str:
    name = request.required(field)
    if not isinstance(name, str) or any(mark in name for mark in "/:."):
        raise invalid(f"{field} must be a text without slashes, colons and periods")
    return name


def _description(request: Request) -> str:
    description = request.body.get("description") or ""
    if not isinstance(description, str):
        raise invalid("description must be a string")
    return description


def _check_is_free(request: Request, name: str) -> None:
    if name in request.workspace.state.mlflow.models:
        raise exists(f"RegisteredModel '{name}' already exists.")


def _info(model: RegisteredModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "user_id": model.creator,
        "creation_timestamp": model.created_at,
        "last_updated_timestamp": model.updated_at,
        "description": model.description,
        "tags": describe_tags(model.tags),
    }
