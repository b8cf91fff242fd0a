"""One tick at a time: a lock that dies with its process. Imports nothing that takes long."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from labkit.addresses import database_parameters, is_database_url
from labkit.extras.cli import Refused
from labkit.files import private_folder
from labkit.locks import exclusive
from labkit.text import first_line


class Unusable(Refused):
    """The place of the ledger cannot be used at all: a mistake in the settings, told in a sentence."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"the ledger cannot be opened ({reason}); check CLUSTER_UPTIMES_DB.")


@contextmanager
def only_one(place: str) -> Iterator[bool]:
    """Hold the lock of this ledger while the block runs; False for whoever comes second, at once.

    A ledger in a file is locked beside it. One in PostgreSQL holds an advisory lock in a session of its own, so that
    it holds across machines. Raises Unusable where the ledger's place cannot be.
    """
    if is_database_url(place):
        with _advisory(place) as got:
            yield got
    else:
        path = Path(place).expanduser()
        with _file(Path(f"{path}.lock")) as got:
            yield got


@contextmanager
def _file(path: Path) -> Iterator[bool]:
    with ExitStack() as stack:
        try:
            private_folder(path.parent)
            got = stack.enter_context(exclusive(path))
        except OSError as error:
            raise Unusable(error) from None
        yield got


@contextmanager
def _advisory(url: str) -> Iterator[bool]:
    import psycopg

    key = int.from_bytes(hashlib.sha256(b"teaching-lab enforcer").digest()[:8], "big", signed=True)
    try:
        options: dict[str, Any] = {"connect_timeout": 5, **database_parameters(url)}
        made = psycopg.connect(autocommit=True, **options)
    except psycopg.Error as error:
        raise Unusable(first_line(error)) from None
    with made as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
        yield bool(row and row[0])
