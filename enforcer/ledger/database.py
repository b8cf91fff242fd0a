"""Opening the ledger: SQLite in a private file, or PostgreSQL where its place is a URL."""

import sqlite3
from pathlib import Path
from typing import Any

from peewee import Database, OperationalError, SqliteDatabase
from playhouse.db_url import connect  # type: ignore[import-untyped]

from enforcer.ledger.migrations import migrate
from enforcer.ledger.models import TABLES, database
from labkit.addresses import database_url, is_database_url
from labkit.files import ensure_private


def open_ledger(place: str) -> Database:
    """Open the ledger and bring its schema up to date. `place` is a path or a `postgresql://` URL.

    Raises OSError or peewee.DatabaseError where it cannot be opened.
    """
    connection = _postgresql(place) if is_database_url(place) else _sqlite(Path(place).expanduser())
    database.initialize(connection)
    connection.connect(reuse_if_open=True)
    migrate(connection)
    return connection


def open_copy(place: str) -> Any:
    """Open a copy of the ledger in memory: whatever is written to it, the ledger stays as it is.

    Somebody who only wants to know neither waits for a poll nor keeps one waiting. A ledger that does not exist is
    empty, and is not made. Raises OSError or peewee.DatabaseError where it cannot be read.
    """
    # Kept for as long as the process lives: closing the connection would forget everything.
    copy: Any = SqliteDatabase(":memory:")
    copy.connect()
    if is_database_url(place):
        rows = _rows_of(place)
        database.initialize(copy)
        migrate(copy)
        for table, (names, values) in rows.items():
            marks = ", ".join("?" * len(names))
            columns = ", ".join(f'"{name}"' for name in names)
            copy.connection().executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', values)
        return copy
    path = Path(place).expanduser()
    if path.exists():
        source = sqlite3.connect(path, timeout=5)
        try:
            source.backup(copy.connection())
        except sqlite3.Error as error:
            raise OSError(str(error)) from None
        finally:
            source.close()
    database.initialize(copy)
    migrate(copy)
    return copy


def _rows_of(url: str) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Column names and rows of every table of a ledger in PostgreSQL that exists."""
    source: Any = _postgresql(url)
    source.connect()
    try:
        with source.atomic():
            existing = set(source.get_tables())
            found = {}
            for name in (table._meta.table_name for table in TABLES):
                if name in existing:
                    cursor = source.execute_sql(f'SELECT * FROM "{name}"')
                    found[name] = ([column[0] for column in cursor.description], list(cursor.fetchall()))
            return found
    finally:
        source.close()


def vacuum(place: str) -> None:
    """Rewrite the open ledger, so that no page of it, free or in the log beside it, holds what was deleted or replaced.

    Raises peewee.DatabaseError where somebody else is using it. PostgreSQL's own log is the server's.
    """
    if is_database_url(place):
        for table in TABLES:
            database.execute_sql(f'VACUUM (FULL) "{table._meta.table_name}"')
        return
    database.execute_sql("VACUUM")
    is_busy, *_ = database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise OperationalError("somebody else is reading it, so its log could not be cut")


def _postgresql(url: str) -> Database:
    connection: Database = connect(database_url(url, "psycopg3"))
    return connection


def _sqlite(path: Path) -> Database:
    # Made before SQLite makes it, so that it is never readable by others; -wal and -shm take its mode.
    ensure_private(path)
    return SqliteDatabase(
        str(path), pragmas={"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000, "synchronous": "normal"}
    )
