"""Downloads one object from the workspace: the requests for each file system and type."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from inventory.backup.objects import MAX_EXPORT_BYTES
from inventory.backup.target import TargetError
from inventory.transport.response import Response, TransportError, is_error_document
from inventory.tree.listing import File, Folder

EXPORT = "/api/2.0/workspace/export"
WORKSPACE_FILES = "/api/2.0/workspace-files"
"""Returns Workspace files as they are, but no notebooks."""
DBFS_READ = "/api/2.0/dbfs/read"
FILES_API = "/api/2.0/fs/files"
DBFS_BLOCK_BYTES = 2**20
"""Maximum bytes per DBFS read."""
MAX_ERROR_BYTES = 64 * 2**10
"""Maximum size of an error body in bytes."""
TOO_LARGE_CODES = frozenset({"MAX_NOTEBOOK_SIZE_EXCEEDED", "MAX_READ_SIZE_EXCEEDED"})
SIZE_EXCEEDED_PATTERN = re.compile(r"exceed\w* .*\b10485760\b|\b10485760\b.*exceed", re.IGNORECASE)
"""Matches size errors without such a code."""
EXPORT_FORMATS = {"source": "SOURCE", "jupyter": "JUPYTER"}
"""Notebook format → name in the API."""


class DownloadClient(Protocol):
    """The part of a client that downloads need; see `client.Client`."""

    def get(self, path: str, query: Mapping[str, str]) -> Response:
        """Send a GET request. Raises TransportError."""
        ...

    def download(self, path: str, query: Mapping[str, str], sink: Callable[[bytes], object]) -> Response:
        """Download a file in chunks. Raises TransportError."""
        ...

    def close(self) -> None:
        """Close the connection of the calling thread."""
        ...


class ContentDigest:
    """Size, checksum and first bytes of content that arrives in chunks. Not thread-safe: one worker at a time uses
    it."""

    def __init__(self) -> None:
        self.size = 0
        self.head = b""
        """The first MAX_ERROR_BYTES bytes."""
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def reset(self) -> None:
        """Discard the content received so far."""
        self.size, self.head, self._digest = 0, b"", hashlib.sha256()

    def add(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self.size += len(chunk)
        self.head += chunk[: MAX_ERROR_BYTES - len(self.head)]


class PartialFile(ContentDigest):
    """Digest of content that is also written to a local file.

    Raises TargetError if writing fails, to distinguish this from connection errors.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def reset(self) -> None:
        """Discard the content received so far and create an empty file."""
        super().reset()
        self._write(b"", "wb")

    def add(self, chunk: bytes) -> None:
        self._write(chunk, "ab")
        super().add(chunk)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)

    def _write(self, chunk: bytes, mode: str) -> None:
        try:
            with self.path.open(mode) as file:
                file.write(chunk)
        except OSError as error:
            raise TargetError(f"{self.path} cannot be written: {error.strerror or error}.") from None


@dataclass
class ObjectDownload:
    """The download of a file, or of a notebook in one format."""

    folder: Folder
    file: File
    place: str
    """Its path below the target."""
    format: str = ""
    """The notebook format: source or jupyter."""
    partial_file: PartialFile | None = None
    """None before the first request."""
    complete: bool = False
    problem: str = ""
    """Why the downloaded object cannot be published."""
    first_api_refused: bool = False
    """Whether the first of its two APIs refused the request."""
    is_too_large: bool = False
    """Whether the object was refused because of its size."""

    @property
    def api(self) -> str:
        """The API whose rate limit applies."""
        return "export" if self.folder.source == "workspace" else self.folder.source

    @property
    def reads_as_file(self) -> bool:
        """Whether to read the object as a file because it is too large for an export."""
        is_large = (self.file.size or 0) > MAX_EXPORT_BYTES
        return self._has_two_apis and is_large != self.first_api_refused

    def has_other_api(self, response: Response) -> bool:
        """Return whether the second API may succeed after this response from the first."""
        return self._has_two_apis and not self.first_api_refused and (self.reads_as_file or is_too_large(response))

    @property
    def _has_two_apis(self) -> bool:
        return self.folder.source == "workspace" and self.file.type in ("FILE", "DASHBOARD")


def is_too_large(response: Response) -> bool:
    """Return whether an export was refused because of the object's size."""
    return response.error_code in TOO_LARGE_CODES or bool(SIZE_EXCEEDED_PATTERN.search(response.reason))


def download_object(client: DownloadClient, task: ObjectDownload, digest: ContentDigest) -> Response:
    """Send the next request for an object and store its content. Raises TransportError, TargetError."""
    path = task.file.path
    match task.folder.source:
        case "dbfs":
            return _download_block(client, task, digest)
        case "volumes":
            return _download(client, task, digest, FILES_API + quote(path), {})
        case _ if task.reads_as_file:
            return _download(client, task, digest, WORKSPACE_FILES + quote(path), {})
        case _:
            query = {"path": path, "format": EXPORT_FORMATS.get(task.format, "AUTO"), "direct_download": "true"}
            return _download(client, task, digest, EXPORT, query)


def _download(
    client: DownloadClient, task: ObjectDownload, digest: ContentDigest, address: str, query: Mapping[str, str]
) -> Response:
    digest.reset()  # an earlier attempt may have added some content
    response = client.download(address, query, digest.add)
    if response.ok and (error := _error_in(digest, task.file)):
        response = Response(200, error)
    task.complete = response.ok
    return response


def _error_in(digest: ContentDigest, file: File) -> object:
    """Return the error body that came with status 200 instead of a file; None if the content is the file.

    Content with the listed size is the file, whatever it contains.
    """
    if digest.size > MAX_ERROR_BYTES or digest.size == file.size:
        return None
    try:
        document = json.loads(digest.head)
    except (ValueError, RecursionError):
        return None
    return document if is_error_document(document) else None


def _download_block(client: DownloadClient, task: ObjectDownload, digest: ContentDigest) -> Response:
    if not digest.size:
        digest.reset()
    query = {"path": task.file.path, "offset": str(digest.size), "length": str(DBFS_BLOCK_BYTES)}
    response = client.get(DBFS_READ, query)
    if not response.ok:
        return response
    data = _decode_block(response.document)
    digest.add(data)
    task.complete = not data or digest.size == task.file.size
    return response


def _decode_block(document: object) -> bytes:
    response = document if isinstance(document, Mapping) else {}
    try:
        data = base64.b64decode(response["data"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise TransportError("the response does not contain a file block") from None
    if response.get("bytes_read") != len(data):
        raise TransportError("the response announces a different number of bytes than it has")
    return data
