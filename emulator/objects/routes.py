"""HTTP of `objects`: `/api/2.0/workspace/*`, and the raw forms under `/api/2.0/workspace-files/`."""

from base64 import b64encode
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from emulator.api.errors import ApiError, denied, exists, invalid, missing
from emulator.api.multipart import is_multipart, read_parts
from emulator.api.routing import Call, Reply, Routes
from emulator.base.content import EMPTY, Content
from emulator.base.paths import Place
from emulator.models.objects import Node
from emulator.objects import exports, imports
from emulator.objects.imports import JSON_LIMIT, STREAM_LIMIT
from emulator.objects.paths import parse
from emulator.objects.rights import PASSAGES, Rights, is_passage, is_protected

routes = Routes()


@routes.get("/api/2.0/workspace/get-status")
def get_status(call: Call) -> dict[str, Any]:
    place = parse(call.argument("path"))
    node = _found(call, place)
    if not is_passage(node):
        Rights(call).require(node, "CAN_READ", place)
    info = describe(node, place.text)
    if call.flag("return_git_info"):
        info |= _git_info(call, node, place)
    if call.flag("return_export_info") and node.kind == "NOTEBOOK":
        info["repos_export_format"] = node.stored_as
    return info


@routes.get("/api/2.0/workspace/list")
def list_folder(call: Call) -> dict[str, Any]:
    """One folder, not what is below it; of a file, the file itself. `{}` when there is nothing."""
    place = parse(call.argument("path"))
    node = _found(call, place)
    rights = Rights(call)
    after = call.number("notebooks_modified_after", 0)
    if not node.is_container:
        rights.require(node, "CAN_READ", place)
        return {"objects": [describe(node, place.text)]}
    everything = rights.may(node, "CAN_READ")
    if not everything and not is_passage(node):
        raise rights.refusal("CAN_READ", place)
    prefix = place.text if place.text.endswith("/") else place.text + "/"
    found = [
        describe(child, prefix + child.name)
        for child in call.workspace.state.objects.children(node)
        if (everything or rights.may_list(child))
        and not (after and child.kind == "NOTEBOOK" and child.modified_at < after)
    ]
    if call.workspace.options.odd_entries and len(place.names) == 2 and place.names[0] == "Users":
        found += odd_entries(prefix)
    return {"objects": found} if found else {}


@routes.post("/api/2.0/workspace/mkdirs")
def mkdirs(call: Call) -> dict[str, Any]:
    """Makes the folders above as well; one that is there is fine."""
    place = parse(call.body.get("path"))
    state = call.workspace.state
    rights = Rights(call)
    nearest = place
    while (node := state.objects.find(nearest.names)) is None:
        nearest = nearest.parent
    if not node.is_container:
        raise exists(f"Path ({nearest.text}) already exists and is not a folder.")
    if nearest == place:
        return {}
    rights.require(node, "CAN_EDIT", nearest)
    outermost = state.objects.make_folders(state.ids, place, call.now)[0]
    if not rights.manages_by_itself(outermost):
        state.acls.grant(outermost.acl_name, call.caller.id, "CAN_MANAGE")
    return {}


@routes.post("/api/2.0/workspace/delete")
def delete(call: Call) -> dict[str, Any]:
    place = parse(call.body.get("path"))
    state = call.workspace.state
    node = _found(call, place)
    rights = Rights(call)
    if is_protected(node):
        raise ApiError(400, "BAD_REQUEST", f"Folder {place.text} is protected")
    folder = state.objects.folder_of(node)
    if not rights.admin and is_passage(folder) and folder.name in PASSAGES:
        raise denied(f"Folder {place.text} is protected")
    if not rights.may(folder, "CAN_EDIT"):
        rights.require(node, "CAN_MANAGE", place)
    if any(state.objects.children(node)) and call.body.get("recursive") is not True:
        raise ApiError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({place.text}) is not empty")
    for gone in state.objects.remove(node):
        state.acls.forget(gone.acl_name)
    return {}


