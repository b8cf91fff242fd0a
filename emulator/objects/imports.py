"""Putting content into the workspace, in every format the import takes."""

from base64 import b64decode
from dataclasses import dataclass
from typing import Literal

from emulator.api.errors import ApiError, exists, invalid, missing
from emulator.api.routing import Call
from emulator.base.content import Content, Held
from emulator.base.paths import Place
from emulator.models.objects import Kind, Node
from emulator.notebook_formats import archives, notebooks
from emulator.notebook_formats.notebooks import LANGUAGES, NotNotebookError
from emulator.objects.rights import Rights

FORMATS = ("SOURCE", "HTML", "JUPYTER", "DBC", "R_MARKDOWN", "AUTO", "RAW")
JSON_LIMIT = 10_485_760
"""Bytes of content that an import as JSON carries, and an export, as JSON or by direct download."""
STREAM_LIMIT = 500 * 2**20
"""Bytes that a multipart import carries, and `workspace-files` in both directions."""
DASHBOARD = ".lvdash.json"
FIRST_LINE = 1000
"""Bytes in which the first line of a notebook ends."""


@dataclass(frozen=True)
class Arrival:
    """What is to lie at a place."""

    kind: Kind
    data: Content
    language: str | None = None
    stored_as: Literal["SOURCE", "JUPYTER"] = "SOURCE"


def decoded(text: object) -> Content:
    """What base64 stands for. Raises a 400 for anything else."""
    try:
        return Held(b64decode(str(text or ""), validate=True))
    except ValueError:
        raise ApiError(400, "MALFORMED_REQUEST", "content is not base64") from None


def check_size(kind: Kind, size: int, limit: int) -> None:
    """Raises the 400 of an object that is larger than this form of import or export carries."""
    if size <= limit:
        return
    if kind == "NOTEBOOK":
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"Notebook size ({size} bytes) exceeds {limit} bytes")
    text = f"File size imported is ({size} bytes), exceeded max size ({limit} bytes)"
    raise ApiError(400, "BAD_REQUEST", text)


def import_object(
    call: Call, place: Place, data: Content, *, format: str, language: str | None, overwrite: bool, limit: int
) -> Node:
    """Import as `format` says; returns what now lies there, which keeps its id when it is overwritten."""
    if format not in FORMATS:
        raise invalid(f"Unknown format: {format}")
    if language and language not in LANGUAGES:
        raise invalid(f"Unknown language: {language}")
    if not place.names:
        raise exists("Path (/) already exists.")
    try:
        if format == "DBC":
            return _import_archive(call, place, data, overwrite, limit)
        place, content = _read(place, data, format, language)
    except NotNotebookError as error:
        raise invalid(str(error)) from None
    check_size(content.kind, data.size, limit)
    return put(call, place, content, overwrite)


def put(call: Call, place: Place, content: Arrival, overwrite: bool) -> Node:
    """Let the content lie at the place.

    Raises 404 without its folder, 400 for what is in the way, 403 without the right.
    """
    objects = call.workspace.state.objects
    folder = objects.find(place.parent.names)
    if folder is None:
        raise missing(f"The parent folder ({place.parent.text}) does not exist.")
    if not folder.is_container:
        raise invalid(f"The parent ({place.parent.text}) is not a folder.")
    rights = Rights(call)
    node = objects.find(place.names)
    if node is None:
        node = add(call, rights, folder, place, content.kind)
    else:
        rights.require(node, "CAN_EDIT", place)
        if not overwrite:
            raise exists(f"Path ({place.text}) already exists.")
        if node.kind != content.kind:
            asked, actual = content.kind.capitalize(), node.kind.capitalize()
            raise invalid(
                f"Cannot overwrite the asset at {place.text} due to type mismatch (asked: {asked}, actual: {actual})"
            )
    node = objects.hold(node)
    node.content, node.language, node.stored_as = content.data, content.language, content.stored_as
    node.modified_at = call.now
    return node


