"""`/api/2.0/global-init-scripts`: scripts that run on all nodes, in order."""

import base64
import binascii
from typing import Any

from emulator.api.errors import ApiError, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.models.settings import InitScript
from emulator.permissions.rights import require_admin

PATH = "/api/2.0/global-init-scripts"
MAX_BYTES = 64 * 1024

routes = Routes()


@routes.get(PATH)
def list_scripts(request: Request) -> dict[str, Any]:
    require_admin(request)
    return {"scripts": [_details(request, script) for script in _scripts(request)]}


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    require_admin(request)
    name = str(request.required("name"))
    _check_name(request, name, None)
    script = InitScript(
        id=request.workspace.state.ids.hex("init-script", name, 16).upper(),
        name=name,
        script=_content(request.required("script")),
        enabled=bool(request.body.get("enabled", False)),
        created_by=request.caller.name,
        created_at=request.now,
        updated_by=request.caller.name,
        updated_at=request.now,
    )
    _insert(request, script, request.body.get("position"))
    return {"script_id": script.id}


@routes.get(PATH + "/{id}")
def show(request: Request) -> dict[str, Any]:
    require_admin(request)
    script = _find(request)
    return _details(request, script) | {"script": script.script}


@routes.patch(PATH + "/{id}")
def update(request: Request) -> dict[str, Any]:
    """Change the script; fields that are not in the body are kept."""
    require_admin(request)
    script = _find(request)
    name = str(request.body.get("name") or script.name)
    _check_name(request, name, script)
    content = _content(request.body["script"]) if request.body.get("script") else script.script
    if request.body.get("position") is not None:
        _check_position(request.body["position"])
        _scripts(request).remove(script)
        _insert(request, script, request.body["position"])
    script.name, script.script = name, content
    script.enabled = bool(request.body.get("enabled", script.enabled))
    script.updated_by, script.updated_at = request.caller.name, request.now
    return {}


@routes.delete(PATH + "/{id}")
def delete(request: Request) -> dict[str, Any]:
    require_admin(request)
    _scripts(request).remove(_find(request))
    return {}


def _scripts(request: Request) -> list[InitScript]:
    return request.workspace.state.settings.init_scripts


def _find(request: Request) -> InitScript:
    script_id = request.parameters["id"]
    script = next((script for script in _scripts(request) if script.id == script_id), None)
    if script is None:
        raise missing(f"The global init script with id {script_id} does not exist.")
    return script


def _insert(request: Request, script: InitScript, position: Any) -> None:
    """Insert the script at the position, or at the end without one."""
    _check_position(position)
    scripts = _scripts(request)
    scripts.insert(len(scripts) if position is None else position, script)


def _check_position(position: Any) -> None:
    if position is not None and (isinstance(position, bool) or not isinstance(position, int) or position < 0):
        raise invalid(f"position must be a number from 0, not {position!r}.")


def _check_name(request: Request, name: str, itself: InitScript | None) -> None:
    if len(name) > 100:
        raise invalid("The name of a global init script has at most 100 characters.")
    if any(script.name == name and script is not itself for script in _scripts(request)):
        raise ApiError(400, "RESOURCE_ALREADY_EXISTS", f"A global init script named {name} already exists.")


def _content(given: Any) -> str:
    try:
        size = len(base64.b64decode(given, validate=True))
    except (binascii.Error, TypeError, ValueError):
        raise invalid("script must be base64-encoded.") from None
    if size > MAX_BYTES:
        raise invalid(f"The script has {size} bytes; a global init script has at most {MAX_BYTES}.")
    return str(given)


def _details(request: Request, script: InitScript) -> dict[str, Any]:
    return {
        "script_id": script.id,
        "name": script.name,
        "position": _scripts(request).index(script),
        "enabled": script.enabled,
        "created_by": script.created_by,
        "created_at": script.created_at,
        "updated_by": script.updated_by,
        "updated_at": script.updated_at,
    }
