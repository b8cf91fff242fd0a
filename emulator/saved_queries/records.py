"""Creation, changes, lists and deletion of saved queries and alerts."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from emulator.api.errors import ApiError, exists, invalid, missing
from emulator.api.routing import Request
from emulator.base.clock import to_iso
from emulator.models.sql.saved_queries import PERMISSION_TYPES, SavedObject, SavedType
from emulator.objects.paths import parse
from emulator.objects.rights import Rights
from emulator.permissions.rights import has_permission, require_permission
from emulator.warehouses.access import require_sql

Fields = Mapping[str, tuple[type, ...]]
"""The fields that a request may set, with the JSON types of their values."""
Check = Callable[[Request, Mapping[str, Any]], None]
"""Raises ApiError if fields have values that a query or an alert cannot have."""

PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
OWNER = "owner_user_name"
_WORDS = {"CAN_READ": "View", "CAN_EDIT": "Edit", "CAN_MANAGE": "Manage"}
_NOUNS = {str: "a string", bool: "true or false", int: "an integer", list: "a list", dict: "an object"}


def sent_object(request: Request, type: SavedType) -> dict[str, Any]:
    """Return the object in the body. Raises 400 if it is missing."""
    sent = request.required(type)
    if not isinstance(sent, dict):
        raise invalid(f"{type} must be an object")
    return sent


def wants_free_name(request: Request) -> bool:
    """Return whether the request asks for another name if its own is taken."""
    return request.body.get("auto_resolve_display_name") is True


def create(
    request: Request, type: SavedType, sent: Mapping[str, Any], fields: Fields, check: Check, *, renames: bool
) -> SavedObject:
    """Create an object that the caller owns, by default in the caller's home.

    `renames` is whether a name that is taken in the folder gets a number. Raises 400 for invalid fields or a name that
    is taken, 403 without permission to add to the folder, 404 for a folder or another object that does not exist.
    """
    require_sql(request)
    values = _values(sent, fields)
    parent = _folder(request, sent)
    if not values.get("display_name"):
        raise invalid(f"Missing required field: {type}.display_name")
    check(request, values)
    values["display_name"] = _free_name(request, type, parent, values["display_name"], renames)
    state = request.workspace.state
    made = SavedObject(
        id=state.ids.uuid(type, f"{parent}/{values['display_name']}"),
        type=type,
        owner=request.caller.id,
        parent_path=parent,
        created_at=request.now,
        updated_at=request.now,
        modified_by=request.caller.name,
        fields=values,
    )
    state.saved_queries.by_id[made.id] = made
    state.acls.grant(made.acl_name, request.caller.id, "CAN_MANAGE")
    return made


def find(request: Request, type: SavedType, id: str, level: str) -> SavedObject:
    """Return an object on which the caller has this permission. Raises 404 for an unknown id, 403 without it."""
    require_sql(request)
    found = request.workspace.state.saved_queries.find(type, id, request.now)
    if found is None:
        raise missing(f"{type.capitalize()} {id} does not exist.")
    text = (
        f"{request.caller.name} does not have {_WORDS[level]} permissions on {type} {id}. "
        "Please contact the owner or an administrator for access."
    )
    require_permission(request, PERMISSION_TYPES[type], found.acl_name, level, text)
    return found


def masked(request: Request, sent: Mapping[str, Any], fields: Fields) -> list[str]:
    """Return the names of the fields that `update_mask` names. Raises 400 for an invalid mask."""
    mask = [name.strip() for name in str(request.required("update_mask")).split(",")]
    names = [name for name in (*fields, OWNER) if name in sent] if mask == ["*"] else mask
    unknown = [name for name in names if name.partition(".")[0] not in (*fields, OWNER)]
    if unknown:
        raise invalid(f"update_mask: unknown field {unknown[0]!r}; use one of {', '.join((*fields, OWNER))}")
    return [name.partition(".")[0] for name in names]


def update(
    request: Request,
    saved: SavedObject,
    sent: Mapping[str, Any],
    names: Collection[str],
    fields: Fields,
    check: Check,
    *,
    renames: bool,
) -> None:
    """Set the fields with these names; a named field that the request omits is removed.

    Raises 400 for an invalid field or a name that is taken, 403 for a new owner without CAN_MANAGE, 404 for an unknown
    owner.
    """
    if saved.trashed_at is not None:
        raise _in_trash(saved)
    given = _values({name: sent.get(name) for name in names}, fields)
    values = {name: value for name, value in saved.fields.items() if name not in names} | given
    if not values.get("display_name"):
        raise invalid(f"Missing required field: {saved.type}.display_name")
    check(request, values)
    owner = _owner(request, saved, sent) if OWNER in names else saved.owner
    if values["display_name"] != saved.name:
        name = values["display_name"]
        values["display_name"] = _free_name(request, saved.type, saved.parent_path, name, renames)
    saved.fields, saved.owner = values, owner
    saved.updated_at, saved.modified_by = request.now, request.caller.name
    request.workspace.state.acls.grant(saved.acl_name, owner, "CAN_MANAGE")


def move_to_trash(request: Request, type: SavedType, id: str) -> dict[str, Any]:
    saved = find(request, type, id, "CAN_MANAGE")
    if saved.trashed_at is not None:
        raise _in_trash(saved)
    saved.trashed_at = request.now
    return {}


def page(request: Request, type: SavedType, describe: Callable[[SavedObject], dict[str, Any]]) -> dict[str, Any]:
    """Return one page of the objects that the caller may read, oldest first, without those in the trash."""
    require_sql(request)
    size, begin = request.number("page_size", PAGE_SIZE) or PAGE_SIZE, request.number("page_token", 0)
    if not 1 <= size <= MAX_PAGE_SIZE or begin < 0:
        raise invalid(f"page_size must be between 1 and {MAX_PAGE_SIZE}, and page_token from an earlier response.")
    workspace, caller = request.workspace, request.caller.id
    found = [
        one
        for one in workspace.state.saved_queries.of_type(type)
        if has_permission(workspace, caller, PERMISSION_TYPES[type], one.acl_name, "CAN_READ")
    ]
    answer: dict[str, Any] = {"results": [describe(one) for one in found[begin : begin + size]]}
    return answer | ({"next_page_token": str(begin + size)} if begin + size < len(found) else {})


def describe(request: Request, saved: SavedObject) -> dict[str, Any]:
    """Return the fields that saved queries and alerts have in common, and those that requests set."""
    owner = request.workspace.state.directory.principal(saved.owner)
    info = saved.fields | {
        "id": saved.id,
        "parent_path": saved.parent_path,
        "create_time": to_iso(saved.created_at),
        "update_time": to_iso(saved.updated_at),
        "lifecycle_state": "ACTIVE" if saved.trashed_at is None else "TRASHED",
    }
    return info | ({OWNER: getattr(owner, "name", "")} if owner else {})


def _values(sent: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    """Return the fields that have a value. Raises 400 for values of a wrong type."""
    found = {name: sent[name] for name in fields if sent.get(name) is not None}
    for name, value in found.items():
        is_wrong_flag = isinstance(value, bool) and bool not in fields[name]
        if is_wrong_flag or not isinstance(value, fields[name]):
            raise invalid(f"{name} must be {_NOUNS[fields[name][0]]}")
    return found


def _folder(request: Request, sent: Mapping[str, Any]) -> str:
    """Return the path of the folder, below `/Workspace`. Raises 404 if it is missing, 403 if it may not be changed."""
    path = parse(sent.get("parent_path") or f"/Users/{request.caller.name}")
    folder = request.workspace.state.objects.find(path.names)
    if folder is None or not folder.is_container:
        raise missing(f"Path ({path.text}) doesn't exist.")
    Rights(request).require(folder, "CAN_EDIT", path)
    return "/".join(("/Workspace", *path.names))


def _free_name(request: Request, type: SavedType, parent: str, name: str, renames: bool) -> str:
    """Return the name, or if it may be renamed, a variant of it that is free. Raises 400 if it is taken."""
    saved = request.workspace.state.saved_queries.of_type(type)
    taken = {one.name for one in saved if one.parent_path == parent}
    if name not in taken:
        return name
    if not renames:
        raise exists(f"{type.capitalize()} with name {name} already exists in {parent}.")
    number = 1
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


def _owner(request: Request, saved: SavedObject, sent: Mapping[str, Any]) -> str:
    name = str(sent.get(OWNER) or "")
    find(request, saved.type, saved.id, "CAN_MANAGE")
    directory = request.workspace.state.directory
    owner = directory.find_user(name) or directory.find_service_principal(name)
    if owner is None:
        raise missing(f"User {name} does not exist.")
    return owner.id


def _in_trash(saved: SavedObject) -> ApiError:
    return ApiError(400, "INVALID_STATE", f"{saved.type.capitalize()} {saved.id} is in the trash.")
