"""HTTP handlers of `/api/2.0/lakeview/dashboards`. A dashboard is a workspace object that ends in `.lvdash.json`."""

import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from emulator.api.errors import ApiError, denied, exists, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.base.clock import Millis, to_iso
from emulator.base.content import BytesContent
from emulator.base.paths import WorkspacePath
from emulator.models.files.objects import Dashboard, Node, Objects, TrashedDashboard
from emulator.objects.imports import DASHBOARD, JSON_LIMIT, ImportedContent, check_size, write_object
from emulator.objects.paths import parse
from emulator.objects.rights import Rights

routes = Routes()
PATH = "/api/2.0/lakeview/dashboards"
PAGE_SIZE = 20
MAX_PAGE_SIZE = 1000
KEPT_IN_TRASH: Millis = 30 * 24 * 3600 * 1000
"""How long the trash keeps a dashboard."""
_NOT_LISTED = ("etag", "parent_path", "path", "serialized_dashboard")


@routes.get(PATH)
def list_dashboards(request: Request) -> dict[str, Any]:
    """Return a page of the dashboards that the caller may read, in the order of the folders."""
    size, begin = request.number("page_size", PAGE_SIZE) or PAGE_SIZE, request.number("page_token", 0)
    if not 1 <= size <= MAX_PAGE_SIZE or not 0 <= begin < 2**31:
        raise invalid(f"page_size must be between 1 and {MAX_PAGE_SIZE}, and page_token from an earlier response.")
    objects, rights = request.workspace.state.objects, Rights(request)
    readable = (one for one in _dashboards(objects, objects.root) if rights.has_permission(one, "CAN_READ"))
    found = list(islice(readable, begin, begin + size + 1))
    entries = [
        {name: value for name, value in _info(objects, one).items() if name not in _NOT_LISTED} for one in found[:size]
    ]
    return {"dashboards": entries} | ({"next_page_token": str(begin + size)} if len(found) > size else {})


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    """Create the draft of a dashboard in a folder, by default in the caller's home."""
    folder = parse(request.body.get("parent_path") or f"/Users/{request.caller.name}")
    objects = request.workspace.state.objects
    if objects.find(folder.names) is None:
        # The provider makes the folder if the error has exactly these words.
        raise missing(f"Path ({folder.text}) doesn't exist.")
    name = _file_name(request.required("display_name"))
    content = _content(request.body.get("serialized_dashboard", "{}"))
    details = Dashboard(warehouse_id=_text(request, "warehouse_id"))
    path = WorkspacePath((*folder.names, name), folder.prefix)
    node = write_object(request, path, ImportedContent("DASHBOARD", content), overwrite=False)
    node.dashboard = details
    return _info(objects, node)


@routes.get(PATH + "/{id}")
def show(request: Request) -> dict[str, Any]:
    """Return a dashboard, also one in the trash."""
    trashed = _trashed(request)
    if trashed:
        return trashed.info
    return _info(request.workspace.state.objects, _find(request, "CAN_READ"))


@routes.patch(PATH + "/{id}")
def update(request: Request) -> dict[str, Any]:
    """Change the draft: name, content, warehouse. Raises 409 if the request has the `etag` of an older draft."""
    objects = request.workspace.state.objects
    node = objects.store(_find(request, "CAN_EDIT"))
    body = request.body
    if body.get("etag") and body["etag"] != _etag(node):
        raise ApiError(409, "ABORTED", f"The dashboard {node.resource_id} was changed since it was read.")
    name = _file_name(body["display_name"]) if body.get("display_name") else node.name
    serialized = body.get("serialized_dashboard")
    content = node.content if serialized is None else _content(serialized)
    warehouse = _text(request, "warehouse_id") or _details(node).warehouse_id
    if name != node.name:
        if objects.child(objects.folder_of(node), name):
            raise exists(f"Path ({objects.path(objects.folder_of(node))}/{name}) already exists.")
        objects.move(node, objects.folder_of(node), name)
    node.content, node.modified_at = content, request.now
    node.dashboard = Dashboard(warehouse_id=warehouse, published=_details(node).published)
    return _info(objects, node)


@routes.delete(PATH + "/{id}")
def move_to_trash(request: Request) -> dict[str, Any]:
    """Move the dashboard to the trash, which keeps it for 30 days. Raises 403 if it is there already."""
    if _trashed(request):
        raise denied(f"The dashboard {request.parameters['id']} is in the trash.")
    state = request.workspace.state
    node = _find(request, "CAN_MANAGE")
    info = _info(state.objects, node) | {"lifecycle_state": "TRASHED"}
    state.objects.trash[node.resource_id] = TrashedDashboard(trashed_at=request.now, info=info)
    for gone in state.objects.remove(node):
        state.acls.remove_object(gone.acl_name)
    return {}


