"""Uploads one saved object: the requests for each file system and type."""

import base64
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Protocol
from urllib.parse import quote

from inventory.backup.download import DBFS_BLOCK_BYTES, EXPORT_FORMATS, FILES_API, DownloadClient
from inventory.backup.manifest import ManifestEntry
from inventory.backup.target import BackupTarget, NotARegularFile
from inventory.restore.existing_check import ExistingCheck, ObjectVersion, alternative_path, check_existing
from inventory.scan.folder_request import LIST_PATHS
from inventory.transport.client import CHUNK_BYTES
from inventory.transport.request_body import NO_QUERY, RequestBody, json_body
from inventory.transport.response import Response, TransportError
from inventory.tree.listing import Folder, Source

IMPORT_PATH = "/api/2.0/workspace/import"
DBFS_PATH = "/api/2.0/dbfs/"
MKDIRS_PATHS: Mapping[Source, str] = {"workspace": "/api/2.0/workspace/mkdirs", "dbfs": f"{DBFS_PATH}mkdirs"}
REPOS_PATH = "/api/2.0/repos"


class CorruptObject(Exception):
    """The stored content differs from what was saved; the message has the path."""


class UploadClient(DownloadClient, Protocol):
    """The part of a client that uploads need; see `client.Client`."""

    def send(self, method: str, path: str, body: RequestBody, query: Mapping[str, str] = NO_QUERY) -> Response:
        """Send a request with a body. Raises TransportError."""
        ...


@dataclass
class ObjectUpload:
    """The upload of an object to a path."""

    folder: Folder
    """The folder from which the object was saved."""
    entry: ManifestEntry
    path: str
    """The destination path, in the object's file system."""
    day: str
    """The date of the restore, for alternative paths, such as 2026-11-27."""
    overwrite: bool = False
    """Whether to replace the object that existed before the restore."""
    replaced_version: ObjectVersion | None = None
    """The version of the object that existed before the restore; None if there was none or it was not recorded."""
    may_be_own_upload: bool = False
    """Whether an existing object may be an earlier upload of this restore."""
    check: ExistingCheck | None = None
    """The pending check before the upload, if any."""
    complete: bool = False
    problem: str = ""
    """Why the object cannot be uploaded."""
    alternative_number: int = 0
    """Number of alternative paths tried."""
    conflicts: int = 0
    handle: int | None = None
    """The handle of an open DBFS upload."""
    remaining_blocks: Iterator[bytes] | None = None
    """The remaining blocks."""
    block: bytes = b""
    """The last block sent; empty once it was accepted."""
    is_staged: bool = False
    """Whether all blocks are in DBFS, under the staging path."""
    is_redundant: bool = False
    """Whether to discard the staged blocks because the object already exists."""

    def __post_init__(self) -> None:
        self.requested_path = self.path
        """The original destination, even if `path` becomes an alternative."""

    @property
    def api(self) -> str:
        """The API whose rate limit applies."""
        return "import" if self.entry.source == "workspace" else self.entry.source

    @property
    def staging_path(self) -> str:
        """The path of a large DBFS file until it is complete, so that nobody sees an incomplete file."""
        return f"{self.requested_path}.restoring-{(self.entry.sha256 or '')[:8]}"

    def restart(self) -> None:
        """Start again. It is unknown whether the last request was carried out, and a repeated block could be stored
        twice."""
        self.handle, self.remaining_blocks, self.block = None, None, b""
        self.may_be_own_upload = True
        # Without `overwrite`, the API refuses to replace an object.
        self.check = ExistingCheck() if self.overwrite or self.is_staged else None

    def confirm_present(self) -> None:
        """Record that the existing object equals the saved one."""
        self.check, self.is_redundant, self.complete = None, self.is_staged, not self.is_staged

    def use_alternative_path(self) -> None:
        """Keep the existing object and continue with an alternative path."""
        self.alternative_number += 1
        self.path = alternative_path(self.requested_path, self.day, self.alternative_number)
        self.overwrite, self.replaced_version, self.check, self.may_be_own_upload = False, None, None, True


def is_large(entry: ManifestEntry) -> bool:
    """Return whether the object is sent block by block."""
    return entry.source == "dbfs" and (entry.size or 0) > DBFS_BLOCK_BYTES


def upload_object(client: UploadClient, target: BackupTarget, task: ObjectUpload) -> Response:
    """Send the next request of an upload. Raises TransportError, CorruptObject, TargetError."""
    entry = task.entry
    if task.check is not None:
        return check_existing(client, task)
    match entry.source:
        case "workspace":
            response = client.send("POST", IMPORT_PATH, _import_form(target, task))
        case "volumes":
            query = {"overwrite": "true" if task.overwrite else "false"}
            body = RequestBody(read_chunks(target, entry, CHUNK_BYTES), entry.size or 0, "application/octet-stream")
            response = client.send("PUT", FILES_API + quote(task.path), body, query)
        case _:
            return _upload_to_dbfs(client, target, task)
    task.complete = response.ok
    return response


