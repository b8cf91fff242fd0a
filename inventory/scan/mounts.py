"""Lists folders where a cluster has them mounted, `/Workspace/Users/…` and `/dbfs/Users/…`: no API, and exact sizes.

Runs on executors too: standard library only.
"""

import os
import re
from pathlib import PurePosixPath

from inventory.tree.listing import Failure, File, Folder, Listing, Source

MOUNTS: dict[Source, str] = {"workspace": "Workspace", "dbfs": "dbfs"}
NOTEBOOK_HEADERS = {b"# Databricks notebook source": "", b"-- Databricks notebook source": "SQL"}
NOTEBOOK_HEADERS[b"// Databricks notebook source"] = "SCALA"
"""What a notebook begins with, and its language; a # can be Python or R."""
MAX_HEADER_BYTES = max(map(len, NOTEBOOK_HEADERS))
SUFFIXES = (
    "avro bin bmp bz2 cfg csv crc dat db delta doc docx egg feather gif gz h5 html ini jar jpeg jpg json jsonl"
    " lock log md npy npz orc parquet pdf pickle pkl png ppt pptx pt pth rst rds svg tar tgz toml tsv txt whl"
    " xls xlsx xml yaml yml zip zst"
)
NON_NOTEBOOK_SUFFIXES = frozenset(f".{ending}" for ending in SUFFIXES.split())
"""Endings of names of files that are not opened to see whether they are notebooks."""
DASHBOARD, JUPYTER = ".lvdash.json", ".ipynb"
HOME_PATTERN = re.compile(r"/Users/[^/]+|/[^/]+")


class _IncompleteMount(Exception):
    """Something in a folder can be seen on the mount and not looked at."""


class Mounts:
    """The mounts below `root`, `/` on a cluster."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")

    def sources_with_homes(self) -> list[Source]:
        """The file systems that have homes here."""
        return [source for source, mount in MOUNTS.items() if os.path.isdir(f"{self._root}/{mount}/Users")]

    def list_folder(self, folder: Folder) -> Listing | Failure | None:
        """What lies in a folder; None where the mount does not show all of it: the API has to be asked."""
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
                # A link leads out of the home, or in a circle; it counts as what it is.
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                    continue
                # Who deletes a file meanwhile takes nothing from the others.
                try:
                    files.append(_file(folder.source, path, entry))
                except FileNotFoundError:
                    continue
                except OSError as error:
                    # A mount refuses to open some notebooks (EOPNOTSUPP): the API knows what they are.
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
    """Type and language, as the API calls them: it tells no size of what is no FILE."""
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
