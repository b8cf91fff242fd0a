"""One saved object on its way back into a workspace: which requests that takes, and what they send."""

import base64
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Protocol
from urllib.parse import quote

from inventory.backup.download import DBFS_BLOCK_BYTES, EXPORT_FORMATS, FILES_API
from inventory.backup.download import DownloadClient as Downloads
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
    """What lies in the backup is not what was saved; a sentence."""


class UploadClient(Downloads, Protocol):
    """What is asked of a client; see `client.Client`."""

    def send(self, method: str, path: str, body: RequestBody, query: Mapping[str, str] = NO_QUERY) -> Response:
        """A request with a body. Raises TransportError."""
        ...


@dataclass
class ObjectUpload:
    """An object and where it is to lie."""

    folder: Folder
    """The one it lay in when it was saved."""
    entry: ManifestEntry
    path: str
    """Where it is to lie, in the file system it came from."""
    day: str
    """Of the restore, for the name of what goes beside something else: 2026-11-27."""
    overwrite: bool = False
    """Whether what lay there before the restore began is to be replaced."""
    replaced_version: ObjectVersion | None = None
    """What lay there; None if nothing did, or an earlier version did not write it down."""
    may_be_own_upload: bool = False
    """Whether what is there may be what an earlier try has sent."""
    check: ExistingCheck | None = None
    """Set where it has to be seen first what lies there."""
    complete: bool = False
    problem: str = ""
    """Why it cannot be sent at all."""
    alternative_number: int = 0
    """How many other places were tried because the last one was taken."""
    conflicts: int = 0
    handle: int | None = None
    """Of an upload to DBFS that has begun."""
    remaining_blocks: Iterator[bytes] | None = None
    """What is still to be sent to it."""
    block: bytes = b""
    """What was sent last; empty when it arrived."""
    is_staged: bool = False
    """Whether all blocks lie in DBFS, under another name."""
    is_redundant: bool = False
    """Whether they need not have been sent: the object is there."""

    def __post_init__(self) -> None:
        self.requested_path = self.path
        """The path that it had, or has in the other home."""

    @property
    def api(self) -> str:
        """The limit it is under."""
        return "import" if self.entry.source == "workspace" else self.entry.source

    @property
    def staging_path(self) -> str:
        """Where the blocks of a large file go in DBFS before it has its name: nobody sees half of it."""
        return f"{self.requested_path}.restoring-{(self.entry.sha256 or '')[:8]}"

    def restart(self) -> None:
        """It is not known whether what was sent has arrived: a block sent again could be there twice."""
        self.handle, self.remaining_blocks, self.block = None, None, b""
        self.may_be_own_upload = True
        # Without the wish to overwrite, the API refuses what would replace something.
        self.check = ExistingCheck() if self.overwrite or self.is_staged else None

    def confirm_present(self) -> None:
        """What lies there is what was to be sent."""
        self.check, self.is_redundant, self.complete = None, self.is_staged, not self.is_staged

    def use_alternative_path(self) -> None:
        """Leave what lies there, and go beside it."""
        self.alternative_number += 1
        self.path = alternative_path(self.requested_path, self.day, self.alternative_number)
        self.overwrite, self.replaced_version, self.check, self.may_be_own_upload = False, None, None, True


def is_large(entry: ManifestEntry) -> bool:
    """Whether it is sent block by block."""
    return entry.source == "dbfs" and (entry.size or 0) > DBFS_BLOCK_BYTES


def upload_object(client: UploadClient, target: BackupTarget, task: ObjectUpload) -> Response:
    """Send the next request for an object. Raises TransportError, CorruptObject, TargetError."""
    entry = task.entry
    if task.check is not None:
        return check_existing(client, task)
    match entry.source:
        case "workspace":
            answer = client.send("POST", IMPORT_PATH, _import_form(target, task))
        case "volumes":
            query = {"overwrite": "true" if task.overwrite else "false"}
            body = RequestBody(read_chunks(target, entry, CHUNK_BYTES), entry.size or 0, "application/octet-stream")
            answer = client.send("PUT", FILES_API + quote(task.path), body, query)
        case _:
            return _upload_to_dbfs(client, target, task)
    task.complete = answer.ok
    return answer


