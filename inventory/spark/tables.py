"""Stores file rows as a Spark table: they are written in batches to a temporary table, which then replaces it."""

import itertools
import re
from collections.abc import Iterable

from inventory.output.file_formats import arrow_table
from inventory.results.rows import FileRow
from inventory.spark.errors import translate_error
from inventory.spark.session import ExecutorSession

TABLE_NAME_PATTERN = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){0,2}")
BATCH_ROWS = 100_000
"""Rows per batch."""


class InvalidTableName(ValueError):
    """The name is not a valid table name."""


class TableWriteError(Exception):
    """The table was not changed; the message gives the reason."""


def check_table_name(name: str) -> None:
    """Raise InvalidTableName unless this is a plain table name."""
    if not TABLE_NAME_PATTERN.fullmatch(name):
        raise InvalidTableName(f"{name!r} is not a table name; expected one like files or main.lab.files.")


def write_table(session: ExecutorSession | None, name: str, rows: Iterable[FileRow]) -> int:
    """Replace the table with these rows and return their number. Raises TableWriteError, also without a session."""
    if session is None:
        raise TableWriteError(f"the table {name} was not written: the session with the server was lost.")
    loading = f"{name}__loading"
    number, more = 0, True
    remaining = iter(rows)
    try:
        session.drop_table(loading)
        # Even without rows, a first batch is written, so that the table has its columns.
        while more:
            batch = list(itertools.islice(remaining, BATCH_ROWS))
            more = len(batch) == BATCH_ROWS
            number += len(batch)
            session.create_frame(arrow_table(batch)).write.mode("append").saveAsTable(loading)
        session.read_table(loading).write.mode("overwrite").option("overwriteSchema", "true").saveAsTable(name)
        session.drop_table(loading)
    except Exception as error:  # noqa: BLE001 - gRPC, Spark and Java have dozens
        reason = str(translate_error(error, session.server_label))
        raise TableWriteError(f"the table {name} was not written: {reason.rstrip('.')}.") from None
    return number
