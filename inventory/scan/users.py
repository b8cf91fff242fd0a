"""The users of a workspace: all, or the members of a group."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from inventory.transport.workspace import Workspace, WorkspaceError


@dataclass(frozen=True)
class User:
    """Somebody with a home. Service principals are known by their application id."""

    username: str
    display_name: str = ""
    active: bool = True


def everybody(
    workspace: Workspace, *, active_only: bool = False, group: str | None = None, service_principals: bool = False
) -> list[User]:
    """The users of a workspace, sorted by name. Raises WorkspaceError, also if there is no such group."""
    members = _members(workspace, group) if group else None
    found: dict[str, User] = {}
    kinds = [("Users", "userName")] + ([("ServicePrincipals", "applicationId")] if service_principals else [])
    for kind, name in kinds:
        for resource in workspace.resources(kind, f"{name},displayName,active"):
            user = User(str(resource.get(name) or ""), str(resource.get("displayName") or ""), _active(resource))
            chosen = members is None or str(resource.get("id")) in members
            if user.username and chosen and (user.active or not active_only):
                found[user.username] = user
    return [found[name] for name in sorted(found)]


def _active(resource: dict[str, object]) -> bool:
    return resource.get("active") is not False


def _members(workspace: Workspace, group: str) -> set[str]:
    """The ids of who is in a group, or in a group in it."""
    groups = {str(each.get("id")): each for each in workspace.resources("Groups", "displayName,members")}
    waiting = [number for number, each in groups.items() if each.get("displayName") == group]
    if not waiting:
        raise WorkspaceError(f"there is no group {group!r} in {workspace.client.host}.")
    found: set[str] = set()
    while waiting:
        for member in groups[waiting.pop()].get("members") or []:
            number = str(member.get("value"))
            if number not in found:
                found.add(number)
                if number in groups:
                    waiting.append(number)
    return found


def digest(users: Iterable[str]) -> str:
    """A short name for a set of users; who they are cannot be read from it."""
    return hashlib.sha256("\n".join(sorted(set(users))).encode()).hexdigest()[:16]
