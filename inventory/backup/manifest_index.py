"""An index of a manifest's entries in a temporary database, so that memory does not grow with their number."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from inventory.backup.manifest import ManifestEntry
from inventory.tree.listing import Source

_FIELDS = [field.name for field in fields(ManifestEntry)]
_COLUMNS = ", ".join(_FIELDS)


class ManifestIndex:
    """The valid entries; of several entries about one object, the last one."""

    def __init__(self, entries: Iterable[ManifestEntry] = ()) -> None:
        # With an empty name, SQLite writes a temporary file only when its cache is full, and removes it.
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute(
            f"CREATE TABLE entry ({_COLUMNS}, parent, PRIMARY KEY (source, path, format)) WITHOUT ROWID"
        )
        self._connection.execute("CREATE INDEX by_parent ON entry (source, parent)")
        self._connection.execute("CREATE INDEX by_place ON entry (place)")
        places = ", ".join("?" * (len(_FIELDS) + 1))
        self._connection.execute("BEGIN")
        self._connection.executemany(f"INSERT OR REPLACE INTO entry VALUES ({places})", map(_row, entries))
        self._connection.execute("COMMIT")

    def get(self, source: Source, path: str, format: str = "") -> ManifestEntry | None:
        """Return the entry about an object, or None."""
        where = "source = ? AND path = ? AND format = ?"
        return next(self._select(where, (source, path, format)), None)

    def children(self, source: Source, path: str) -> list[ManifestEntry]:
        """Return the entries directly in a folder."""
        return list(self._select("source = ? AND parent = ?", (source, path)))

    def at_place(self, place: str) -> ManifestEntry | None:
        """Return the entry stored at a path below the target."""
        return next(self._select("place = ?", (place,)), None)

    def all_entries(self) -> Iterator[ManifestEntry]:
        """Yield all entries, folders before their content."""
        return self._select("TRUE", ())

    def of_type(self, kind: str) -> list[ManifestEntry]:
        """Return all entries of this type."""
        return list(self._select("type = ?", (kind,)))

    def roots(self) -> Iterator[ManifestEntry]:
        """Yield the folders without a saved parent: the homes."""
        inside = "SELECT path FROM entry WHERE type IN ('DIRECTORY', 'REPO')"
        return self._select(f"type IN ('DIRECTORY', 'REPO') AND parent NOT IN ({inside})", ())

    def count_by_state(self) -> dict[str, int]:
        """Return the number of entries by state, without saved folders."""
        kinds = "state != 'saved' OR type NOT IN ('DIRECTORY', 'REPO')"
        return dict(self._connection.execute(f"SELECT state, COUNT(*) FROM entry WHERE {kinds} GROUP BY state"))

    def places(self) -> Iterator[str]:
        """Yield the paths below the target of all entries."""
        return (place for (place,) in self._connection.execute("SELECT place FROM entry WHERE place IS NOT NULL"))

    def total_size(self) -> int:
        """Return the bytes stored in this backup or an earlier one."""
        found = self._connection.execute("SELECT SUM(size) FROM entry WHERE state IN ('saved', 'earlier')")
        return int(found.fetchone()[0] or 0)

    def users(self) -> list[str]:
        return [user for (user,) in self._connection.execute("SELECT DISTINCT user FROM entry ORDER BY user")]

    def close(self) -> None:
        self._connection.close()

    def _select(self, condition: str, values: tuple[str, ...]) -> Iterator[ManifestEntry]:
        select = f"SELECT {_COLUMNS} FROM entry WHERE {condition} ORDER BY source, path, format"
        for row in self._connection.execute(select, values):
            yield _entry(row)


def parent_path(path: str) -> str:
    """Return the parent folder of a path."""
    return path.rpartition("/")[0] or "/"


def _row(entry: ManifestEntry) -> tuple[Any, ...]:
    values = {name: getattr(entry, name) for name in _FIELDS}
    values["git"] = json.dumps(entry.git, ensure_ascii=False) if entry.git is not None else None
    return (*values.values(), parent_path(entry.path))


def _entry(row: tuple[Any, ...]) -> ManifestEntry:
    values = dict(zip(_FIELDS, row, strict=True))
    values["git"] = json.loads(values["git"]) if values["git"] is not None else None
    return ManifestEntry(**values)
