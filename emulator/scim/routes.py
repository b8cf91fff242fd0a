"""HTTP handlers for SCIM: `/api/2.0/preview/scim/v2`, and the legacy groups API."""

from functools import partial
from typing import Any, get_args

from emulator.api.errors import ScimError
from emulator.api.routing import Request, Response, Routes
from emulator.models.scim import Principal, ResourceKind, ServicePrincipal, User
from emulator.objects.homes import make_home
from emulator.scim import changes, legacy
from emulator.scim.documents import PUBLIC_ATTRIBUTES, Projection, Renderer, me_document
from emulator.scim.lists import list_page
from emulator.scim.lookup import find

BASE = "/api/2.0/preview/scim/v2"

scim = Routes()


@scim.get(f"{BASE}/Me")
def show_me(request: Request) -> dict[str, Any]:
    projection = Projection.of(request.argument("attributes"), request.argument("excludedAttributes"))
    return me_document(request.workspace.state.directory, request.caller, projection)


def list_resources(kind: ResourceKind, request: Request) -> dict[str, Any]:
    return list_page(request, kind, _projection(request))


def show(kind: ResourceKind, request: Request) -> dict[str, Any]:
    principal = find(kind, request)
    return Renderer(request.workspace.state.directory, _projection(request, principal)).document(principal)


def create(kind: ResourceKind, request: Request) -> Response:
    _require_admin(request)
    maker = {
        "Users": changes.create_user,
        "Groups": changes.create_group,
        "ServicePrincipals": changes.create_service_principal,
    }[kind]
    return Response(201, _document(request, maker(request.workspace, request.body, request.now)))


def replace(kind: ResourceKind, request: Request) -> dict[str, Any]:
    _require_admin(request)
    principal = find(kind, request)
    changes.replace(request.workspace, principal, request.body)
    return _document(request, principal)


def patch(kind: ResourceKind, request: Request) -> dict[str, Any]:
    _require_admin(request)
    principal = find(kind, request)
    changes.patch(request.workspace, principal, request.body)
    return _document(request, principal)


def delete(kind: ResourceKind, request: Request) -> Response:
    _require_admin(request)
    changes.delete(request.workspace, find(kind, request), request.caller.id)
    return Response(204)


@scim.put("/api/2.0/workspace/user/{id}/homefolder")
def provide_home(request: Request) -> dict[str, Any]:
    """Create the user's home folder, as the first login does."""
    _require_admin(request)
    principal = request.workspace.state.directory.principal(request.parameters["id"])
    if not isinstance(principal, User | ServicePrincipal):
        raise ScimError(404, f"User with id {request.parameters['id']} not found.")
    make_home(request.workspace, principal.name)
    return {}


for _kind in get_args(ResourceKind):
    scim.get(f"{BASE}/{_kind}")(partial(list_resources, _kind))
    scim.post(f"{BASE}/{_kind}")(partial(create, _kind))
    scim.get(f"{BASE}/{_kind}/{{id}}")(partial(show, _kind))
    scim.put(f"{BASE}/{_kind}/{{id}}")(partial(replace, _kind))
    scim.patch(f"{BASE}/{_kind}/{{id}}")(partial(patch, _kind))
    scim.delete(f"{BASE}/{_kind}/{{id}}")(partial(delete, _kind))

routes = [*scim, *legacy.routes]


def _document(request: Request, principal: Principal) -> dict[str, Any]:
    return Renderer(request.workspace.state.directory).document(principal)


def _projection(request: Request, principal: Principal | None = None) -> Projection:
    """Return the requested projection. Without admin rights, callers see only public attributes of other principals."""
    itself = principal is not None and principal.id == request.caller.id
    everything = itself or request.workspace.state.directory.is_admin(request.caller.id)
    return Projection.of(
        request.argument("attributes"),
        request.argument("excludedAttributes"),
        None if everything else PUBLIC_ATTRIBUTES,
    )


def _require_admin(request: Request) -> None:
    if not request.workspace.state.directory.is_admin(request.caller.id):
        raise ScimError(403, "Only administrators can perform this operation.")
