"""One saved object on its way back into a workspace: which requests that takes, and what they send."""

import base64
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Protocol
from urllib.parse import quote

from inventory.backup.download import BLOCK, FILES, FORMATS
from inventory.backup.download import Api as Downloads
from inventory.backup.manifest import Entry
from inventory.backup.target import NoFile, Target
from inventory.restore.presence import Doubt, Mark, beside, look
from inventory.scan.folder_request import ADDRESSES
from inventory.transport.answer import Answer, Broken
from inventory.transport.client import PIECE
from inventory.transport.request_body import NO_QUERY, Body, json_body
from inventory.tree.listing import Folder, Source

IMPORT = "/api/2.0/workspace/import"
DBFS = "/api/2.0/dbfs/"
MKDIRS: Mapping[Source, str] = {"workspace": "/api/2.0/workspace/mkdirs", "dbfs": f"{DBFS}mkdirs"}
REPOS = "/api/2.0/repos"


class Corrupt(Exception):
    """What lies in the backup is not what was saved; a sentence."""


class Api(Downloads, Protocol):
    """What is asked of a client; see `client.Client`."""

    def send(self, method: str, path: str, body: Body, query: Mapping[str, str] = NO_QUERY) -> Answer:
        """A request with a body. Raises Broken."""
        ...


@dataclass
class Sending:
    """An object and where it is to lie."""

    folder: Folder
    """The one it lay in when it was saved."""
    entry: Entry
    path: str
    """Where it is to lie, in the file system it came from."""
    day: str
    """Of the restore, for the name of what goes beside something else: 2026-11-27."""
    overwrite: bool = False
    """Whether what lay there before the restore began is to be replaced."""
    before: Mark | None = None
    """What lay there; None if nothing did, or an earlier version did not write it down."""
    may_be_ours: bool = False
    """Whether what is there may be what an earlier try has sent."""
    doubt: Doubt | None = None
    """Set where it has to be seen first what lies there."""
    complete: bool = False
    problem: str = ""
    """Why it cannot be sent at all."""
    turn: int = 0
    """How many other places were tried because the last one was taken."""
    conflicts: int = 0
    handle: int | None = None
    """Of an upload to DBFS that has begun."""
    rest: Iterator[bytes] | None = None
    """What is still to be sent to it."""
    block: bytes = b""
    """What was sent last; empty when it arrived."""
    is_staged: bool = False
    """Whether all blocks lie in DBFS, under another name."""
    is_surplus: bool = False
    """Whether they need not have been sent: the object is there."""

    def __post_init__(self) -> None:
        self.wanted = self.path
        """The path that it had, or has in the other home."""

    @property
    def api(self) -> str:
        """The limit it is under."""
        return "import" if self.entry.source == "workspace" else self.entry.source

    @property
    def staging(self) -> str:
        """Where the blocks of a large file go in DBFS before it has its name: nobody sees half of it."""
        return f"{self.wanted}.restoring-{(self.entry.sha256 or '')[:8]}"

    def restart(self) -> None:
        """It is not known whether what was sent has arrived: a block sent again could be there twice."""
        self.handle, self.rest, self.block = None, None, b""
        self.may_be_ours = True
        # Without the wish to overwrite, the API refuses what would replace something.
        self.doubt = Doubt() if self.overwrite or self.is_staged else None

    def is_there(self) -> None:
        """What lies there is what was to be sent."""
        self.doubt, self.is_surplus, self.complete = None, self.is_staged, not self.is_staged

    def step_aside(self) -> None:
        """Leave what lies there, and go beside it."""
        self.turn += 1
        self.path = beside(self.wanted, self.day, self.turn)
        self.overwrite, self.before, self.doubt, self.may_be_ours = False, None, None, True


def is_large(entry: Entry) -> bool:
    """Whether it is sent block by block."""
    return entry.source == "dbfs" and (entry.size or 0) > BLOCK


def upload(client: Api, target: Target, sending: Sending) -> Answer:
    """Send the next request for an object. Raises Broken, Corrupt, TargetError."""
    entry = sending.entry
    if sending.doubt is not None:
        return look(client, sending)
    match entry.source:
        case "workspace":
            answer = client.send("POST", IMPORT, _form(target, sending))
        case "volumes":
            query = {"overwrite": "true" if sending.overwrite else "false"}
            body = Body(pieces(target, entry, PIECE), entry.size or 0, "application/octet-stream")
            answer = client.send("PUT", FILES + quote(sending.path), body, query)
        case _:
            return _to_dbfs(client, target, sending)
    sending.complete = answer.ok
    return answer


