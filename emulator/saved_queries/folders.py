"""Folders in the older SQL API, which names them by id: `folders/12`."""

import re

from emulator.api.errors import invalid, missing
from emulator.api.routing import Request
from emulator.models.sql.saved_queries import SavedObject
from emulator.objects.paths import parse

_FOLDER = re.compile(r"folders/([0-9]{1,18})")


def parent_path(request: Request) -> str | None:
    """Return the path of the folder `parent`; None without it. Raises 400 for other text, 404 for an unknown folder."""
    parent = request.body.get("parent") or ""
    if not parent:
        return None
    found = _FOLDER.fullmatch(parent) if isinstance(parent, str) else None
    if found is None:
        raise invalid("parent must be the id of a folder, such as folders/12")
    objects = request.workspace.state.objects
    node = objects.get(int(found[1]))
    if node is None or not node.is_container or not objects.is_reachable(node):
        raise missing(f"Folder {found[1]} does not exist.")
    return objects.path(node)


def describe_parent(request: Request, saved: SavedObject) -> dict[str, str]:
    """Return the field for the folder; without it if the folder was deleted."""
    node = request.workspace.state.objects.find(parse(saved.parent_path).names)
    return {"parent": f"folders/{node.id}"} if node else {}
