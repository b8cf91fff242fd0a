"""The manifest of a backup: a line of JSON per object, with its path below the target or a reason. Pure.

The first line identifies the backup. Lines never change; the last line about an object counts. The file's last line
has the checksum of all lines before it and of its own other fields: without this line, the manifest is truncated or
the backup is unfinished.
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
"""Maximum number in an entry."""
EntryState = Literal["saved", "earlier", "left out", "failed"]
"""`earlier`: unchanged since an earlier backup, which has the content. `left out`: excluded by an option, or of a
type that cannot be exported. `failed`: could not be saved."""
EntryKey = tuple[Source, str, str]
"""What a line is about: file system, path and notebook format."""


class InvalidManifest(ValueError):
    """The manifest is invalid; the message gives the line and the reason."""


@dataclass(frozen=True, slots=True)
class ManifestHeader:
    """The first line, which identifies the backup."""

    host: str
    name: str
    """The date; from the second backup on a day, with a number."""
    began_at: str
    asked: Mapping[str, Any]
    """The options that selected the content; see `run.BackupRequest.manifest_fields`."""
    retain_until: str | None = None
    """The day until which the backup must be kept; None if not given."""


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One object of the workspace."""

    user: str
    source: Source
    path: str
    type: str
    """The API's type; DIRECTORY or REPO for folders."""
    state: EntryState
    place: str | None = None
    """Path below the target, including the host; None if nothing is stored."""
    language: str = ""
    format: str = ""
    """The notebook format: source or jupyter."""
    size: int | None = None
    """Bytes of the stored content, or the size that the API reported."""
    modified_at: int | None = None
    """Milliseconds since 1970, UTC, as the API reported before the download."""
    sha256: str | None = None
    reason: str = ""
    git: Mapping[str, str] | None = None
    """For a git folder: url, provider, branch and commit, as far as they are known."""

    @property
    def key(self) -> EntryKey:
        return self.source, self.path, self.format

    @property
    def is_folder(self) -> bool:
        return self.type in ("DIRECTORY", "REPO")

    @property
    def has_content(self) -> bool:
        """Whether content is stored for this entry."""
        return self.state in ("saved", "earlier") and not self.is_folder


@dataclass(frozen=True, slots=True)
class ManifestEnd:
    """The last line of a finished manifest."""

    finished_at: str
    lines: int
    """Number of lines before this one."""
    failed: int
    sha256: str
    """SHA-256 of all bytes before this line and of its other fields, hexadecimal; see `manifest_end`."""


def header_line(header: ManifestHeader) -> bytes:
    return _line({"backup": FORMAT, **asdict(header)})


def entry_line(entry: ManifestEntry) -> bytes:
    """Encode an entry without empty fields; `user`, `source`, `path`, `type` and `state` are always present."""
    return _line({name: value for name, value in asdict(entry).items() if value not in (None, "")})


def end_line(end: ManifestEnd) -> bytes:
    return _line({"end": True, **asdict(end)})


def manifest_end(digest: "hashlib._Hash", finished_at: str, lines: int, failed: int) -> ManifestEnd:
    """Return the last line for a manifest whose lines have this SHA-256."""
    whole = digest.copy()
    whole.update(f"{finished_at} {lines} {failed}".encode())
    return ManifestEnd(finished_at, lines, failed, whole.hexdigest())


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class ManifestReader:
    """Reads and checks a manifest line by line.

    Pass every line to `read_line`. Afterwards `header` is set, `is_complete` says whether the last line is a valid end,
    and `problems` describes the invalid lines.
    """

    def __init__(self) -> None:
        self.header: ManifestHeader | None = None
        self.end: ManifestEnd | None = None
        """The last line read, if it is a valid end."""
        self.problems: list[str] = []
        self.lines = 0
        self.digest = hashlib.sha256()

    @property
    def is_complete(self) -> bool:
        return self.header is not None and self.end is not None and not self.problems

    def read_line(self, line: bytes) -> ManifestEntry | None:
        """Return the entry in a line, if there is one. Raises InvalidManifest unless the first line is a header."""
        number = self.lines + 1
        self.end = None
        parsed = _parse_line(line)
        if number == 1:
            if not isinstance(parsed, ManifestHeader):
                raise InvalidManifest("the first line is not the header of a manifest written by this program")
            self.header = parsed
        elif isinstance(parsed, str):
            self.problems.append(f"line {number} {parsed}")
        elif isinstance(parsed, ManifestEnd):
            expected = manifest_end(self.digest, parsed.finished_at, self.lines, parsed.failed)
            # Compared byte for byte: even an equivalent line has been changed.
            if line == end_line(expected):
                self.end = parsed
            else:
                self.problems.append(f"line {number} does not match the lines before it: the manifest was modified")
        self.digest.update(line)
        self.lines = number
        return parsed if isinstance(parsed, ManifestEntry) else None

    def read_all(self, lines: Iterable[bytes]) -> Iterator[ManifestEntry]:
        """Yield all entries, in order. Raises InvalidManifest."""
        for line in lines:
            if entry := self.read_line(line):
                yield entry
        if self.header is None:
            raise InvalidManifest("it is empty")


def _parse_line(line: bytes) -> ManifestHeader | ManifestEntry | ManifestEnd | str:
    """Parse a line, or return why it is invalid."""
    try:
        document = json.loads(line.decode("utf-8")) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return "is not readable"
    if document is None:
        return "is truncated"
    try:
        if "backup" in document:
            return _header(document)
        if document.get("end") is True:
            return ManifestEnd(**{name: document[name] for name in ManifestEnd.__slots__})
        return _entry(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        return "is not a manifest line"


def _header(document: Mapping[str, Any]) -> ManifestHeader | str:
    if document["backup"] != FORMAT:
        return "was written by a different version of this program"
    known = {name: document[name] for name in ManifestHeader.__slots__ if name in document}
    header = ManifestHeader(**known)
    texts = [header.host, header.name, header.began_at, *([] if header.retain_until is None else [header.retain_until])]
    return header if all(map(_is_text, texts)) and _is_valid_request(header.asked) else "is not a manifest line"


def _is_valid_request(asked: object) -> bool:
    """Return whether `asked` has the format of `run.BackupRequest.manifest_fields`; any key may be absent."""
    if not isinstance(asked, dict):
        return False
    lists = [asked.get(name, []) for name in ("users", "sources", "volumes", "formats")]
    return (
        all(isinstance(each, list) and all(map(_is_text, each)) for each in lists)
        and set(lists[1]) <= set(get_args(Source))
        and _is_number(asked.get("max_size"))
    )


def _is_text(value: object) -> bool:
    """Return whether the value is a string without lone surrogates."""
    return isinstance(value, str) and value == escape_surrogates(value)


def _is_number(value: object) -> bool:
    """Return whether the value is None or a number that a database can hold."""
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
        return "is not a manifest line"
    return entry


def _is_git(git: object) -> bool:
    return isinstance(git, dict) and all(map(_is_text, [*git, *git.values()]))


def _is_inside(place: str) -> bool:
    """Return whether a path is below the target, so that a modified manifest cannot select other files."""
    parts = place.split("/") if _is_text(place) else []
    return bool(parts) and all(part not in ("", ".", "..") and "\0" not in part and "\\" not in part for part in parts)
