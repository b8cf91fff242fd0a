"""Rows of files as a table of Spark: loaded beside it in pieces, and put in its place when all are there."""

import itertools
import re
from collections.abc import Iterable

from inventory.output.file_formats import arrow_table
from inventory.results.rows import FileRow
from inventory.spark.errors import translate_error
from inventory.spark.session import ExecutorSession

TABLE_NAME_PATTERN = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){0,2}")
BATCH_ROWS = 100_000
"""In one piece."""


class InvalidTableName(ValueError):
    """The name is none of a table; a sentence."""


class TableWriteError(Exception):
    """The table is as it was before; a sentence."""


def check_table_name(name: str) -> None:
    """Raises InvalidTableName for what is no plain name of a table."""
    if not TABLE_NAME_PATTERN.fullmatch(name):
        raise InvalidTableName(f"{name!r} is not the name of a table; expected one like files or main.lab.files.")


def write_table(session: ExecutorSession | None, name: str, rows: Iterable[FileRow]) -> int:
    """Make the table anew of these rows; how many there were. Raises TableWriteError, also where no session is left."""
    if session is None:
        raise TableWriteError(f"the table {name} was not written: the session with the server was lost.")
    loading = f"{name}__loading"
    number, more = 0, True
    remaining = iter(rows)
    try:
        session.drop_table(loading)
        # Once at least: a table without rows has columns all the same.
        while more:
            piece = list(itertools.islice(remaining, BATCH_ROWS))
            more = len(piece) == BATCH_ROWS
            number += len(piece)
            session.create_frame(arrow_table(piece)).write.mode("append").saveAsTable(loading)
        session.read_table(loading).write.mode("overwrite").option("overwriteSchema", "true").saveAsTable(name)
        session.drop_table(loading)
    except Exception as error:  # noqa: BLE001 - gRPC, Spark and Java have dozens
        reason = str(translate_error(error, session.server_label))
        raise TableWriteError(f"the table {name} was not written: {reason.rstrip('.')}.") from None
    return number
