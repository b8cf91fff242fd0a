"""HTTP handlers for workspace objects: `/api/2.0/workspace/*`, and raw content in `/api/2.0/workspace-files/`."""

from base64 import b64encode
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from emulator.api.errors import ApiError, denied, exists, invalid, missing
from emulator.api.multipart import is_multipart, read_parts
from emulator.api.routing import Request, Response, Routes
from emulator.base.content import EMPTY, Content
from emulator.base.paths import WorkspacePath
from emulator.models.files.objects import Node
from emulator.objects import exports, imports
from emulator.objects.imports import JSON_LIMIT, STREAM_LIMIT
from emulator.objects.paths import parse
from emulator.objects.rights import TRAVERSABLE_FOLDERS, Rights, is_protected, is_traversable

routes = Routes()


@routes.get("/api/2.0/workspace/get-status")
def get_status(request: Request) -> dict[str, Any]:
    path = parse(request.argument("path"))
    node = _find(request, path)
    if not is_traversable(node):
        Rights(request).require(node, "CAN_READ", path)
    info = describe(node, path.text)
    if request.flag("return_git_info"):
        info |= _git_info(request, node, path)
    if request.flag("return_export_info") and node.kind == "NOTEBOOK":
        info["repos_export_format"] = node.stored_as
    return info


@routes.get("/api/2.0/workspace/list")
def list_folder(request: Request) -> dict[str, Any]:
    """List a folder's direct content; for a file, return the file itself. For an empty folder the response is `{}`."""
    path = parse(request.argument_or_field("path"))
    node = _find(request, path)
    rights = Rights(request)
    after = request.number("notebooks_modified_after", 0)
    if not node.is_container:
        rights.require(node, "CAN_READ", path)
        return {"objects": [describe(node, path.text)]}
    everything = rights.has_permission(node, "CAN_READ")
    if not everything and not is_traversable(node):
        raise rights.denied("CAN_READ", path)
    prefix = path.text if path.text.endswith("/") else path.text + "/"
    found = [
        describe(child, prefix + child.name)
        for child in request.workspace.state.objects.children(node)
        if (everything or rights.may_list(child))
        and not (after and child.kind == "NOTEBOOK" and child.modified_at < after)
    ]
    if request.workspace.options.odd_entries and len(path.names) == 2 and path.names[0] == "Users":
        found += odd_entries(prefix)
    return {"objects": found} if found else {}


@routes.post("/api/2.0/workspace/mkdirs")
def mkdirs(request: Request) -> dict[str, Any]:
    """Create the folder and its parents; it is not an error if it exists."""
    path = parse(request.body.get("path"))
    state = request.workspace.state
    rights = Rights(request)
    nearest = path
    while (node := state.objects.find(nearest.names)) is None:
        nearest = nearest.parent
    if not node.is_container:
        raise exists(f"Path ({nearest.text}) already exists and is not a folder.")
    if nearest == path:
        return {}
    rights.require(node, "CAN_EDIT", nearest)
    outermost = state.objects.make_folders(state.ids, path, request.now)[0]
    if not rights.manages_without_admin(outermost):
        state.acls.grant(outermost.acl_name, request.caller.id, "CAN_MANAGE")
    return {}


@routes.post("/api/2.0/workspace/delete")
def delete(request: Request) -> dict[str, Any]:
    path = parse(request.body.get("path"))
    state = request.workspace.state
    node = _find(request, path)
    rights = Rights(request)
    if is_protected(node):
        raise ApiError(400, "BAD_REQUEST", f"Folder {path.text} is protected")
    folder = state.objects.folder_of(node)
    if not rights.admin and is_traversable(folder) and folder.name in TRAVERSABLE_FOLDERS:
        raise denied(f"Folder {path.text} is protected")
    if not rights.has_permission(folder, "CAN_EDIT"):
        rights.require(node, "CAN_MANAGE", path)
    if any(state.objects.children(node)) and request.body.get("recursive") is not True:
        raise ApiError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({path.text}) is not empty")
    for gone in state.objects.remove(node):
        state.acls.remove_object(gone.acl_name)
    return {}


