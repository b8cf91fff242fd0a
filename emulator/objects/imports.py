"""Imports workspace objects in all formats."""

from base64 import b64decode
from dataclasses import dataclass
from typing import Literal

from emulator.api.errors import ApiError, exists, invalid, missing
from emulator.api.routing import Request
from emulator.base.content import BytesContent, Content
from emulator.base.paths import WorkspacePath
from emulator.models.files.objects import Kind, Node
from emulator.notebook_formats import archives, notebooks
from emulator.notebook_formats.notebooks import LANGUAGES, NotNotebookError
from emulator.objects.rights import Rights

FORMATS = ("SOURCE", "HTML", "JUPYTER", "DBC", "R_MARKDOWN", "AUTO", "RAW")
JSON_LIMIT = 10_485_760
"""Maximum size in bytes of an import as JSON, and of an export as JSON or by direct download."""
STREAM_LIMIT = 500 * 2**20
"""Maximum size in bytes of a multipart import, and of `workspace-files` in both directions."""
DASHBOARD = ".lvdash.json"
ZIP_START = b"PK\x03\x04"
FIRST_LINE = 1000
"""Number of bytes within which a notebook's first line must end."""


@dataclass(frozen=True)
class ImportedContent:
    """Content to be stored at a path."""

    kind: Kind
    data: Content
    language: str | None = None
    stored_as: Literal["SOURCE", "JUPYTER"] = "SOURCE"


def decode_base64(text: object) -> Content:
    """Decode base64. Raises 400 for anything else."""
    try:
        return BytesContent(b64decode(str(text or ""), validate=True))
    except ValueError:
        raise ApiError(400, "MALFORMED_REQUEST", "content is not base64") from None


def check_size(kind: Kind, size: int, limit: int) -> None:
    """Raise 400 if the object exceeds the limit of this kind of import or export."""
    if size <= limit:
        return
    if kind == "NOTEBOOK":
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"Notebook size ({size} bytes) exceeds {limit} bytes")
    text = f"File size imported is ({size} bytes), exceeded max size ({limit} bytes)"
    raise ApiError(400, "BAD_REQUEST", text)


def import_object(
    request: Request,
    path: WorkspacePath,
    data: Content,
    *,
    format: str,
    language: str | None,
    overwrite: bool,
    limit: int,
) -> Node:
    """Import in this format; return the object. An overwritten object keeps its id.

    Without a format, content with a language is SOURCE, and other content is an archive.
    """
    if not format:
        format = "SOURCE" if language else "DBC"
        if format == "DBC" and not data.read(0, len(ZIP_START)) == ZIP_START:
            raise ApiError(400, "BAD_REQUEST", "The zip archive contains no items.")
    if format not in FORMATS:
        raise invalid(f"Unknown format: {format}")
    if language and language not in LANGUAGES:
        raise invalid(f"Unknown language: {language}")
    if not path.names:
        raise exists("Path (/) already exists.")
    try:
        if format == "DBC":
            return _import_archive(request, path, data, overwrite, limit)
        path, content = _convert(path, data, format, language)
    except NotNotebookError as error:
        raise invalid(str(error)) from None
    check_size(content.kind, data.size, limit)
    return write_object(request, path, content, overwrite)


def write_object(request: Request, path: WorkspacePath, content: ImportedContent, overwrite: bool) -> Node:
    """Store the content at the path.

    Raises 404 if the parent folder is missing, 400 if the path is taken, 403 without permission.
    """
    objects = request.workspace.state.objects
    folder = objects.find(path.parent.names)
    if folder is None:
        raise missing(f"The parent folder ({path.parent.text}) does not exist.")
    if not folder.is_container:
        raise invalid(f"The parent ({path.parent.text}) is not a folder.")
    rights = Rights(request)
    node = objects.find(path.names)
    if node is None:
        node = add_object(request, rights, folder, path, content.kind)
    else:
        rights.require(node, "CAN_EDIT", path)
        if not overwrite:
            raise exists(f"Path ({path.text}) already exists.")
        if node.kind != content.kind:
            asked, actual = content.kind.capitalize(), node.kind.capitalize()
            raise invalid(
                f"Cannot overwrite the asset at {path.text} due to type mismatch (asked: {asked}, actual: {actual})"
            )
    node = objects.store(node)
    node.content, node.language, node.stored_as = content.data, content.language, content.stored_as
    node.modified_at = request.now
    return node


