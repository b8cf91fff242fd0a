"""`/api/2.0/ip-access-lists`."""

import ipaddress
from typing import Any

from emulator.api.errors import ApiError, invalid, missing
from emulator.api.routing import Call, Routes
from emulator.models.settings import IpList
from emulator.permissions.rights import require_admin

PATH = "/api/2.0/ip-access-lists"
MOST_ADDRESSES = 1000
"""In all lists together."""

routes = Routes()


@routes.get(PATH)
def list_lists(call: Call) -> dict[str, Any]:
    require_admin(call)
    return {"ip_access_lists": [_info(found) for found in call.workspace.state.settings.ip_lists.values()]}


@routes.post(PATH)
def create(call: Call) -> dict[str, Any]:
    require_admin(call)
    label, list_type, addresses = call.required("label"), call.required("list_type"), call.required("ip_addresses")
    made = IpList(
        id=call.workspace.state.ids.uuid("ip-list", str(label)),
        label=str(label),
        list_type=_type(list_type),
        addresses=_addresses(call, addresses, None),
        enabled=True,
        created_by=int(call.caller.id),
        created_at=call.now,
        updated_by=int(call.caller.id),
        updated_at=call.now,
    )
    call.workspace.state.settings.ip_lists[made.id] = made
    return {"ip_access_list": _info(made)}


@routes.get(PATH + "/{id}")
def show(call: Call) -> dict[str, Any]:
    require_admin(call)
    return {"ip_access_list": _info(_found(call))}


@routes.patch(PATH + "/{id}")
def update(call: Call) -> dict[str, Any]:
    """What the body leaves out stays."""
    require_admin(call)
    return _changed(call, _found(call))


@routes.put(PATH + "/{id}")
def replace(call: Call) -> dict[str, Any]:
    require_admin(call)
    for name in ("label", "list_type", "enabled"):
        call.required(name)
    return _changed(call, _found(call))


@routes.delete(PATH + "/{id}")
def delete(call: Call) -> dict[str, Any]:
    require_admin(call)
    del call.workspace.state.settings.ip_lists[_found(call).id]
    return {}


def _changed(call: Call, found: IpList) -> dict[str, Any]:
    body = call.body
    list_type = _type(body.get("list_type") or found.list_type)
    addresses = body.get("ip_addresses")
    if addresses is not None:
        found.addresses = _addresses(call, addresses, found)
    found.list_type, found.label = list_type, str(body.get("label") or found.label)
    found.enabled = bool(body.get("enabled", found.enabled))
    found.updated_by, found.updated_at = int(call.caller.id), call.now
    return {"ip_access_list": _info(found)}


def _found(call: Call) -> IpList:
    list_id = call.parameters["id"]
    found = call.workspace.state.settings.ip_lists.get(list_id)
    if found is None:
        raise missing(f"IP access list with id {list_id} does not exist.")
    return found


def _type(given: Any) -> str:
    if given not in ("ALLOW", "BLOCK"):
        raise invalid(f"list_type must be ALLOW or BLOCK, not {given!r}.")
    return str(given)


def _addresses(call: Call, given: Any, itself: IpList | None) -> list[str]:
    if not isinstance(given, list):
        raise invalid("ip_addresses must be a list.")
    for address in given:
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            raise invalid(f"{address!r} is no IP address and no CIDR.") from None
    others = (found for found in call.workspace.state.settings.ip_lists.values() if found is not itself)
    if len(given) + sum(len(other.addresses) for other in others) > MOST_ADDRESSES:
        raise ApiError(400, "QUOTA_EXCEEDED", f"A workspace has at most {MOST_ADDRESSES} addresses in its lists.")
    return [str(address) for address in given]


def _info(found: IpList) -> dict[str, Any]:
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