@routes.post(PATH + "/{id}/published")
def publish(request: Request) -> dict[str, Any]:
    """Publish the draft, with the publisher's credentials unless `embed_credentials` is false.

    Sets the dashboard's time of change.
    """
    objects = request.workspace.state.objects
    node = objects.store(_find(request, "CAN_EDIT"))
    details = _details(node)
    embedded = request.body.get("embed_credentials", True)
    if not isinstance(embedded, bool):
        raise invalid("embed_credentials must be true or false")
    published = {
        "display_name": _display_name(node),
        "embed_credentials": embedded,
        "revision_create_time": to_iso(request.now),
        "warehouse_id": _text(request, "warehouse_id") or details.warehouse_id,
    }
    node.dashboard = Dashboard(warehouse_id=details.warehouse_id, published=published)
    node.modified_at = request.now
    return published


@routes.get(PATH + "/{id}/published")
def show_published(request: Request) -> dict[str, Any]:
    published = _details(_find(request, "CAN_READ")).published
    if published is None:
        raise missing(f"Unable to find published dashboard [dashboardId={request.parameters['id']}].")
    return published


@routes.delete(PATH + "/{id}/published")
def unpublish(request: Request) -> dict[str, Any]:
    node = request.workspace.state.objects.store(_find(request, "CAN_EDIT"))
    node.dashboard = Dashboard(warehouse_id=_details(node).warehouse_id)
    return {}


def _find(request: Request, level: str) -> Node:
    """Return a dashboard on which the caller has a permission. Raises 404 for an unknown id, 403 without it."""
    objects = request.workspace.state.objects
    node = objects.find_dashboard(request.parameters["id"])
    if node is None:
        raise missing(f"Unable to find dashboard [dashboardId={request.parameters['id']}].")
    Rights(request).require(node, level, WorkspacePath(objects.names(node)))
    return node


def _trashed(request: Request) -> TrashedDashboard | None:
    found = request.workspace.state.objects.trash.get(request.parameters["id"])
    return found if found and request.now - found.trashed_at < KEPT_IN_TRASH else None


def _dashboards(objects: Objects, folder: Node) -> Iterator[Node]:
    for node in objects.children(folder):
        if node.is_container:
            yield from _dashboards(objects, node)
        elif node.kind == "DASHBOARD":
            yield node


def _file_name(display_name: Any) -> str:
    if not isinstance(display_name, str) or not display_name.strip() or "/" in display_name:
        raise invalid("display_name must be a text without slashes")
    return display_name + DASHBOARD


def _display_name(node: Node) -> str:
    return node.name[: -len(DASHBOARD)] if node.name.lower().endswith(DASHBOARD) else node.name


def _content(serialized: Any) -> BytesContent:
    """Return the content of a draft. Raises 400 unless it is a JSON object in a string."""
    try:
        is_object = isinstance(serialized, str) and isinstance(json.loads(serialized), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise invalid("serialized_dashboard must be a JSON object in a string")
    content = BytesContent(serialized.encode())
    check_size("DASHBOARD", content.size, JSON_LIMIT)
    return content


def _text(request: Request, field: str) -> str:
    value = request.body.get(field) or ""
    if not isinstance(value, str):
        raise invalid(f"{field} must be a string")
    return value


def _details(node: Node) -> Dashboard:
    return node.dashboard or Dashboard()


def _etag(node: Node) -> str:
    """Return a text that differs between drafts: their names, warehouses and contents.

    The time of change is not part of it, because publishing changes the time: the provider would see another draft.
    """
    digest = hashlib.sha256(node.content.read())
    digest.update(f"\0{node.name}\0{_details(node).warehouse_id}".encode())
    return str(int.from_bytes(digest.digest()[:6], "big"))


def _info(objects: Objects, node: Node) -> dict[str, Any]:
    return {
        "dashboard_id": node.resource_id,
        "display_name": _display_name(node),
        "path": objects.path(node),
        "parent_path": objects.path(objects.folder_of(node)),
        "create_time": to_iso(node.created_at),
        "update_time": to_iso(node.modified_at),
        "warehouse_id": _details(node).warehouse_id,
        "etag": _etag(node),
        "serialized_dashboard": node.content.read().decode("utf-8", errors="replace"),
        "lifecycle_state": "ACTIVE",
    }