def add(call: Call, rights: Rights, folder: Node, place: Place, kind: Kind) -> Node:
    """A new object, which its maker manages. Raises 403 unless the caller may add to the folder."""
    rights.require(folder, "CAN_EDIT", place.parent)
    state = call.workspace.state
    node = state.objects.add(state.ids, folder, place.name, kind, call.now)
    if kind == "DASHBOARD":
        node.resource_id = state.ids.hex("dashboard", f"{folder.id}/{place.name}", 32)
    if not rights.manages_by_itself(node):
        state.acls.grant(node.acl_name, call.caller.id, "CAN_MANAGE")
    return node


def _read(place: Place, data: Content, format: str, language: str | None) -> tuple[Place, Arrival]:
    """Where and as what the content is to lie. Raises NotNotebookError."""
    match format:
        case "RAW":
            return place, Arrival("FILE", data)
        case "AUTO":
            return _recognised(place, data)
        case "JUPYTER":
            _, found = notebooks.cells_of_jupyter(data.read())
            return place, Arrival("NOTEBOOK", data, found, "JUPYTER")
        case "HTML":
            cells, found = archives.read_html(data.read())
        case "R_MARKDOWN":
            cells, found = notebooks.cells_of_rmd(data.read().decode("utf-8", errors="replace")), "R"
        case _:
            if not language:
                raise invalid("Missing required field: language")
            return place, Arrival("NOTEBOOK", data, language)
    return place, _notebook(cells, found)


def _recognised(place: Place, data: Content) -> tuple[Place, Arrival]:
    """As the format AUTO has it: notebooks by extension and first line, which lose the extension; else a file."""
    name = place.name
    if name.lower().endswith(".ipynb"):
        _, found = notebooks.cells_of_jupyter(data.read())
        return place.renamed(name[: -len(".ipynb")]), Arrival("NOTEBOOK", data, found, "JUPYTER")
    if name.lower().endswith(DASHBOARD):
        return place, Arrival("DASHBOARD", data)
    language = notebooks.language_of(name, data.read(0, FIRST_LINE))
    if language:
        stem = name[: -len(LANGUAGES[language].extension)]
        return place.renamed(stem), Arrival("NOTEBOOK", data, language)
    return place, Arrival("FILE", data)


def _notebook(cells: list[str], language: str) -> Arrival:
    return Arrival("NOTEBOOK", Held(notebooks.source_of_cells(cells, language).encode()), language)


def _import_archive(call: Call, place: Place, data: Content, overwrite: bool, limit: int) -> Node:
    """One notebook of an archive lies at the place itself; anything else becomes a folder there."""
    check_size("NOTEBOOK", data.size, limit)
    if overwrite:
        raise invalid("Overwrite cannot be used for dbc format")
    entries = archives.read_dbc(data.read())
    objects = call.workspace.state.objects
    if objects.find(place.names):
        raise exists(f"Path ({place.text}) already exists.")
    if len(entries) == 1 and entries[0][1] is not None:
        return put(call, place, _notebook(entries[0][1], entries[0][2]), overwrite=False)
    # The archive's only folder at its top is the one that gets the new name.
    tops = {names[0] for names, _, _ in entries}
    skip = 1 if len(tops) == 1 and entries[0][1] is None else 0
    made = make_folder(call, place)
    for names, cells, language in entries:
        if len(names) <= skip:
            continue
        inner = Place((*place.names, *names[skip:]), place.prefix)
        if cells is None:
            make_folder(call, inner)
        else:
            put(call, inner, _notebook(cells, language), overwrite=False)
    return made


def make_folder(call: Call, place: Place) -> Node:
    """A folder in one that is there."""
    folder = call.workspace.state.objects.find(place.parent.names)
    if folder is None:
        raise missing(f"The parent folder ({place.parent.text}) does not exist.")
    return add(call, Rights(call), folder, place, "DIRECTORY")
