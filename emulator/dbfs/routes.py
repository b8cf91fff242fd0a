"""HTTP of `dbfs`: `/api/2.0/dbfs/*`. Every user may do everything there, as in the platform."""

from base64 import b64decode, b64encode
from typing import Any

from emulator.api.errors import ApiError, denied, exists, invalid, missing
from emulator.api.multipart import is_multipart, read_parts
from emulator.api.routing import Call, Routes
from emulator.base.content import EMPTY, Content, Held
from emulator.base.paths import Names
from emulator.dbfs.paths import parse, text
from emulator.models.dbfs import Entry, Upload
from emulator.settings.legacy_dbfs import legacy_dbfs_is_disabled

routes = Routes()
BLOCK = 2**20
"""Bytes that a read gives and that a block or a JSON put carries at most."""
DEFAULT_READ = 2**19
DELETED_AT_ONCE = 10_000
"""Entries that one recursive delete takes away before it asks to be called again."""


@routes.get("/api/2.0/dbfs/get-status")
def get_status(call: Call) -> dict[str, Any]:
    names = _asked(call)
    return describe(_found(call, names), text(names))


@routes.get("/api/2.0/dbfs/list")
def list_folder(call: Call) -> dict[str, Any]:
    """What lies in the folder; of a file, the file itself."""
    names = _asked(call)
    entry = _found(call, names)
    if not entry.is_dir:
        return {"files": [describe(entry, text(names))]}
    prefix = text(names).rstrip("/") + "/"
    files = [describe(child, prefix + child.name) for child in call.workspace.state.dbfs.children(entry)]
    return {"files": files} if files else {}


@routes.get("/api/2.0/dbfs/read")
def read(call: Call) -> dict[str, Any]:
    names = _asked(call)
    entry = _found(call, names)
    if entry.is_dir:
        raise invalid(f"Path is a directory: {text(names)}")
    offset, length = call.number("offset", 0), call.number("length", DEFAULT_READ)
    if offset < 0 or length < 0:
        raise invalid("offset and length must not be negative.")
    if length > BLOCK:
        raise ApiError(400, "MAX_READ_SIZE_EXCEEDED", f"The read length {length} exceeds the maximum of {BLOCK} bytes.")
    data = entry.content.read(offset, length)
    return {"bytes_read": len(data), "data": b64encode(data).decode()}


@routes.post("/api/2.0/dbfs/put")
def put(call: Call) -> dict[str, Any]:
    """A whole file: small ones in JSON, larger ones as multipart."""
    content_type = call.headers.get("content-type", "")
    fields: dict[str, Any]
    if is_multipart(content_type):
        parts = read_parts(content_type, call.sent)
        fields = {name: parts.get(name, EMPTY).read().decode(errors="replace") for name in ("path", "overwrite")}
        data: Content = parts.get("contents", parts.get("content", EMPTY))
    else:
        fields = call.body
        data = Held(_block(fields.get("contents")))
    names = _named(call, fields.get("path"))
    _check_free(call, names, str(fields.get("overwrite", "")).lower() == "true")
    _write(call, names, data)
    return {}


@routes.post("/api/2.0/dbfs/create")
def create(call: Call) -> dict[str, Any]:
    """Begin an upload; until it is closed the file is there and empty."""
    names = _named(call, call.body.get("path"))
    _check_free(call, names, call.body.get("overwrite") is True)
    _write(call, names, EMPTY)
    return {"handle": call.workspace.state.dbfs.open(names).handle}


@routes.post("/api/2.0/dbfs/add-block")
def add_block(call: Call) -> dict[str, Any]:
    upload = _upload(call)
    upload.content = upload.content.plus(_block(call.body.get("data")))
    return {}


@routes.post("/api/2.0/dbfs/close")
def close(call: Call) -> dict[str, Any]:
    upload = _upload(call)
    del call.workspace.state.dbfs.uploads[upload.handle]
    _write(call, tuple(upload.names), upload.content)
    return {}