def _import_form(target: BackupTarget, task: ObjectUpload) -> RequestBody:
    """An import as a form, since one of JSON ends at 10 MB."""
    entry = task.entry
    # A file that happens to begin like a notebook stays a file; a dashboard is known by its name.
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
    """Small files at once; of others the next block under another name, and at last its own name."""
    if not is_large(task.entry):
        content = b"".join(read_chunks(target, task.entry, CHUNK_BYTES))
        fields = {"path": task.path, "overwrite": task.overwrite}
        document = fields | {"contents": base64.b64encode(content).decode()}
        answer = client.send("POST", f"{DBFS_PATH}put", json_body(document))
        task.complete = answer.ok
        return answer
    if task.is_staged:
        return _move_into_place(client, task)
    if task.handle is None:
        fields = {"path": task.staging_path, "overwrite": True}
        answer = client.send("POST", f"{DBFS_PATH}create", json_body(fields))
        if answer.ok:
            task.handle = _handle(answer)
            task.remaining_blocks = read_chunks(target, task.entry, DBFS_BLOCK_BYTES)
        return answer
    assert task.remaining_blocks is not None, "what has a handle has a rest"
    task.block = task.block or next(task.remaining_blocks, b"")
    if task.block:
        data = base64.b64encode(task.block).decode()
        answer = client.send("POST", f"{DBFS_PATH}add-block", json_body({"handle": task.handle, "data": data}))
        if answer.ok:
            task.block = b""
        return answer
    answer = client.send("POST", f"{DBFS_PATH}close", json_body({"handle": task.handle}))
    task.is_staged = answer.ok
    return answer


def _move_into_place(client: UploadClient, task: ObjectUpload) -> Response:
    """Give a file in DBFS its name, after what was to be replaced is gone."""
    if task.is_redundant:
        answer = client.send("POST", f"{DBFS_PATH}delete", json_body({"path": task.staging_path}))
        task.complete = answer.ok
        return answer
    if task.overwrite:
        answer = client.send("POST", f"{DBFS_PATH}delete", json_body({"path": task.path}))
        task.overwrite = not answer.ok
        return answer
    move = {"source_path": task.staging_path, "destination_path": task.path}
    answer = client.send("POST", f"{DBFS_PATH}move", json_body(move))
    task.complete = answer.ok
    return answer


def _handle(answer: Response) -> int:
    """Of a new upload. Raises TransportError if the answer has none."""
    handle = answer.document.get("handle") if isinstance(answer.document, Mapping) else None
    if type(handle) is not int:
        raise TransportError("the answer names no upload")
    return handle


def make_folder(client: UploadClient, source: Source, path: str) -> Response:
    """Make a folder and those above it; one that is there is fine. Raises TransportError."""
    if source == "volumes":
        return client.send("PUT", LIST_PATHS["volumes"] + quote(path), RequestBody(b"", 0))
    return client.send("POST", MKDIRS_PATHS[source], json_body({"path": path}))


def clone_git_folder(client: UploadClient, entry: ManifestEntry, path: str) -> Response:
    """Make a git folder as it was, from where it came. Raises TransportError."""
    git = entry.git or {}
    fields = {"url": git.get("url", ""), "path": path} | {name: git[name] for name in ("provider",) if name in git}
    answer = client.send("POST", REPOS_PATH, json_body(fields))
    if not answer.ok or "branch" not in git or not isinstance(answer.document, Mapping):
        return answer
    address = f"{REPOS_PATH}/{answer.document.get('id')}"
    return client.send("PATCH", address, json_body({"branch": git["branch"]}))


def read_chunks(target: BackupTarget, entry: ManifestEntry, length: int) -> Iterator[bytes]:
    """What was saved of an object. The last piece comes when all of it is known to be right.

    Raises CorruptObject, TargetError.
    """
    assert entry.place is not None, "what lies nowhere is not sent"
    size, digest, held_chunk = 0, hashlib.sha256(), b""
    try:
        content = target.open(entry.place)
    except FileNotFoundError:
        raise CorruptObject(f"nothing lies at {entry.place} any more") from None
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
        raise CorruptObject(f"what lies at {entry.place} is not what was saved")
    if held_chunk:
        yield held_chunk