def _import_form(target: BackupTarget, task: ObjectUpload) -> RequestBody:
    """Return the body of an import as a form, since a JSON body is limited to 10 MB."""
    entry = task.entry
    # RAW keeps a file that starts like a notebook a file; AUTO recognises a dashboard by its name.
    kind = {"NOTEBOOK": EXPORT_FORMATS.get(entry.format, "SOURCE"), "FILE": "RAW"}.get(entry.type, "AUTO")
    fields = {"path": task.path, "format": kind, "overwrite": "true" if task.overwrite else "false"}
    if entry.type == "NOTEBOOK" and entry.language:
        fields["language"] = entry.language
    boundary = secrets.token_hex(16)
    head = b"".join(
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (boundary.encode(), name.encode(), value.encode())
        for name, value in fields.items()
    )
    head += (
        b'--%s\r\nContent-Disposition: form-data; name="content"; filename="content"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" % boundary.encode()
    )
    tail = b"\r\n--%s--\r\n" % boundary.encode()
    content = chain([head], read_chunks(target, entry, CHUNK_BYTES), [tail])
    return RequestBody(content, len(head) + (entry.size or 0) + len(tail), f"multipart/form-data; boundary={boundary}")


def _upload_to_dbfs(client: UploadClient, target: BackupTarget, task: ObjectUpload) -> Response:
    """Send a small file in one request; send a large file block by block to its staging path and then move it."""
    if not is_large(task.entry):
        content = b"".join(read_chunks(target, task.entry, CHUNK_BYTES))
        fields = {"path": task.path, "overwrite": task.overwrite}
        document = fields | {"contents": base64.b64encode(content).decode()}
        response = client.send("POST", f"{DBFS_PATH}put", json_body(document))
        task.complete = response.ok
        return response
    if task.is_staged:
        return _move_into_place(client, task)
    if task.handle is None:
        fields = {"path": task.staging_path, "overwrite": True}
        response = client.send("POST", f"{DBFS_PATH}create", json_body(fields))
        if response.ok:
            task.handle = _handle(response)
            task.remaining_blocks = read_chunks(target, task.entry, DBFS_BLOCK_BYTES)
        return response
    assert task.remaining_blocks is not None, "an open upload has remaining blocks"
    task.block = task.block or next(task.remaining_blocks, b"")
    if task.block:
        data = base64.b64encode(task.block).decode()
        response = client.send("POST", f"{DBFS_PATH}add-block", json_body({"handle": task.handle, "data": data}))
        if response.ok:
            task.block = b""
        return response
    response = client.send("POST", f"{DBFS_PATH}close", json_body({"handle": task.handle}))
    task.is_staged = response.ok
    return response


def _move_into_place(client: UploadClient, task: ObjectUpload) -> Response:
    """Move a staged DBFS file to its path, after deleting the object to be replaced."""
    if task.is_redundant:
        response = client.send("POST", f"{DBFS_PATH}delete", json_body({"path": task.staging_path}))
        task.complete = response.ok
        return response
    if task.overwrite:
        response = client.send("POST", f"{DBFS_PATH}delete", json_body({"path": task.path}))
        task.overwrite = not response.ok
        return response
    move = {"source_path": task.staging_path, "destination_path": task.path}
    response = client.send("POST", f"{DBFS_PATH}move", json_body(move))
    task.complete = response.ok
    return response


def _handle(response: Response) -> int:
    """Return the handle of a new upload. Raises TransportError if the response lacks it."""
    handle = response.document.get("handle") if isinstance(response.document, Mapping) else None
    if type(handle) is not int:
        raise TransportError("the response has no handle")
    return handle


def make_folder(client: UploadClient, source: Source, path: str) -> Response:
    """Make a folder and its parents, unless they exist. Raises TransportError."""
    if source == "volumes":
        return client.send("PUT", LIST_PATHS["volumes"] + quote(path), RequestBody(b"", 0))
    return client.send("POST", MKDIRS_PATHS[source], json_body({"path": path}))


def clone_git_folder(client: UploadClient, entry: ManifestEntry, path: str) -> Response:
    """Clone a git folder and check out its branch. Raises TransportError."""
    git = entry.git or {}
    fields = {"url": git.get("url", ""), "path": path} | {name: git[name] for name in ("provider",) if name in git}
    response = client.send("POST", REPOS_PATH, json_body(fields))
    if not response.ok or "branch" not in git or not isinstance(response.document, Mapping):
        return response
    address = f"{REPOS_PATH}/{response.document.get('id')}"
    return client.send("PATCH", address, json_body({"branch": git["branch"]}))


def read_chunks(target: BackupTarget, entry: ManifestEntry, length: int) -> Iterator[bytes]:
    """Yield the content of a saved object. The last chunk is yielded only after the checksum was verified.

    Raises CorruptObject, TargetError.
    """
    assert entry.place is not None, "an upload needs stored content"
    size, digest, held_chunk = 0, hashlib.sha256(), b""
    try:
        content = target.open(entry.place)
    except FileNotFoundError:
        raise CorruptObject(f"{entry.place} is missing from the backup") from None
    except NotARegularFile as error:
        raise CorruptObject(str(error)) from None
    with content as file:
        while chunk := file.read(length):
            if held_chunk:
                yield held_chunk
            size += len(chunk)
            digest.update(chunk)
            held_chunk = chunk
    if size != entry.size or digest.hexdigest() != entry.sha256:
        raise CorruptObject(f"{entry.place} differs from what was saved")
    if held_chunk:
        yield held_chunk
