"""The progress of a scan in an SQLite file, so that a stopped or killed scan can be resumed.

There is one row per folder, which never changes once the folder is listed. The remaining folders are not stored: they
are the roots and subfolders without a row of their own. Sums are computed at the end, see `results`.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast, get_args

from inventory.results.folder_summary import FolderSummary, summarize
from inventory.results.rows import AmountsByName, FolderRow, FolderState
from inventory.scan.visit import Visit
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import Failure, Folder, Source
from labkit.files import atomic_path
from labkit.text import first_line

FORMAT = 3
SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE root (source TEXT, path TEXT, user TEXT NOT NULL, PRIMARY KEY (source, path));
CREATE TABLE folder (
    source TEXT, path TEXT, user TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    files INTEGER NOT NULL, size INTEGER NOT NULL, estimated INTEGER NOT NULL,
    largest_path TEXT, largest_size INTEGER, last_modified INTEGER,
    requests INTEGER NOT NULL, refusals INTEGER NOT NULL, seconds REAL NOT NULL, folders TEXT NOT NULL,
    exact INTEGER, kinds TEXT NOT NULL, months TEXT NOT NULL,
    PRIMARY KEY (source, path)
) WITHOUT ROWID;
CREATE TABLE part (number INTEGER PRIMARY KEY, rows INTEGER NOT NULL);
"""


class CheckpointError(Exception):
    """The file cannot be used for this scan; the message gives the reason and advice."""


class UnsupportedFormat(CheckpointError):
    """The checkpoint was written by a different version of this program."""


@dataclass(frozen=True)
class CheckpointIdentity:
    """Options that must be equal to resume a scan, backup or restore."""

    host: str
    users: str
    """A digest of the user names, or `all`."""
    sources: str
    homes: str
    """The kinds of homes and further folders."""
    files: str
    """Where file rows are written."""

    def difference(self, other: Mapping[str, str]) -> str:
        """Describe the first difference from `other`, or return an empty string."""
        for name, value in asdict(self).items():
            if other.get(name) != value:
                return f"its {name} is {other.get(name) or 'not set'!r} instead of {value or 'not set'!r}"
        return ""


