"""Changes users, groups and service principals, and deletes everything that belongs to them."""

import re
import uuid
from collections.abc import Iterable
from typing import Any

from emulator.api.errors import ScimError
from emulator.base.clock import Millis
from emulator.models.scim import ADMINS, ENTITLEMENTS, USERS, Group, Principal, ServicePrincipal, User
from emulator.objects.homes import make_home
from emulator.scim.patches import Resource, bool_of, patched, text_of, values_of
from emulator.state.workspace import EmulatedWorkspace

Body = dict[str, Any]

BUILT_IN = (ADMINS, USERS)
ACCOUNT_ATTRIBUTES = ("displayName", "externalId", "members")
"""Attributes of an account group that can be changed in the account."""
_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")


def create_user(workspace: EmulatedWorkspace, body: Body, now: Millis) -> User:
    """Create a user with a home folder. Raises ScimError 400 without a valid `userName`, 409 if it exists."""
    directory = workspace.state.directory
    name = (text_of(body.get("userName")) or "").strip().lower()
    if not _ADDRESS.fullmatch(name):
        raise ScimError(400, f"userName must be an e-mail address, not {name!r}.", "invalidValue")
    if directory.find_user(name):
        raise ScimError(409, f"User with username {name} already exists.")
    parts = _name_parts(body)
    user = User(
        id="",
        user_name=name,
        display_name=text_of(body.get("displayName")) or name,
        given_name=text_of(parts.get("givenName")),
        family_name=text_of(parts.get("familyName")),
        emails=[name],
        active=_active(body),
        **_common_fields(workspace, body, now),
    )
    groups = _groups_to_join(workspace, body)
    user.id = str(workspace.state.ids.number("user", name))
    _add_to_directory(workspace, user, groups)
    make_home(workspace, user.user_name)
    return user


def create_service_principal(workspace: EmulatedWorkspace, body: Body, now: Millis) -> ServicePrincipal:
    """Create a service principal with a home folder. Without an application id in the body, it gets a new one.

    Raises ScimError 400 for an application id that is not a UUID, 409 if it exists.
    """
    application_id = text_of(body.get("applicationId"))
    display_name = text_of(body.get("displayName"))
    if application_id is None:
        if display_name is None:
            raise ScimError(400, "A service principal needs an applicationId or a displayName.", "invalidValue")
        application_id = workspace.state.ids.uuid("application", display_name)
    elif not _is_uuid(application_id):
        raise ScimError(400, f"applicationId must be a UUID, not {application_id!r}.", "invalidValue")
    elif workspace.state.directory.find_service_principal(application_id):
        raise ScimError(409, f"Service principal with application ID {application_id} already exists.")
    principal = ServicePrincipal(
        id="",
        application_id=application_id,
        display_name=display_name or application_id,
        active=_active(body),
        **_common_fields(workspace, body, now),
    )
    groups = _groups_to_join(workspace, body)
    principal.id = str(workspace.state.ids.number("service-principal", application_id))
    _add_to_directory(workspace, principal, groups)
    make_home(workspace, principal.application_id)
    return principal


def create_group(workspace: EmulatedWorkspace, body: Body, now: Millis) -> Group:
    """Create a group in this workspace. Raises ScimError 400 without `displayName`, 409 if the name exists."""
    name = text_of(body.get("displayName"))
    if name is None:
        raise ScimError(400, "A group needs a displayName.", "invalidValue")
    _check_name_is_free(workspace, name)
    group = Group(id="", display_name=name, **_common_fields(workspace, body, now))
    members = values_of(body.get("members") or [])
    _check_members(workspace, group, members)
    groups = _groups_to_join(workspace, body)
    group.members = members
    group.id = str(workspace.state.ids.number("group", name))
    _add_to_directory(workspace, group, groups)
    return group


def add_account_group(workspace: EmulatedWorkspace, name: str, members: Iterable[str], now: Millis) -> Group:
    """Add an account group that is assigned to this workspace; `members` has ids.

    Raises ScimError 409 if the name exists.
    """
    _check_name_is_free(workspace, name)
    body = {"displayName": name, "members": [{"value": member_id} for member_id in members]}
    group = create_account_group(workspace, body, now)
    group.assigned = True
    return group


def create_account_group(workspace: EmulatedWorkspace, body: Body, now: Millis) -> Group:
    """Create a group of the account, which is not assigned to this workspace. It has no entitlements.

    Raises ScimError 400 without `displayName` and for members that are not in the account, 409 if the account has the
    name.
    """
    name = text_of(body.get("displayName"))
    if name is None:
        raise ScimError(400, "A group needs a displayName.", "invalidValue")
    _check_account_name_is_free(workspace, name)
    common = _common_fields(workspace, body | {"entitlements": [], "roles": []}, now)
    group = Group(id="", display_name=name, account_level=True, assigned=False, **common)
    members = values_of(body.get("members") or [])
    _check_members(workspace, group, members)
    group.members = members
    group.id = str(workspace.state.ids.number("account-group", name))
    workspace.state.directory.add(group)
    return group


