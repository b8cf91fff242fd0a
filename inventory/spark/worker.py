"""Runs on an executor: lists some folders and their subfolders for a few seconds, and returns the results.

This module and its imports are sent as a session file: nothing is installed on executors, so only the standard
library and certifi are available. The token is read from a second session file and sent only to the workspace.
"""

import json
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inventory.scan.mounts import Mounts
from inventory.scan.scan_work import FolderScan
from inventory.scan.visit import ScanProgress, Visit
from inventory.spark.rate_share import RateShare
from inventory.spark.serialization import TaskEnd, task_end_line, visit_line
from inventory.transport.client import Client
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import Folder, Source

BATCH_LINES = 2000
"""Number of rows per returned batch."""
Batches = Iterator[Any]
"""Arrow record batches. They come from the executor; this module does not import Arrow."""


class CredentialMissing(Exception):
    """The file with the token did not arrive on the executor."""


@dataclass(frozen=True)
class TaskSpec:
    """The work of one task."""

    folders: tuple[Folder, ...]
    recursive: bool
    """Whether to list subfolders as well."""
    seconds: float
    """Seconds after which no further folder is started; remaining folders return to the queue."""
    max_files: int
    """Number of files after which no further folder is started."""
    with_files: bool
    shares: Mapping[Source, RateShare]
    workers: int
    parallel: bool
    credential_file: str
    """Name of the session file with host and token."""
    mounts: str | None
    timeout: float = 60.0


def task_function(spec: TaskSpec) -> Callable[[Batches], Batches]:
    """Return the task as a function for `mapInArrow`; its result has a single column, `line`."""

    def run(batches: Batches) -> Batches:
        for batch in batches:
            lines = run_task(spec)
            for begin in range(0, len(lines), BATCH_LINES):
                yield type(batch).from_pylist([{"line": each} for each in lines[begin : begin + BATCH_LINES]])

    return run


def run_task(spec: TaskSpec) -> list[str]:
    """Run the task in this process; return its lines, encoded by `serialization`."""
    host, token = read_credential(spec.credential_file)
    client = Client(host, lambda: {"Authorization": f"Bearer {token}"}, timeout=spec.timeout)
    lines: list[str] = []
    progress = ScanProgress()
    deadline = time.monotonic() + spec.seconds

    def store(visits: Sequence[Visit]) -> None:
        lines.extend(visit_line(visit, with_files=spec.with_files) for visit in visits)

    scan = FolderScan(
        client,
        FolderQueue(spec.folders, recursive=spec.recursive),
        store,
        limiters={source: share.limiter() for source, share in spec.shares.items()},
        workers=spec.workers,
        parallel=spec.parallel,
        stop=threading.Event(),
        mounts=Mounts(spec.mounts) if spec.mounts else None,
        should_drain=lambda: time.monotonic() > deadline or progress.files >= spec.max_files,
        progress=progress,
    )
    scan.run()
    return [*lines, task_end_line(TaskEnd(dict(progress.requests), dict(progress.rate_limited), dict(progress.rates)))]


def read_credential(name: str) -> tuple[str, str]:
    """Return host and token. Raises CredentialMissing."""
    for folder in _session_folders():
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
            return content["host"], content["token"]
    raise CredentialMissing(f"the session file {name} did not arrive on the executor.")


def _session_folders() -> list[str]:
    """Return the folders that may contain session files: Spark's own, the working directory, sys.path."""
    files = sys.modules.get("pyspark.core.files") or sys.modules.get("pyspark.files")
    root = files.SparkFiles._root_directory if files else None
    return [folder for folder in (root, os.getcwd(), *sys.path) if folder]


def probe_function(mounts: str | None, credential: str) -> Callable[[Batches], Batches]:
    """Return a function for `mapInArrow` that describes the executor in one line per partition."""

    def run(batches: Batches) -> Batches:
        for batch in batches:
            read_credential(credential)
            seen = {
                "python": platform.python_version(),
                "mounts": Mounts(mounts).sources_with_homes() if mounts else [],
            }
            yield type(batch).from_pylist([{"line": json.dumps(seen)}])
            return

    return run
