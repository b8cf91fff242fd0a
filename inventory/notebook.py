"""A scan in a Databricks notebook; see `docs/notebook.md`.

from inventory import notebook
display(notebook.scan(spark))
"""

import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inventory.results.rows import result_table
from inventory.results.users_file import check_username
from inventory.scan.progress import ScanReporter
from inventory.scan.run import ScanRequest, ScanResult, ScanRun, prepare_scan
from inventory.spark import credential, tables
from inventory.spark.driver import SparkOptions
from inventory.spark.session import ExecutorCredential
from inventory.spark.start import executors_of_session
from inventory.transport.client import Client
from inventory.transport.workspace import connect
from inventory.tree.listing import SOURCES, Source
from labkit.workspace.choice import WorkspaceChoice

INTEGER_COLUMNS = (
    "file_count total_size dbfs_files dbfs_size workspace_files workspace_size estimated_files directories".split()
)
INTEGER_COLUMNS += "failed_directories largest_size requests retries exact_size".split()
FLOAT_COLUMNS = ("total_size_gb", "seconds")


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
    """Count the files of these users, or of all users. Return a DataFrame with a row per user and all details.

    Reads the cluster's mounts if they have homes, and otherwise uses the API with the permissions of the notebook's
    user. `folder`, on the driver, receives `inventory.csv` and the checkpoint: an interrupted cell continues when it is
    run again, unless `fresh`. With `table_name`, a row for every file is also stored in that table. `client` selects a
    different workspace.

    Raises SparkError, SessionLost, TableWriteError, and the exceptions of `run.prepare_scan`.
    """
    for user in (names := tuple(dict.fromkeys(users))):
        check_username(user, "the list of users")
    if table_name:
        tables.check_table_name(table_name)
    request = ScanRequest(
        output=Path(folder) / "inventory.csv",
        users=names,
        sources=tuple(sources),
        all_homes=all_homes,
        shared=shared,
        details=True,
        max_requests_per_second=max_requests_per_second,
        mounts=mounts_root if mounts else None,
        table=table_name,
    )
    workspace_client = client or connect(WorkspaceChoice("this notebook", "", {}, {}))
    run = prepare_scan(workspace_client, request, resume=not fresh, fresh=fresh, now=datetime.now(UTC))
    with run:
        result = _run_scan(spark, workspace_client, run, request)
    return result_frame(spark, result, with_exact_size=request.mounts is not None)


def _run_scan(spark: Any, client: Client, run: ScanRun, request: ScanRequest) -> ScanResult:
    options = SparkOptions(
        max_requests_per_second=request.max_requests_per_second, with_files=bool(request.table), mounts=request.mounts
    )
    token: AbstractContextManager[ExecutorCredential] = credential.ambient_token(client)
    with token as executor_credential, executors_of_session(spark, executor_credential, options) as executors:
        result = executors.scan(run, threading.Event(), ScanReporter(run.user_count, terminal=False))
        if request.table:
            tables.write_table(executors.session, request.table, run.file_rows())
    return result


def result_frame(spark: Any, result: ScanResult, *, with_exact_size: bool) -> Any:
    """Return the result as a DataFrame."""
    header, *rows = result_table(result.homes, details=True, with_exact_size=with_exact_size)
    names = [str(name) for name in header]
    schema = ", ".join(f"{name} {_column_type(name)}" for name in names)
    return spark.createDataFrame(
        [
            tuple(float(str(cell)) if name in FLOAT_COLUMNS else cell for name, cell in zip(names, row, strict=True))
            for row in rows
        ],
        schema,
    )


def _column_type(column: str) -> str:
    return "bigint" if column in INTEGER_COLUMNS else "double" if column in FLOAT_COLUMNS else "string"
