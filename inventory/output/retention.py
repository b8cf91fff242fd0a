"""Finds and deletes old files from scans and backups that contain people's names. Files are recognised by content.

These are results, user lists, file rows, reports, and checkpoints with their part files and logs.
"""

import csv
import io
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Literal

from inventory.output.file_formats import is_parquet_of_rows
from inventory.results.result_csv import STATUSES, read_result
from inventory.results.rows import COLUMNS, FileRow
from inventory.results.users_file import UsersFileError, read_users_file
from labkit.csv_cells import unescape_formula, write_rows
from labkit.files import atomic_text_file

FileKind = Literal["result", "list of users", "rows of files", "report", "checkpoint"]
USER_COLUMNS = ("username", "display_name", "active")
REPORT_MARK = b"<title>Files of "
"""Appears near the start of every page written by `report`."""
HEAD_BYTES = 4096
"""Number of bytes at the start of a file by which its kind is recognised."""
TOTALS = "inventory-totals.csv"
TOTAL_COLUMNS = ("result", "changed", "users", "file_count", "total_size", *STATUSES)
CHECKPOINT_TABLES = {"about", "root", "folder"}
"""Tables in a checkpoint."""


@dataclass(frozen=True)
class ExpiredFile:
    """An old file, or a checkpoint with the files that belong to it."""

    kind: FileKind
    path: Path
    modified: date
    companions: tuple[Path, ...] = ()
    """Files to delete with it."""


def find_expired(place: Path, *, before: date, tz: tzinfo | None = None) -> Iterator[ExpiredFile]:
    """Yield files directly in a folder, or a single file, if last changed before the day `before`. Raises OSError.

    A single file may also be a user list written by hand.
    """
    is_named = not place.is_dir()
    paths = sorted((place.parent if is_named else place).iterdir())
    for path in [place] if is_named else paths:
        if not path.is_file() or path.is_symlink():
            continue
        modified = datetime.fromtimestamp(path.stat().st_mtime, tz).astimezone(tz).date()
        kind = kind_of(path) or ("list of users" if is_named and _names_users(path) else None)
        if modified < before and kind:
            companions = tuple(each for each in paths if each != path and _belongs_to(each.name, path.name))
            yield ExpiredFile(kind, path, modified, companions if kind == "checkpoint" else ())


def remove_expired(expired: ExpiredFile) -> None:
    """Delete a file. The files of a checkpoint are deleted before it, so that a later run can find any that remain.
    Raises OSError."""
    for path in expired.companions:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    expired.path.unlink(missing_ok=True)


def record_totals(expired: ExpiredFile) -> Path:
    """Append the totals of a result, without names, to inventory-totals.csv, once. Raises OSError, ValueError."""
    totals = expired.path.with_name(TOTALS)
    entries = read_result(expired.path.read_text(encoding="utf-8"), str(expired.path))
    statuses = Counter(entry.status for entry in entries)
    sums = (len(entries), sum(entry.files for entry in entries), sum(entry.size for entry in entries))
    line = [expired.path.name, expired.modified.isoformat(), *sums, *(statuses[status] for status in STATUSES)]
    table: list[list[str]] = [list(TOTAL_COLUMNS)]
    if totals.exists():
        with totals.open(encoding="utf-8", newline="") as file:
            table = [[unescape_formula(cell) for cell in row] for row in csv.reader(file)]
    if list(map(str, line)) not in table:
        with atomic_text_file(totals) as file:
            write_rows(file, [*table, line])
    return totals


def _names_users(path: Path) -> bool:
    try:
        return all("@" in name for name in read_users_file(path.read_bytes(), str(path)))
    except UsersFileError:
        return False


def _belongs_to(name: str, checkpoint: str) -> bool:
    """Return whether a file belongs to a checkpoint: its log, part files, unfinished manifest or temporary file."""
    return name.startswith((f"{checkpoint}-", f"{checkpoint}.")) or name == f".{checkpoint}.draft"


def kind_of(path: Path) -> FileKind | None:
    """Return the kind of a file; None if it was not written by this program. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(b"SQLite format 3\0"):
        return "checkpoint" if _is_checkpoint(path) else None
    if head.startswith(b"PAR1"):
        return "rows of files" if is_parquet_of_rows(path) else None
    if head.lstrip().lower().startswith((b"<!doctype html", b"{#")) or b"<html" in head[:200].lower():
        return "report" if REPORT_MARK in head else None
    if head.startswith(b"{"):
        return "rows of files" if _first_keys(head) == FileRow._fields else None
    columns = _first_cells(head)
    if columns[: len(COLUMNS)] == COLUMNS:
        return "result"
    return {USER_COLUMNS: "list of users", FileRow._fields: "rows of files"}.get(columns)  # type: ignore[return-value]


def _first_cells(head: bytes) -> tuple[str, ...]:
    line = head.decode("utf-8-sig", errors="replace").partition("\n")[0]
    return tuple(next(csv.reader(io.StringIO(line)), ()))


def _first_keys(head: bytes) -> tuple[str, ...]:
    try:
        document = json.loads(head.partition(b"\n")[0])
    except ValueError:
        return ()
    return tuple(document) if isinstance(document, dict) else ()


def _is_checkpoint(path: Path) -> bool:
    try:
        # Opened as immutable: reading must not leave SQLite's write-ahead log beside the file.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return tables >= CHECKPOINT_TABLES and bool(
                connection.execute("SELECT 1 FROM about WHERE name = 'format'").fetchone()
            )
    except sqlite3.DatabaseError:
        # A different program may have it open; only its name shows what it is.
        return ".checkpoint" in path.name
