"""HTTP of `secrets`: scopes, the secrets in them, and their ACLs."""

import base64
import binascii
import re
from typing import Any

from emulator.api.errors import ApiError, denied, exists, invalid, missing
from emulator.api.routing import Call, Routes
from emulator.models.scim import USERS, Principal
from emulator.models.secrets import (
    LEVELS,
    MANAGE,
    MOST_BYTES,
    MOST_SCOPES,
    MOST_SECRETS,
    READ,
    WRITE,
    Scope,
    Secret,
)

_NAME = re.compile(r"[\w@.\-]{1,128}", re.ASCII)

routes = Routes()


@routes.post("/api/2.0/secrets/scopes/create")
def create_scope(call: Call) -> dict[str, Any]:
    scopes = call.workspace.state.secrets.scopes
    name = _named("scope", call.required("scope"))
    backend = call.body.get("scope_backend_type") or "DATABRICKS"
    if backend != "DATABRICKS":
        raise invalid(f"scope_backend_type must be DATABRICKS; the emulator has no {backend}.")
    if name in scopes:
        raise exists(f"Scope {name} already exists!")
    if len(scopes) >= MOST_SCOPES:
        raise _too_many(f"The workspace has {MOST_SCOPES} scopes already.")
    scopes[name] = Scope(name, acls={_first_manager(call): MANAGE})
    return {}


@routes.get("/api/2.0/secrets/scopes/list")
def list_scopes(call: Call) -> dict[str, Any]:
    directory = call.workspace.state.directory
    return {
        "scopes": [
            {"name": scope.name, "backend_type": "DATABRICKS"}
            for scope in call.workspace.state.secrets.scopes.values()
            if scope.level_of(directory, call.caller.id)
        ]
    }


@routes.post("/api/2.0/secrets/scopes/delete")
def delete_scope(call: Call) -> dict[str, Any]:
    scope = _scope(call, call.required("scope"), MANAGE)
    del call.workspace.state.secrets.scopes[scope.name]
    return {}


@routes.post("/api/2.0/secrets/put")
def put(call: Call) -> dict[str, Any]:
    scope = _scope(call, call.required("scope"), WRITE)
    key = _named("key", call.required("key"))
    value = _value(call)
    if len(value) > MOST_BYTES:
        raise invalid(f"The value of {key} has {len(value)} bytes; a secret has at most {MOST_BYTES}.")
    if key not in scope.secrets and len(scope.secrets) >= MOST_SECRETS:
        raise _too_many(f"Scope {scope.name} has {MOST_SECRETS} secrets already.")
    scope.secrets[key] = Secret(value, call.now)
    return {}


@routes.get("/api/2.0/secrets/get")
def show(call: Call) -> dict[str, Any]:
    scope = _scope(call, call.required_argument("scope"), READ)
    key = call.required_argument("key")
    return {"key": key, "value": base64.b64encode(_secret(scope, key).value).decode()}


@routes.get("/api/2.0/secrets/list")
def list_secrets(call: Call) -> dict[str, Any]:
    scope = _scope(call, call.required_argument("scope"), READ)
    return {
        "secrets": [{"key": key, "last_updated_timestamp": secret.updated_at} for key, secret in scope.secrets.items()]
    }


@routes.post("/api/2.0/secrets/delete")
def delete(call: Call) -> dict[str, Any]:
    scope = _scope(call, call.required("scope"), WRITE)
    key = str(call.required("key"))
    _secret(scope, key)
    del scope.secrets[key]
    return {}


@routes.post("/api/2.0/secrets/acls/put")
def put_acl(call: Call) -> dict[str, Any]:
    scope = _scope(call, call.required("scope"), MANAGE)
    principal = _principal(call, call.required("principal"))
    level = call.required("permission")
    if level not in LEVELS:
        raise invalid(f"permission must be one of {', '.join(LEVELS)}, not {level!r}.")
    scope.acls[principal.id] = level
    return {}


@routes.get("/api/2.0/secrets/acls/get")
def show_acl(call: Call) -> dict[str, Any]:
    scope = _scope(call, call.required_argument("scope"), MANAGE)
    principal = _principal(call, call.required_argument("principal"))
    return {"principal": principal.name, "permission": _level(scope, principal)}


@routes.get("/api/2.0/secrets/acls/list")
def list_acls(call: Call) -> dict[str, Any]:
    scope = _scope(call, call.required_argument("scope"), MANAGE)
    holders = ((call.workspace.state.directory.principal(holder), level) for holder, level in scope.acls.items())
    return {"items": [{"principal": holder.name, "permission": level} for holder, level in holders if holder]}


@routes.post("/api/2.0/secrets/acls/delete")
def delete_acl(call: Call) -> dict[str, Any]:
    scope = _scope(call, call.required("scope"), MANAGE)
    principal = _principal(call, call.required("principal"))
    _level(scope, principal)
    del scope.acls[principal.id]
    return {}


def _first_manager(call: Call) -> str:
    """The id of who manages a new scope: its creator, or everybody if that is asked for."""
    wanted = call.body.get("initial_manage_principal")
    if not wanted:
        return call.caller.id
    everybody = call.workspace.state.directory.group_named(USERS)
    if wanted != USERS or everybody is None:
        raise invalid(f"initial_manage_principal can only be {USERS}, not {wanted!r}.")
    return everybody.id


def _scope(call: Call, name: Any, level: str) -> Scope:
    """Raises 404 for one that does not exist and 403 unless the caller has `level` on it."""
    scope = call.workspace.state.secrets.scopes.get(str(name))
    if scope is None:
        raise missing(f"Scope {name} does not exist!")
    held = scope.level_of(call.workspace.state.directory, call.caller.id)
    if held is None or LEVELS.index(held) < LEVELS.index(level):
        raise denied(f"User {call.caller.name} does not have {level} permission on scope {scope.name}")
    return scope


def _secret(scope: Scope, key: str) -> Secret:
    secret = scope.secrets.get(key)
    if secret is None:
        raise missing(f"No secret found with key {key} in scope {scope.name}")
    return secret


def _principal(call: Call, name: Any) -> Principal:
    """By user name, group name or application id."""
    directory, text = call.workspace.state.directory, str(name)
    found = directory.user_named(text) or directory.group_named(text) or directory.service_principal_named(text)
    if found is None:
        raise missing(f"Principal {text} does not exist.")
    return found


def _level(scope: Scope, principal: Principal) -> str:
    level = scope.acls.get(principal.id)
    if level is None:
        raise missing(f"Failed to get secret acl for principal {principal.name} for scope {scope.name}.")
    return level


def _value(call: Call) -> bytes:
    text, encoded = call.body.get("string_value"), call.body.get("bytes_value")
    if (text is None) == (encoded is None):
        raise ApiError(400, "MALFORMED_REQUEST", "Exactly one of string_value and bytes_value must be given.")
    given = encoded if text is None else text
    if not isinstance(given, str):
        raise invalid("The value of a secret must be text.")
    if text is not None:
        return given.encode()
    try:
        return base64.b64decode(given, validate=True)
    except binascii.Error:
        raise invalid("bytes_value must be base64-encoded.") from None


def _named(what: str, given: Any) -> str:
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        raise invalid(f"{what} must be 1 to 128 letters, digits and characters of -_@. but is {given!r}.")
    return given


def _too_many(message: str) -> ApiError:
    return ApiError(400, "RESOURCE_LIMIT_EXCEEDED", message)