def _form(target: Target, sending: Sending) -> Body:
    """An import as a form, since one of JSON ends at 10 MB."""
    entry = sending.entry
    # A file that happens to begin like a notebook stays a file; a dashboard is known by its name.
    kind = {"NOTEBOOK": FORMATS.get(entry.format, "SOURCE"), "FILE": "RAW"}.get(entry.type, "AUTO")
    fields = {"path": sending.path, "format": kind, "overwrite": "true" if sending.overwrite else "false"}
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
    content = chain([head], pieces(target, entry, PIECE), [tail])
    return Body(content, len(head) + (entry.size or 0) + len(tail), f"multipart/form-data; boundary={boundary}")


def _to_dbfs(client: Api, target: Target, sending: Sending) -> Answer:
    """Small files at once; of others the next block under another name, and at last its own name."""
    if not is_large(sending.entry):
        content = b"".join(pieces(target, sending.entry, PIECE))
        about = {"path": sending.path, "overwrite": sending.overwrite}
        document = about | {"contents": base64.b64encode(content).decode()}
        answer = client.send("POST", f"{DBFS}put", json_body(document))
        sending.complete = answer.ok
        return answer
    if sending.is_staged:
        return _named(client, sending)
    if sending.handle is None:
        about = {"path": sending.staging, "overwrite": True}
        answer = client.send("POST", f"{DBFS}create", json_body(about))
        if answer.ok:
            sending.handle = _handle(answer)
            sending.rest = pieces(target, sending.entry, BLOCK)
        return answer
    assert sending.rest is not None, "what has a handle has a rest"
    sending.block = sending.block or next(sending.rest, b"")
    if sending.block:
        data = base64.b64encode(sending.block).decode()
        answer = client.send("POST", f"{DBFS}add-block", json_body({"handle": sending.handle, "data": data}))
        if answer.ok:
            sending.block = b""
        return answer
    answer = client.send("POST", f"{DBFS}close", json_body({"handle": sending.handle}))
    sending.is_staged = answer.ok
    return answer


def _named(client: Api, sending: Sending) -> Answer:
    """Give a file in DBFS its name, after what was to be replaced is gone."""
    if sending.is_surplus:
        answer = client.send("POST", f"{DBFS}delete", json_body({"path": sending.staging}))
        sending.complete = answer.ok
        return answer
    if sending.overwrite:
        answer = client.send("POST", f"{DBFS}delete", json_body({"path": sending.path}))
        sending.overwrite = not answer.ok
        return answer
    move = {"source_path": sending.staging, "destination_path": sending.path}
    answer = client.send("POST", f"{DBFS}move", json_body(move))
    sending.complete = answer.ok
    return answer


def _handle(answer: Answer) -> int:
    """Of a new upload. Raises Broken if the answer has none."""
    handle = answer.document.get("handle") if isinstance(answer.document, Mapping) else None
    if type(handle) is not int:
        raise Broken("the answer names no upload")
    return handle


def make_folder(client: Api, source: Source, path: str) -> Answer:
    """Make a folder and those above it; one that is there is fine. Raises Broken."""
    if source == "volumes":
        return client.send("PUT", ADDRESSES["volumes"] + quote(path), Body(b"", 0))
    return client.send("POST", MKDIRS[source], json_body({"path": path}))


def clone(client: Api, entry: Entry, path: str) -> Answer:
    """Make a git folder as it was, from where it came. Raises Broken."""
    git = entry.git or {}
    about = {"url": git.get("url", ""), "path": path} | {name: git[name] for name in ("provider",) if name in git}
    answer = client.send("POST", REPOS, json_body(about))
    if not answer.ok or "branch" not in git or not isinstance(answer.document, Mapping):
        return answer
    address = f"{REPOS}/{answer.document.get('id')}"
    return client.send("PATCH", address, json_body({"branch": git["branch"]}))


def pieces(target: Target, entry: Entry, length: int) -> Iterator[bytes]:
    """What was saved of an object. The last piece comes when all of it is known to be right.

    Raises Corrupt, TargetError.
    """
    assert entry.place is not None, "what lies nowhere is not sent"
    size, digest, held = 0, hashlib.sha256(), b""
    try:
        content = target.open(entry.place)
    except FileNotFoundError:
        raise Corrupt(f"nothing lies at {entry.place} any more") from None
    except NoFile as error:
        raise Corrupt(str(error)) from None
    with content as file:
        while piece := file.read(length):
            if held:
                yield held
            size += len(piece)
            digest.update(piece)
            held = piece
    if size != entry.size or digest.hexdigest() != entry.sha256:
        raise Corrupt(f"what lies at {entry.place} is not what was saved")
    if held:
        yield held
