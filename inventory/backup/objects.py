"""Decides which objects a backup saves and describes them. Pure."""

import json
from collections.abc import Mapping

from inventory.backup.manifest import ManifestEntry
from inventory.results.formatting import format_size
from inventory.tree.listing import File, Folder

EXPORTABLE_TYPES = frozenset({"FILE", "NOTEBOOK", "DASHBOARD"})
MAX_EXPORT_BYTES = 10_485_760
"""Maximum size of an export in bytes, as JSON or by direct download."""
MAX_FILE_BYTES = 500 * 2**20
"""Maximum size in bytes of a Workspace file that the API returns; larger files need a cluster's mount."""
GIT_SUFFIX = "%git.json"
"""Suffix of the file beside a git folder that has its URL, branch and commit. No encoded name has this suffix."""

LANGUAGE_SUFFIXES = {"PYTHON": ".py", "SQL": ".sql", "SCALA": ".scala", "R": ".r"}
"""Language → suffix of notebooks in source format."""


def git_file_content(git: Mapping[str, str]) -> bytes:
    """Return the content of the file with the properties of a git folder."""
    return json.dumps(dict(git), ensure_ascii=False, indent=2).encode() + b"\n"


def is_unchanged(file: File, entry: ManifestEntry) -> bool:
    """Return whether an object is unchanged since it was saved. Without a modification time from the API, it counts as
    changed."""
    if not entry.has_content or file.modified_at is None:
        return False
    return file.modified_at == entry.modified_at and file.size in (None, entry.size) and file.type == entry.type


def listed_entry(folder: Folder, file: File, form: str) -> ManifestEntry:
    """Return an entry with the listed properties of an object."""
    return ManifestEntry(
        folder.user,
        folder.source,
        file.path,
        file.type,
        "failed",
        language=file.language,
        format=form,
        size=file.size,
        modified_at=file.modified_at,
    )


def base_name(path: str) -> str:
    return path.rpartition("/")[2]


def notebook_suffix(language: str, form: str) -> str:
    return stored_suffix(File("", "NOTEBOOK", None, None, language), form)


def exclusion_reason(file: File, max_size: int | None) -> str:
    """Return why an object is excluded, given a maximum size in bytes; empty if it is downloaded."""
    if file.type not in EXPORTABLE_TYPES:
        return f"the API cannot export a {file.type}"
    if max_size is not None and file.size is not None and file.size > max_size:
        return f"its size is {format_size(file.size)}, more than --max-file-size"
    return ""


def failure_hint(folder: Folder, file: File, *, is_too_large: bool) -> str:
    """Return advice about a refused object, to append to the reason, or an empty string."""
    if folder.source != "workspace":
        return ""
    if (file.size or 0) > MAX_FILE_BYTES:
        return "; the API returns at most 500 MB; read larger files through a cluster's file mount"
    if file.type == "NOTEBOOK" and is_too_large:
        return "; an export has at most 10 MB: clear the notebook's outputs, or read it through a cluster's file mount"
    return ""


def stored_suffix(file: File, format: str) -> str:
    """Return the suffix that a notebook gets when it is stored; empty for files."""
    return ".ipynb" if format == "jupyter" else LANGUAGE_SUFFIXES.get(file.language, ".txt") if format else ""