def replace(workspace: EmulatedWorkspace, principal: Principal, body: Body) -> None:
    """Apply a PUT. Missing attributes are cleared, except names, `active` and `roles`.

    `groups` in the body is ignored: memberships are changed in the groups. Raises ScimError 400, 403, 409.
    """
    resource = _resource_of(workspace, principal)
    for name in resource:
        given = body.get(name)
        match name:
            case "entitlements" | "members":
                resource[name] = values_of(given or [])
            case "roles":
                resource[name] = resource[name] if given is None else values_of(given)
            case "externalId":
                resource[name] = text_of(given)
            case "displayName":
                resource[name] = text_of(given) or resource[name]
            case "active":
                resource[name] = resource[name] if given is None else bool_of(given)
            case "name.givenName" | "name.familyName":
                resource[name] = text_of(_name_parts(body).get(name.partition(".")[2]))
    _write(workspace, principal, resource)


def patch(workspace: EmulatedWorkspace, principal: Principal, body: Body, *, account: bool = False) -> None:
    """Apply all operations in a PATCH, or none if one fails. With `account`, a group of the account is changed there.

    Raises ScimError 400, 403, 409.
    """
    resource = _resource_of(workspace, principal)
    changeable = {name: resource[name] for name in ACCOUNT_ATTRIBUTES} if account else resource
    _write(workspace, principal, resource | patched(changeable, body), account)


def delete(workspace: EmulatedWorkspace, principal: Principal, caller_id: str, *, account: bool = False) -> None:
    """Delete the principal with its memberships, grants, tokens and secrets. Its home folder is kept.

    Raises ScimError 403 for a built-in group, for an account-level one unless the request is to the `account`, for the
    caller, and for the last administrator.
    """
    state = workspace.state
    if isinstance(principal, Group):
        _check_may_be_changed(principal, "deleted", account)
    elif principal.id == caller_id:
        raise ScimError(403, "You cannot delete yourself.")
    _check_admins_stay(workspace, without=principal.id)
    state.directory.remove(principal.id)
    state.acls.remove_principal(principal.id)
    state.tokens.remove_owner(principal.id)
    state.secrets.remove_principal(principal.id)
    if workspace.options.keep_user_ids and isinstance(principal, User):
        state.ids.release("user", principal.user_name)


def _resource_of(workspace: EmulatedWorkspace, principal: Principal) -> Resource:
    """Return the principal's changeable attributes, in the format that `patches` uses."""
    resource: Resource = {
        "displayName": principal.display_name,
        "externalId": principal.external_id,
        "entitlements": list(principal.entitlements),
        "roles": list(principal.roles),
        "groups": [group.id for group in workspace.state.directory.parents(principal.id)],
    }
    if isinstance(principal, Group):
        resource["members"] = list(principal.members)
    if isinstance(principal, User | ServicePrincipal):
        resource["active"] = principal.active
    if isinstance(principal, User):
        resource |= {"name.givenName": principal.given_name, "name.familyName": principal.family_name}
    return resource


def _write(workspace: EmulatedWorkspace, principal: Principal, resource: Resource, account: bool = False) -> None:
    """Check everything, then write the resource to the principal."""
    before = _resource_of(workspace, principal)
    name = resource["displayName"] or before["displayName"]
    _check_entitlements(resource["entitlements"])
    if isinstance(principal, Group):
        if name != principal.display_name:
            _check_may_be_changed(principal, "renamed", account)
            if name.casefold() != principal.display_name.casefold():
                _check_new_name(workspace, principal, name)
        _check_change_of_members(workspace, principal, resource["members"], account)
    memberships = _memberships_after(workspace, principal, before["groups"], resource["groups"])
    for group, members in memberships:
        group.members = members
    if isinstance(principal, Group):
        principal.members = resource["members"]
    principal.display_name = name
    principal.external_id = resource["externalId"]
    principal.entitlements = resource["entitlements"]
    principal.roles = resource["roles"]
    if isinstance(principal, User | ServicePrincipal):
        principal.active = resource["active"]
    if isinstance(principal, User):
        principal.given_name, principal.family_name = resource["name.givenName"], resource["name.familyName"]


