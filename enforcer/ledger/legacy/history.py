"""Reads `cluster_uptimes.db`, the legacy system's database, and never writes to it.

It contains a total in seconds for each cluster and past day, the names of clusters, and running totals for the
unfinished day.
"""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

from enforcer.ledger.schema.migrations import LEGACY_TABLE

DAYS, CLUSTERS = LEGACY_TABLE, "clusterinfo"
RUNNING = ("cluster_uptimes", "clusteruptime")
"""Tables of running totals; the second is the name before that system's first migration."""
LONGEST_DAY = timedelta(hours=25)
SECONDS = 5


class LegacyError(ValueError):
    """The file cannot be read; the message gives the reason."""


@dataclass(frozen=True)
class LegacyDay:
    """The total time of a cluster on a local day."""

    cluster_id: str
    day: date
    used: timedelta


@dataclass(frozen=True)
class LegacyHistory:
    days: tuple[LegacyDay, ...] = ()
    """Sorted by day and cluster."""
    names: tuple[tuple[str, str], ...] = ()
    """Names of clusters by id, if stored."""
    invalid: tuple[str, ...] = ()
    """A message for each invalid row."""
    running_totals: int = 0
    """Number of clusters with a running total of the unfinished day."""


def read_history(path: Path) -> LegacyHistory:
    """Return the content of the file. Raises LegacyError if the legacy system did not write it."""
    try:
        with closing(_open(path)) as connection:
            return _history(connection, path)
    except (OSError, sqlite3.Error) as error:
        raise LegacyError(f"{path} cannot be read as the legacy system's database ({error}).") from None


def _open(path: Path) -> sqlite3.Connection:
    with path.open("rb"):
        pass  # SQLite reports a missing and an unreadable file alike
    # Without a write-ahead log the file is complete, and with `immutable` SQLite creates no files.
    log = path.with_name(f"{path.name}-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?{mode}", uri=True, timeout=SECONDS)


def _history(connection: sqlite3.Connection, path: Path) -> LegacyHistory:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if DAYS not in tables:
        raise LegacyError(f"{path} has no table {DAYS}: it is not the legacy system's database.")
    found: dict[tuple[str, str], LegacyDay] = {}
    invalid = []
    for cluster_id, day, seconds in connection.execute(f"SELECT cluster_id, date, daily_use_seconds FROM {DAYS}"):
        try:
            one = _day(cluster_id, day, seconds)
        except ValueError as error:
            invalid.append(f"{cluster_id} on {day}: {error}")
        else:
            found[one.day.isoformat(), one.cluster_id] = one
    names = connection.execute(f"SELECT cluster_id, cluster_name FROM {CLUSTERS}") if CLUSTERS in tables else ()
    return LegacyHistory(
        tuple(one for _, one in sorted(found.items())),
        tuple(sorted((str(id), str(name)) for id, name in names)),
        tuple(invalid),
        sum(_count(connection, tables)),
    )


def _day(cluster_id: object, day: object, seconds: object) -> LegacyDay:
    """Return the day of a row. Raises ValueError with the reason if it is invalid."""
    if not isinstance(cluster_id, str) or not cluster_id:
        raise ValueError("it has no cluster id")
    try:
        parsed = date.fromisoformat(str(day))
    except ValueError:
        raise ValueError(f"{day!r} is not a date") from None
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"{seconds!r} is not a number of seconds")
    # No time zone has a day of more than 25 hours; values too large for a timedelta are rejected here, too.
    if seconds > LONGEST_DAY.total_seconds():
        raise ValueError(f"{seconds / 3600:.1f} hours do not fit into a day")
    return LegacyDay(cluster_id, parsed, timedelta(milliseconds=round(seconds * 1000)))


def _count(connection: sqlite3.Connection, tables: set[str]) -> Iterator[int]:
    for name in RUNNING:
        if name in tables:
            yield connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0]
