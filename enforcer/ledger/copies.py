"""Verified copies of a SQLite ledger. Old copies are deleted only if enough good ones remain.

Copies are ordered by name. A new name is always the last, so that setting back the clock makes no copy look older than
it is.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from enforcer.ledger.models import LEDGER_ID
from labkit.files import ensure_private_file, fsync_path, make_private_folder, move_into_place

KEPT = 14
"""Number of good copies with different contents to keep; older copies are deleted."""
_NAME = "uptimes-%Y%m%dT%H%M%SZ.db"


class DamagedError(Exception):
    """The ledger is damaged; the message gives the reason. No copy was made or deleted."""


@dataclass(frozen=True)
class Copies:
    """The copies in a folder after a run."""

    newest: Path
    is_new: bool
    """False if the ledger has not changed since that copy."""
    deleted: tuple[Path, ...]
    damaged: tuple[tuple[Path, str], ...]
    """Damaged copies, with the reason."""


@dataclass(frozen=True)
class _Content:
    digest: str
    ledger: str | None
    """The id of the ledger; None if it was written before ledgers had ids."""


def copy_ledger(ledger: Path, folder: Path, *, now: datetime) -> Copies:
    """Add a copy to the folder, even while a poll writes, and delete copies that are too old.

    The last good copy of each ledger stays. Raises DamagedError, or OSError for failures of folder or disk.
    """
    make_private_folder(folder)
    with _draft(folder) as draft:
        _save(ledger, draft)
        new = _content(draft)
        earlier = sorted(folder.glob("uptimes-*.db"))
        good: dict[Path, _Content] = {}
        damaged = []
        for path in earlier:
            try:
                good[path] = _content(path)
            except DamagedError as error:
                damaged.append((path, str(error)))
        newest = max(good, default=None)
        is_new = newest is None or good[newest].digest != new.digest
        if newest is None or is_new:
            newest = folder / _name_after(earlier, now)
            move_into_place(draft, newest)
            fsync_path(folder)
            good[newest] = new
    deleted = [path for path in earlier if path < _oldest_kept(good) and path not in _last_of_each(good)]
    for path in deleted:
        path.unlink(missing_ok=True)
    return Copies(newest, is_new, tuple(deleted), tuple(one for one in damaged if one[0] not in deleted))


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    draft = folder / f".uptimes-{os.urandom(6).hex()}.part"
    ensure_private_file(draft)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _save(ledger: Path, draft: Path) -> None:
    try:
        with closing(sqlite3.connect(ledger, timeout=30)) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
            # Without WAL, reading a copy creates no files beside it.
            target.execute("PRAGMA journal_mode = delete")
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from None
    except sqlite3.DatabaseError as error:
        raise DamagedError(str(error)) from None


def _content(path: Path) -> _Content:
    """Return digest and ledger id of a copy. Raises DamagedError unless it is a complete database with tables."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as copy:
            (result,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            named = copy.execute("SELECT value FROM note WHERE name = ?", (LEDGER_ID,)) if "note" in tables else None
            row = named.fetchone() if named else None
    except sqlite3.DatabaseError as error:
        raise DamagedError(str(error)) from None
    if result != "ok":
        raise DamagedError(" ".join(str(result).split()))
    if not tables:
        raise DamagedError("it has no tables")
    return _Content(hashlib.sha256(path.read_bytes()).hexdigest(), row[0] if row else None)


def _name_after(earlier: list[Path], now: datetime) -> str:
    name = now.astimezone(UTC).strftime(_NAME)
    last = max((path.name for path in earlier), default="")
    if name > last:
        return name
    try:
        return (datetime.strptime(last, _NAME).replace(tzinfo=UTC) + timedelta(seconds=1)).strftime(_NAME)
    except ValueError:
        return f"{last.removesuffix('.db')}-later.db"


def _oldest_kept(good: dict[Path, _Content]) -> Path:
    """Return the oldest path to keep, so that KEPT different contents stay; the empty path if there are fewer."""
    contents: set[str] = set()
    for path in sorted(good, reverse=True):
        contents.add(good[path].digest)
        if len(contents) == KEPT:
            return path
    return Path()


def _last_of_each(good: dict[Path, _Content]) -> set[Path]:
    return set({content.ledger: path for path, content in sorted(good.items())}.values())
