"""Folders, files, and what an answer to "list this folder" means. Pure: no network, no clock, no files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Source = Literal["dbfs", "workspace", "volumes"]
SOURCES: tuple[Source, ...] = ("dbfs", "workspace")
"""Those in which everybody has a home; volumes are named one by one."""
_LIST_KEYS: dict[Source, str] = {"dbfs": "files", "workspace": "objects", "volumes": "contents"}
"""What the API calls the list in its answer."""
ESTIMATED_SIZE = 10_000
"""What an object counts whose size the API does not tell: notebooks, libraries, dashboards."""
CONTAINER_TYPES = frozenset({"DIRECTORY", "REPO"})
OBJECT_TYPES = frozenset({"NOTEBOOK", "FILE", "LIBRARY", "DASHBOARD", "MLFLOW_EXPERIMENT"})
"""The types of what is no folder. Of any other it is not known whether something lies in it, and how large it is."""
PAGING_KEYS = frozenset({"next_page_token", "has_more"})
"""Keys that an answer without a list may have."""


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of one user; `path` is absolute and has no trailing slash."""

    user: str
    source: Source
    path: str

    @property
    def key(self) -> tuple[str, str]:
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
    measured_size: int | None = None
    """Bytes on a mount, where `size` has to stay None because the API would not tell."""

    @property
    def counted_size(self) -> int:
        """Bytes, exact or estimated: the same whether the API or a mount was asked."""
        return ESTIMATED_SIZE if self.size is None else self.size

    @property
    def exact_size(self) -> int | None:
        """Bytes; None where nobody tells."""
        return self.measured_size if self.size is None else self.size


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


class InvalidListing(ValueError):
    """The answer is not what a listing of this folder looks like; the sentence says how."""


def parse_listing(folder: Folder, answer: object) -> Listing:
    """The meaning of the decoded JSON that the API gave for a folder.

    A folder that was replaced by a file is answered with that file, which then counts. Names appear once, whatever the
    answer repeats. An entry that cannot be used is a failure of its own. Raises InvalidListing for any other shape.
    """
    key = _LIST_KEYS[folder.source]
    if not isinstance(answer, Mapping) or (key not in answer and set(answer) - PAGING_KEYS):
        raise InvalidListing(f"the answer for {folder.path} has no list of {key}")
    entries = answer.get(key, [])
    if not isinstance(entries, list):
        raise InvalidListing(f"the answer for {folder.path} has no list of {key}")
    folders: dict[str, None] = {}
    files: dict[str, File] = {}
    failures: dict[str, Failure] = {}
    for number, entry in enumerate(entries, start=1):
        path = entry.get("path") if isinstance(entry, Mapping) else None
        if folder.source == "volumes" and isinstance(path, str):
            path = path.rstrip("/") if path.rstrip("/") != folder.path else path
        if not isinstance(path, str):
            entry_path = f"{folder.path.rstrip('/')}/entry {number} of the answer"
            failures[entry_path] = Failure(entry_path, "it has no path")
        elif problem := _entry_problem(folder, path, entry):
            entry_path = (
                escape_surrogates(path)
                if path.startswith("/")
                else f"{folder.path.rstrip('/')}/{escape_surrogates(path)}"
            )
            failures[entry_path] = Failure(entry_path, problem)
        elif _is_container(folder.source, entry):
            folders[path] = None
        else:
            files[path] = _file(folder.source, path, entry)
    only_files = tuple(file for path, file in files.items() if path not in folders)
    return Listing(tuple(folders), only_files, tuple(failures.values()))


def summarize_failures(failures: Sequence[Failure]) -> str:
    """Of entries of a folder that cannot be used: the first one by path, its reason, and how many more there are."""
    first = min(failures, key=lambda failure: failure.path)
    more = f" (and {len(failures) - 1} more of its entries)" if len(failures) > 1 else ""
    return f"{first.path} cannot be read: {first.reason}{more}"


def _entry_problem(folder: Folder, path: str, entry: Mapping[str, Any]) -> str:
    """Why an entry of a folder's answer cannot be used; empty if it can."""
    if path != folder.path:
        prefix = folder.path.rstrip("/") + "/"
        if not path.startswith(prefix):
            return f"it does not lie in {folder.path}, of which the answer is"
        name = path[len(prefix) :]
        if "/" in name:
            return "its name has a slash, so no request can name it"
        if problem := _name_problem(name):
            return problem
    if folder.source == "workspace":
        kind = entry.get("object_type")
        if kind not in CONTAINER_TYPES and kind not in OBJECT_TYPES:
            named = f"the type {escape_surrogates(kind)}" if isinstance(kind, str) and kind else "no type"
            return f"it has {named}, so it is not known what it holds"
    elif not isinstance(_is_directory(folder.source, entry), bool):
        return "the answer does not tell whether it is a folder"
    if path == folder.path and _is_container(folder.source, entry):
        return "the answer says that the folder contains itself"
    return ""


def _name_problem(name: str) -> str:
    if not name:
        return "its name is empty, so no request can name it"
    if not name.isascii() and name != escape_surrogates(name):
        return "its name has half of a character, so no request can name it"
    return "its name leads elsewhere" if name in (".", "..") or "\0" in name else ""


def _is_directory(source: Source, entry: Mapping[str, Any]) -> object:
    return entry.get("is_dir" if source == "dbfs" else "is_directory", False)


def _is_container(source: Source, entry: Mapping[str, Any]) -> bool:
    return entry.get("object_type") in CONTAINER_TYPES if source == "workspace" else bool(_is_directory(source, entry))


def _file(source: Source, path: str, entry: Mapping[str, Any]) -> File:
    if source == "dbfs":
        return File(
            path, "FILE", _non_negative_int(entry.get("file_size")), _non_negative_int(entry.get("modification_time"))
        )
    if source == "volumes":
        return File(
            path, "FILE", _non_negative_int(entry.get("file_size")), _non_negative_int(entry.get("last_modified"))
        )
    kind = str(entry.get("object_type"))
    return File(
        path,
        kind,
        # Of anything else the size field, where there is one, is not that of what an export would give.
        _non_negative_int(entry.get("size")) if kind == "FILE" else None,
        _non_negative_int(entry.get("modified_at")),
        escape_surrogates(entry.get("language") or ""),
    )


def escape_surrogates(value: object) -> str:
    """The text as it can be written: half a surrogate pair, which JSON permits, has no place in a file or a path."""
    return str(value).encode("utf-8", errors="backslashreplace").decode()


def _non_negative_int(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
