"""HTTP handlers for the account's SCIM, `/api/2.0/account/scim/v2`, which workspaces offer to their administrators.

Users and service principals are the same as in this workspace, with the same ids, and are read-only here.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, get_args

from emulator.api.errors import ScimError
from emulator.api.routing import Request, Response, Routes
from emulator.models.scim import Principal, ResourceKind
from emulator.scim import changes
from emulator.scim.documents import Projection, Renderer
from emulator.scim.lists import list_page
from emulator.scim.lookup import find

BASE = "/api/2.0/account/scim/v2"
WORKSPACE_ATTRIBUTES = "entitlements,roles"
"""Attributes that principals have only in a workspace."""

routes = Routes()


def _for_admins(handler: Callable[[ResourceKind, Request], Any], kind: ResourceKind, request: Request) -> Any:
    if not request.workspace.state.directory.is_admin(request.caller.id):
        raise ScimError(403, "Only administrators can perform this operation.")
    return handler(kind, request)


def list_resources(kind: ResourceKind, request: Request) -> dict[str, Any]:
    return list_page(request, kind, _projection(request), account=True)


def show(kind: ResourceKind, request: Request) -> dict[str, Any]:
    return _document(request, find(kind, request, account=True))


def create(kind: ResourceKind, request: Request) -> Response:
    group = changes.create_account_group(request.workspace, request.body, request.now)
    return Response(201, _document(request, group))


def patch(kind: ResourceKind, request: Request) -> dict[str, Any]:
    group = find(kind, request, account=True)
    changes.patch(request.workspace, group, request.body, account=True)
    return _document(request, group)


def delete(kind: ResourceKind, request: Request) -> Response:
    changes.delete(request.workspace, find(kind, request, account=True), request.caller.id, account=True)
    return Response(204)


for _kind in get_args(ResourceKind):
    routes.get(f"{BASE}/{_kind}")(partial(_for_admins, list_resources, _kind))
    routes.get(f"{BASE}/{_kind}/{{id}}")(partial(_for_admins, show, _kind))
routes.post(f"{BASE}/Groups")(partial(_for_admins, create, "Groups"))
routes.patch(f"{BASE}/Groups/{{id}}")(partial(_for_admins, patch, "Groups"))
routes.delete(f"{BASE}/Groups/{{id}}")(partial(_for_admins, delete, "Groups"))


def _document(request: Request, principal: Principal) -> dict[str, Any]:
    directory = request.workspace.state.directory
    return Renderer(directory, _projection(request), account=True).document(principal)


def _projection(request: Request) -> Projection:
    excluded = f"{request.argument('excludedAttributes') or ''},{WORKSPACE_ATTRIBUTES}"
    return Projection.of(request.argument("attributes"), excluded)
