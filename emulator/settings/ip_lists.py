"""`/api/2.0/ip-access-lists`."""

import ipaddress
from typing import Any

from emulator.api.errors import ApiError, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.models.settings import IpAccessList
from emulator.permissions.rights import require_admin

PATH = "/api/2.0/ip-access-lists"
MAX_ADDRESSES = 1000
"""Maximum total number of addresses in all lists."""

routes = Routes()


@routes.get(PATH)
def list_access_lists(request: Request) -> dict[str, Any]:
    require_admin(request)
    return {"ip_access_lists": [_info(found) for found in request.workspace.state.settings.ip_lists.values()]}


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    require_admin(request)
    label, list_type, addresses = (
        request.required("label"),
        request.required("list_type"),
        request.required("ip_addresses"),
    )
    made = IpAccessList(
        id=request.workspace.state.ids.uuid("ip-list", str(label)),
        label=str(label),
        list_type=_type(list_type),
        addresses=_addresses(request, addresses, None),
        enabled=True,
        created_by=int(request.caller.id),
        created_at=request.now,
        updated_by=int(request.caller.id),
        updated_at=request.now,
    )
    request.workspace.state.settings.ip_lists[made.id] = made
    return {"ip_access_list": _info(made)}


@routes.get(PATH + "/{id}")
def show(request: Request) -> dict[str, Any]:
    require_admin(request)
    return {"ip_access_list": _info(_find(request))}


@routes.patch(PATH + "/{id}")
def update(request: Request) -> dict[str, Any]:
    """Change the list; fields that are not in the body are kept."""
    require_admin(request)
    return _changed(request, _find(request))


@routes.put(PATH + "/{id}")
def replace(request: Request) -> dict[str, Any]:
    require_admin(request)
    for name in ("label", "list_type", "enabled"):
        request.required(name)
    return _changed(request, _find(request))


@routes.delete(PATH + "/{id}")
def delete(request: Request) -> dict[str, Any]:
    require_admin(request)
    del request.workspace.state.settings.ip_lists[_find(request).id]
    return {}


def _changed(request: Request, found: IpAccessList) -> dict[str, Any]:
    body = request.body
    list_type = _type(body.get("list_type") or found.list_type)
    addresses = body.get("ip_addresses")
    if addresses is not None:
        found.addresses = _addresses(request, addresses, found)
    found.list_type, found.label = list_type, str(body.get("label") or found.label)
    found.enabled = bool(body.get("enabled", found.enabled))
    found.updated_by, found.updated_at = int(request.caller.id), request.now
    return {"ip_access_list": _info(found)}


def _find(request: Request) -> IpAccessList:
    list_id = request.parameters["id"]
    found = request.workspace.state.settings.ip_lists.get(list_id)
    if found is None:
        raise missing(f"IP access list with id {list_id} does not exist.")
    return found


def _type(given: Any) -> str:
    if given not in ("ALLOW", "BLOCK"):
        raise invalid(f"list_type must be ALLOW or BLOCK, not {given!r}.")
    return str(given)


def _addresses(request: Request, given: Any, itself: IpAccessList | None) -> list[str]:
    if not isinstance(given, list):
        raise invalid("ip_addresses must be a list.")
    for address in given:
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            raise invalid(f"{address!r} is not an IP address or CIDR range.") from None
    others = (found for found in request.workspace.state.settings.ip_lists.values() if found is not itself)
    if len(given) + sum(len(other.addresses) for other in others) > MAX_ADDRESSES:
        raise ApiError(400, "QUOTA_EXCEEDED", f"A workspace has at most {MAX_ADDRESSES} addresses in its lists.")
    return [str(address) for address in given]


def _info(found: IpAccessList) -> dict[str, Any]:
    return {
        "list_id": found.id,
        "label": found.label,
        "list_type": found.list_type,
        "ip_addresses": found.addresses,
        "address_count": len(found.addresses),
        "enabled": found.enabled,
        "created_by": found.created_by,
        "created_at": found.created_at,
        "updated_by": found.updated_by,
        "updated_at": found.updated_at,
    }
