"""Folders and files, and the parser of listing responses. Pure: no network, no clock, no files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Source = Literal["dbfs", "workspace", "volumes"]
SOURCES: tuple[Source, ...] = ("dbfs", "workspace")
"""The file systems in which every user has a home; volumes are selected individually."""
_LIST_KEYS: dict[Source, str] = {"dbfs": "files", "workspace": "objects", "volumes": "contents"}
"""Name of the list in the API's response."""
ESTIMATED_SIZE = 10_000
"""Assumed size in bytes of an object whose size the API does not report: notebooks, libraries, dashboards."""
CONTAINER_TYPES = frozenset({"DIRECTORY", "REPO"})
OBJECT_TYPES = frozenset({"NOTEBOOK", "FILE", "LIBRARY", "DASHBOARD", "MLFLOW_EXPERIMENT"})
"""Types that are not folders. Objects of any other type have an unknown size and may have content."""
PAGING_KEYS = frozenset({"next_page_token", "has_more"})
"""Keys that may be in a response for an empty folder, which has no list."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A user's folder; `path` is absolute and has no trailing slash."""

    user: str
    source: Source
    path: str

    @property
    def key(self) -> tuple[str, str]:
        """Identifies a folder, independently of the user."""
        return self.source, self.path


@dataclass(frozen=True, slots=True)
class File:
    """An object that is not a folder."""

    path: str
    type: str
    """The API's type: FILE, NOTEBOOK, LIBRARY, DASHBOARD; FILE in DBFS and in volumes."""
    size: int | None
    """Size in bytes; None if the API does not report it."""
    modified_at: int | None = None
    """Milliseconds since 1970, UTC; None if the API does not report it."""
    language: str = ""
    measured_size: int | None = None
    """Size in bytes on a mount, if the API does not report one; `size` is then None."""

    @property
    def counted_size(self) -> int:
        """Size in bytes, exact or estimated; the same for the API and a mount."""
        return ESTIMATED_SIZE if self.size is None else self.size

    @property
    def exact_size(self) -> int | None:
        """Size in bytes; None if unknown."""
        return self.measured_size if self.size is None else self.size


@dataclass(frozen=True, slots=True)
class Failure:
    """A path that could not be listed, and why."""

    path: str
    reason: str
    missing: bool = False
    """Whether the API reports that the path does not exist."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The content of one folder."""

    folders: tuple[str, ...] = ()
    """Paths of the subfolders."""
    files: tuple[File, ...] = ()
    failures: tuple[Failure, ...] = ()
    """Entries that no request can address, or whose type is unknown."""


class InvalidListing(ValueError):
    """The response is not a listing of the folder; the message gives the reason."""


def parse_listing(folder: Folder, document: object) -> Listing:
    """Parse the decoded JSON that the API returned for a folder. Raises InvalidListing.

    If the folder was replaced by a file, the response is this file, which then counts. Duplicate names count once. Each
    unusable entry is a separate failure.
    """
    key = _LIST_KEYS[folder.source]
    if not isinstance(document, Mapping) or (key not in document and set(document) - PAGING_KEYS):
        raise InvalidListing(f"the response for {folder.path} has no list {key}")
    entries = document.get(key, [])
    if not isinstance(entries, list):
        raise InvalidListing(f"the response for {folder.path} has no list {key}")
    folders: dict[str, None] = {}
    files: dict[str, File] = {}
    failures: dict[str, Failure] = {}
    for number, entry in enumerate(entries, start=1):
        path = entry.get("path") if isinstance(entry, Mapping) else None
        if folder.source == "volumes" and isinstance(path, str):
            path = path.rstrip("/") if path.rstrip("/") != folder.path else path
        if not isinstance(path, str):
            entry_path = f"{folder.path.rstrip('/')}/entry {number} of the response"
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
    """Describe unusable entries in a folder: the one whose path sorts first, its reason, and the number of others."""
    first = min(failures, key=lambda failure: failure.path)
    more = f" (and {len(failures) - 1} more of its entries)" if len(failures) > 1 else ""
    return f"{first.path} cannot be read: {first.reason}{more}"


def _entry_problem(folder: Folder, path: str, entry: Mapping[str, Any]) -> str:
    """Return why an entry of a listing cannot be used; empty if it can."""
    if path != folder.path:
        prefix = folder.path.rstrip("/") + "/"
        if not path.startswith(prefix):
            return f"it is not in {folder.path}, which was listed"
        name = path[len(prefix) :]
        if "/" in name:
            return "its name has a slash, so no request can address it"
        if problem := _name_problem(name):
            return problem
    if folder.source == "workspace":
        kind = entry.get("object_type")
        if kind not in CONTAINER_TYPES and kind not in OBJECT_TYPES:
            named = f"the type {escape_surrogates(kind)}" if isinstance(kind, str) and kind else "no type"
            return f"it has {named}, so its content is unknown"
    elif not isinstance(_is_directory(folder.source, entry), bool):
        return "the response does not show whether it is a folder"
    if path == folder.path and _is_container(folder.source, entry):
        return "the response lists the folder inside itself"
    return ""


def _name_problem(name: str) -> str:
    if not name:
        return "its name is empty, so no request can address it"
    if not name.isascii() and name != escape_surrogates(name):
        return "its name has a lone surrogate, so no request can address it"
    return "its name leads out of the folder" if name in (".", "..") or "\0" in name else ""


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
        # For other types, a size field is not the size of the export.
        _non_negative_int(entry.get("size")) if kind == "FILE" else None,
        _non_negative_int(entry.get("modified_at")),
        escape_surrogates(entry.get("language") or ""),
    )


def escape_surrogates(value: object) -> str:
    """Escape lone surrogates, which JSON permits but files and paths cannot contain."""
    return str(value).encode("utf-8", errors="backslashreplace").decode()


def _non_negative_int(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
