"""What is written down of a backup: a line of JSON for everything there is, where it lies, or why not. Pure.

The first line says which backup it is; a line is never changed, a later one about the same object counts instead. The
last line holds the checksum of all before it and of itself: a manifest without such an end was cut, or is still being
written.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from inventory.tree.listing import Source, escape_surrogates

FILE_NAME = "manifest.jsonl"
FORMAT = 1
MAX_INTEGER = 2**63 - 1
"""The largest number that an entry may have."""
EntryState = Literal["saved", "earlier", "left out", "failed"]
"""`earlier`: unchanged since an earlier backup, in which its content lies. `left out`: as asked for, or because no
export gives this type. `failed`: it should be in the backup and is not."""
EntryKey = tuple[Source, str, str]
"""What a line is about: file system, path, and the format of a notebook."""


class InvalidManifest(ValueError):
    """A sentence that says what is wrong, with the line in it."""


@dataclass(frozen=True, slots=True)
class ManifestHeader:
    """Which backup it is."""

    host: str
    name: str
    """The date, and a number where it is not the first of the day."""
    began_at: str
    asked: Mapping[str, Any]
    """What was asked for: the fields of `run.Wish` that say what is in it."""
    retain_until: str | None = None
    """The day after which it may be deleted; None: nobody said."""


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One object of the workspace."""

    user: str
    source: Source
    path: str
    type: str
    """As the API calls it; DIRECTORY and REPO for folders."""
    state: EntryState
    place: str | None = None
    """Where it lies below the target, from the host on; None where it does not."""
    language: str = ""
    format: str = ""
    """Of a notebook: source or jupyter."""
    size: int | None = None
    """Bytes of what lies there; of what does not, as far as the API told."""
    modified_at: int | None = None
    """Milliseconds since 1970, UTC, as the API told before it was read."""
    sha256: str | None = None
    reason: str = ""
    git: Mapping[str, str] | None = None
    """Of a git folder: url, provider, branch, commit, as far as they are known."""

    @property
    def key(self) -> EntryKey:
        return self.source, self.path, self.format

    @property
    def is_folder(self) -> bool:
        return self.type in ("DIRECTORY", "REPO")

    @property
    def has_content(self) -> bool:
        """Whether there is content of it."""
        return self.state in ("saved", "earlier") and not self.is_folder


@dataclass(frozen=True, slots=True)
class ManifestEnd:
    """All of it was written, as far as it could be saved."""

    finished_at: str
    lines: int
    """How many there are before this one."""
    failed: int
    sha256: str
    """Of all bytes before this line, and of what else it says, hexadecimal; see `seal`."""


def header_line(header: ManifestHeader) -> bytes:
    return _line({"backup": FORMAT, **asdict(header)})


def entry_line(entry: ManifestEntry) -> bytes:
    """Without what is empty; `user`, `source`, `path`, `type` and `state` always."""
    return _line({name: value for name, value in asdict(entry).items() if value not in (None, "")})


def end_line(end: ManifestEnd) -> bytes:
    return _line({"end": True, **asdict(end)})


