"""Finds and deletes report, message and log files from before a given day, and old lines of logs.

A file is ours if our programs use its name and its content has their marker (`labkit.files`; a table has a report's
columns, a log has the marker in each dated line). Nothing else is deleted. The marker contains the file's day; a log
with later lines is shortened to start at the first of these.
"""

import gzip
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import IO, cast

from enforcer.domain.day_records import REPORT_COLUMNS
from labkit.files import MARKER, MARKER_HEADER

_DATED_FILE = re.compile(r"(report(-\d{4}-\d\d-\d\d)?( \(\d+\))?|\d{1,5}-[\w-]+)\.(html|eml|txt|csv|png)", re.ASCII)
"""Names such as `report-2026-11-01.html`, with the number that a browser adds, and messages of the emulator or a
rehearsal.
"""
_LOG = re.compile(r"(teaching-lab|enforcer|poll|watch|end-of-day)\.log([.-]\d+)*(\.gz)?", re.ASCII)
_SUFFIXES = frozenset({".html", ".eml", ".txt", ".csv", ".png"})
_DAY = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)(?!\d)")
_MARKED = re.compile(rf"{MARKER} (?:report|mail) (\d{{4}}-\d\d-\d\d)")
_LINE_DAY = re.compile(rb"^(\d{4}-\d\d-\d\d)[T ]")
_LINE_MARK = re.compile(rf"^[\d-]{{10}} [\d:,]{{12}} [A-Z]+ {MARKER}: ".encode())
_OLD_NAMES = {"overrun_minutes": "minutes_past_limit", "uncounted_minutes": "not_counted_minutes"}
"""Columns of the report's table as versions before 0.2.0 named them."""
_REPORT_HEADERS = (",".join(REPORT_COLUMNS), ",".join(_OLD_NAMES.get(name, name) for name in REPORT_COLUMNS))
_HEAD = 64 * 1024
_TAIL = 200
NO_MARKER = "it lacks the marker that our programs write; if it is ours, delete it yourself"
OTHER_NAME = "it has our marker, but not a name that our programs use; delete it yourself if it is no longer needed"


@dataclass(frozen=True)
class Removal:
    """A file to delete, or to shorten to the bytes from offset `keep_from` on."""

    path: Path
    keep_from: int | None = None


@dataclass(frozen=True)
class KeptFile:
    """A file that is kept although it may be older, with the reason."""

    path: Path
    reason: str


def find(folders: Iterable[Path], *, before: date, tz: tzinfo) -> tuple[list[Removal], list[KeptFile]]:
    """Find the files in and below these folders that are older than a local day. Return the files to remove, and the
    files that may be older, but are kept. Changes nothing.

    Links are not followed. A missing folder counts as empty. Raises OSError for a folder that cannot be read.
    """
    removals: list[Removal] = []
    kept: list[KeptFile] = []
    for path in sorted(set(_files(folders))):
        result = _log(path, before, tz) if _LOG.fullmatch(path.name) else _dated_file(path, before, tz)
        removals += [result] if isinstance(result, Removal) else []
        kept += [result] if isinstance(result, KeptFile) else []
    return removals, kept


def remove(removal: Removal) -> None:
    """Delete the file, or shorten it in place, so that a process with it open continues at its end. Raises OSError."""
    if removal.keep_from is None:
        removal.path.unlink(missing_ok=True)
        return
    with removal.path.open("r+b") as file:
        file.seek(removal.keep_from)
        rest = file.read()
        file.seek(0)
        file.write(rest)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for place, _, names in os.walk(folder, onerror=_raise_unless_absent):
            paths = (Path(place, name) for name in names)
            yield from (path for path in paths if path.is_file() and not path.is_symlink())


def _raise_unless_absent(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _dated_file(path: Path, before: date, tz: tzinfo) -> Removal | KeptFile | None:
    if path.suffix.lower() not in _SUFFIXES:
        return None
    is_named = _DATED_FILE.fullmatch(path.name) is not None
    marked = _marked_day(path)
    if marked is None:
        return KeptFile(path, NO_MARKER) if is_named and _day_of(path, tz) < before else None
    if marked >= before:
        return None
    return Removal(path) if is_named else KeptFile(path, OTHER_NAME)


def _marked_day(path: Path) -> date | None:
    """Return the day in the marker; None without a marker."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read().decode("utf-8", "replace").rstrip()
    match path.suffix.lower():
        case ".html":
            found = re.search(rf"<!-- {_MARKED.pattern} -->$", tail)
        case ".txt":
            found = re.search(rf"(?:^|\n){_MARKED.pattern}$", tail)
        case ".eml":
            found = _MARKED.fullmatch(str(BytesHeaderParser().parsebytes(head).get(MARKER_HEADER, "")).strip())
        case ".png":
            text = re.search(rb"tEXtComment\0(.{1,80}?)(?=[\0-\x1f\x7f-\xff]|$)", head[:4096])
            found = _MARKED.match(text[1].decode("latin-1")) if text else None
        case _:
            lines = head.decode("utf-8-sig", "replace").splitlines()
            found = _DAY.match(lines[1]) if lines[1:] and lines[0] in _REPORT_HEADERS else None
    with suppress(ValueError):
        return date.fromisoformat(found[1]) if found else None
    return None


def _day_of(path: Path, tz: tzinfo) -> date:
    """Return the date in the file name, or else the date of the last change."""
    if named := _DAY.search(path.name):
        with suppress(ValueError):
            return date.fromisoformat(named[1])
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone(tz).date()


def _log(path: Path, before: date, tz: tzinfo) -> Removal | KeptFile | None:
    """Return the removal of a log: the file if its last line is older, otherwise its older lines."""
    position, keep_from, is_dated, is_proven = 0, None, False, True
    try:
        with cast(IO[bytes], gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as file:
            for line in file:
                if dated := _LINE_DAY.match(line):
                    if dated[1].decode() >= before.isoformat():
                        keep_from = position
                        break
                    is_dated = True
                    is_proven = is_proven and _LINE_MARK.match(line) is not None
                position += len(line)
    except (gzip.BadGzipFile, EOFError):
        is_proven = False
    if not position:
        return None
    if not is_dated or not is_proven:
        is_old = is_dated or _day_of(path, tz) < before
        return KeptFile(path, NO_MARKER) if is_old else None
    if keep_from is None:
        return Removal(path)
    return (
        Removal(path, keep_from)
        if path.name.endswith(".log")
        else KeptFile(path, "it also has later lines; log rotation will delete it")
    )