class Checkpoint:
    """An open checkpoint, locked for other processes. Use `create` or `resume`, and `close`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._root_keys = {root.key for root in self.roots()}

    @classmethod
    def create(
        cls,
        path: Path,
        identity: CheckpointIdentity,
        roots: Sequence[Folder],
        unlistable: Sequence[tuple[Folder, str]] = (),
    ) -> "Checkpoint":
        """Create the checkpoint of a new scan; the file must not exist. Raises CheckpointError.

        `unlistable` has homes that no request can address, with the reasons.
        """
        # A killed process must not leave a file with only some of the roots.
        try:
            with (
                atomic_path(path, single_writer=True) as draft,
                closing(sqlite3.connect(draft)) as connection,
                connection,
            ):
                connection.executescript(SCHEMA)
                about = {"format": str(FORMAT), **asdict(identity)}
                connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
                everything = [*roots, *(folder for folder, _ in unlistable)]
                rows = ((root.source, root.path, root.user) for root in everything)
                connection.executemany("INSERT OR IGNORE INTO root VALUES (?, ?, ?)", rows)
                records = [
                    _folder_record(Visit(folder, Failure(folder.path, why)), "refused") for folder, why in unlistable
                ]
                connection.executemany(f"INSERT OR IGNORE INTO folder VALUES ({', '.join('?' * 18)})", records)
        except OSError as error:
            raise CheckpointError(f"the checkpoint {path} cannot be written: {error.strerror}.") from None
        return cls(path, _connect(path))

    @classmethod
    def resume(cls, path: Path, identity: CheckpointIdentity) -> "Checkpoint":
        """Open the checkpoint of an unfinished scan. Raises CheckpointError if the file is not a checkpoint or belongs
        to a different scan."""
        connection = _connect(path)
        try:
            about: dict[str, str] = dict(connection.execute("SELECT name, value FROM about"))
        except (sqlite3.Error, ValueError, TypeError):
            connection.close()
            raise CheckpointError(_not_a_checkpoint(path)) from None
        if about.get("format") != str(FORMAT):
            connection.close()
            raise UnsupportedFormat(
                f"{path} was written by a different version of this program; use --fresh to start a new scan."
            )
        if difference := identity.difference(about):
            connection.close()
            raise CheckpointError(
                f"{path} is the checkpoint of a different scan: {difference}; choose a different --checkpoint."
            )
        try:
            _add_missing_columns(connection)
            return cls(path, connection)
        except sqlite3.Error as error:
            connection.close()
            raise CheckpointError(
                f"{path} cannot be used ({first_line(error)}); use --fresh to start a new scan."
            ) from None
        except CheckpointError:
            connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def remove(self) -> None:
        """Close the file and delete it: the scan is complete."""
        self.close()
        delete_checkpoint(self.path)

    def roots(self) -> list[Folder]:
        """Return the roots of the scan. Raises CheckpointError."""
        with self._readable():
            return [
                Folder(_text(user), _source(source), _text(path))
                for source, path, user in self._connection.execute("SELECT source, path, user FROM root")
            ]

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Raise CheckpointError if the file is damaged."""
        try:
            yield
        except (sqlite3.Error, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise CheckpointError(
                f"{self.path} is damaged ({first_line(error)}): delete it and start again without --resume."
            ) from None

    @contextmanager
    def _writable(self) -> Iterator[None]:
        """Raise CheckpointError if nothing can be stored."""
        try:
            yield
        except sqlite3.Error as error:
            raise CheckpointError(
                f"{self.path} cannot be written ({first_line(error)}). Progress is kept; use --resume to continue."
            ) from None

    def unlistable_homes(self) -> list[tuple[Folder, str]]:
        """Return the homes that no request can address, with the reasons."""
        select = "SELECT user, source, path, reason FROM folder WHERE state = 'refused'"
        with self._readable():
            return [
                (Folder(_text(user), _source(source), _text(path)), _text(reason))
                for user, source, path, reason in self._connection.execute(select)
            ]

    def remaining_folders(self) -> FolderQueue:
        """Return the queue of folders that were never listed or failed. Raises CheckpointError."""
        walk = FolderQueue()
        select = "SELECT user, source, path, state, folders FROM folder"
        with self._readable():
            for user, source, path, state, _ in self._connection.execute(select):
                if state != "failed":
                    walk.mark_listed(Folder(_text(user), _source(source), _text(path)))
            walk.add(self.roots())
            for user, source, path, _, folders in self._connection.execute(select):
                walk.add(Folder(user, source, below) for below in _folders(path, folders))
        return walk

    def folder_counts(self) -> tuple[int, int]:
        """Return the number of finished folders, and how many of them failed, which a resumed scan retries."""
        select = "SELECT COUNT(*), COUNT(*) FILTER (WHERE state = 'failed') FROM folder"
        with self._readable():
            done, failed = self._connection.execute(select).fetchone()
            return int(done), int(failed)

    def last_part(self) -> int:
        """Return the number of the last valid part file, or 0."""
        with self._readable():
            return int(self._connection.execute("SELECT COALESCE(MAX(number), 0) FROM part").fetchone()[0])

    def parts(self) -> list[int]:
        """Return the numbers of all valid part files, in order."""
        with self._readable():
            return [int(number) for (number,) in self._connection.execute("SELECT number FROM part ORDER BY number")]

    def store(self, visits: Sequence[Visit], part: tuple[int, int] | None = None) -> None:
        """Store visits in one transaction, with number and row count of the part file that has their files.

        Raises CheckpointError.
        """
        with self._writable(), self._connection:
            self._connection.executemany(
                "INSERT INTO folder VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (source, path) DO UPDATE SET state = excluded.state, reason = excluded.reason,"
                " files = excluded.files, size = excluded.size, estimated = excluded.estimated,"
                " largest_path = excluded.largest_path, largest_size = excluded.largest_size,"
                " last_modified = excluded.last_modified, folders = excluded.folders,"
                " exact = excluded.exact, kinds = excluded.kinds, months = excluded.months,"
                " requests = requests + excluded.requests, refusals = refusals + excluded.refusals,"
                " seconds = seconds + excluded.seconds WHERE state = 'failed'",
                [_folder_record(visit, self._state(visit)) for visit in visits],
            )
            if part:
                self._connection.execute("INSERT INTO part VALUES (?, ?)", part)

    def _state(self, visit: Visit) -> FolderState:
        """Return the state of a visited folder. A home may be missing; a missing subfolder is a failure, since its
        parent lists it."""
        result = visit.result
        if isinstance(result, Failure):
            return "missing" if result.missing and visit.folder.key in self._root_keys else "failed"
        reason = (
            result.reason if isinstance(result, FolderSummary) else "".join(each.reason for each in result.failures)
        )
        return "partial" if reason else "listed"

    def folder_rows(self) -> Iterator[FolderRow]:
        """Yield every visited folder, ordered by file system and path. Raises CheckpointError."""
        columns = "user, source, path, state, reason, files, size, estimated, largest_path, largest_size"
        columns += ", last_modified, requests, refusals, seconds, exact, kinds, months"
        with self._readable():
            for user, source, path, *rest in self._connection.execute(f"SELECT {columns} FROM folder"):
                *known, exact, kinds, months = rest
                _check_columns(*known, exact)
                tallies = {"kinds": _amounts(kinds), "months": _amounts(months), "exact": exact}
                yield FolderRow(Folder(user, source, path), *known, **tallies)


def _add_missing_columns(connection: sqlite3.Connection) -> None:
    """Add the columns in SCHEMA that a file from an earlier version does not have, with their defaults."""
    with closing(sqlite3.connect(":memory:")) as model, connection:
        model.executescript(SCHEMA)
        for (table,) in model.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            present = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
            for _, name, kind, is_required, default, _ in model.execute(f"PRAGMA table_info({table})"):
                if present and name not in present:
                    rest = ("NOT NULL " if is_required else "") + ("" if default is None else f"DEFAULT {default}")
                    connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind} {rest}")