@routes.post("/api/2.0/workspace/import")
def import_(call: Call) -> dict[str, Any]:
    """JSON with base64 in it, or multipart, which carries far more."""
    content_type = call.headers.get("content-type", "")
    fields: dict[str, Any]
    if is_multipart(content_type):
        parts = read_parts(content_type, call.sent)
        data = parts.pop("content", EMPTY)
        fields = {name: value.read().decode("utf-8", errors="replace") for name, value in parts.items()}
        limit = STREAM_LIMIT
    else:
        fields, limit = call.body, JSON_LIMIT
        data = imports.decoded(fields.get("content"))
    node = imports.import_object(
        call,
        parse(fields.get("path")),
        data,
        format=str(fields.get("format") or "SOURCE"),
        language=str(fields.get("language") or "") or None,
        overwrite=str(fields.get("overwrite", "")).lower() == "true",
        limit=limit,
    )
    return {"object_id": node.id}


@routes.get("/api/2.0/workspace/export")
def export(call: Call) -> Any:
    place = parse(call.argument("path"))
    node = _found(call, place)
    Rights(call).require(node, "CAN_READ", place)
    content, file_type = exports.exported(call.workspace.state.objects, node, call.argument("format") or "SOURCE")
    imports.check_size(node.kind, content.size, JSON_LIMIT)
    if call.flag("direct_download"):
        return _attachment(content, node.name, file_type if node.kind != "FILE" else "")
    return {"content": b64encode(content.read()).decode(), "file_type": file_type}


@routes.post("/api/2.0/workspace-files/import-file/{path:path}")
def import_file(call: Call) -> dict[str, Any]:
    """The body is the file. Notebooks are recognised as with the format AUTO."""
    place = parse("/" + call.parameters["path"])
    overwrite = call.flag("overwrite")
    lying = call.workspace.state.objects.find(place.names)
    if lying and not overwrite and lying.kind == "FILE":
        raise ApiError(409, "ALREADY_EXISTS", f"File already exists at ({place.text}).")
    node = imports.import_object(
        call, place, call.sent, format="AUTO", language=None, overwrite=overwrite, limit=STREAM_LIMIT
    )
    return {"object_id": node.id}


@routes.get("/api/2.0/workspace-files/{path:path}")
def read_file(call: Call) -> Reply:
    place = parse("/" + call.parameters["path"])
    node = _found(call, place)
    Rights(call).require(node, "CAN_READ", place)
    if node.is_container:
        raise invalid(f"Path ({place.text}) is a folder.")
    if node.kind == "NOTEBOOK":
        raise invalid(f"Path ({place.text}) is a notebook and not a file.")
    imports.check_size(node.kind, node.content.size, STREAM_LIMIT)
    content, _ = exports.exported(call.workspace.state.objects, node, "AUTO")
    return _attachment(content, node.name, "")


def describe(node: Node, path: str) -> dict[str, Any]:
    """What get-status and list tell of an object."""
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
    """What a home lists beside its objects: made by user interfaces, or by a later version of the platform."""
    kinds = {"Read / write": "NOTEBOOK", "half \ud83d": "FILE", "": "FILE", "question": "QUERY", "ghost": "DIRECTORY"}
    return [
        {"object_id": number, "object_type": kind, "path": prefix + name, "resource_id": str(number)}
        for number, (name, kind) in enumerate(kinds.items(), start=77)
    ]


def _git_info(call: Call, node: Node, place: Place) -> dict[str, Any]:
    """The git folder in which an object lies, or which it is."""
    objects = call.workspace.state.objects
    for depth, above in enumerate(objects.lineage(node)):
        if above.git:
            known = {name: value for name, value in asdict(above.git).items() if name != "sparse" and value is not None}
            return {"git_info": {"id": above.id, "path": place.above(depth).text, **known}}
    return {}


def _found(call: Call, place: Place) -> Node:
    node = call.workspace.state.objects.find(place.names)
    if node is None:
        raise missing(f"Path ({place.text}) doesn't exist.")
    return node


def _attachment(content: Content, name: str, extension: str) -> Reply:
    shown = quote(f"{name}.{extension}" if extension else name)
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{shown}",
    }
    return Reply(200, content, headers)
