"""Whose homes are scanned: everybody, a group, or the names of a file."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from inventory.scan.listing import Folder, Source
from inventory.transport.workspace import Workspace, WorkspaceError
from labkit.csv_cells import unescape_formula
from labkit.tables import TextError, decode, read_table

NAME_COLUMNS = ("username", "user_name", "email")
"""`userName` among them, since case does not count. The first one that a file has is read."""
COMMENT = "#"
"""Begins a comment in a users file."""
SHARED: dict[Source, tuple[str, ...]] = {"dbfs": (), "workspace": ("/Shared", "/Repos")}


class UsersFileError(ValueError):
    """A users file that cannot be used; a sentence with the line in it."""


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


def read_users_file(data: bytes, name: str) -> list[str]:
    """The names of a users file, in its order, once each: one a line, or a table with a column `username` or `email`.

    Lines that begin with # are comments. Encoding and delimiter are recognised as in every table of the project.
    Raises UsersFileError.
    """
    try:
        text, _ = decode(data)
        if not any(line.strip() and not line.lstrip().startswith(COMMENT) for line in text.splitlines()):
            raise UsersFileError(f"{name} names no users.")
        table = read_table(text, comment=COMMENT, skip_initial_space=True)
    except TextError as error:
        raise UsersFileError(f"{name} line {error.line}: {error.sentence}") from None
    rows = [table.header, *(row for row in table.rows if not row.is_blank)]
    header = [cell.strip().lower() for cell in table.header.cells]
    column = next((header.index(wanted) for wanted in NAME_COLUMNS if wanted in header), None)
    if column is None and max(len(row.cells) for row in rows) > 1:
        line = table.header.line
        raise UsersFileError(f"{name} line {line}: a table needs a header with a column 'username'.")
    found: dict[str, None] = {}
    for row in rows if column is None else rows[1:]:
        # As `users --output` writes a name that a spreadsheet would compute.
        username = unescape_formula(row.cells[column or 0].strip()) if len(row.cells) > (column or 0) else ""
        if not username:
            raise UsersFileError(f"{name} line {row.line}: there is no name in it.")
        check_name(username, f"{name} line {row.line}")
        found[username] = None
    if not found:
        raise UsersFileError(f"{name} names no users.")
    return list(found)


def check_name(username: str, where: str) -> None:
    """Raises UsersFileError for a name that would lead out of the folder of homes."""
    if "/" in username or username in (".", "..") or not username.isprintable():
        raise UsersFileError(f"{where}: {username!r} is not the name of a user.")


def homes_of(users: Iterable[str], sources: Iterable[Source]) -> list[Folder]:
    """The homes of these users."""
    return [Folder(user, source, f"/Users/{user}") for user in users for source in sources]


def other_homes(workspace: Workspace, sources: Iterable[Source]) -> list[Folder]:
    """Every home there is, whoever's: also of users who are gone. Raises WorkspaceError."""
    found = []
    for source in sources:
        for path in workspace.folders(Folder("", source, "/Users")):
            found.append(Folder(path.rpartition("/")[2], source, path))
    return found


def shared_folders(sources: Iterable[Source]) -> list[Folder]:
    """What belongs to nobody in particular; the name of the folder stands in the place of the user's."""
    return [Folder(path, source, path) for source in sources for path in SHARED[source]]


def digest(users: Iterable[str]) -> str:
    """A short name for a set of users; who they are cannot be read from it."""
    return hashlib.sha256("\n".join(sorted(set(users))).encode()).hexdigest()[:16]
