"""Permissions on an object as JSON: direct grants first, then inherited grants with their source."""

from typing import Any

from emulator.models.permissions import OWNER, ObjectType
from emulator.models.scim import ADMINS, Group, User
from emulator.permissions.rights import with_ancestors
from emulator.state.workspace import EmulatedWorkspace

DESCRIPTIONS = {
    "CAN_ATTACH_TO": "Can attach to {object}",
    "CAN_RESTART": "Can attach to and restart {object}",
    "CAN_MANAGE": "Can manage permissions on {object}",
    "CAN_MANAGE_STAGING_VERSIONS": "Can edit and manage staging versions of {object}",
    "CAN_MANAGE_PRODUCTION_VERSIONS": "Can edit and manage production versions of {object}",
    "CAN_MANAGE_RUN": "Can manage runs of {object}",
    "CAN_USE": "Can use {object}",
    "CAN_VIEW": "Can view {object}",
    "CAN_MONITOR": "Can monitor {object}",
    "CAN_READ": "Can view {object}",
    "CAN_RUN": "Can view and run {object}",
    "CAN_EDIT": "Can edit, view and run {object}",
    "IS_OWNER": "Is owner of {object}",
}


def permission_levels(object_type: ObjectType) -> dict[str, Any]:
    noun = object_type.name.replace("-", " ")
    return {
        "permission_levels": [
            {"permission_level": level, "description": DESCRIPTIONS[level].format(object=noun)}
            for level in object_type.levels
        ]
    }


def object_permissions(workspace: EmulatedWorkspace, object_type: ObjectType, object_id: str) -> dict[str, Any]:
    """Return the response to GET, PUT and PATCH: one entry per principal, in which ownership comes first."""
    held: dict[str, list[dict[str, Any]]] = {}
    direct = workspace.state.acls.direct
    for source_id in with_ancestors(workspace, object_id):
        for principal_id, levels in direct.get(source_id, {}).items():
            for level in sorted(levels, key=lambda level: level != OWNER):
                held.setdefault(principal_id, []).append(
                    _permission(level, None if source_id == object_id else source_id)
                )
    admins = workspace.state.directory.find_group(ADMINS)
    if admins and object_type.inherited_from:
        held.setdefault(admins.id, []).append(_permission(object_type.admin_level, object_type.inherited_from))
    entries = [
        {**_principal(workspace, principal_id), "all_permissions": permissions}
        for principal_id, permissions in held.items()
        if workspace.state.directory.principal(principal_id)
    ]
    return {"object_id": object_id, "object_type": object_type.name, "access_control_list": entries}


def _permission(level: str, source: str | None) -> dict[str, Any]:
    if source is None:
        return {"permission_level": level, "inherited": False}
    # In the real service, the name of the root folder has no id.
    shown = "/directories/" if source == "/directories/0" else source
    return {"permission_level": level, "inherited": True, "inherited_from_object": [shown]}


def _principal(workspace: EmulatedWorkspace, principal_id: str) -> dict[str, str]:
    principal = workspace.state.directory.principal(principal_id)
    match principal:
        case Group():
            return {"group_name": principal.display_name}
        case User():
            return {"user_name": principal.user_name, "display_name": principal.display_name}
        case None:
            return {}
    return {"service_principal_name": principal.application_id, "display_name": principal.display_name}
