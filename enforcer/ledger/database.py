"""Opening the ledger: SQLite in a private file, or PostgreSQL where its place is a URL."""

import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peewee import Database, Model, OperationalError, SqliteDatabase

from enforcer.ledger.migrations import STEPS, Applied, applied_steps, migrate
from enforcer.ledger.models import TABLES
from labkit.addresses import database_parameters, is_database_url, validate_database
from labkit.files import ensure_private_file
from labkit.lazy_package import LazyModule

postgresql = LazyModule("playhouse.postgres_ext")
"""Most ledgers are files, and its driver takes a tenth of a second to import."""


@dataclass(frozen=True)
class Ledger:
    """An open ledger. Every query of this package takes one and runs on its database, so several can be open at once.

    A thread has a connection of its own, except to a copy in memory, which only the thread that opened it can use.
    """

    database: Any
    """A peewee Database."""

    @property
    def is_sqlite(self) -> bool:
        return isinstance(self.database, SqliteDatabase)

    def select(self, table: type[Model], *columns: Any) -> Any:
        """A SELECT of these columns, of all where none is given."""
        return table.select(*columns).bind(self.database)

    def insert(self, table: type[Model], **row: object) -> Any:
        return table.insert(**row).bind(self.database)

    def update(self, table: type[Model], **changes: object) -> Any:
        return table.update(**changes).bind(self.database)

    def delete(self, table: type[Model]) -> Any:
        return table.delete().bind(self.database)

    def put(self, table: type[Model], **row: object) -> None:
        """Insert the row, or replace the one with its primary key (spelled alike on SQLite and PostgreSQL)."""
        meta = table._meta
        key: Any = meta.primary_key
        names = key.field_names if meta.composite_key else [key.name]
        others = [field for name, field in meta.fields.items() if name not in names]
        target = [meta.fields[name] for name in names]
        self.insert(table, **row).on_conflict(conflict_target=target, preserve=others).execute()

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a SELECT whose parameters are question marks."""
        return list(self.database.execute_sql(statement.replace("?", self.database.param), values).fetchall())

    def each(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement whose parameters are question marks for each of the rows."""
        rows = list(rows)
        if rows:
            self.database.cursor().executemany(statement.replace("?", self.database.param), rows)

    def atomic(self) -> AbstractContextManager[Any]:
        """All that is written in the block, or none of it."""
        block: AbstractContextManager[Any] = self.database.atomic()
        return block

    def close(self) -> None:
        """Close this thread's connection."""
        self.database.close()


def open_ledger(place: str) -> Ledger:
    """Open the ledger and bring its schema up to date. `place` is a path or a `postgresql://` URL.

    Raises OSError or peewee.DatabaseError where it cannot be opened, ValueError for a place that is neither.
    """
    validate_database(place)
    database = _postgresql(place) if is_database_url(place) else _sqlite(Path(place).expanduser())
    database.connect(reuse_if_open=True)
    migrate(database)
    return Ledger(database)


def open_copy(place: str) -> Ledger:
    """Open a copy of the ledger in memory: whatever is written to it, the ledger stays as it is.

    Somebody who only wants to know neither waits for a poll nor keeps one waiting. A ledger that does not exist is
    empty, and is not made. Raises OSError or peewee.DatabaseError where it cannot be read.
    """
    # Closing the connection forgets everything.
    copy: Any = SqliteDatabase(":memory:")
    copy.connect()
    if is_database_url(place):
        _copy_postgresql(place, copy)
        migrate(copy)
        return Ledger(copy)
    path = Path(place).expanduser()
    if path.exists():
        try:
            with closing(sqlite3.connect(path, timeout=5)) as source:
                source.backup(copy.connection())
        except sqlite3.Error as error:
            raise OSError(str(error)) from None
    migrate(copy)
    return Ledger(copy)


def empty_copy() -> Ledger:
    """An empty ledger in memory, for the thread that asks for it."""
    copy: Any = SqliteDatabase(":memory:")
    copy.connect()
    migrate(copy)
    return Ledger(copy)


def save_copy(copy: Ledger, path: Path) -> None:
    """Write a copy that `open_copy` made to an empty file, as SQLite."""
    with closing(sqlite3.connect(path)) as target:
        copy.database.connection().backup(target)


def _copy_postgresql(url: str, copy: Any) -> None:
    """Copy every table of a ledger in PostgreSQL to an empty SQLite database, with the schema that the ledger has."""
    source: Any = _postgresql(url)
    source.connect()
    try:
        with source.atomic():
            existing = set(source.get_tables())
            applied = applied_steps(source) if Applied._meta.table_name in existing else set()
            migrate(copy, tuple(step for step in STEPS if step[0] in applied))
            for table in existing.intersection(copy.get_tables()):
                cursor = source.execute_sql(f'SELECT * FROM "{table}"')
                columns = ", ".join(f'"{column[0]}"' for column in cursor.description)
                values = ", ".join("?" * len(cursor.description))
                insert = f'INSERT OR REPLACE INTO "{table}" ({columns}) VALUES ({values})'
                copy.connection().executemany(insert, cursor.fetchall())
    finally:
        source.close()


def vacuum(ledger: Ledger) -> None:
    """Rewrite the ledger, so that no page of it, free or in the log beside it, holds what was deleted or replaced.

    Raises peewee.DatabaseError where somebody else is using it. PostgreSQL's own log is the server's.
    """
    database: Any = ledger.database
    if not ledger.is_sqlite:
        for table in TABLES:
            database.execute_sql(f'VACUUM (FULL) "{table._meta.table_name}"')
        return
    database.execute_sql("VACUUM")
    is_busy, *_ = database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise OperationalError("somebody else is reading it, so its log could not be cut")


def _postgresql(url: str) -> Database:
    parameters = database_parameters(url)
    database: Database = postgresql.Psycopg3Database(parameters.pop("dbname", None), **parameters)
    return database


def _sqlite(path: Path) -> Database:
    # Made before SQLite makes it, so that it is never readable by others; -wal and -shm take its mode.
    ensure_private_file(path)
    return SqliteDatabase(
        str(path), pragmas={"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000, "synchronous": "normal"}
    )
