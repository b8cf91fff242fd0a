"""HTTP handlers for DBFS: `/api/2.0/dbfs/*`. All users have full access, as on the platform."""

from base64 import b64decode, b64encode
from typing import Any

from emulator.api.errors import ApiError, denied, exists, invalid, missing
from emulator.api.multipart import is_multipart, read_parts
from emulator.api.routing import Request, Routes
from emulator.base.content import EMPTY, BytesContent, Content
from emulator.base.paths import Names
from emulator.dbfs.paths import parse, text
from emulator.models.files.dbfs import FileEntry, Upload
from emulator.settings.legacy_dbfs import legacy_dbfs_is_disabled

routes = Routes()
MAX_BLOCK_BYTES = 2**20
"""Maximum size of one read, one block, or one put as JSON, in bytes."""
DEFAULT_READ = 2**19
MAX_DELETED_PER_REQUEST = 10_000
"""Maximum number of entries that one recursive delete request removes; more entries need further requests."""


@routes.get("/api/2.0/dbfs/get-status")
def get_status(request: Request) -> dict[str, Any]:
    names = _path_argument(request)
    return describe(_find(request, names), text(names))


@routes.get("/api/2.0/dbfs/list")
def list_folder(request: Request) -> dict[str, Any]:
    """List a folder; for a file, return the file itself."""
    names = _parse_path(request, request.argument_or_field("path"))
    entry = _find(request, names)
    if not entry.is_dir:
        return {"files": [describe(entry, text(names))]}
    prefix = text(names).rstrip("/") + "/"
    files = [describe(child, prefix + child.name) for child in request.workspace.state.dbfs.children(entry)]
    return {"files": files} if files else {}


@routes.get("/api/2.0/dbfs/read")
def read(request: Request) -> dict[str, Any]:
    names = _path_argument(request)
    entry = _find(request, names)
    if entry.is_dir:
        raise invalid(f"Path is a directory: {text(names)}")
    offset, length = request.number("offset", 0), request.number("length", DEFAULT_READ)
    if offset < 0 or length < 0:
        raise invalid("offset and length must not be negative.")
    if length > MAX_BLOCK_BYTES:
        raise ApiError(
            400, "MAX_READ_SIZE_EXCEEDED", f"The read length {length} exceeds the maximum of {MAX_BLOCK_BYTES} bytes."
        )
    data = entry.content.read(offset, length)
    return {"bytes_read": len(data), "data": b64encode(data).decode()}


@routes.post("/api/2.0/dbfs/put")
def put(request: Request) -> dict[str, Any]:
    """Write a whole file, sent as JSON if it is small, otherwise as multipart."""
    content_type = request.headers.get("content-type", "")
    fields: dict[str, Any]
    if is_multipart(content_type):
        parts = read_parts(content_type, request.content)
        fields = {name: parts.get(name, EMPTY).read().decode(errors="replace") for name in ("path", "overwrite")}
        data: Content = parts.get("contents", parts.get("content", EMPTY))
    else:
        fields = request.body
        data = BytesContent(_block(fields.get("contents")))
    names = _parse_path(request, fields.get("path"))
    _check_not_taken(request, names, str(fields.get("overwrite", "")).lower() == "true")
    _write(request, names, data)
    return {}


@routes.post("/api/2.0/dbfs/create")
def create(request: Request) -> dict[str, Any]:
    """Begin an upload. Until it is closed, the file exists but is empty."""
    names = _parse_path(request, request.body.get("path"))
    _check_not_taken(request, names, request.body.get("overwrite") is True)
    _write(request, names, EMPTY)
    return {"handle": request.workspace.state.dbfs.open(names).handle}


@routes.post("/api/2.0/dbfs/add-block")
def add_block(request: Request) -> dict[str, Any]:
    upload = _upload(request)
    upload.content = upload.content.plus(_block(request.body.get("data")))
    return {}


@routes.post("/api/2.0/dbfs/close")
def close(request: Request) -> dict[str, Any]:
    upload = _upload(request)
    del request.workspace.state.dbfs.uploads[upload.handle]
    _write(request, tuple(upload.names), upload.content)
    return {}


@routes.post("/api/2.0/dbfs/mkdirs")
def mkdirs(request: Request) -> dict[str, Any]:
    """Create the folder and its parents; it is not an error if it exists."""
    names = _parse_path(request, request.body.get("path"))
    try:
        request.workspace.state.dbfs.make_folders(names, request.now)
    except NotADirectoryError:
        raise exists(
            f"Cannot create directory {text(names)} because {_file_on(request, names)} is an existing file."
        ) from None
    return {}


