"""HTTP handlers of `bindings`, also in the older form: the workspaces that may use an isolated securable."""

from typing import Any

from emulator.api.errors import invalid
from emulator.api.routing import Request, Routes
from emulator.grants import access
from emulator.models.unity_catalog.securables import (
    CATALOG,
    CREDENTIAL,
    EXTERNAL_LOCATION,
    STORAGE_CREDENTIAL,
    Securable,
)

routes = Routes()
BASE = "/api/2.1/unity-catalog"
READ_WRITE = "BINDING_TYPE_READ_WRITE"
KINDS = (READ_WRITE, access.READ_ONLY)
TYPES = (CATALOG, STORAGE_CREDENTIAL, CREDENTIAL, EXTERNAL_LOCATION)


@routes.get(BASE + "/bindings/{type}/{name}")
def show(request: Request) -> dict[str, Any]:
    return {"bindings": _described(_securable(request, request.parameters["type"]))}


@routes.patch(BASE + "/bindings/{type}/{name}")
def change(request: Request) -> dict[str, Any]:
    securable = _securable(request, request.parameters["type"])
    after = dict(securable.bindings)
    for one in _entries(request, "remove"):
        after.pop(_workspace(one.get("workspace_id")), None)
    for one in _entries(request, "add"):
        kind = one.get("binding_type") or READ_WRITE
        if kind not in KINDS:
            raise invalid(f"binding_type must be one of {', '.join(KINDS)}, not {kind!r}")
        after[_workspace(one.get("workspace_id"))] = kind
    securable.bindings = after
    return {"bindings": _described(securable)}


@routes.get(BASE + "/workspace-bindings/catalogs/{name}")
def show_workspaces(request: Request) -> dict[str, Any]:
    return {"workspaces": list(_securable(request, CATALOG).bindings)}


@routes.patch(BASE + "/workspace-bindings/catalogs/{name}")
def change_workspaces(request: Request) -> dict[str, Any]:
    catalog = _securable(request, CATALOG)
    gone, added = _workspaces(request, "unassign_workspaces"), _workspaces(request, "assign_workspaces")
    after = {id: kind for id, kind in catalog.bindings.items() if id not in gone}
    catalog.bindings = after | {id: after.get(id, READ_WRITE) for id in added}
    return {"workspaces": list(catalog.bindings)}


def _securable(request: Request, type: str) -> Securable:
    """Return the securable. Raises 403 unless the caller manages it; bindings do not matter here."""
    type = type.lower().replace("-", "_")
    if type not in TYPES:
        raise invalid(f"{type} cannot be bound to workspaces. Use one of {', '.join(TYPES)}.")
    securable = access.found(request, type, request.parameters["name"], bound=False)
    access.require_manage(request, securable)
    return securable


def _entries(request: Request, field: str) -> list[dict[str, Any]]:
    given = request.body.get(field) or []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise invalid(f"{field} must be a list of bindings")
    return given


def _workspaces(request: Request, field: str) -> list[int]:
    given = request.body.get(field) or []
    if not isinstance(given, list):
        raise invalid(f"{field} must be a list of workspace ids")
    return [_workspace(one) for one in given]


def _workspace(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(f"workspace_id must be an integer, not {value!r}")
    return value


def _described(securable: Securable) -> list[dict[str, Any]]:
    return [{"workspace_id": id, "binding_type": kind} for id, kind in securable.bindings.items()]