@routes.post("/api/2.0/workspace/import")
def import_(request: Request) -> dict[str, Any]:
    """Import from JSON with base64, or from multipart, which may be larger."""
    content_type = request.headers.get("content-type", "")
    fields: dict[str, Any]
    if is_multipart(content_type):
        parts = read_parts(content_type, request.content)
        data = parts.pop("content", EMPTY)
        fields = {name: value.read().decode("utf-8", errors="replace") for name, value in parts.items()}
        limit = STREAM_LIMIT
    else:
        fields, limit = request.body, JSON_LIMIT
        data = imports.decode_base64(fields.get("content"))
    node = imports.import_object(
        request,
        parse(fields.get("path")),
        data,
        format=str(fields.get("format") or ""),
        language=str(fields.get("language") or "") or None,
        overwrite=str(fields.get("overwrite", "")).lower() == "true",
        limit=limit,
    )
    return {"object_id": node.id}


@routes.get("/api/2.0/workspace/export")
def export(request: Request) -> Any:
    path = parse(request.argument("path"))
    node = _find(request, path)
    Rights(request).require(node, "CAN_READ", path)
    content, file_type = exports.export_object(
        request.workspace.state.objects, node, request.argument("format") or "SOURCE"
    )
    imports.check_size(node.kind, content.size, JSON_LIMIT)
    if request.flag("direct_download"):
        return _attachment(content, node.name, file_type if node.kind != "FILE" else "")
    return {"content": b64encode(content.read()).decode(), "file_type": file_type}


@routes.post("/api/2.0/workspace-files/import-file/{path:path}")
def import_file(request: Request) -> dict[str, Any]:
    """Import the body as a file. Notebooks are detected as in the format AUTO."""
    path = parse("/" + request.parameters["path"])
    overwrite = request.flag("overwrite")
    existing = request.workspace.state.objects.find(path.names)
    if existing and not overwrite and existing.kind == "FILE":
        raise ApiError(409, "ALREADY_EXISTS", f"File already exists at ({path.text}).")
    node = imports.import_object(
        request, path, request.content, format="AUTO", language=None, overwrite=overwrite, limit=STREAM_LIMIT
    )
    return {"object_id": node.id}


@routes.get("/api/2.0/workspace-files/{path:path}")
def read_file(request: Request) -> Response:
    path = parse("/" + request.parameters["path"])
    node = _find(request, path)
    Rights(request).require(node, "CAN_READ", path)
    if node.is_container:
        raise invalid(f"Path ({path.text}) is a folder.")
    if node.kind == "NOTEBOOK":
        raise invalid(f"Path ({path.text}) is a notebook and not a file.")
    imports.check_size(node.kind, node.content.size, STREAM_LIMIT)
    content, _ = exports.export_object(request.workspace.state.objects, node, "AUTO")
    return _attachment(content, node.name, "")


def describe(node: Node, path: str) -> dict[str, Any]:
    """Return an object as in get-status and list responses."""
    info: dict[str, Any] = {
        "object_id": node.id,
        "object_type": node.kind,
        "path": path,
        "resource_id": node.resource_id or str(node.id),
    }
    if node.kind == "NOTEBOOK":
        info["language"] = node.language
    if not node.is_container:
        info["created_at"], info["modified_at"] = node.created_at, node.modified_at
    if node.kind == "FILE":
        info["size"] = node.content.size
    return info


def odd_entries(prefix: str) -> list[dict[str, Any]]:
    """Return additional entries in a home, as user interfaces or a later version of the platform may create them."""
    kinds = {"Read / write": "NOTEBOOK", "half \ud83d": "FILE", "": "FILE", "question": "QUERY", "ghost": "DIRECTORY"}
    return [
        {"object_id": number, "object_type": kind, "path": prefix + name, "resource_id": str(number)}
        for number, (name, kind) in enumerate(kinds.items(), start=77)
    ]


def _git_info(request: Request, node: Node, path: WorkspacePath) -> dict[str, Any]:
    """Describe the git folder that contains the object or is the object itself."""
    objects = request.workspace.state.objects
    for depth, above in enumerate(objects.with_ancestors(node)):
        if above.git:
            known = {name: value for name, value in asdict(above.git).items() if name != "sparse" and value is not None}
            return {"git_info": {"id": above.id, "path": path.ancestor(depth).text, **known}}
    return {}


def _find(request: Request, path: WorkspacePath) -> Node:
    node = request.workspace.state.objects.find(path.names)
    if node is None:
        raise missing(f"Path ({path.text}) doesn't exist.")
    return node


def _attachment(content: Content, name: str, extension: str) -> Response:
    shown = quote(f"{name}.{extension}" if extension else name)
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{shown}",
    }
    return Response(200, content, headers)
