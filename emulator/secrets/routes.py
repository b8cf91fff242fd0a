"""HTTP handlers for secrets: scopes, secrets and ACLs."""

import base64
import binascii
import re
from typing import Any

from emulator.api.errors import ApiError, denied, exists, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.models.scim import USERS, Principal
from emulator.models.secrets import (
    LEVELS,
    MANAGE,
    MAX_BYTES,
    MAX_SCOPES,
    MAX_SECRETS,
    READ,
    WRITE,
    Scope,
    Secret,
)

_NAME = re.compile(r"[\w@.\-]{1,128}", re.ASCII)

routes = Routes()


@routes.post("/api/2.0/secrets/scopes/create")
def create_scope(request: Request) -> dict[str, Any]:
    scopes = request.workspace.state.secrets.scopes
    name = _valid_name("scope", request.required("scope"))
    backend = request.body.get("scope_backend_type") or "DATABRICKS"
    if backend != "DATABRICKS":
        raise invalid(f"scope_backend_type must be DATABRICKS; the emulator has no {backend}.")
    if name in scopes:
        raise exists(f"Scope {name} already exists!")
    if len(scopes) >= MAX_SCOPES:
        raise _too_many(f"The workspace has {MAX_SCOPES} scopes already.")
    scopes[name] = Scope(name, acls={_first_manager(request): MANAGE})
    return {}


@routes.get("/api/2.0/secrets/scopes/list")
def list_scopes(request: Request) -> dict[str, Any]:
    directory = request.workspace.state.directory
    return {
        "scopes": [
            {"name": scope.name, "backend_type": "DATABRICKS"}
            for scope in request.workspace.state.secrets.scopes.values()
            if scope.level_of(directory, request.caller.id)
        ]
    }


@routes.post("/api/2.0/secrets/scopes/delete")
def delete_scope(request: Request) -> dict[str, Any]:
    scope = _scope(request, request.required("scope"), MANAGE)
    del request.workspace.state.secrets.scopes[scope.name]
    return {}


@routes.post("/api/2.0/secrets/put")
def put(request: Request) -> dict[str, Any]:
    scope = _scope(request, request.required("scope"), WRITE)
    key = _valid_name("key", request.required("key"))
    value = _value(request)
    if len(value) > MAX_BYTES:
        raise invalid(f"The value of {key} has {len(value)} bytes; a secret has at most {MAX_BYTES}.")
    if key not in scope.secrets and len(scope.secrets) >= MAX_SECRETS:
        raise _too_many(f"Scope {scope.name} has {MAX_SECRETS} secrets already.")
    scope.secrets[key] = Secret(value, request.now)
    return {}


@routes.get("/api/2.0/secrets/get")
def show(request: Request) -> dict[str, Any]:
    scope = _scope(request, request.required_argument("scope"), READ)
    key = request.required_argument("key")
    return {"key": key, "value": base64.b64encode(_secret(scope, key).value).decode()}


@routes.get("/api/2.0/secrets/list")
def list_secrets(request: Request) -> dict[str, Any]:
    scope = _scope(request, request.required_argument("scope"), READ)
    return {
        "secrets": [{"key": key, "last_updated_timestamp": secret.updated_at} for key, secret in scope.secrets.items()]
    }


@routes.post("/api/2.0/secrets/delete")
def delete(request: Request) -> dict[str, Any]:
    scope = _scope(request, request.required("scope"), WRITE)
    key = str(request.required("key"))
    _secret(scope, key)
    del scope.secrets[key]
    return {}


@routes.post("/api/2.0/secrets/acls/put")
def put_acl(request: Request) -> dict[str, Any]:
    scope = _scope(request, request.required("scope"), MANAGE)
    principal = _principal(request, request.required("principal"))
    level = request.required("permission")
    if level not in LEVELS:
        raise invalid(f"permission must be one of {', '.join(LEVELS)}, not {level!r}.")
    scope.acls[principal.id] = level
    return {}


@routes.get("/api/2.0/secrets/acls/get")
def show_acl(request: Request) -> dict[str, Any]:
    scope = _scope(request, request.required_argument("scope"), MANAGE)
    principal = _principal(request, request.required_argument("principal"))
    return {"principal": principal.name, "permission": _level(scope, principal)}


@routes.get("/api/2.0/secrets/acls/list")
def list_acls(request: Request) -> dict[str, Any]:
    scope = _scope(request, request.required_argument("scope"), MANAGE)
    holders = ((request.workspace.state.directory.principal(holder), level) for holder, level in scope.acls.items())
    return {"items": [{"principal": holder.name, "permission": level} for holder, level in holders if holder]}


@routes.post("/api/2.0/secrets/acls/delete")
def delete_acl(request: Request) -> dict[str, Any]:
    scope = _scope(request, request.required("scope"), MANAGE)
    principal = _principal(request, request.required("principal"))
    _level(scope, principal)
    del scope.acls[principal.id]
    return {}


def _first_manager(request: Request) -> str:
    """Return the id of a new scope's first manager: its creator, or the group `users` if requested."""
    wanted = request.body.get("initial_manage_principal")
    if not wanted:
        return request.caller.id
    everybody = request.workspace.state.directory.find_group(USERS)
    if wanted != USERS or everybody is None:
        raise invalid(f"initial_manage_principal can only be {USERS}, not {wanted!r}.")
    return everybody.id


def _scope(request: Request, name: Any, level: str) -> Scope:
    """Return the scope. Raises 404 if it does not exist, 403 unless the caller has `level` on it."""
    scope = request.workspace.state.secrets.scopes.get(str(name))
    if scope is None:
        raise missing(f"Scope {name} does not exist!")
    held = scope.level_of(request.workspace.state.directory, request.caller.id)
    if held is None or LEVELS.index(held) < LEVELS.index(level):
        raise denied(f"User {request.caller.name} does not have {level} permission on scope {scope.name}")
    return scope


def _secret(scope: Scope, key: str) -> Secret:
    secret = scope.secrets.get(key)
    if secret is None:
        raise missing(f"No secret found with key {key} in scope {scope.name}")
    return secret


def _principal(request: Request, name: Any) -> Principal:
    """Return the principal with this user name, group name or application id. Raises 404 if it does not exist."""
    directory, text = request.workspace.state.directory, str(name)
    found = directory.find_user(text) or directory.find_group(text) or directory.find_service_principal(text)
    if found is None:
        raise missing(f"Principal {text} does not exist.")
    return found


def _level(scope: Scope, principal: Principal) -> str:
    level = scope.acls.get(principal.id)
    if level is None:
        raise missing(f"Failed to get secret acl for principal {principal.name} for scope {scope.name}.")
    return level


def _value(request: Request) -> bytes:
    text, encoded = request.body.get("string_value"), request.body.get("bytes_value")
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


def _valid_name(what: str, given: Any) -> str:
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        raise invalid(
            f"{what} must consist of 1 to 128 letters, digits, hyphens, underscores, @ signs and periods, "
            f"not {given!r}."
        )
    return given


def _too_many(message: str) -> ApiError:
    return ApiError(400, "RESOURCE_LIMIT_EXCEEDED", message)
