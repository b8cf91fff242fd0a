"""Folders, files, and what an answer to "list this folder" means. Pure: no network, no clock, no files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Source = Literal["dbfs", "workspace", "volumes"]
SOURCES: tuple[Source, ...] = ("dbfs", "workspace")
"""Those in which everybody has a home; volumes are named one by one."""
_LISTS: dict[Source, str] = {"dbfs": "files", "workspace": "objects", "volumes": "contents"}
"""What the API calls the list in its answer."""
ESTIMATED_BYTES = 10_000
"""What an object counts whose size the API does not tell: notebooks, libraries, dashboards."""
CONTAINERS = frozenset({"DIRECTORY", "REPO"})


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of one user; `path` is absolute and has no trailing slash."""

    user: str
    source: Source
    path: str

    @property
    def place(self) -> tuple[str, str]:
        """What it is known by: whoever it is listed for, it is listed once."""
        return self.source, self.path


@dataclass(frozen=True, slots=True)
class File:
    """Anything that is not a folder."""

    path: str
    type: str
    """As the API calls it: FILE, NOTEBOOK, LIBRARY, DASHBOARD; FILE in DBFS and in volumes."""
    size: int | None
    """Bytes; None where the API does not tell."""
    modified_at: int | None = None
    """Milliseconds since 1970, UTC; None where the API does not tell."""
    language: str = ""
    measured: int | None = None
    """Bytes on a mount, where `size` has to stay None because the API would not tell."""

    @property
    def counted_size(self) -> int:
        """Bytes, exact or estimated: the same whether the API or a mount was asked."""
        return ESTIMATED_BYTES if self.size is None else self.size

    @property
    def exact_size(self) -> int | None:
        """Bytes; None where nobody tells."""
        return self.measured if self.size is None else self.size


@dataclass(frozen=True, slots=True)
class Listing:
    """One folder's answer."""

    folders: tuple[str, ...] = ()
    """Paths."""
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A place that could not be listed, and why."""

    path: str
    reason: str
    missing: bool = False
    """Whether the API says that there is no such place."""


class NotAListing(ValueError):
    """The answer is not what a listing of this folder looks like; the sentence says how."""


def read(folder: Folder, answer: object) -> Listing:
    """The meaning of the decoded JSON that the API gave for a folder.

    A folder that was replaced by a file is answered with that file, which then counts. Names appear once, whatever the
    answer repeats. Raises NotAListing for any other shape, and for entries that lie elsewhere.
    """
    key = _LISTS[folder.source]
    entries = answer.get(key, []) if isinstance(answer, Mapping) else None
    if not isinstance(entries, list):
        raise NotAListing(f"the answer for {folder.path} has no list of {key}")
    folders: dict[str, None] = {}
    files: dict[str, File] = {}
    for entry in entries:
        path = entry.get("path") if isinstance(entry, Mapping) else None
        if folder.source == "volumes" and isinstance(path, str):
            path = path.rstrip("/")
        if not isinstance(path, str) or path != _text(path) or not _lies_in(folder.path, path):
            raise NotAListing(f"the answer for {folder.path} names {path!r}, which does not lie in it")
        if _is_container(folder.source, entry):
            if path == folder.path:
                raise NotAListing(f"the answer for {folder.path} says that it contains itself")
            folders[path] = None
        else:
            files[path] = _file(folder.source, path, entry)
    return Listing(tuple(folders), tuple(file for path, file in files.items() if path not in folders))


def _lies_in(folder: str, path: str) -> bool:
    """Whether a path is the folder itself or directly in it."""
    if path == folder:
        return True
    prefix = folder.rstrip("/") + "/"
    name = path[len(prefix) :]
    return path.startswith(prefix) and name not in ("", ".", "..") and "/" not in name


def _is_container(source: Source, entry: Mapping[str, Any]) -> bool:
    if source == "workspace":
        return entry.get("object_type") in CONTAINERS
    return bool(entry.get("is_dir" if source == "dbfs" else "is_directory"))


def _file(source: Source, path: str, entry: Mapping[str, Any]) -> File:
    if source == "dbfs":
        return File(path, "FILE", _number(entry.get("file_size")), _number(entry.get("modification_time")))
    if source == "volumes":
        return File(path, "FILE", _number(entry.get("file_size")), _number(entry.get("last_modified")))
    kind = entry.get("object_type")
    return File(
        path,
        _text(kind) if isinstance(kind, str) else "UNKNOWN",
        # Of anything else the size field, where there is one, is not that of what an export would give.
        _number(entry.get("size")) if kind == "FILE" else None,
        _number(entry.get("modified_at")),
        _text(entry.get("language") or ""),
    )


def _text(value: object) -> str:
    """As text that can be written: half a surrogate pair, which JSON permits, has no place in a file or an address."""
    return str(value).encode("utf-8", errors="replace").decode()


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
