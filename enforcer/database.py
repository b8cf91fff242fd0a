"""Opening the ledger: SQLite in a private file, or PostgreSQL where its place is a URL."""

import os
from pathlib import Path

from peewee import Database, SqliteDatabase
from playhouse.db_url import connect

from enforcer.migrations import migrate
from enforcer.models import database


def open_ledger(place: str) -> Database:
    """Open the ledger and bring its schema up to date. `place` is a path or a `postgresql://` URL.

    Raises OSError or peewee.DatabaseError where it cannot be opened.
    """
    connection = _postgresql(place) if is_url(place) else _sqlite(Path(place).expanduser())
    database.initialize(connection)
    connection.connect(reuse_if_open=True)
    migrate(connection)
    return connection


def is_url(place: str) -> bool:
    return place.startswith(("postgres://", "postgresql://", "psycopg3://"))


def _postgresql(url: str) -> Database:
    connection: Database = connect("psycopg3://" + url.partition("://")[2])
    return connection


def _sqlite(path: Path) -> Database:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Made before SQLite makes it, so that it is never readable by others; -wal and -shm take its mode.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)
    return SqliteDatabase(
        str(path), pragmas={"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000, "synchronous": "normal"}
    )
