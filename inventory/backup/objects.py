"""What a backup makes of the objects of a listing: which it takes, what it writes down. Pure."""

import json
from collections.abc import Mapping

from inventory.backup.manifest import ManifestEntry
from inventory.results.formatting import format_size
from inventory.tree.listing import File, Folder

EXPORTABLE_TYPES = frozenset({"FILE", "NOTEBOOK", "DASHBOARD"})
MAX_EXPORT_BYTES = 10_485_760
"""Bytes that an export gives, as JSON or by direct download."""
MAX_FILE_BYTES = 500 * 2**20
"""Bytes of a file of the Workspace that can be read as it is; larger ones only through the mount of a cluster."""
GIT_SUFFIX = "%git.json"
"""Added to the place of a git folder: the file beside it that says where it came from. No name is stored so."""

LANGUAGE_SUFFIXES = {"PYTHON": ".py", "SQL": ".sql", "SCALA": ".scala", "R": ".r"}
"""Of notebooks as source, by language."""


def git_file_content(git: Mapping[str, str]) -> bytes:
    """What the file beside a git folder holds."""
    return json.dumps(dict(git), ensure_ascii=False, indent=2).encode() + b"\n"


def is_unchanged(file: File, entry: ManifestEntry) -> bool:
    """Whether an object is as it was when it was saved; not so where the API does not tell when it was changed."""
    if not entry.has_content or file.modified_at is None:
        return False
    return file.modified_at == entry.modified_at and file.size in (None, entry.size) and file.type == entry.type


def listed_entry(folder: Folder, file: File, form: str) -> ManifestEntry:
    """An entry that says no more than what was listed."""
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
    """Why an object is not fetched at all, if no more than `most` bytes are wanted; empty if it is."""
    if file.type not in EXPORTABLE_TYPES:
        return f"no export gives a {file.type}"
    if max_size is not None and file.size is not None and file.size > max_size:
        return f"it has {format_size(file.size)}, more than --max-file-size"
    return ""


def failure_hint(folder: Folder, file: File, *, is_too_large: bool) -> str:
    """What to do about an object that was refused, to be added to the reason; empty if nothing is known."""
    if folder.source != "workspace":
        return ""
    if (file.size or 0) > MAX_FILE_BYTES:
        return "; the API gives 500 MB at most, what is larger is read through the file mount of a cluster"
    if file.type == "NOTEBOOK" and is_too_large:
        return (
            "; an export gives 10 MB at most: clear the outputs of the notebook, or read it through the file mount of a"
            " cluster"
        )
    return ""


def stored_suffix(file: File, format: str) -> str:
    """What the name of a notebook ends in, so that people and programs know what it is; nothing for other files."""
    return ".ipynb" if format == "jupyter" else LANGUAGE_SUFFIXES.get(file.language, ".txt") if format else ""
