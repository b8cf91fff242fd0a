"""One tick at a time: a lock that dies with its process. Imports nothing that takes long."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


class Unusable(click.ClickException):
    """The place of the ledger cannot be used at all: a mistake in the settings, told in a sentence."""

    exit_code = 2

    def __init__(self, reason: object) -> None:
        super().__init__(f"the ledger cannot be opened ({reason}); check CLUSTER_UPTIMES_DB.")


@contextmanager
def only_one(place: str) -> Iterator[bool]:
    """Hold the lock of this ledger while the block runs; False for whoever comes second, at once.

    A ledger in a file is locked beside it. One in PostgreSQL holds an advisory lock in a session of its own, so that
    it holds across machines. Raises Unusable where the ledger's place cannot be.
    """
    if place.startswith(("postgres://", "postgresql://", "psycopg3://")):
        with _advisory(place) as got:
            yield got
    else:
        path = Path(place).expanduser()
        with _file(path.with_name(f"{path.name}.lock")) as got:
            yield got


@contextmanager
def _file(path: Path) -> Iterator[bool]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unusable(error) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


@contextmanager
def _advisory(url: str) -> Iterator[bool]:
    import psycopg

    key = int.from_bytes(hashlib.sha256(b"teaching-lab enforcer").digest()[:8], "big", signed=True)
    try:
        made = psycopg.connect("postgresql://" + url.partition("://")[2], autocommit=True, connect_timeout=5)
    except psycopg.Error as error:
        raise Unusable(str(error).split("\n")[0]) from None
    with made as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
        yield bool(row and row[0])