def _memberships_after(
    workspace: EmulatedWorkspace, principal: Principal, before: list[str], after: list[str]
) -> list[tuple[Group, list[str]]]:
    """Return the new members of each group that the principal joins or leaves. Raises ScimError 400, 403."""
    found = []
    for group_id in sorted({*before, *after}):
        if (group_id in before) == (group_id in after):
            continue
        group = _group(workspace, group_id)
        members = [member_id for member_id in group.members if member_id != principal.id]
        if group_id in after:
            members.append(principal.id)
        _check_change_of_members(workspace, group, members)
        found.append((group, members))
    return found


def _check_change_of_members(
    workspace: EmulatedWorkspace, group: Group, members: list[str], account: bool = False
) -> None:
    if set(members) == set(group.members):
        return
    if group.account_level and not account:
        raise ScimError(403, f"Group {group.display_name} belongs to the account: its members are changed there.")
    if group.display_name == USERS:
        raise ScimError(403, "Everybody in the workspace belongs to the group users; its members cannot be changed.")
    if group.display_name == ADMINS and not members:
        raise ScimError(400, "The group admins needs at least one member.", "invalidValue")
    _check_members(workspace, group, [member_id for member_id in members if member_id not in group.members])


def _add_to_directory(workspace: EmulatedWorkspace, principal: Principal, groups: list[Group]) -> None:
    workspace.state.directory.add(principal)
    for group in groups:
        if principal.id not in group.members:
            group.members.append(principal.id)


def _groups_to_join(workspace: EmulatedWorkspace, body: Body) -> list[Group]:
    return [_group(workspace, group_id) for group_id in values_of(body.get("groups") or [])]


def _group(workspace: EmulatedWorkspace, group_id: str) -> Group:
    group = workspace.state.directory.groups.get(group_id)
    if group is None:
        raise ScimError(400, f"Group with id {group_id} does not exist.", "invalidValue")
    return group


def _common_fields(workspace: EmulatedWorkspace, body: Body, now: Millis) -> dict[str, Any]:
    entitlements = values_of(body.get("entitlements") or [])
    _check_entitlements(entitlements)
    return {
        "external_id": text_of(body.get("externalId")),
        "entitlements": entitlements,
        "roles": values_of(body.get("roles") or []),
        "created_at": now,
        "visible_from": now + int(workspace.options.scim_delay_seconds * 1000),
    }


def _name_parts(body: Body) -> dict[str, Any]:
    given = body.get("name")
    return given if isinstance(given, dict) else {}


def _active(body: Body) -> bool:
    given = body.get("active")
    return True if given is None else bool_of(given)


def _check_entitlements(entitlements: list[str]) -> None:
    unknown = [name for name in entitlements if name not in ENTITLEMENTS]
    if unknown:
        text = f"Entitlement {unknown[0]!r} does not exist; use one of {', '.join(ENTITLEMENTS)}."
        raise ScimError(400, text, "invalidValue")


def _check_members(workspace: EmulatedWorkspace, group: Group, members: list[str]) -> None:
    directory = workspace.state.directory
    for member_id in members:
        member = directory.principal(member_id)
        is_local = isinstance(member, Group) and not member.account_level
        is_foreign = isinstance(member, Group) and not member.assigned
        if member is None or (is_local if group.account_level else is_foreign):
            raise ScimError(400, f"Member with id {member_id} does not exist.", "invalidValue")
        if member_id == group.id or (member_id in directory.groups and member_id in directory.memberships(group.id)):
            raise ScimError(400, f"Group {group.display_name} cannot be a member of itself.", "invalidValue")


def _check_name_is_free(workspace: EmulatedWorkspace, name: str) -> None:
    if workspace.state.directory.find_group(name):
        raise ScimError(409, f"Group with name {name} already exists.")


def _check_account_name_is_free(workspace: EmulatedWorkspace, name: str) -> None:
    if workspace.state.directory.find_account_group(name):
        raise ScimError(409, f"Group with name {name} already exists.")


def _check_new_name(workspace: EmulatedWorkspace, group: Group, name: str) -> None:
    """Raise ScimError 409 if a group of the account or the workspace, wherever this one is, has the name."""
    if group.account_level:
        _check_account_name_is_free(workspace, name)
    if group.assigned:
        _check_name_is_free(workspace, name)


def _check_may_be_changed(group: Group, how: str, account: bool = False) -> None:
    if group.display_name in BUILT_IN:
        raise ScimError(403, f"Group {group.display_name} is built in and cannot be {how}.")
    if group.account_level and not account:
        raise ScimError(403, f"Group {group.display_name} belongs to the account and cannot be {how} here.")


def _check_admins_stay(workspace: EmulatedWorkspace, without: str) -> None:
    admins = workspace.state.directory.find_group(ADMINS)
    if admins and admins.members == [without]:
        raise ScimError(403, "The last administrator cannot be deleted.")


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
