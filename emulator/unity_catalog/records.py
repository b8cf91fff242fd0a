"""Creation, changes, lists and deletion of securables of all types."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.api.errors import ApiError, denied, invalid
from emulator.api.routing import Request
from emulator.grants import access
from emulator.grants.evaluator import DOORS
from emulator.grants.principals import resolve
from emulator.models.unity_catalog.securables import CATALOG, SCHEMA, TABLE, VOLUME, Securable
from emulator.unity_catalog.documents import described

Body = Mapping[str, Any]

MAX_NAME_LENGTH = 255
"""In characters."""
_FORBIDDEN = re.compile(r"[\s./\x00-\x1f\x7f]")
_OBJECT, _LIST, _FLAG = (dict, "an object"), (list, "a list of objects"), (bool, "true or false")
_TYPES: Mapping[str, tuple[type, str]] = {
    "properties": _OBJECT,
    "options": _OBJECT,
    "columns": _LIST,
    "read_only": _FLAG,
    "fallback": _FLAG,
    "enable_file_events": _FLAG,
    "file_event_queue": _OBJECT,
    "encryption_details": _OBJECT,
    "aws_iam_role": _OBJECT,
    "azure_managed_identity": _OBJECT,
    "azure_service_principal": _OBJECT,
    "cloudflare_api_token": _OBJECT,
    "databricks_gcp_service_account": _OBJECT,
}
"""Types of fields that are not strings, with their names in messages."""
_WITH_FILES = (CATALOG, SCHEMA, VOLUME)
_ISOLATED = {"ISOLATED": True, "OPEN": False, "ISOLATION_MODE_ISOLATED": True, "ISOLATION_MODE_OPEN": False}


def text(body: Body, field: str, default: str = "") -> str:
    """Return a string field. Raises 400 for other types."""
    value = body.get(field)
    if value is None:
        return default
    if not isinstance(value, str):
        raise invalid(f"{field} must be a string")
    return value


def required(body: Body, field: str, operation: str) -> str:
    """Return a required string field. `operation` is the name of the request in messages, such as `CreateVolume`."""
    value = text(body, field)
    if not value:
        raise invalid(f"{operation} Missing required field: {field}")
    return value


def checked_name(body: Body, type: str, operation: str, field: str = "name") -> str:
    """Return the name in lower case. Raises 400 for an invalid name."""
    name = text(body, field)
    if not name or len(name) > MAX_NAME_LENGTH or _FORBIDDEN.search(name):
        info = f"{access.noun(type).replace(' ', '')}Info"
        raise invalid(
            f'Invalid input: RPC {operation} Field managedcatalog.{info}.{field}: name "{name}" is not a valid name. '
            "Valid names cannot contain spaces, periods, forward slashes, or control characters."
        )
    return name.lower()


def pairs(body: Body, field: str) -> dict[str, str]:
    """Return a field with properties or options. Raises 400 unless all values are strings."""
    value = body.get(field) or {}
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise invalid(f"{field} must be an object whose values are strings")
    return dict(value)


def details(body: Body, fields: Iterable[str]) -> dict[str, Any]:
    """Return the given fields that the body has, without nulls. Raises 400 for values of a wrong type."""
    found: dict[str, Any] = {}
    for field in fields:
        value = body.get(field)
        if value is None:
            continue
        kind, noun = _TYPES.get(field, (str, "a string"))
        if not isinstance(value, kind):
            raise invalid(f"{field} must be {noun}")
        found[field] = pairs(body, field) if field in ("properties", "options") else value
    if not all(isinstance(column, dict) for column in found.get("columns", ())):
        raise invalid("columns must be a list of objects")
    return found


def make(
    request: Request,
    type: str,
    full_name: str,
    details: Mapping[str, Any],
    *,
    subtype: str = "",
    owner: str | None = None,
) -> Securable:
    """Create a securable, which the caller owns by default. Raises 400 if the name is taken."""
    catalog = access.unity_catalog(request)
    if catalog.find(type, full_name):
        raise exists(type, full_name)
    return catalog.add(
        Securable(
            type=type,
            full_name=full_name,
            id=request.workspace.state.ids.uuid(type, full_name),
            owner=owner or request.caller.id,
            created_at=request.now,
            created_by=request.caller.name,
            updated_at=request.now,
            updated_by=request.caller.name,
            subtype=subtype,
            details={name: value for name, value in details.items() if value is not None},
        )
    )


def show(request: Request, type: str, parameter: str = "full_name") -> dict[str, Any]:
    """Return the securable that a parameter of the path names. Raises 404 or 403 unless the caller may see it."""
    securable = access.found(request, type, request.parameters[parameter])
    access.require_sight(request, securable)
    return described(request, securable)


def exists(type: str, full_name: str) -> ApiError:
    return ApiError(400, f"{type.upper()}_ALREADY_EXISTS", f"{access.noun(type)} '{full_name}' already exists")


def change(request: Request, securable: Securable, fields: Iterable[str], operation: str) -> dict[str, Any]:
    """Apply a PATCH of owner, name, isolation mode and the given fields. Return the securable for the response.

    Raises 403 unless the caller manages the securable, 404 for an unknown owner, 400 for a name that is taken.
    """
    access.require_manage(request, securable)
    body = request.body
    given = details(body, fields)
    owner = resolve(request.workspace, text(body, "owner"), request.now) if body.get("owner") else securable.owner
    isolated = _isolation(body, securable)
    name = checked_name(body, securable.type, operation, "new_name") if body.get("new_name") else securable.name
    full_name = securable.full_name.removesuffix(securable.name) + name
    catalog = access.unity_catalog(request)
    if full_name != securable.full_name:
        if catalog.find(securable.type, full_name):
            raise exists(securable.type, full_name)
        move_files(request, securable, full_name)
        catalog.rename(securable, full_name)
    securable.owner, securable.isolated = owner, isolated
    securable.details |= given
    securable.updated_at, securable.updated_by = request.now, request.caller.name
    return described(request, securable)


def _isolation(body: Body, securable: Securable) -> bool:
    mode = text(body, "isolation_mode")
    if not mode:
        return securable.isolated
    if mode not in _ISOLATED:
        raise invalid(f"isolation_mode must be one of {', '.join(_ISOLATED)}, not {mode!r}")
    return _ISOLATED[mode]


def page(request: Request, name: str, found: Iterable[Securable], **more: Any) -> dict[str, Any]:
    """Return a page of the securables that the caller may see; without `max_results`, all of them."""
    return paged(request, name, [described(request, one) for one in access.visible(request, found)]) | more


def paged(request: Request, name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    size, begin = request.number("max_results", 0), request.number("page_token", 0)
    if size < 0 or begin < 0:
        raise invalid("max_results and page_token must not be negative.")
    end = begin + size if size else len(entries)
    answer: dict[str, Any] = {name: entries[begin:end]}
    return answer | ({"next_page_token": str(end)} if end < len(entries) else {})


def schema_of(body: Body, operation: str) -> str:
    """Return the full name of the schema from the fields of the body."""
    return f"{required(body, 'catalog_name', operation)}.{required(body, 'schema_name', operation)}"


def container(request: Request, type: str, full_name: str, privilege: str) -> Securable:
    """Return the container of a new securable. Raises 404 if it does not exist, 403 without the privilege to create."""
    found = access.found(request, type, full_name)
    access.require(request, found, DOORS[type])
    access.require(request, found, privilege)
    access.check_writable(request, found)
    return found


def drop(request: Request, securable: Securable) -> None:
    """Delete a securable with its contents and the files of its volumes. Raises 403 for the catalog `system`."""
    if securable.type in (CATALOG, SCHEMA, TABLE) and securable.full_name.partition(".")[0] == "system":
        raise denied(f"{access.noun(securable.type)} '{securable.full_name}' is managed by Databricks")
    files = request.workspace.state.volumes
    entry = files.find(_path(securable.full_name))
    if entry and securable.type in _WITH_FILES:
        files.remove(entry, len(files.entries))
    access.unity_catalog(request).remove(securable)


def move_files(request: Request, securable: Securable, full_name: str) -> None:
    """Move the files of volumes after a volume, schema or catalog is renamed."""
    files = request.workspace.state.volumes
    entry = files.find(_path(securable.full_name))
    if entry is None or securable.type not in _WITH_FILES:
        return
    target = _path(full_name)
    left = files.find(target)
    if left:
        files.remove(left, len(files.entries))
    files.move(entry, files.make_folders(target[:-1], request.now), target[-1])


def _path(full_name: str) -> tuple[str, ...]:
    return ("Volumes", *full_name.split("."))
