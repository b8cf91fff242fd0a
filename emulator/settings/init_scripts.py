"""`/api/2.0/global-init-scripts`: scripts that every node runs, in their order."""

import base64
import binascii
from typing import Any

from emulator.api.errors import ApiError, invalid, missing
from emulator.api.routing import Call, Routes
from emulator.models.settings import InitScript
from emulator.permissions.rights import require_admin

PATH = "/api/2.0/global-init-scripts"
MOST_BYTES = 64 * 1024

routes = Routes()


@routes.get(PATH)
def list_scripts(call: Call) -> dict[str, Any]:
    require_admin(call)
    return {"scripts": [_details(call, script) for script in _scripts(call)]}


@routes.post(PATH)
def create(call: Call) -> dict[str, Any]:
    require_admin(call)
    name = str(call.required("name"))
    _check_name(call, name, None)
    script = InitScript(
        id=call.workspace.state.ids.hex("init-script", name, 16).upper(),
        name=name,
        script=_content(call.required("script")),
        enabled=bool(call.body.get("enabled", False)),
        created_by=call.caller.name,
        created_at=call.now,
        updated_by=call.caller.name,
        updated_at=call.now,
    )
    _place(call, script, call.body.get("position"))
    return {"script_id": script.id}


@routes.get(PATH + "/{id}")
def show(call: Call) -> dict[str, Any]:
    require_admin(call)
    script = _found(call)
    return _details(call, script) | {"script": script.script}


@routes.patch(PATH + "/{id}")
def update(call: Call) -> dict[str, Any]:
    """What the body leaves out stays."""
    require_admin(call)
    script = _found(call)
    name = str(call.body.get("name") or script.name)
    _check_name(call, name, script)
    content = _content(call.body["script"]) if call.body.get("script") else script.script
    if call.body.get("position") is not None:
        _check_position(call.body["position"])
        _scripts(call).remove(script)
        _place(call, script, call.body["position"])
    script.name, script.script = name, content
    script.enabled = bool(call.body.get("enabled", script.enabled))
    script.updated_by, script.updated_at = call.caller.name, call.now
    return {}


@routes.delete(PATH + "/{id}")
def delete(call: Call) -> dict[str, Any]:
    require_admin(call)
    _scripts(call).remove(_found(call))
    return {}


def _scripts(call: Call) -> list[InitScript]:
    return call.workspace.state.settings.init_scripts


def _found(call: Call) -> InitScript:
    script_id = call.parameters["id"]
    script = next((script for script in _scripts(call) if script.id == script_id), None)
    if script is None:
        raise missing(f"The global init script with id {script_id} does not exist.")
    return script


def _place(call: Call, script: InitScript, position: Any) -> None:
    """At the position, before the one that has it; at the end without one."""
    _check_position(position)
    scripts = _scripts(call)
    scripts.insert(len(scripts) if position is None else position, script)


def _check_position(position: Any) -> None:
    if position is not None and (isinstance(position, bool) or not isinstance(position, int) or position < 0):
        raise invalid(f"position must be a number from 0, not {position!r}.")


def _check_name(call: Call, name: str, itself: InitScript | None) -> None:
    if len(name) > 100:
        raise invalid("The name of a global init script has at most 100 characters.")
    if any(script.name == name and script is not itself for script in _scripts(call)):
        raise ApiError(400, "RESOURCE_ALREADY_EXISTS", f"A global init script named {name} already exists.")


def _content(given: Any) -> str:
    try:
        size = len(base64.b64decode(given, validate=True))
    except (binascii.Error, TypeError, ValueError):
        raise invalid("script must be base64-encoded.") from None
    if size > MOST_BYTES:
        raise invalid(f"The script has {size} bytes; a global init script has at most {MOST_BYTES}.")
    return str(given)


def _details(call: Call, script: InitScript) -> dict[str, Any]:
    return {
        "script_id": script.id,
        "name": script.name,
        "position": _scripts(call).index(script),
        "enabled": script.enabled,
        "created_by": script.created_by,
        "created_at": script.created_at,
        "updated_by": script.updated_by,
        "updated_at": script.updated_at,
    }
