"""Lists the users of a workspace or of a group."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inventory.transport.workspace import WorkspaceApi, WorkspaceError, json_objects
from inventory.tree.listing import escape_surrogates


@dataclass(frozen=True)
class User:
    """A user with a home. For a service principal, `username` is the application id."""

    username: str
    display_name: str = ""
    active: bool = True
    problem: str = ""
    """Why no request can address the home, so that `username` is only for display; empty if one can."""


def list_users(
    workspace: WorkspaceApi, *, active_only: bool = False, group: str | None = None, service_principals: bool = False
) -> list[User]:
    """Return the users of a workspace or group, sorted by name. Raises WorkspaceError, also if there is no such
    group."""
    members = _members(workspace, group) if group else None
    found: dict[str, User] = {}
    kinds = [("Users", "userName")] + ([("ServicePrincipals", "applicationId")] if service_principals else [])
    for kind, name in kinds:
        for resource in workspace.scim_resources(kind, f"{name},displayName,active"):
            user = _user(resource, kind, name)
            is_selected = members is None or str(resource.get("id")) in members
            if is_selected and (user.active or not active_only):
                found[user.username] = user
    return [found[name] for name in sorted(found)]


def _user(resource: Mapping[str, object], kind: str, name: str) -> User:
    username = resource.get(name)
    active = resource.get("active") is not False
    if not isinstance(username, str) or not username:
        number = escape_surrogates(resource.get("id") or "without an id")
        return User(
            f"entry {number} in the list of {kind}", "", active, f"its entry in the list of {kind} has no {name}"
        )
    display_name = escape_surrogates(resource.get("displayName") or "")
    return User(escape_surrogates(username), display_name, active, username_problem(username))


def username_problem(username: str) -> str:
    """Return why no request can address a user's home; empty if one can."""
    if "/" in username:
        return "the user name has a slash, so no request can address the home"
    if username != escape_surrogates(username):
        return "the user name has a lone surrogate, so no request can address the home"
    return "the user name leads to a different folder" if username in (".", "..") or "\0" in username else ""


def _members(workspace: WorkspaceApi, group: str) -> set[str]:
    """Return the ids of the direct and nested members of a group."""
    groups = {
        str(each["id"]): each for each in workspace.scim_resources("Groups", "displayName,members") if each.get("id")
    }
    waiting = [number for number, each in groups.items() if each.get("displayName") == group]
    if not waiting:
        raise WorkspaceError(f"there is no group {group!r} in {workspace.client.host}.")
    found: set[str] = set()
    while waiting:
        group_id = waiting.pop()
        members = groups[group_id].get("members") or []
        known = json_objects(members)
        if (
            not isinstance(members, list)
            or not all(member.get("value") for member in known)
            or len(known) < len(members)
        ):
            raise WorkspaceError(f"the members of group {group_id} in {workspace.client.host} cannot be read.")
        for member in known:
            number = str(member["value"])
            if number not in found:
                found.add(number)
                if number in groups:
                    waiting.append(number)
    return found


def short_digest(users: Iterable[str]) -> str:
    """Return a short digest of a set of user names, which does not reveal them."""
    return hashlib.sha256("\n".join(sorted(set(users))).encode()).hexdigest()[:16]