def manifest_end(digest: "hashlib._Hash", finished_at: str, lines: int, failed: int) -> ManifestEnd:
    """The end of a manifest of whose lines this is the SHA-256 so far."""
    whole = digest.copy()
    whole.update(f"{finished_at} {lines} {failed}".encode())
    return ManifestEnd(finished_at, lines, failed, whole.hexdigest())


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class ManifestReader:
    """Reads a manifest line by line and says at the end what is wrong with it.

    Give every line to `read`; afterwards `header` is there, `whole` says whether the last line is an end that fits, and
    `problems` names lines that are none.
    """

    def __init__(self) -> None:
        self.header: ManifestHeader | None = None
        self.end: ManifestEnd | None = None
        """Of the last line, if it is one and fits."""
        self.problems: list[str] = []
        self.lines = 0
        self.digest = hashlib.sha256()

    @property
    def is_complete(self) -> bool:
        return self.header is not None and self.end is not None and not self.problems

    def read_line(self, line: bytes) -> ManifestEntry | None:
        """The entry in a line, if it holds one. Raises InvalidManifest unless the first line is a header."""
        number = self.lines + 1
        self.end = None
        parsed = _parse_line(line)
        if number == 1:
            if not isinstance(parsed, ManifestHeader):
                raise InvalidManifest("the first line is not that of a manifest of this program")
            self.header = parsed
        elif isinstance(parsed, str):
            self.problems.append(f"line {number} {parsed}")
        elif isinstance(parsed, ManifestEnd):
            expected = manifest_end(self.digest, parsed.finished_at, self.lines, parsed.failed)
            # To the byte: a line that only means the same was changed.
            if line == end_line(expected):
                self.end = parsed
            else:
                self.problems.append(f"line {number} does not fit to what stands before it: something was changed")
        self.digest.update(line)
        self.lines = number
        return parsed if isinstance(parsed, ManifestEntry) else None

    def read_all(self, lines: Iterable[bytes]) -> Iterator[ManifestEntry]:
        """All entries, in their order. Raises InvalidManifest."""
        for line in lines:
            if entry := self.read_line(line):
                yield entry
        if self.header is None:
            raise InvalidManifest("it is empty")


def _parse_line(line: bytes) -> ManifestHeader | ManifestEntry | ManifestEnd | str:
    """What a line is, or why it is nothing."""
    try:
        document = json.loads(line.decode("utf-8")) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return "is not readable"
    if document is None:
        return "ends too early"
    try:
        if "backup" in document:
            return _header(document)
        if document.get("end") is True:
            return ManifestEnd(**{name: document[name] for name in ManifestEnd.__slots__})
        return _entry(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        return "is none of a manifest"


def _header(document: Mapping[str, Any]) -> ManifestHeader | str:
    if document["backup"] != FORMAT:
        return "was written by another version of this program"
    known = {name: document[name] for name in ManifestHeader.__slots__ if name in document}
    header = ManifestHeader(**known)
    texts = [header.host, header.name, header.began_at, *([] if header.retain_until is None else [header.retain_until])]
    return header if all(map(_is_text, texts)) and _is_valid_request(header.asked) else "is none of a manifest"


def _is_valid_request(asked: object) -> bool:
    """Whether it is what `run.Wish.asked` gives; any part may be absent."""
    if not isinstance(asked, dict):
        return False
    lists = [asked.get(name, []) for name in ("users", "sources", "volumes", "formats")]
    return (
        all(isinstance(each, list) and all(map(_is_text, each)) for each in lists)
        and set(lists[1]) <= set(get_args(Source))
        and _is_number(asked.get("max_size"))
    )


def _is_text(value: object) -> bool:
    """Whether it can be written and sent: half a surrogate pair cannot."""
    return isinstance(value, str) and value == escape_surrogates(value)


def _is_number(value: object) -> bool:
    """Whether it is None or a number that a database can hold."""
    return value is None or (type(value) is int and -MAX_INTEGER <= value <= MAX_INTEGER)


def _entry(document: Mapping[str, Any]) -> ManifestEntry | str:
    entry = ManifestEntry(**document)
    texts = (entry.user, entry.path, entry.type, entry.language, entry.format, entry.reason)
    numbers = (entry.size, entry.modified_at)
    if (
        not all(map(_is_text, texts))
        or not all(map(_is_number, numbers))
        or (entry.size or 0) < 0
        or not (entry.sha256 is None or _is_text(entry.sha256))
        or entry.source not in get_args(Source)
        or entry.state not in get_args(EntryState)
        or not entry.path.startswith("/")
        or (entry.place is not None and not _is_inside(entry.place))
        or (entry.has_content and None in (entry.place, entry.size, entry.sha256))
        or (entry.git is not None and not _is_git(entry.git))
    ):
        return "is none of a manifest"
    return entry


def _is_git(git: object) -> bool:
    return isinstance(git, dict) and all(map(_is_text, [*git, *git.values()]))


def _is_inside(place: str) -> bool:
    """Whether a place is one below the target: who changed a manifest does not choose what is read."""
    parts = place.split("/") if _is_text(place) else []
    return bool(parts) and all(part not in ("", ".", "..") and "\0" not in part and "\\" not in part for part in parts)
