"""HTTP handlers for volumes: the Files API, `/api/2.0/fs/*`.

Reading needs READ_VOLUME, writing and deleting need WRITE_VOLUME. In a workspace without Unity Catalog, a volume exists
as soon as something is written to it, and all users have full access.
"""

import re
from email.utils import formatdate
from typing import Any

from emulator.api.errors import ApiError, invalid
from emulator.api.routing import Request, Response, Routes
from emulator.base.content import Content
from emulator.base.paths import Names
from emulator.dbfs.paths import text
from emulator.grants import access
from emulator.grants.privileges import READ_VOLUME, WRITE_VOLUME
from emulator.models.files.dbfs import FileEntry, FileSystem
from emulator.models.unity_catalog.securables import VOLUME as VOLUME_TYPE

routes = Routes()
FILES = "/api/2.0/fs/files/{path:path}"
DIRECTORIES = "/api/2.0/fs/directories/{path:path}"
PAGE, MAX_PAGE = 1000, 10_000
"""Default and maximum number of entries per page."""
VOLUME = 4
"""Number of names in a volume's path, including `Volumes`."""
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@routes.get(FILES)
def download(request: Request) -> Response:
    """Return the file or the requested range; for HEAD, without the content."""
    names = _file_path(request)
    entry = _files(request).find(names)
    if entry is None or entry.is_dir:
        raise _missing("FILES_API_FILE_NOT_FOUND", f"The file being accessed is not found: {text(names)}")
    headers = {"Content-Type": "application/octet-stream", "Last-Modified": _http_date(entry), "Accept-Ranges": "bytes"}
    if request.method == "HEAD":
        return Response(200, None, headers | {"Content-Length": str(entry.content.size)})
    wanted = _RANGE.fullmatch(request.headers.get("range", ""))
    if not wanted:
        return Response(200, entry.content, headers)
    return _range_response(entry.content, int(wanted[1]), int(wanted[2] or entry.content.size), headers)


@routes.put(FILES)
def upload(request: Request) -> Response:
    """Write the body to the file, and create its folders."""
    names = _file_path(request)
    _check_not_taken(request, names)
    try:
        _files(request).write(names, request.content, request.now)
    except NotADirectoryError:
        raise _path_exists(names) from None
    return Response(204)


@routes.post(FILES)
def begin_upload(request: Request) -> dict[str, Any]:
    """Begin the SDK's upload of a large file. Since it gets no storage URLs, the SDK then sends the file in one
    request."""
    names = _file_path(request)
    if request.argument("action") != "initiate-upload":
        raise invalid(f"action must be initiate-upload, not {request.argument('action')!r}")
    _check_not_taken(request, names)
    return {"multipart_upload": {"session_token": request.workspace.state.ids.hex("upload", text(names), 32)}}


@routes.delete(FILES)
def delete_file(request: Request) -> Response:
    names = _file_path(request)
    files = _files(request)
    entry = files.find(names)
    if entry is None or entry.is_dir:
        raise _missing("FILES_API_FILE_NOT_FOUND", f"The file being accessed is not found: {text(names)}")
    files.remove(entry, 1)
    return Response(204)


@routes.get(DIRECTORIES)
def list_directory(request: Request) -> Any:
    """List the directory in pages; HEAD only checks that it exists."""
    names = _directory_path(request)
    folder = _folder(request, names)
    if request.method == "HEAD":
        return Response(200)
    size = request.number("page_size", PAGE) or PAGE
    begin = request.number("page_token", 0)
    if size < 0 or begin < 0:
        raise invalid("page_size and page_token must not be negative.")
    end = begin + min(size, MAX_PAGE)
    children = list(_files(request).children(folder))
    page: dict[str, Any] = {"contents": [_describe(child, names) for child in children[begin:end]]}
    return page | ({"next_page_token": str(end)} if end < len(children) else {})


@routes.put(DIRECTORIES)
def create_directory(request: Request) -> Response:
    """Create the directory and its parents; it is not an error if it exists."""
    names = _directory_path(request)
    try:
        _files(request).make_folders(names, request.now)
    except NotADirectoryError:
        raise _path_exists(names) from None
    return Response(204)


