"""Lists folders on a cluster's mounts, `/Workspace/Users/…` and `/dbfs/Users/…`, without the API and with exact sizes.

Also runs on executors, so it needs only the standard library.
"""

import os
import re
from pathlib import PurePosixPath

from inventory.tree.listing import Failure, File, Folder, Listing, Source

MOUNTS: dict[Source, str] = {"workspace": "Workspace", "dbfs": "dbfs"}
NOTEBOOK_HEADERS = {b"# Databricks notebook source": "", b"-- Databricks notebook source": "SQL"}
NOTEBOOK_HEADERS[b"// Databricks notebook source"] = "SCALA"
"""First line of a notebook → its language; empty for Python or R, which both use #."""
MAX_HEADER_BYTES = max(map(len, NOTEBOOK_HEADERS))
SUFFIXES = (
    "avro bin bmp bz2 cfg csv crc dat db delta doc docx egg feather gif gz h5 html ini jar jpeg jpg json jsonl"
    " lock log md npy npz orc parquet pdf pickle pkl png ppt pptx pt pth rst rds svg tar tgz toml tsv txt whl"
    " xls xlsx xml yaml yml zip zst"
)
NON_NOTEBOOK_SUFFIXES = frozenset(f".{suffix}" for suffix in SUFFIXES.split())
"""Suffixes of files that are never notebooks, so that they need not be opened."""
DASHBOARD, JUPYTER = ".lvdash.json", ".ipynb"
HOME_PATTERN = re.compile(r"/Users/[^/]+|/[^/]+")


class _IncompleteMount(Exception):
    """The mount lists an entry that cannot be read."""


class Mounts:
    """The mounts below `root`, which is `/` on a cluster."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")

    def sources_with_homes(self) -> list[Source]:
        """Return the file systems that have homes on these mounts."""
        return [source for source, mount in MOUNTS.items() if os.path.isdir(f"{self._root}/{mount}/Users")]

    def list_folder(self, folder: Folder) -> Listing | Failure | None:
        """List a folder; return None if the mount does not show all of it, so that the API is needed."""
        if folder.source not in MOUNTS:
            return None
        try:
            return self._read(folder)
        except _IncompleteMount:
            return None
        except (OSError, ValueError) as error:
            home = HOME_PATTERN.match(folder.path)
            if not home or home[0] == folder.path or not os.path.isdir(self._mount_path(folder.source, home[0])):
                return None
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Failure(folder.path, f"on the mount: {reason}")

    def _mount_path(self, source: Source, path: str) -> str:
        return f"{self._root}/{MOUNTS[source]}{path}"

    def _read(self, folder: Folder) -> Listing:
        folders, files = [], []
        with os.scandir(self._mount_path(folder.source, folder.path)) as entries:
            for entry in entries:
                name = os.fsencode(entry.name).decode(errors="replace")
                path = f"{folder.path.rstrip('/')}/{name}"
                # A link may lead out of the home or form a loop, so it is counted but not followed.
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                    continue
                # A file that was deleted meanwhile does not affect the others.
                try:
                    files.append(_file(folder.source, path, entry))
                except FileNotFoundError:
                    continue
                except OSError as error:
                    # A mount refuses to open some notebooks (EOPNOTSUPP); the API knows their type.
                    raise _IncompleteMount from error
        return Listing(tuple(sorted(folders)), tuple(sorted(files, key=lambda file: file.path)))


def _file(source: Source, path: str, entry: "os.DirEntry[str]") -> File:
    found = entry.stat(follow_symlinks=False)
    modified_at = found.st_mtime_ns // 10**6
    kind, language = _object_type(entry, found.st_size) if source == "workspace" else ("FILE", "")
    if kind == "FILE":
        return File(path, kind, found.st_size, modified_at)
    return File(path, kind, None, modified_at, language, measured_size=found.st_size)


def _object_type(entry: "os.DirEntry[str]", size: int) -> tuple[str, str]:
    """Return the API's type and language."""
    name = entry.name.lower()
    if name.endswith(DASHBOARD):
        return "DASHBOARD", ""
    suffix = PurePosixPath(name).suffix
    if suffix == JUPYTER:
        return "NOTEBOOK", ""
    if suffix in NON_NOTEBOOK_SUFFIXES or size < MAX_HEADER_BYTES - 1 or not entry.is_file(follow_symlinks=False):
        return "FILE", ""
    with open(entry.path, "rb") as file:
        line = file.readline(MAX_HEADER_BYTES + 2).strip()
    return ("NOTEBOOK", NOTEBOOK_HEADERS[line]) if line in NOTEBOOK_HEADERS else ("FILE", "")
