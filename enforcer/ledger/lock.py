"""The lock of the ledger, which one tick holds at a time and which ends with its process; and the ledger's errors,
temporary or caused by settings. Imports nothing slow.
"""

import errno
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from labkit import exit_status
from labkit.addresses import database_parameters, is_database_url
from labkit.extras.cli import CommandError
from labkit.files import make_private_folder
from labkit.locks import exclusive_lock
from labkit.text import first_line

_ERRNOS = frozenset(
    {
        errno.EAGAIN, errno.EDQUOT, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOLCK, errno.ENOMEM,
        errno.ENOSPC, errno.ESTALE, errno.ETIMEDOUT,
    }
)  # fmt: skip
_WORDS = (
    # SQLite
    "database is locked", "database table is locked", "disk i/o error", "database or disk is full", "malformed",
    "not a database",
    # PostgreSQL, from libpq or the server
    "connection refused", "is the server running", "starting up", "shutting down", "recovery mode", "timeout expired",
    "server closed the connection", "terminating connection", "connection is closed", "connection already closed",
    "the connection is lost", "too many clients", "remaining connection slots", "network is unreachable",
    "no route to host", "connection reset", "temporary failure in name resolution", "no space left", "out of memory",
    "consuming input failed", "could not extend file",
)  # fmt: skip


class LedgerUnavailable(CommandError):
    """The ledger is temporarily unavailable; a command prints the message and exits with status 1."""

    exit_code = exit_status.PARTLY_FAILED

    def __init__(self, error: BaseException) -> None:
        reason = first_line(error)
        super().__init__(
            f"the ledger is unavailable at the moment ({reason}) and will be tried again; if this persists, check"
            " CLUSTER_UPTIMES_DB, its disk and its server"
        )


def is_temporary(error: BaseException) -> bool:
    """Return whether an error of the database or its files is temporary: it ends by itself, or when an administrator
    repairs the disk or server. Errors that require a changed setting are not temporary.
    """
    if isinstance(error, LedgerUnavailable):
        return True
    if isinstance(error, OSError) and error.errno in _ERRNOS:
        return True
    kind = type(error).__module__.partition(".")[0]
    text = str(error).casefold()
    return kind in ("peewee", "playhouse", "psycopg", "psycopg_pool", "sqlite3") and any(
        word in text for word in _WORDS
    )


class LedgerSettingsError(CommandError):
    """The ledger cannot be opened because of an invalid setting."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"the ledger cannot be opened ({reason}); check CLUSTER_UPTIMES_DB.")


@contextmanager
def ledger_lock(place: str) -> Iterator[bool]:
    """Hold the lock of this ledger while the block runs; yield False at once if another process holds it.

    For a ledger in a file, the lock is a file beside it. For PostgreSQL, it is an advisory lock in a separate session,
    so that it works across machines. Raises LedgerSettingsError if the location cannot be used, LedgerUnavailable if
    the failure is temporary.
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
            make_private_folder(path.parent)
            got = stack.enter_context(exclusive_lock(path))
        except OSError as error:
            raise LedgerUnavailable(error) if is_temporary(error) else LedgerSettingsError(error) from None
        yield got


@contextmanager
def _advisory(url: str) -> Iterator[bool]:
    import psycopg

    key = int.from_bytes(hashlib.sha256(b"teaching-lab enforcer").digest()[:8], "big", signed=True)
    try:
        options: dict[str, Any] = {"connect_timeout": 5, **database_parameters(url)}
        made = psycopg.connect(autocommit=True, **options)
    except psycopg.Error as error:
        raise LedgerUnavailable(error) if is_temporary(error) else LedgerSettingsError(first_line(error)) from None
    try:
        row = made.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
        yield bool(row and row[0])
    finally:
        # The lock ends with its session, but the server notices a closed session late: the next tick could find the
        # lock held. If the server has stopped meanwhile, there is nothing to release.
        with suppress(psycopg.Error):
            made.execute("SELECT pg_advisory_unlock_all()")
        with suppress(psycopg.Error):
            made.close()