def delete_checkpoint(path: Path) -> None:
    """Delete a checkpoint, if there is one."""
    # The write-ahead log is deleted first: SQLite would apply it to a new checkpoint of the same name.
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=1)
    try:
        # Locked exclusively: two scans must not write to the same checkpoint.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Read before anything is changed, so that a file of a different program is not modified.
        connection.execute("SELECT value FROM about WHERE name = 'format'")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        with connection:
            connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        connection.close()
        if "no such table" in str(error):
            raise CheckpointError(_not_a_checkpoint(path)) from None
        if "locked" in str(error):
            raise CheckpointError(f"{path} is in use by another scan; wait until it has finished.") from None
        raise CheckpointError(f"the checkpoint {path} cannot be opened: {error}.") from None
    except sqlite3.DatabaseError:
        connection.close()
        raise CheckpointError(_not_a_checkpoint(path)) from None
    return connection


def _text(value: object) -> str:
    """Return the value. Raises ValueError unless it is a string."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a string")
    return value


def _source(value: object) -> Source:
    """Return the value. Raises ValueError unless it is the name of a file system."""
    if value not in get_args(Source):
        raise ValueError(f"{value!r} is not a file system")
    return cast(Source, value)


def _folders(path: str, text: object) -> list[str]:
    """Return the subfolders of a folder. Raises ValueError for a path outside it."""
    found = [_text(below) for below in json.loads(_text(text))]
    if any(below.rpartition("/")[0] != path.rstrip("/") for below in found):
        raise ValueError(f"it lists a folder that is not in {path}")
    return found


def _check_columns(state: object, reason: object, *rest: object) -> None:
    """Raise ValueError for a row with invalid values."""
    files, size, estimated, largest_path, largest_size, last_modified, requests, rate_limited, seconds, exact = rest
    counts = (files, size, estimated, requests, rate_limited)
    optional = (largest_size, last_modified, exact)
    if (
        state not in get_args(FolderState)
        or not all(type(number) is int for number in counts)
        or not all(number is None or type(number) is int for number in optional)
        or not isinstance(seconds, float | int)
        or not isinstance(largest_path, str | None)
        or not isinstance(reason, str)
    ):
        raise ValueError("a folder has an invalid value")


def _amounts(text: object) -> AmountsByName:
    """Return the amounts by name in a JSON text. Raises ValueError if it is invalid."""
    found = json.loads(_text(text))
    if not isinstance(found, dict) or not all(
        isinstance(amount, list) and len(amount) == 2 and all(type(number) is int for number in amount)
        for amount in found.values()
    ):
        raise ValueError("an amount is invalid")
    return found


def _not_a_checkpoint(path: Path) -> str:
    return f"{path} is not a checkpoint of this program; choose a different --checkpoint, or delete the file."


def _folder_record(visit: Visit, state: FolderState) -> tuple[object, ...]:
    """Return the row for a visit."""
    folder, result = visit.folder, visit.result
    if isinstance(result, Failure):
        reason, summary = result.reason, FolderSummary()
    else:
        summary = result if isinstance(result, FolderSummary) else summarize(folder.source, result)
        reason = summary.reason
    place = (folder.source, folder.path, folder.user, state, reason)
    sums = (summary.files, summary.size, summary.estimated)
    marks = (summary.largest_path, summary.largest_size, summary.last_modified)
    cost = (visit.requests, visit.rate_limited, visit.seconds)
    folders, *tallies = (
        json.dumps(each, ensure_ascii=False) for each in (summary.folders, summary.kinds, summary.months)
    )
    return *place, *sums, *marks, *cost, folders, summary.exact, *tallies
