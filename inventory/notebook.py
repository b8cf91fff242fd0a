"""A scan in a notebook of Databricks, in a few lines; see `docs/notebook.md`.

from inventory import notebook
display(notebook.scan(spark))
"""

import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inventory.results.rows import table
from inventory.results.users_file import check_name
from inventory.scan.progress import Reporter
from inventory.scan.run import Outcome, Run, Wish, prepare
from inventory.spark import credential, tables
from inventory.spark.driver import Manner
from inventory.spark.session import Credential
from inventory.spark.start import given
from inventory.transport.client import Client
from inventory.transport.workspace import connect
from inventory.tree.listing import SOURCES, Source
from labkit.workspace.choice import WorkspaceChoice

NUMBERS = (
    "file_count total_size dbfs_files dbfs_size workspace_files workspace_size estimated_files directories".split()
)
NUMBERS += "failed_directories largest_size requests retries exact_size".split()
FRACTIONS = ("total_size_gb", "seconds")


def scan(
    spark: Any,
    users: Iterable[str] = (),
    *,
    folder: str | Path = ".",
    sources: Sequence[Source] = SOURCES,
    mounts: bool = True,
    mounts_root: str = "/",
    all_homes: bool = False,
    shared: bool = False,
    max_requests_per_second: float | None = None,
    table_name: str | None = None,
    fresh: bool = False,
    client: Client | None = None,
) -> Any:
    """Count the files of these users, or of everybody: a DataFrame of `spark`, one row a user, with all details.

    The cluster's mounts are read where homes are on them, and the API is asked otherwise, as whoever runs the notebook.
    `folder`, on the driver, gets `inventory.csv` and keeps what is done meanwhile: a cell that was interrupted goes on
    where it was when it is run again, unless `fresh`. `table_name` also stores a row for every file. `client` is for
    another workspace than the notebook's own.

    Raises the exceptions of `run.prepare`, SparkError, SessionLost and NotWritten, each with a sentence.
    """
    for user in (names := tuple(dict.fromkeys(users))):
        check_name(user, "the list of users")
    if table_name:
        tables.check_name(table_name)
    wish = Wish(
        output=Path(folder) / "inventory.csv",
        users=names,
        sources=tuple(sources),
        all_homes=all_homes,
        shared=shared,
        details=True,
        ceiling=max_requests_per_second,
        mounts=mounts_root if mounts else None,
        table=table_name,
    )
    chosen = client or connect(WorkspaceChoice("this notebook", "", {}, {}))
    run = prepare(chosen, wish, resume=not fresh, fresh=fresh, now=datetime.now(UTC))
    with run:
        outcome = _scanned(spark, chosen, run, wish)
    return frame(spark, outcome, measured=wish.mounts is not None)


def _scanned(spark: Any, client: Client, run: Run, wish: Wish) -> Outcome:
    manner = Manner(ceiling=wish.ceiling, with_files=bool(wish.table), mounts=wish.mounts)
    token: AbstractContextManager[Credential] = credential.ambient(client)
    with token as shown, given(spark, shown, manner) as executors:
        outcome = executors.scan(run, threading.Event(), Reporter(run.users, terminal=False))
        if wish.table:
            tables.write(executors.session, wish.table, run.file_rows())
    return outcome


def frame(spark: Any, outcome: Outcome, *, measured: bool) -> Any:
    """The result as a DataFrame."""
    header, *rows = table(outcome.homes, details=True, measured=measured)
    names = [str(name) for name in header]
    schema = ", ".join(f"{name} {_type(name)}" for name in names)
    return spark.createDataFrame(
        [
            tuple(float(str(cell)) if name in FRACTIONS else cell for name, cell in zip(names, row, strict=True))
            for row in rows
        ],
        schema,
    )


def _type(column: str) -> str:
    return "bigint" if column in NUMBERS else "double" if column in FRACTIONS else "string"