@routes.delete(DIRECTORIES)
def delete_directory(request: Request) -> Response:
    names = _directory_path(request)
    if len(names) == VOLUME:
        raise invalid(f"A volume cannot be deleted by the Files API: {text(names)}")
    folder = _folder(request, names)
    files = _files(request)
    if any(files.children(folder)):
        reason = "FILES_API_DIRECTORY_IS_NOT_EMPTY"
        raise FilesError(400, "INVALID_PARAMETER_VALUE", f"The directory is not empty: {text(names)}", reason)
    files.remove(folder, 1)
    return Response(204)


class FilesError(ApiError):
    """An error with the reason in the details, where Files API clients expect it."""

    def __init__(self, status: int, code: str, message: str, reason: str) -> None:
        super().__init__(status, code, message)
        self.reason = reason

    def body(self) -> dict[str, Any]:
        details = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": self.reason, "domain": "filesystem"}
        return super().body() | {"details": [details]}


def _missing(reason: str, message: str) -> FilesError:
    return FilesError(404, "NOT_FOUND", message, reason)


def _path_exists(names: Names) -> FilesError:
    return FilesError(409, "ALREADY_EXISTS", f"The path already exists: {text(names)}", "FILES_API_FILE_ALREADY_EXISTS")


def _files(request: Request) -> FileSystem:
    return request.workspace.state.volumes


def _directory_path(request: Request) -> Names:
    """Return the path. Raises 400 if it is not in a volume, 404 if the volume does not exist, 403 without
    permission."""
    names = tuple(name for name in request.parameters["path"].split("/") if name)
    if any(name in (".", "..") or "\0" in name for name in names):
        raise invalid(f"Path is not valid: {text(names)}")
    if len(names) < VOLUME or names[0] != "Volumes":
        raise invalid(f"The path must be /Volumes/<catalog>/<schema>/<volume>/…, not {text(names)}")
    return _admitted(request, names)


def _admitted(request: Request, names: Names) -> Names:
    """Return the path as stored. Raises 403 unless the caller may read the volume, or write if the request writes."""
    if request.workspace.state.settings.metastore_id is None:
        return names
    reading = request.method in ("GET", "HEAD")
    volume = access.found(request, VOLUME_TYPE, ".".join(names[1:VOLUME]))
    access.require(request, volume, READ_VOLUME if reading else WRITE_VOLUME)
    if not reading:
        access.check_writable(request, volume)
    return (names[0], *volume.full_name.split("."), *names[VOLUME:])


def _file_path(request: Request) -> Names:
    names = _directory_path(request)
    if len(names) == VOLUME:
        raise invalid(f"The path is that of a volume, not of a file: {text(names)}")
    return names


def _folder(request: Request, names: Names) -> FileEntry:
    folder = _files(request).find(names)
    if folder is None or not folder.is_dir:
        raise _missing("FILES_API_DIRECTORY_IS_NOT_FOUND", f"The directory being accessed is not found: {text(names)}")
    return folder


def _check_not_taken(request: Request, names: Names) -> None:
    """Raise 409 for an existing folder, and for an existing file if `overwrite` is false; it is true by default."""
    entry = _files(request).find(names)
    if entry and (entry.is_dir or not request.flag("overwrite", default=True)):
        raise _path_exists(names)


def _range_response(content: Content, first: int, last: int, headers: dict[str, str]) -> Response:
    """Return a range of the content. Raises 416 if it begins beyond the end."""
    if first >= content.size:
        raise ApiError(416, "INVALID_PARAMETER_VALUE", f"The range begins behind the end, {content.size} bytes.")
    last = min(last, content.size - 1)
    return Response(
        206,
        content.slice(first, last - first + 1),
        headers | {"Content-Range": f"bytes {first}-{last}/{content.size}"},
    )


def _describe(entry: FileEntry, folder: Names) -> dict[str, Any]:
    info: dict[str, Any] = {
        "path": text((*folder, entry.name)) + ("/" if entry.is_dir else ""),
        "name": entry.name,
        "is_directory": entry.is_dir,
        "last_modified": entry.modified_at,
    }
    return info if entry.is_dir else info | {"file_size": entry.content.size}


def _http_date(entry: FileEntry) -> str:
    return formatdate(entry.modified_at / 1000, usegmt=True)
