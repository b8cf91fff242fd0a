"""Opens the ledger: SQLite in a private file, or PostgreSQL if the location is a URL."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from peewee import Database, Model, OperationalError, SqliteDatabase

from enforcer.ledger.models import TABLES
from enforcer.ledger.schema.migrations import STEPS, Applied, applied_steps, migrate, require_known
from labkit.addresses import database_parameters, is_database_url, validate_database
from labkit.files import ensure_private_file
from labkit.lazy_package import LazyModule

postgresql = LazyModule("playhouse.postgres_ext")
"""Imports the PostgreSQL driver late: most ledgers are files, and the import takes a tenth of a second."""


@dataclass(frozen=True)
class Ledger:
    """An open ledger. Every query of this package takes one and runs on its database, so several can be open at once.

    Each thread has its own connection. A copy from `open_copy` can only be used by the thread that opened it.
    """

    database: Any
    """A peewee Database."""

    @property
    def is_sqlite(self) -> bool:
        return isinstance(self.database, SqliteDatabase)

    def select(self, table: type[Model], *columns: Any) -> Any:
        """Return a SELECT of these columns, or of all columns if none is given."""
        return table.select(*columns).bind(self.database)

    def insert(self, table: type[Model], **row: object) -> Any:
        return table.insert(**row).bind(self.database)

    def update(self, table: type[Model], **changes: object) -> Any:
        return table.update(**changes).bind(self.database)

    def delete(self, table: type[Model]) -> Any:
        return table.delete().bind(self.database)

    def put(self, table: type[Model], **row: object) -> None:
        """Insert the row or replace the row with the same primary key, on SQLite and PostgreSQL."""
        meta: Any = table._meta
        values = dict.fromkeys(meta.fields) | meta.get_default_dict() | row
        statement = _put_statement(table).replace("?", self.database.param)
        self.database.execute_sql(statement, [meta.fields[name].db_value(value) for name, value in values.items()])

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT with question marks as parameters."""
        return list(self.database.execute_sql(statement.replace("?", self.database.param), values).fetchall())

    def each(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement with question marks as parameters once for each row."""
        rows = list(rows)
        if rows:
            self.database.cursor().executemany(statement.replace("?", self.database.param), rows)

    def atomic(self) -> AbstractContextManager[Any]:
        """Return a context manager for a transaction."""
        block: AbstractContextManager[Any] = self.database.atomic()
        return block

    def close(self) -> None:
        """Close this thread's connection."""
        self.database.close()


@cache
def _put_statement(table: type[Model]) -> str:
    """Return the statement for `Ledger.put`, with a question mark for each field."""
    meta: Any = table._meta
    columns = [field.column_name for field in meta.fields.values()]
    key = [field.column_name for field in meta.get_primary_keys()]
    changes = ", ".join(f'"{name}" = EXCLUDED."{name}"' for name in columns if name not in key)
    quoted, target = (", ".join(f'"{name}"' for name in names) for names in (columns, key))
    marks = ", ".join("?" * len(columns))
    return f'INSERT INTO "{meta.table_name}" ({quoted}) VALUES ({marks}) ON CONFLICT ({target}) DO UPDATE SET {changes}'


def open_ledger(place: str) -> Ledger:
    """Open the ledger and bring its schema up to date. `place` is a path or a `postgresql://` URL.

    Raises OSError or peewee.DatabaseError if it cannot be opened, ValueError if `place` is neither.
    """
    validate_database(place)
    database = _postgresql(place) if is_database_url(place) else _sqlite(Path(place).expanduser())
    database.connect(reuse_if_open=True)
    migrate(database)
    return Ledger(database)


def open_copy(place: str) -> Ledger:
    """Open a copy of the ledger in memory. Writing to it does not change the ledger.

    So reading commands neither wait for a poll nor delay one. A ledger that does not exist is empty, and is not
    created. Raises OSError or peewee.DatabaseError if it cannot be read.
    """
    # Closing the connection discards the copy.
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
                source.backup(copy.connection(), progress=_raise_if_locked)
        except sqlite3.OperationalError as error:
            raise OperationalError(str(error)) from None
        except sqlite3.Error as error:
            raise OSError(str(error)) from None
    migrate(copy)
    return Ledger(copy)


@contextmanager
def opened_unchanged(place: str) -> Iterator[Ledger | None]:
    """Open a ledger for reading only, as it is: its schema may be older, and nothing is created. Yields None if it does
    not exist.

    Raises OSError or peewee.PeeweeException if it cannot be opened, ValueError if `place` is neither path nor URL.
    """
    validate_database(place)
    if is_database_url(place):
        parameters = {"connect_timeout": "5", **database_parameters(place)}
        database: Any = postgresql.Psycopg3Database(parameters.pop("dbname", None), **parameters)
    else:
        path = Path(place).expanduser()
        if not path.exists():
            yield None
            return
        database = SqliteDatabase(f"{path.absolute().as_uri()}?mode=ro", uri=True, pragmas={"busy_timeout": 1000})
    database.connect()
    try:
        yield Ledger(database)
    finally:
        database.close()


def _raise_if_locked(status: int, remaining: int, total: int) -> None:
    """Raise sqlite3.OperationalError if a step of a backup failed because the file is locked; otherwise SQLite would
    repeat the step forever.
    """
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise sqlite3.OperationalError("database is locked")


def empty_copy() -> Ledger:
    """Return an empty ledger in memory. Threads can use it one after another."""
    copy: Any = SqliteDatabase(":memory:", thread_safe=False, check_same_thread=False)
    copy.connect()
    migrate(copy)
    return Ledger(copy)


def save_copy(copy: Ledger, path: Path) -> None:
    """Write a copy made by `open_copy` to an empty file, as SQLite."""
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
            require_known(applied)
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
    """Rewrite the ledger, so that deleted and replaced values remain neither in free pages nor in the write-ahead log.

    Raises peewee.DatabaseError if another process uses it. PostgreSQL's write-ahead log is not changed.
    """
    database: Any = ledger.database
    if not ledger.is_sqlite:
        for table in TABLES:
            database.execute_sql(f'VACUUM (FULL) "{table._meta.table_name}"')
        return
    database.execute_sql("VACUUM")
    is_busy, *_ = database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise OperationalError("another process is reading it, so its write-ahead log could not be truncated")


def _postgresql(url: str) -> Database:
    parameters = database_parameters(url)
    database: Database = postgresql.Psycopg3Database(parameters.pop("dbname", None), **parameters)
    return database


def _sqlite(path: Path) -> Database:
    # Created before SQLite opens it, so that others can never read it; -wal and -shm get its mode.
    ensure_private_file(path)
    return SqliteDatabase(
        str(path), pragmas={"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000, "synchronous": "normal"}
    )
