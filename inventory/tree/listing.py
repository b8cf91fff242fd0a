"""Folders, files, and what an answer to "list this folder" means. Pure: no network, no clock, no files."""

from collections.abc import Mapping, Sequence
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
OBJECTS = frozenset({"NOTEBOOK", "FILE", "LIBRARY", "DASHBOARD", "MLFLOW_EXPERIMENT"})
"""The types of what is no folder. Of any other it is not known whether something lies in it, and how large it is."""
PAGING = frozenset({"next_page_token", "has_more"})
"""Keys that an answer without a list may have."""


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
class Failure:
    """A place that could not be listed, and why."""

    path: str
    reason: str
    missing: bool = False
    """Whether the API says that there is no such place."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One folder's answer."""

    folders: tuple[str, ...] = ()
    """Paths."""
    files: tuple[File, ...] = ()
    failures: tuple[Failure, ...] = ()
    """Entries that no request can name, or of which it is not known what they are."""


class NotAListing(ValueError):
    """The answer is not what a listing of this folder looks like; the sentence says how."""


def read(folder: Folder, answer: object) -> Listing:
    """The meaning of the decoded JSON that the API gave for a folder.

    A folder that was replaced by a file is answered with that file, which then counts. Names appear once, whatever the
    answer repeats. An entry that cannot be used is a failure of its own. Raises NotAListing for any other shape.
    """
    key = _LISTS[folder.source]
    if not isinstance(answer, Mapping) or (key not in answer and set(answer) - PAGING):
        raise NotAListing(f"the answer for {folder.path} has no list of {key}")
    entries = answer.get(key, [])
    if not isinstance(entries, list):
        raise NotAListing(f"the answer for {folder.path} has no list of {key}")
    folders: dict[str, None] = {}
    files: dict[str, File] = {}
    failures: dict[str, Failure] = {}
    for number, entry in enumerate(entries, start=1):
        path = entry.get("path") if isinstance(entry, Mapping) else None
        if folder.source == "volumes" and isinstance(path, str):
            path = path.rstrip("/") if path.rstrip("/") != folder.path else path
        if not isinstance(path, str):
            place = f"{folder.path.rstrip('/')}/entry {number} of the answer"
            failures[place] = Failure(place, "it has no path")
        elif problem := _problem(folder, path, entry):
            place = writable(path) if path.startswith("/") else f"{folder.path.rstrip('/')}/{writable(path)}"
            failures[place] = Failure(place, problem)
        elif _is_container(folder.source, entry):
            folders[path] = None
        else:
            files[path] = _file(folder.source, path, entry)
    alone = tuple(file for path, file in files.items() if path not in folders)
    return Listing(tuple(folders), alone, tuple(failures.values()))


def summary(failures: Sequence[Failure]) -> str:
    """Of entries of a folder that cannot be used: the first one by path, its reason, and how many more there are."""
    first = min(failures, key=lambda failure: failure.path)
    more = f" (and {len(failures) - 1} more of its entries)" if len(failures) > 1 else ""
    return f"{first.path} cannot be read: {first.reason}{more}"


def _problem(folder: Folder, path: str, entry: Mapping[str, Any]) -> str:
    """Why an entry of a folder's answer cannot be used; empty if it can."""
    if path != folder.path:
        prefix = folder.path.rstrip("/") + "/"
        if not path.startswith(prefix):
            return f"it does not lie in {folder.path}, of which the answer is"
        name = path[len(prefix) :]
        if "/" in name:
            return "its name has a slash, so no request can name it"
        if problem := _not_a_name(name):
            return problem
    if folder.source == "workspace":
        kind = entry.get("object_type")
        if kind not in CONTAINERS and kind not in OBJECTS:
            named = f"the type {writable(kind)}" if isinstance(kind, str) and kind else "no type"
            return f"it has {named}, so it is not known what it holds"
    elif not isinstance(_is_directory(folder.source, entry), bool):
        return "the answer does not tell whether it is a folder"
    if path == folder.path and _is_container(folder.source, entry):
        return "the answer says that the folder contains itself"
    return ""


def _not_a_name(name: str) -> str:
    if not name:
        return "its name is empty, so no request can name it"
    if not name.isascii() and name != writable(name):
        return "its name has half of a character, so no request can name it"
    return "its name leads elsewhere" if name in (".", "..") or "\0" in name else ""


def _is_directory(source: Source, entry: Mapping[str, Any]) -> object:
    return entry.get("is_dir" if source == "dbfs" else "is_directory", False)


def _is_container(source: Source, entry: Mapping[str, Any]) -> bool:
    return entry.get("object_type") in CONTAINERS if source == "workspace" else bool(_is_directory(source, entry))


def _file(source: Source, path: str, entry: Mapping[str, Any]) -> File:
    if source == "dbfs":
        return File(path, "FILE", _number(entry.get("file_size")), _number(entry.get("modification_time")))
    if source == "volumes":
        return File(path, "FILE", _number(entry.get("file_size")), _number(entry.get("last_modified")))
    kind = str(entry.get("object_type"))
    return File(
        path,
        kind,
        # Of anything else the size field, where there is one, is not that of what an export would give.
        _number(entry.get("size")) if kind == "FILE" else None,
        _number(entry.get("modified_at")),
        writable(entry.get("language") or ""),
    )


def writable(value: object) -> str:
    """The text as it can be written: half a surrogate pair, which JSON permits, has no place in a file or a path."""
    return str(value).encode("utf-8", errors="backslashreplace").decode()


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
