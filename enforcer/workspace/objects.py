"""Requests about folders, files and notebooks with their permissions. Like `client`, it uses the SDK directly."""

import base64
from dataclasses import dataclass
from enum import Enum
from typing import Any

from enforcer.workspace.client import Workspace, errors_about
from enforcer.workspace.errors import FolderNotFoundError, ObjectNotFoundError
from enforcer.workspace.responses import PRINCIPALS, parse_grants, parse_list, parse_object, parse_text
from labkit.extras.sdk import NotFound
from labkit.text import first_line


class ObjectKind(Enum):
    """The kind of a workspace object, as in URLs of permissions."""

    FOLDER = "directories"
    NOTEBOOK = "notebooks"
    FILE = "files"


@dataclass(frozen=True)
class ObjectGrant:
    """A permission level on a workspace object, granted on it or on a folder above it."""

    kind: str
    """`group`, `user` or `service principal`."""
    principal: str
    level: str


def write_notebook(workspace: Workspace, path: str, content: str) -> int:
    """Write a notebook in Jupyter's format, and return its id; an existing one keeps its id and permissions.

    Raises FolderNotFoundError, or WorkspaceError.
    """
    workspace.before_request("workspace/import")
    encoded = base64.b64encode(content.encode()).decode()
    body = {"path": path, "format": "JUPYTER", "content": encoded, "overwrite": True}
    with errors_about(path):
        try:
            answer: Any = workspace.api.do("POST", "/api/2.0/workspace/import", body=body)
        except NotFound as error:
            raise FolderNotFoundError(f"{path}: {first_line(error)}") from None
    # The API does not promise the id.
    id = answer.get("object_id") if isinstance(answer, dict) else None
    return id if isinstance(id, int) else object_id(workspace, path)


def read_notebook(workspace: Workspace, path: str) -> str:
    """Return a notebook in Jupyter's format. Raises WorkspaceError."""
    workspace.before_request("workspace/export")
    with errors_about(path):
        query = {"path": path, "format": "JUPYTER"}
        answer: Any = workspace.api.do("GET", "/api/2.0/workspace/export", query=query)
        return base64.b64decode(parse_text(parse_object(answer), "content", most=2**24)).decode()


def object_id(workspace: Workspace, path: str) -> int:
    """Return the id of a folder, file or notebook. Raises ObjectNotFoundError, or WorkspaceError."""
    workspace.before_request("workspace/status")
    with errors_about(path):
        try:
            answer: Any = workspace.api.do("GET", "/api/2.0/workspace/get-status", query={"path": path})
        except NotFound:
            raise ObjectNotFoundError(f"{path} does not exist") from None
        return int(parse_object(answer)["object_id"])


def grant(workspace: Workspace, kind: ObjectKind, id: int, group: str, level: str) -> None:
    """Give a group this level on an object, and change no other permission. Raises WorkspaceError."""
    workspace.before_request("permissions/patch")
    entry = {"group_name": group, "permission_level": level}
    with errors_about(f"the permission of {group} on object {id}"):
        path = f"/api/2.0/permissions/{kind.value}/{id}"
        workspace.api.do("PATCH", path, body={"access_control_list": [entry]})


def withdraw(workspace: Workspace, kind: ObjectKind, id: int | str, group: str) -> None:
    """Remove a group's own levels on an object; those on folders above it remain. Raises WorkspaceError."""
    path = f"/api/2.0/permissions/{kind.value}/{id}"
    with errors_about(f"the permission of {group} on object {id}"):
        workspace.before_request("permissions/get")
        own = parse_grants(workspace.api.do("GET", path))
        kept = [one for one in own if (one.kind, one.principal) != ("group", group)]
        if kept != own:
            key_of = {kind: key for key, kind in PRINCIPALS.items()}
            entries = [{key_of[one.kind]: one.principal, "permission_level": one.level} for one in kept]
            workspace.before_request("permissions/patch")
            workspace.api.do("PUT", path, body={"access_control_list": entries})


def grants(workspace: Workspace, kind: ObjectKind, id: int) -> list[ObjectGrant]:
    """Return all grants on an object, including inherited ones. Raises WorkspaceError."""
    workspace.before_request("permissions/get")
    with errors_about(f"the permissions of object {id}"):
        answer: Any = workspace.api.do("GET", f"/api/2.0/permissions/{kind.value}/{id}")
        return [
            ObjectGrant(kind_of_principal, parse_text(entry, key), parse_text(permission, "permission_level"))
            for entry in map(parse_object, parse_list(answer, "access_control_list"))
            for key, kind_of_principal in PRINCIPALS.items()
            if entry.get(key)
            for permission in map(parse_object, parse_list(entry, "all_permissions"))
        ]


def group_levels(workspace: Workspace, kind: ObjectKind, path: str) -> dict[str, set[str]]:
    """Return the levels of each group on an object, also by a folder above it.

    Raises ObjectNotFoundError, or WorkspaceError.
    """
    found: dict[str, set[str]] = {}
    for one in grants(workspace, kind, object_id(workspace, path)):
        if one.kind == "group":
            found.setdefault(one.principal, set()).add(one.level)
    return found
