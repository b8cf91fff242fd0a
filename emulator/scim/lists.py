"""SCIM lists: filtered, sorted and paged; pages beyond the last are empty."""

from collections.abc import Iterable
from typing import Any

from emulator.api.errors import ScimError
from emulator.api.routing import Request
from emulator.base.clock import Millis
from emulator.models.scim import Directory, Principal, ResourceKind
from emulator.scim import filters
from emulator.scim.documents import Projection, Renderer, paths
from emulator.scim.lookup import has

LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def list_page(request: Request, kind: ResourceKind, projection: Projection, account: bool = False) -> dict[str, Any]:
    """Return the requested page of `kind`, of this workspace or of the account.

    Raises ScimError 400 for an invalid query.
    """
    directory = request.workspace.state.directory
    renderer = Renderer(directory, projection, several=True, account=account)
    found: Iterable[Principal] = visible(directory, kind, request.now, account)
    text = request.argument("filter")
    if text:
        chosen = filters.parse(text, [path for path in paths(kind) if projection.allows(path)])
        found = (p for p in found if chosen(lambda path, p=p: renderer.values(p, path)))  # type: ignore[misc]
    page = list(found)
    order = request.argument("sortBy")
    if order:
        page = _sorted(page, kind, renderer, order, descending=request.argument("sortOrder", "") == "descending")
    start = max(1, _whole_number(request, "startIndex", 1))
    count = max(0, _whole_number(request, "count", len(page)))
    resources = [renderer.document(principal) for principal in page[start - 1 : start - 1 + count]]
    return {
        "schemas": [LIST_RESPONSE],
        "totalResults": len(page),
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def visible(directory: Directory, kind: ResourceKind, now: Millis, account: bool = False) -> list[Principal]:
    """Return the principals that lists of the workspace, or of the account, show now, in the order of creation."""
    everyone: dict[ResourceKind, Iterable[Principal]] = {
        "Users": directory.users.values(),
        "Groups": directory.groups.values(),
        "ServicePrincipals": directory.service_principals.values(),
    }
    return [
        principal for principal in everyone[kind] if principal.visible_from <= now and has(principal, account=account)
    ]


def _sorted(
    page: list[Principal], kind: ResourceKind, renderer: Renderer, by: str, descending: bool
) -> list[Principal]:
    path = by.lower()
    if path not in paths(kind) or not renderer.projection.allows(path):
        raise ScimError(400, f"Cannot sort by {by!r}: unknown attribute.", "invalidPath")
    return sorted(page, key=lambda p: [text.casefold() for text in renderer.values(p, path)][:1], reverse=descending)


def _whole_number(request: Request, name: str, default: int) -> int:
    text = request.argument(name)
    try:
        return int(text) if text else default
    except ValueError:
        raise ScimError(400, f"{name} must be an integer, not {text!r}.", "invalidValue") from None
