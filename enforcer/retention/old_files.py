"""Reports, letters and logs that were written as files: which of them, and which of their lines, are older than a day.

A file's day is the date in its name, else that of its last change. A log that goes on is cut where its lines are dated.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

PAPERS = frozenset({".html", ".eml", ".txt", ".csv", ".png"})
"""What reports and letters are written as."""
_LOG = re.compile(r"\.log(\.\d+)?(\.gz)?$")
_DAY = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)(?!\d)")
_LINE_DAY = re.compile(rb"^(\d{4}-\d\d-\d\d)[T ]")


@dataclass(frozen=True)
class Removal:
    """One file that is removed, or cut to the bytes from `keep_from` on."""

    path: Path
    keep_from: int | None = None


@dataclass(frozen=True)
class Left:
    """A file that stays although it may be older, and why."""

    path: Path
    says: str


def find(folders: Iterable[Path], *, before: date, tz: tzinfo) -> tuple[list[Removal], list[Left]]:
    """What of these folders, and of those in them, is older than a local day; and what cannot be told. Changes nothing.

    Links are not followed. A folder that does not exist holds nothing; raises OSError for one that cannot be read.
    """
    removals: list[Removal] = []
    left: list[Left] = []
    for path in sorted(set(_files(folders))):
        is_log = bool(_LOG.search(path.name))
        if not is_log and path.suffix.lower() not in PAPERS:
            continue
        if _day_of(path, tz) < before:
            removals.append(Removal(path))
        elif path.name.endswith(".log"):
            judged = _cut(path, before)
            removals += [judged] if isinstance(judged, Removal) else []
            left += [judged] if isinstance(judged, Left) else []
        elif is_log:
            left.append(Left(path, "it was changed since; let it be rotated away, or remove it"))
    return removals, left


def carry_out(removal: Removal) -> None:
    """Remove the file, or cut it in place, so that who has it open writes on at its end. Raises OSError."""
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
            yield from (path for name in names if not (path := Path(place, name)).is_symlink())


def _raise_unless_absent(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _day_of(path: Path, tz: tzinfo) -> date:
    if named := _DAY.search(path.name):
        try:
            return date.fromisoformat(named[1])
        except ValueError:
            pass
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone(tz).date()


def _cut(path: Path, before: date) -> Removal | Left | None:
    """A log that goes on loses its lines up to the first of this day or a later one."""
    position, is_dated, has_old = 0, False, False
    with path.open("rb") as file:
        for line in file:
            if dated := _LINE_DAY.match(line):
                is_dated = True
                if dated[1].decode() >= before.isoformat():
                    return Removal(path, position) if has_old else None
            has_old = True
            position += len(line)
    if not position:
        return None
    return Removal(path, position) if is_dated else Left(path, "its lines have no dates; let it be rotated away")