@routes.post("/api/2.0/dbfs/delete")
def delete(request: Request) -> dict[str, Any]:
    """Delete a file or folder; it is not an error if it is missing. Very large folders take several requests."""
    names = _parse_path(request, request.body.get("path"))
    dbfs = request.workspace.state.dbfs
    entry = dbfs.find(names)
    if entry is None:
        return {}
    if not names:
        raise denied("No operations allowed on this path.")
    if any(dbfs.children(entry)) and request.body.get("recursive") is not True:
        text_ = f"{text(names)}: Directory is not empty. Use recursive delete or remove contents first."
        raise ApiError(400, "IO_ERROR", text_)
    number = dbfs.remove(entry, MAX_DELETED_PER_REQUEST)
    if dbfs.find(names) is not None:
        raise ApiError(
            503,
            "PARTIAL_DELETE",
            f"The requested operation has deleted {number} files. There are more files remaining. "
            "You must make another request to delete more.",
        )
    return {}


@routes.post("/api/2.0/dbfs/move")
def move(request: Request) -> dict[str, Any]:
    source = _parse_path(request, request.body.get("source_path"), "source_path")
    target = _parse_path(request, request.body.get("destination_path"), "destination_path")
    dbfs = request.workspace.state.dbfs
    entry = _find(request, source)
    if dbfs.find(target):
        raise _path_exists(target)
    if target[: len(source)] == source:
        raise invalid(f"Cannot move {text(source)} into itself.")
    folder = _find(request, target[:-1])
    if not folder.is_dir:
        raise _path_exists(target[:-1])
    dbfs.move(entry, folder, target[-1])
    return {}


def describe(entry: FileEntry, path: str) -> dict[str, Any]:
    return {
        "path": path,
        "is_dir": entry.is_dir,
        "file_size": entry.content.size,
        "modification_time": entry.modified_at,
    }


def _path_argument(request: Request) -> Names:
    return _parse_path(request, request.argument("path"))


def _parse_path(request: Request, path: Any, field: str = "path") -> Names:
    """Parse the path. Raises 403 if DBFS is disabled, for any path."""
    names = parse(path, field)
    if legacy_dbfs_is_disabled(request.workspace):
        raise denied(f"Public DBFS root is disabled. Access is denied on path: {text(names)}")
    return names


def _find(request: Request, names: Names) -> FileEntry:
    entry = request.workspace.state.dbfs.find(names)
    if entry is None:
        raise missing(f"No file or directory exists on path {text(names)}.")
    return entry


def _file_on(request: Request, names: Names) -> str:
    """Return the path of the file that is an ancestor in this path."""
    dbfs = request.workspace.state.dbfs
    parts = (names[:length] for length in range(1, len(names) + 1))
    return next(text(part) for part in parts if (entry := dbfs.find(part)) and not entry.is_dir)


def _upload(request: Request) -> Upload:
    if legacy_dbfs_is_disabled(request.workspace):
        raise denied("Public DBFS root is disabled.")
    handle = request.required("handle")
    upload = request.workspace.state.dbfs.uploads.get(handle) if isinstance(handle, int) else None
    if upload is None:
        raise missing(f"No stream exists with handle {handle}.")
    return upload


def _block(data: Any) -> bytes:
    try:
        content = b64decode(str(data or ""), validate=True)
    except ValueError:
        raise ApiError(400, "MALFORMED_REQUEST", "The data is not base64.") from None
    if len(content) > MAX_BLOCK_BYTES:
        text_ = f"The block of {len(content)} bytes exceeds the maximum of {MAX_BLOCK_BYTES} bytes."
        raise ApiError(400, "MAX_BLOCK_SIZE_EXCEEDED", text_)
    return content


def _check_not_taken(request: Request, names: Names, overwrite: bool) -> None:
    entry = request.workspace.state.dbfs.find(names)
    if entry and (entry.is_dir or not overwrite):
        raise _path_exists(names)


def _write(request: Request, names: Names, content: Content) -> None:
    try:
        request.workspace.state.dbfs.write(names, content, request.now)
    except (NotADirectoryError, IsADirectoryError):
        raise _path_exists(names) from None


def _path_exists(names: Names) -> ApiError:
    return exists(f"A file or directory already exists at the input path {text(names)}.")