@routes.post("/api/2.0/dbfs/mkdirs")
def mkdirs(call: Call) -> dict[str, Any]:
    """Makes the folders above as well; one that is there is fine."""
    names = _named(call, call.body.get("path"))
    try:
        call.workspace.state.dbfs.make_folders(names, call.now)
    except NotADirectoryError:
        raise _in_the_way(names) from None
    return {}


@routes.post("/api/2.0/dbfs/delete")
def delete(call: Call) -> dict[str, Any]:
    """Of what is not there is no complaint. Very large folders go in several calls."""
    names = _named(call, call.body.get("path"))
    dbfs = call.workspace.state.dbfs
    entry = dbfs.find(names)
    if entry is None:
        return {}
    if not names:
        raise denied("No operations allowed on this path.")
    if any(dbfs.children(entry)) and call.body.get("recursive") is not True:
        text_ = f"{text(names)}: Directory is not empty. Use recursive delete or remove contents first."
        raise ApiError(400, "IO_ERROR", text_)
    number = dbfs.remove(entry, DELETED_AT_ONCE)
    if dbfs.find(names) is not None:
        raise ApiError(
            503,
            "PARTIAL_DELETE",
            f"The requested operation has deleted {number} files. There are more files remaining. "
            "You must make another request to delete more.",
        )
    return {}


@routes.post("/api/2.0/dbfs/move")
def move(call: Call) -> dict[str, Any]:
    source = _named(call, call.body.get("source_path"), "source_path")
    target = _named(call, call.body.get("destination_path"), "destination_path")
    dbfs = call.workspace.state.dbfs
    entry = _found(call, source)
    if dbfs.find(target):
        raise _in_the_way(target)
    if target[: len(source)] == source:
        raise invalid(f"Cannot move {text(source)} into itself.")
    folder = _found(call, target[:-1])
    if not folder.is_dir:
        raise _in_the_way(target[:-1])
    dbfs.move(entry, folder, target[-1])
    return {}


def describe(entry: Entry, path: str) -> dict[str, Any]:
    return {
        "path": path,
        "is_dir": entry.is_dir,
        "file_size": entry.content.size,
        "modification_time": entry.modified_at,
    }


def _asked(call: Call) -> Names:
    return _named(call, call.argument("path"))


def _named(call: Call, path: Any, field: str = "path") -> Names:
    """The path. Raises 403 where DBFS is switched off, whatever the path is."""
    names = parse(path, field)
    if legacy_dbfs_is_disabled(call.workspace):
        raise denied(f"Public DBFS root is disabled. Access is denied on path: {text(names)}")
    return names


def _found(call: Call, names: Names) -> Entry:
    entry = call.workspace.state.dbfs.find(names)
    if entry is None:
        raise missing(f"No file or directory exists on path {text(names)}.")
    return entry


def _upload(call: Call) -> Upload:
    if legacy_dbfs_is_disabled(call.workspace):
        raise denied("Public DBFS root is disabled.")
    handle = call.required("handle")
    upload = call.workspace.state.dbfs.uploads.get(handle) if isinstance(handle, int) else None
    if upload is None:
        raise missing(f"No stream exists with handle {handle}.")
    return upload


def _block(data: Any) -> bytes:
    try:
        content = b64decode(str(data or ""), validate=True)
    except ValueError:
        raise ApiError(400, "MALFORMED_REQUEST", "The data is not base64.") from None
    if len(content) > BLOCK:
        text_ = f"The block of {len(content)} bytes exceeds the maximum of {BLOCK} bytes."
        raise ApiError(400, "MAX_BLOCK_SIZE_EXCEEDED", text_)
    return content


def _check_free(call: Call, names: Names, overwrite: bool) -> None:
    entry = call.workspace.state.dbfs.find(names)
    if entry and (entry.is_dir or not overwrite):
        raise _in_the_way(names)


def _write(call: Call, names: Names, content: Content) -> None:
    try:
        call.workspace.state.dbfs.write(names, content, call.now)
    except (NotADirectoryError, IsADirectoryError):
        raise _in_the_way(names) from None


def _in_the_way(names: Names) -> ApiError:
    return exists(f"A file or directory already exists at the input path {text(names)}.")
