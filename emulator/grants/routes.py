"""HTTP handlers of `permissions` and `effective-permissions` on securables of Unity Catalog."""

from collections.abc import Collection
from typing import Any

from emulator.api.errors import invalid
from emulator.api.routing import Request, Routes
from emulator.grants import access, changes, evaluator
from emulator.grants.principals import caller_holders, name_of, resolve
from emulator.grants.privileges import APPLICABLE
from emulator.models.unity_catalog.securables import Grant, Securable

routes = Routes()
MIN_PAGE = 150
BASE = "/api/2.1/unity-catalog"
TYPES = {type: type for type in APPLICABLE} | {"registered_model": "function", "model": "function"}
"""Type in the path → type of the securable."""


@routes.get(BASE + "/permissions/{type}/{name}")
def show(request: Request) -> dict[str, Any]:
    """Return the direct grants. Callers who do not manage the securable see only grants that apply to them."""
    securable = _securable(request)
    access.require_sight(request, securable)
    return _paged(request, _assignments(request, securable))


@routes.patch(BASE + "/permissions/{type}/{name}")
def change(request: Request) -> dict[str, Any]:
    securable = _securable(request)
    access.require_manage(request, securable)
    label = f"{securable.type.upper()}:{securable.full_name}"
    asked = changes.parse(request.body, securable.type, label)
    gone = {id for id in securable.grants if not name_of(request.workspace, id)}
    resolved: list[tuple[str, changes.Change]] = []
    for one in asked:
        if one.principal_id:
            resolved.append((one.principal_id, one))
        elif one.principal or one.add or not gone:
            resolved.append((resolve(request.workspace, one.principal, request.now), one))
        else:
            # Deleted principals have no names: what is removed from the empty name is removed from all of them.
            resolved += [(id, one) for id in sorted(gone)]
    securable.grants = changes.changed(securable.grants, resolved)
    securable.updated_at, securable.updated_by = request.now, request.caller.name
    if request.body.get("omit_permissions_in_response"):
        return {}
    return {"privilege_assignments": _assignments(request, securable)}


@routes.get(BASE + "/effective-permissions/{type}/{name}")
def show_effective(request: Request) -> dict[str, Any]:
    """Return direct and inherited privileges with the securables on which they were granted."""
    securable = _securable(request)
    access.require_sight(request, securable)
    lineage = access.lineage(request, securable)
    written: dict[str, Grant] = {}
    for one in lineage:
        for id, grant in one.grants.items():
            written.setdefault(id, grant)
    asked = _asked(request, securable)
    found = []
    for id, grant in written.items():
        privileges = evaluator.effective(id, lineage)
        if privileges and (asked is None or id in asked):
            named = _principal(request, id, grant)
            found.append(named | {"privileges": [_described(one) for one in privileges]})
    return _paged(request, found)


def _paged(request: Request, assignments: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a page of at most `max_results` privileges, with all privileges of each principal in it; all without.

    Raises 400 for a size that may be too small for the privileges of one principal.
    """
    size, begin = request.number("max_results", 0), request.number("page_token", 0)
    if size < 0 or 0 < size < MIN_PAGE or begin < 0:
        raise invalid(f"max_results must be 0 or at least {MIN_PAGE}, and page_token must be from an earlier response.")
    end, count = begin, 0
    for one in assignments[begin:]:
        count += len(one["privileges"])
        if size and count > size and end > begin:
            break
        end += 1
    following = {"next_page_token": str(end)} if end < len(assignments) else {}
    return {"privilege_assignments": assignments[begin:end]} | following


def _securable(request: Request) -> Securable:
    type = TYPES.get(request.parameters["type"].lower())
    if type is None:
        raise invalid(
            f"{request.parameters['type']} is not a securable type. Use one of {', '.join(sorted(APPLICABLE))}."
        )
    return access.found(request, type, request.parameters["name"])


def _assignments(request: Request, securable: Securable) -> list[dict[str, Any]]:
    asked = _asked(request, securable)
    return [
        _principal(request, id, grant) | {"privileges": list(grant.privileges)}
        for id, grant in securable.grants.items()
        if asked is None or id in asked
    ]


def _principal(request: Request, id: str, grant: Grant) -> dict[str, Any]:
    """Return the principal's name; for a deleted one an empty name and the id, with which it can be removed."""
    name = name_of(request.workspace, id, grant.principal)
    return {"principal": name} if name else {"principal": "", "principal_id": id}


def _asked(request: Request, securable: Securable) -> Collection[str] | None:
    """Return the principals to show: the one in the query, all (None), or the caller with its groups."""
    name = request.argument("principal")
    if name:
        return (resolve(request.workspace, name, request.now),)
    return None if access.manages(request, securable) else caller_holders(request)


def _described(one: evaluator.Effective) -> dict[str, Any]:
    if one.inherited_from is None:
        return {"privilege": one.privilege}
    source = one.inherited_from
    return {
        "privilege": one.privilege,
        "inherited_from_type": source.type.upper(),
        "inherited_from_name": source.full_name,
    }