def add_object(request: Request, rights: Rights, folder: Node, path: WorkspacePath, kind: Kind) -> Node:
    """Create an object and let the caller manage it. Raises 403 if the caller may not add to the folder."""
    rights.require(folder, "CAN_EDIT", path.parent)
    state = request.workspace.state
    node = state.objects.add(state.ids, folder, path.name, kind, request.now)
    if kind == "DASHBOARD":
        node.resource_id = state.ids.hex("dashboard", f"{folder.id}/{path.name}", 32)
    if not rights.manages_without_admin(node):
        state.acls.grant(node.acl_name, request.caller.id, "CAN_MANAGE")
    return node


def _convert(
    path: WorkspacePath, data: Content, format: str, language: str | None
) -> tuple[WorkspacePath, ImportedContent]:
    """Return path and content for an import. Raises NotNotebookError."""
    match format:
        case "RAW":
            return path, ImportedContent("FILE", data)
        case "AUTO":
            return _detect_format(path, data)
        case "JUPYTER":
            _, found = notebooks.cells_of_jupyter(data.read())
            return path, ImportedContent("NOTEBOOK", data, found, "JUPYTER")
        case "HTML":
            cells, found = archives.read_html(data.read())
        case "R_MARKDOWN":
            cells, found = notebooks.cells_of_rmd(data.read().decode("utf-8", errors="replace")), "R"
        case _:
            if not language:
                raise invalid("Missing required field: language")
            return path, ImportedContent("NOTEBOOK", data, language)
    return path, _notebook(cells, found)


def _detect_format(path: WorkspacePath, data: Content) -> tuple[WorkspacePath, ImportedContent]:
    """Handle the format AUTO. Notebooks are detected by extension and first line, and lose the extension; other content
    is a file."""
    name = path.name
    if name.lower().endswith(".ipynb"):
        _, found = notebooks.cells_of_jupyter(data.read())
        return path.with_name(name[: -len(".ipynb")]), ImportedContent("NOTEBOOK", data, found, "JUPYTER")
    if name.lower().endswith(DASHBOARD):
        return path, ImportedContent("DASHBOARD", data)
    language = notebooks.language_of(name, data.read(0, FIRST_LINE))
    if language:
        stem = name[: -len(LANGUAGES[language].extension)]
        return path.with_name(stem), ImportedContent("NOTEBOOK", data, language)
    return path, ImportedContent("FILE", data)


def _notebook(cells: list[str], language: str) -> ImportedContent:
    return ImportedContent("NOTEBOOK", BytesContent(notebooks.source_of_cells(cells, language).encode()), language)


def _import_archive(request: Request, path: WorkspacePath, data: Content, overwrite: bool, limit: int) -> Node:
    """Import an archive. A single notebook is stored at the path itself, anything else in a folder at the path."""
    check_size("NOTEBOOK", data.size, limit)
    if overwrite:
        raise invalid("Overwrite cannot be used for dbc format")
    entries = archives.read_dbc(data.read())
    objects = request.workspace.state.objects
    if objects.find(path.names):
        raise exists(f"Path ({path.text}) already exists.")
    if len(entries) == 1 and entries[0][1] is not None:
        return write_object(request, path, _notebook(entries[0][1], entries[0][2]), overwrite=False)
    # If the archive has a single top folder, this folder gets the new name.
    tops = {names[0] for names, _, _ in entries}
    skip = 1 if len(tops) == 1 and entries[0][1] is None else 0
    created = make_folder(request, path)
    for names, cells, language in entries:
        if len(names) <= skip:
            continue
        inner = WorkspacePath((*path.names, *names[skip:]), path.prefix)
        if cells is None:
            make_folder(request, inner)
        else:
            write_object(request, inner, _notebook(cells, language), overwrite=False)
    return created


def make_folder(request: Request, path: WorkspacePath) -> Node:
    """Create a folder; the parent folder must exist."""
    folder = request.workspace.state.objects.find(path.parent.names)
    if folder is None:
        raise missing(f"The parent folder ({path.parent.text}) does not exist.")
    return add_object(request, Rights(request), folder, path, "DIRECTORY")
