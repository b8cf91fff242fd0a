"""HTTP of `scim`: `/api/2.0/preview/scim/v2`, and the older API of groups beside it."""

from functools import partial
from typing import Any, get_args

from emulator.api.errors import ScimError
from emulator.api.routing import Call, Reply, Routes
from emulator.models.scim import Kind, Principal, ServicePrincipal, User
from emulator.objects.homes import make_home
from emulator.scim import changes, legacy
from emulator.scim.documents import OPEN, Projection, Renderer, me_document
from emulator.scim.lists import listing

BASE = "/api/2.0/preview/scim/v2"
NOUNS: dict[Kind, str] = {"Users": "User", "Groups": "Group", "ServicePrincipals": "ServicePrincipal"}

scim = Routes()


@scim.get(f"{BASE}/Me")
def show_me(call: Call) -> dict[str, Any]:
    projection = Projection.of(call.argument("attributes"), call.argument("excludedAttributes"))
    return me_document(call.workspace.state.directory, call.caller, projection)


def list_some(kind: Kind, call: Call) -> dict[str, Any]:
    return listing(call, kind, _projection(call))


def show(kind: Kind, call: Call) -> dict[str, Any]:
    principal = _found(kind, call)
    return Renderer(call.workspace.state.directory, _projection(call, principal)).document(principal)


def create(kind: Kind, call: Call) -> Reply:
    _require_admin(call)
    maker = {
        "Users": changes.create_user,
        "Groups": changes.create_group,
        "ServicePrincipals": changes.create_service_principal,
    }[kind]
    return Reply(201, _document(call, maker(call.workspace, call.body, call.now)))


def replace(kind: Kind, call: Call) -> dict[str, Any]:
    _require_admin(call)
    principal = _found(kind, call)
    changes.replace(call.workspace, principal, call.body)
    return _document(call, principal)


def patch(kind: Kind, call: Call) -> dict[str, Any]:
    _require_admin(call)
    principal = _found(kind, call)
    changes.patch(call.workspace, principal, call.body)
    return _document(call, principal)


def delete(kind: Kind, call: Call) -> Reply:
    _require_admin(call)
    changes.delete(call.workspace, _found(kind, call), call.caller.id)
    return Reply(204)


@scim.put("/api/2.0/workspace/user/{id}/homefolder")
def provide_home(call: Call) -> dict[str, Any]:
    """What a first login does: the home folder is there afterwards."""
    _require_admin(call)
    principal = call.workspace.state.directory.principal(call.parameters["id"])
    if not isinstance(principal, User | ServicePrincipal):
        raise ScimError(404, f"User with id {call.parameters['id']} not found.")
    make_home(call.workspace, principal.name)
    return {}


for _kind in get_args(Kind):
    scim.get(f"{BASE}/{_kind}")(partial(list_some, _kind))
    scim.post(f"{BASE}/{_kind}")(partial(create, _kind))
    scim.get(f"{BASE}/{_kind}/{{id}}")(partial(show, _kind))
    scim.put(f"{BASE}/{_kind}/{{id}}")(partial(replace, _kind))
    scim.patch(f"{BASE}/{_kind}/{{id}}")(partial(patch, _kind))
    scim.delete(f"{BASE}/{_kind}/{{id}}")(partial(delete, _kind))

routes = [*scim, *legacy.routes]


def _found(kind: Kind, call: Call) -> Principal:
    directory = call.workspace.state.directory
    principal_id = call.parameters["id"]
    principal = directory.principal(principal_id)
    if principal is None or directory.kind(principal_id) != kind:
        raise ScimError(404, f"{NOUNS[kind]} with id {principal_id} not found.")
    return principal


def _document(call: Call, principal: Principal) -> dict[str, Any]:
    return Renderer(call.workspace.state.directory).document(principal)


def _projection(call: Call, principal: Principal | None = None) -> Projection:
    """What the caller asked for; of others than itself it gets little unless it is an administrator."""
    itself = principal is not None and principal.id == call.caller.id
    everything = itself or call.workspace.state.directory.is_admin(call.caller.id)
    return Projection.of(call.argument("attributes"), call.argument("excludedAttributes"), None if everything else OPEN)


def _require_admin(call: Call) -> None:
    if not call.workspace.state.directory.is_admin(call.caller.id):
        raise ScimError(403, "Only administrators can perform this operation.")
