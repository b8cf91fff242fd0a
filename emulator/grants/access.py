"""Lookup of the securables that a request names, and checks of what its caller may do."""

from collections.abc import Iterable, Sequence

from emulator.api.errors import ApiError, denied
from emulator.api.routing import Request
from emulator.grants import evaluator
from emulator.grants.principals import caller_holders
from emulator.grants.privileges import spaced
from emulator.models.unity_catalog.metastore import UnityCatalog
from emulator.models.unity_catalog.securables import CATALOG, METASTORE, Securable

_NOUNS = {"storage_credential": "Storage Credential", "external_location": "External Location"}
READ_ONLY = "BINDING_TYPE_READ_ONLY"


def noun(type: str) -> str:
    """Return the type as in messages, such as `External Location`."""
    return _NOUNS.get(type, type.capitalize())


def unity_catalog(request: Request) -> UnityCatalog:
    """Return the securables. Raises 404 METASTORE_DOES_NOT_EXIST if no metastore is assigned to the workspace."""
    state = request.workspace.state
    if state.settings.metastore_id is None:
        raise ApiError(404, "METASTORE_DOES_NOT_EXIST", "No metastore assigned for the current workspace.")
    return state.unity_catalog


def lineage(request: Request, securable: Securable) -> Sequence[Securable]:
    """Return the securable and its containers, nearest first."""
    return list(request.workspace.state.unity_catalog.lineage(securable))


def missing(type: str, full_name: str) -> ApiError:
    """Return the error for a securable that does not exist (404)."""
    return ApiError(404, f"{type.upper()}_DOES_NOT_EXIST", f"{noun(type)} '{full_name}' does not exist.")


def found(request: Request, type: str, full_name: str, *, bound: bool = True) -> Securable:
    """Return the securable with this name, which is case-insensitive.

    Raises 404 if it or its container does not exist. Unless `bound` is false, raises 403 for a catalog, credential or
    location that is bound to other workspaces only.
    """
    catalog = unity_catalog(request)
    if type == METASTORE:
        metastore = catalog.metastore()
        if metastore is None or metastore.id != full_name:
            raise missing(type, full_name)
        return metastore
    folded = full_name.lower()
    securable = catalog.find(type, folded)
    if securable is None:
        parts = folded.split(".")
        for depth, container in ((1, CATALOG), (2, "schema")):
            if len(parts) > depth and not catalog.find(container, ".".join(parts[:depth])):
                raise missing(container, ".".join(parts[:depth]))
        raise missing(type, full_name)
    top = list(catalog.lineage(securable))[-1]
    if bound and not is_bound(request, top):
        raise denied(f"{noun(top.type)} '{top.full_name}' is not accessible in current workspace")
    return securable


def is_bound(request: Request, top: Securable) -> bool:
    """Return whether this workspace may use a catalog, credential or location."""
    return not top.isolated or int(request.workspace.state.workspace_id) in top.bindings


def check_writable(request: Request, securable: Securable) -> None:
    """Raise 403 if the binding of the catalog to this workspace is read-only."""
    top = lineage(request, securable)[-1]
    if top.isolated and top.bindings.get(int(request.workspace.state.workspace_id)) == READ_ONLY:
        raise denied(f"{noun(top.type)} '{top.full_name}' can only be read in the current workspace")


def is_metastore_admin(request: Request) -> bool:
    metastore = request.workspace.state.unity_catalog.metastore()
    return evaluator.is_metastore_admin(caller_holders(request), metastore)


def manages(request: Request, securable: Securable) -> bool:
    """Return whether the caller may grant on it, transfer, rename and delete it."""
    return is_metastore_admin(request) or evaluator.manages(caller_holders(request), lineage(request, securable))


def sees(request: Request, securable: Securable) -> bool:
    """Return whether the caller may see it."""
    return is_metastore_admin(request) or evaluator.sees(caller_holders(request), lineage(request, securable))


def visible(request: Request, securables: Iterable[Securable]) -> list[Securable]:
    """Return the securables that the caller may see."""
    if is_metastore_admin(request):
        return list(securables)
    holders = caller_holders(request)
    return [one for one in securables if evaluator.sees(holders, lineage(request, one))]


def may(request: Request, securable: Securable, privilege: str) -> bool:
    """Return whether the caller has this privilege on it, and USE privileges on its containers."""
    return evaluator.lacking(caller_holders(request), lineage(request, securable), privilege) is None


def require(request: Request, securable: Securable, privilege: str) -> None:
    """Raise 403 PERMISSION_DENIED, with the missing privilege of the outermost container, unless the caller has all."""
    lack = evaluator.lacking(caller_holders(request), lineage(request, securable), privilege)
    if lack:
        raise refused(spaced(lack.privilege), lack.securable)


def require_manage(request: Request, securable: Securable) -> None:
    """Raise 403 unless the caller may grant on it, transfer, rename and delete it."""
    if manages(request, securable):
        return
    holders = caller_holders(request)
    door = evaluator.closed_door(holders, lineage(request, securable)) if securable.owner in holders else None
    raise refused(spaced(door.privilege), door.securable) if door else refused("MANAGE", securable)


def require_sight(request: Request, securable: Securable) -> None:
    """Raise 403 unless the caller may see it."""
    if sees(request, securable):
        return
    door = evaluator.closed_door(caller_holders(request), lineage(request, securable))
    if door:
        raise refused(spaced(door.privilege), door.securable)
    raise refused("BROWSE", securable)


def may_on_metastore(request: Request, privilege: str) -> bool:
    """Return whether the caller has this privilege on the metastore itself."""
    metastore = request.workspace.state.unity_catalog.metastore()
    return metastore is not None and evaluator.has(caller_holders(request), [metastore], privilege)


def require_on_metastore(request: Request, privilege: str) -> None:
    """Raise 403 unless the caller has this privilege on the metastore."""
    if not may_on_metastore(request, privilege):
        raise refused_on_metastore(request, privilege)


def refused_on_metastore(request: Request, privilege: str) -> ApiError:
    metastore = unity_catalog(request).metastore()
    assert metastore is not None
    return refused(spaced(privilege), metastore)


def refused(privilege: str, securable: Securable) -> ApiError:
    name = securable.details.get("name", "") if securable.type == METASTORE else securable.full_name
    return denied(f"User does not have {privilege} on {noun(securable.type)} '{name}'.")
