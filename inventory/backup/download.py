"""One object of the workspace on its way into a file of ours: which requests that takes, and what they brought."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from inventory.backup.objects import LARGEST_EXPORT
from inventory.backup.target import TargetError
from inventory.transport.answer import Answer, Broken, is_error
from inventory.tree.listing import File, Folder

EXPORT = "/api/2.0/workspace/export"
WORKSPACE_FILES = "/api/2.0/workspace-files"
"""Gives files of the Workspace as they are, and no notebooks."""
READ = "/api/2.0/dbfs/read"
FILES = "/api/2.0/fs/files"
BLOCK = 2**20
"""Bytes that a read of DBFS gives at most."""
LARGEST_ERROR = 64 * 2**10
"""Bytes; no document of an error is longer."""
TOO_LARGE = frozenset({"MAX_NOTEBOOK_SIZE_EXCEEDED", "MAX_READ_SIZE_EXCEEDED"})
SIZE_EXCEEDED = re.compile(r"exceed\w* .*\b10485760\b|\b10485760\b.*exceed", re.IGNORECASE)
"""How refusals without such a code say the same."""
FORMATS = {"source": "SOURCE", "jupyter": "JUPYTER"}
"""Of notebooks, as the API calls them."""


class Api(Protocol):
    """What is asked of a client; see `client.Client`."""

    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """One request. Raises Broken."""
        ...

    def download(self, path: str, query: Mapping[str, str], sink: Callable[[bytes], object]) -> Answer:
        """A file, piece by piece. Raises Broken."""
        ...

    def close(self) -> None:
        """The calling thread asks for nothing more."""
        ...


class Measure:
    """Size and checksum of what comes piece by piece, of which no more than the beginning is kept.

    Nobody but the worker that has it at the time touches it.
    """

    def __init__(self) -> None:
        self.size = 0
        self.head = b""
        """The first LARGEST_ERROR bytes."""
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def restart(self) -> None:
        """Forget what came so far."""
        self.size, self.head, self._digest = 0, b"", hashlib.sha256()

    def add(self, piece: bytes) -> None:
        self._digest.update(piece)
        self.size += len(piece)
        self.head += piece[: LARGEST_ERROR - len(self.head)]


class Spool(Measure):
    """The same of a file of ours that grows until it is whole.

    Its errors are TargetErrors: they are not those of the connection from which the pieces come.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def restart(self) -> None:
        """Forget what came so far, and be there if nothing ever comes."""
        super().restart()
        self._write(b"", "wb")

    def add(self, piece: bytes) -> None:
        self._write(piece, "ab")
        super().add(piece)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)

    def _write(self, piece: bytes, mode: str) -> None:
        try:
            with self.path.open(mode) as file:
                file.write(piece)
        except OSError as error:
            raise TargetError(f"{self.path} cannot be written: {error.strerror or error}.") from None


@dataclass
class Fetch:
    """A file or a notebook, in one format."""

    folder: Folder
    file: File
    place: str
    """Where it is to lie, below the target."""
    format: str = ""
    """Of a notebook: source or jupyter."""
    spool: Spool | None = None
    """None before the first request."""
    complete: bool = False
    problem: str = ""
    """Why it cannot lie at its place, although it came."""
    is_refused: bool = False
    """Whether the first of the two ways to it was refused."""
    is_too_large: bool = False
    """Whether it was refused because of its size."""

    @property
    def api(self) -> str:
        """The limit it is under."""
        return "export" if self.folder.source == "workspace" else self.folder.source

    @property
    def by_files(self) -> bool:
        """Whether it is read as a file, and not exported: what is known to be too large for an export, or was."""
        is_large = (self.file.size or 0) > LARGEST_EXPORT
        return self._has_two_ways and is_large != self.is_refused

    def has_another_way(self, answer: Answer) -> bool:
        """Whether something else than what was refused so may give it."""
        return self._has_two_ways and not self.is_refused and (self.by_files or is_too_large(answer))

    @property
    def _has_two_ways(self) -> bool:
        return self.folder.source == "workspace" and self.file.type in ("FILE", "DASHBOARD")


def is_too_large(answer: Answer) -> bool:
    """Whether an export is refused because of the size of the object."""
    return answer.code in TOO_LARGE or bool(SIZE_EXCEEDED.search(answer.reason))


def download(client: Api, fetch: Fetch, spool: Measure) -> Answer:
    """Send the next request for an object, and keep what it brings. Raises Broken, TargetError."""
    path = fetch.file.path
    match fetch.folder.source:
        case "dbfs":
            return _block(client, fetch, spool)
        case "volumes":
            return _download(client, fetch, spool, FILES + quote(path), {})
        case _ if fetch.by_files:
            return _download(client, fetch, spool, WORKSPACE_FILES + quote(path), {})
        case _:
            query = {"path": path, "format": FORMATS.get(fetch.format, "AUTO"), "direct_download": "true"}
            return _download(client, fetch, spool, EXPORT, query)


def _download(client: Api, fetch: Fetch, spool: Measure, address: str, query: Mapping[str, str]) -> Answer:
    spool.restart()  # an earlier try may have brought a part of it
    answer = client.download(address, query, spool.add)
    if answer.ok and (error := _error_in(spool, fetch.file)):
        answer = Answer(200, error)
    fetch.complete = answer.ok
    return answer


def _error_in(spool: Measure, file: File) -> object:
    """The document of an error that came in the place of a file, with the status 200; None if what came is the file.

    What is as long as it was listed is the file, whatever is in it.
    """
    if spool.size > LARGEST_ERROR or spool.size == file.size:
        return None
    try:
        document = json.loads(spool.head)
    except (ValueError, RecursionError):
        return None
    return document if is_error(document) else None


def _block(client: Api, fetch: Fetch, spool: Measure) -> Answer:
    if not spool.size:
        spool.restart()
    query = {"path": fetch.file.path, "offset": str(spool.size), "length": str(BLOCK)}
    answer = client.get(READ, query)
    if not answer.ok:
        return answer
    data = _decoded(answer.document)
    spool.add(data)
    fetch.complete = not data or spool.size == fetch.file.size
    return answer


def _decoded(document: object) -> bytes:
    answer = document if isinstance(document, Mapping) else {}
    try:
        data = base64.b64decode(answer["data"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise Broken("the answer is no block of a file") from None
    if answer.get("bytes_read") != len(data):
        raise Broken("the answer holds another number of bytes than it says")
    return data
