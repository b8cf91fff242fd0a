"""Changes permissions: all entries in a request become direct grants, or none do."""

import re
from typing import Any

from emulator.api.errors import invalid, missing
from emulator.models.permissions import OWNER, ObjectType
from emulator.models.scim import ADMINS, Directory, Group
from emulator.state.workspace import EmulatedWorkspace

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
Grants = dict[str, list[str]]


def requested_grants(directory: Directory, object_type: ObjectType, entries: Any) -> Grants:
    """Return the levels by principal id, in the order of the request.

    Raises 404 for an unknown principal, 400 for a level that the type does not have.
    """
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise invalid("access_control_list must be a list of objects")
    grants: Grants = {}
    for entry in entries:
        principal_id = _principal(directory, entry)
        level = entry.get("permission_level")
        if level not in object_type.levels:
            allowed = ", ".join(object_type.levels)
            raise invalid(
                f"Permission level {level} is not supported for {object_type.name}; allowed levels: {allowed}"
            )
        if level == OWNER and directory.kind(principal_id) == "Groups":
            raise invalid("Groups can not be owners.")
        levels = grants.setdefault(principal_id, [])
        if level not in levels:
            levels.append(level)
    return grants


def grants_after_put(workspace: EmulatedWorkspace, object_type: ObjectType, object_id: str, wanted: Grants) -> Grants:
    """Return the direct grants after a PUT. Raises 400 if the object would have no owner or administrators."""
    _check_owner(object_type, wanted)
    _keep_admins(workspace, object_type, object_id, wanted)
    return wanted


def grants_after_patch(workspace: EmulatedWorkspace, object_type: ObjectType, object_id: str, wanted: Grants) -> Grants:
    """Return the direct grants after a PATCH: principals in it get their new levels, a new owner replaces the old
    one."""
    before = workspace.state.acls.direct.get(object_id, {})
    after = {principal_id: list(levels) for principal_id, levels in before.items()}
    if any(OWNER in levels for levels in wanted.values()):
        after = {principal_id: [each for each in levels if each != OWNER] for principal_id, levels in after.items()}
    after = {principal_id: levels for principal_id, levels in (after | wanted).items() if levels}
    _check_owner(object_type, after)
    _keep_admins(workspace, object_type, object_id, after)
    return after


def _principal(directory: Directory, entry: dict[str, Any]) -> str:
    """Return the id of an entry's principal. An application id as user name means the service principal."""
    named = {name: entry[name] for name in ("user_name", "group_name", "service_principal_name") if entry.get(name)}
    if len(named) != 1:
        raise invalid("Exactly one of user_name, group_name, service_principal_name must be given")
    [(kind, name)] = named.items()
    found: Any
    if kind == "group_name":
        found, shown = directory.find_group(str(name)), f"GroupName({name})"
    elif kind == "user_name" and not _UUID.fullmatch(str(name)):
        found, shown = directory.find_user(str(name)), f"UserName({name})"
    else:
        found, shown = directory.find_service_principal(str(name)), f"ServicePrincipalName({name})"
    if found is None:
        raise missing(f"Principal: {shown} does not exist")
    return str(found.id)


def _check_owner(object_type: ObjectType, grants: Grants) -> None:
    owners = sum(OWNER in levels for levels in grants.values())
    if object_type.has_owner and owners != 1:
        noun = {"warehouses": "SQL warehouse"}.get(object_type.name, object_type.name)
        raise invalid(f"The {noun} must have exactly one owner.")


def _keep_admins(workspace: EmulatedWorkspace, object_type: ObjectType, object_id: str, grants: Grants) -> None:
    """Raise 400 if administrators would lose their direct level (on tokens or the root folder)."""
    admins = workspace.state.directory.find_group(ADMINS)
    if not isinstance(admins, Group) or object_type.inherited_from:
        return
    before = workspace.state.acls.direct.get(object_id, {}).get(admins.id, [])
    if object_type.admin_level in before and object_type.admin_level not in grants.get(admins.id, []):
        left = ", ".join(grants.get(admins.id, [])) or "None"
        raise invalid(f"Cannot change permissions for group 'admins' to {left}.")
