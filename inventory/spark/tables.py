"""Rows of files as a table of Spark: loaded beside it in pieces, and put in its place when all are there."""

import itertools
import re
from collections.abc import Iterable

from inventory.output.file_formats import arrow_table
from inventory.results.rows import FileRow
from inventory.spark.errors import explain
from inventory.spark.session import Session

NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){0,2}")
ROWS = 100_000
"""In one piece."""


class NotATable(ValueError):
    """The name is none of a table; a sentence."""


class NotWritten(Exception):
    """The table is as it was before; a sentence."""


def check_name(name: str) -> None:
    """Raises NotATable for what is no plain name of a table."""
    if not NAME.fullmatch(name):
        raise NotATable(f"{name!r} is not the name of a table; expected one like files or main.lab.files.")


def write(session: Session | None, name: str, rows: Iterable[FileRow]) -> int:
    """Make the table anew of these rows; how many there were. Raises NotWritten, also where no session is left."""
    if session is None:
        raise NotWritten(f"the table {name} was not written: the session with the server was lost.")
    loading = f"{name}__loading"
    number, more = 0, True
    remaining = iter(rows)
    try:
        session.drop(loading)
        # Once at least: a table without rows has columns all the same.
        while more:
            piece = list(itertools.islice(remaining, ROWS))
            more = len(piece) == ROWS
            number += len(piece)
            session.frame(arrow_table(piece)).write.mode("append").saveAsTable(loading)
        session.table(loading).write.mode("overwrite").option("overwriteSchema", "true").saveAsTable(name)
        session.drop(loading)
    except Exception as error:  # noqa: BLE001 - gRPC, Spark and Java have dozens
        reason = str(explain(error, session.place))
        raise NotWritten(f"the table {name} was not written: {reason.rstrip('.')}.") from None
    return number
