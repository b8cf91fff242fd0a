"""One scan: starts or resumes it, lists the folders, writes the result."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from inventory.output.file_formats import read_rows
from inventory.results.report import Report
from inventory.results.result_csv import result_rows
from inventory.results.rows import FileRow, Home, result_table, summarize_homes
from inventory.results.summary import summarize_folders
from inventory.scan import checkpoint as checkpoints
from inventory.scan import file_rows
from inventory.scan.checkpoint import Checkpoint, CheckpointError, CheckpointIdentity, UnsupportedFormat
from inventory.scan.file_rows import FileRowParts
from inventory.scan.homes import find_roots
from inventory.scan.mounts import Mounts
from inventory.scan.resumable import Resumable
from inventory.scan.scan_work import INITIAL_RATES, FolderScan
from inventory.scan.users import short_digest
from inventory.scan.visit import ScanProgress, Visit
from inventory.transport.client import Client
from inventory.transport.limiter import MAX_RATE, Limiter
from inventory.transport.workspace import WorkspaceApi
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import SOURCES, Folder, Source
from labkit.clock import clock_starting_at
from labkit.csv_cells import write_rows
from labkit.files import atomic_text_file

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScanRequest:
    """The options of a scan."""

    output: Path
    users: tuple[str, ...] = ()
    """Empty means all users."""
    sources: tuple[Source, ...] = SOURCES
    all_homes: bool = False
    shared: bool = False
    files: Path | None = None
    report: Path | None = None
    checkpoint: Path | None = None
    details: bool = False
    workers: int = 64
    parallel: bool = True
    max_requests_per_second: float | None = None
    """Maximum requests per second for each of the two APIs."""
    mounts: str | None = None
    """Directory that contains a cluster's mounts; None means to use only the API."""
    table: str | None = None
    """The Spark table for file rows."""

    def checkpoint_identity(self, host: str) -> CheckpointIdentity:
        """Return the options that must be the same to resume a scan."""
        return CheckpointIdentity(
            host=host,
            users=short_digest(self.users) if self.users else "all",
            sources=" and ".join(self.sources),
            homes=", ".join(["users", *["all homes"] * self.all_homes, *["shared"] * self.shared]),
            files=str(self.files.resolve()) if self.files else f"table {self.table}" if self.table else "none",
        )

    def checkpoint_path(self, host: str) -> Path:
        """Return the path of the checkpoint, by default beside the result and with a name that depends on the
        options."""
        identity = self.checkpoint_identity(host)
        name = short_digest([f"{key}={value}" for key, value in vars(identity).items()])[:8]
        return self.checkpoint or self.output.with_name(f"{self.output.name}.{name}.checkpoint")


@dataclass(frozen=True)
class ScanResult:
    """The result of a scan."""

    complete: bool
    """False means that the scan was stopped and only the checkpoint is written."""
    homes: Sequence[Home]
    progress: ScanProgress
    folders_done: int
    """Number of finished directories, including failures."""
    folders_failed: int


class ScanRun(Resumable):
    """One scan with its checkpoint."""

    def __init__(self, client: Client, request: ScanRequest, checkpoint: Checkpoint, *, now: datetime) -> None:
        self._client, self._request, self._checkpoint = client, request, checkpoint
        self._now = clock_starting_at(now)
        self._parts: FileRowParts | None = None
        self._rows_file = request.files or (
            checkpoint.path.with_name(f"{checkpoint.path.name}.parquet") if request.table else None
        )
        if self._rows_file:
            self._parts = FileRowParts(parts_folder(checkpoint.path), self._rows_file, checkpoint.last_part())

    @property
    def user_count(self) -> int:
        """The number of users in the scan."""
        return len({root.user for root in self._checkpoint.roots()})

    @property
    def roots(self) -> list[Folder]:
        """The homes and further folders that the scan starts from."""
        return self._checkpoint.roots()

    def remaining_folders(self) -> FolderQueue:
        """Return the queue of folders that are not listed yet."""
        return self._checkpoint.remaining_folders()

    def local_scan(
        self, folders: FolderQueue, stop: threading.Event, progress: ScanProgress | None = None
    ) -> FolderScan:
        """Return a scan of these folders from this machine; `progress` is the progress so far."""
        ceiling = self._request.max_requests_per_second or MAX_RATE
        return FolderScan(
            self._client,
            folders,
            self.store,
            limiters={source: Limiter(ceiling=ceiling, rate=INITIAL_RATES[source]) for source in SOURCES},
            workers=self._request.workers,
            parallel=self._request.parallel,
            stop=stop,
            mounts=Mounts(self._request.mounts) if self._request.mounts else None,
            progress=progress,
        )

    def scan(self, stop: threading.Event, report: Callable[[ScanProgress], None]) -> ScanResult:
        """List the remaining folders and, when none is left, write the result. Raises OSError if it cannot be
        written."""
        scan = self.local_scan(self.remaining_folders(), stop)
        complete, progress = scan.run(report), scan.progress
        del scan  # frees the queued folders, since writing the result needs memory, too
        return self.write_result(progress, complete=complete)

    def store(self, visits: Sequence[Visit]) -> None:
        """Store visits durably. Raises OSError."""
        self._checkpoint.store(visits, self._parts.add(visits) if self._parts else None)

    def write_result(self, progress: ScanProgress, *, complete: bool) -> ScanResult:
        """Return the result of the scan, and write it if the scan is complete. Raises OSError."""
        done, failed = self._checkpoint.folder_counts()
        if not complete:
            return ScanResult(False, [], progress, done, failed)
        homes = summarize_homes(self._checkpoint.roots(), self._checkpoint.folder_rows())
        self._write(homes)
        self.is_done = not failed
        return ScanResult(True, homes, progress, done, failed)

    def file_rows(self) -> Iterator[FileRow]:
        """Return the file rows of a complete scan. Raises OSError."""
        return read_rows(self._rows_file) if self._rows_file else iter(())

    def close(self, *, complete: bool) -> None:
        """Close the checkpoint; delete it if the scan is complete or has listed nothing."""
        if self._rows_file and not self._request.files:
            self._rows_file.unlink(missing_ok=True)
        if not complete and self._checkpoint.folder_counts()[0]:
            self._checkpoint.close()
            return
        self._checkpoint.remove()
        if self._parts:
            self._parts.remove()

    def _write(self, homes: Sequence[Home]) -> None:
        if self._parts:
            self._parts.join(self._checkpoint.parts())
        with atomic_text_file(self._request.output) as file:
            write_rows(
                file,
                result_table(homes, details=self._request.details, with_exact_size=self._request.mounts is not None),
            )
        if self._request.report:
            from inventory.output import page

            rows, summary = (
                result_rows(result_table(homes, details=True)),
                summarize_folders(self._checkpoint.folder_rows()),
            )
            page.write_page(Report(self._client.host, self._now(), rows, summary), self._request.report)


def prepare_scan(client: Client, request: ScanRequest, *, resume: bool, fresh: bool, now: datetime) -> ScanRun:
    """Start or resume a scan. Raises CheckpointError, WorkspaceError, NothingToScan."""
    identity, path = request.checkpoint_identity(client.host), request.checkpoint_path(client.host)
    if path.exists():
        checkpoint = _existing_checkpoint(path, identity, fresh=fresh)
        if resume and checkpoint:
            done, failed = checkpoint.folder_counts()
            log.info("resuming after %d directories; %d that failed are retried", done, failed)
            return ScanRun(client, request, checkpoint, now=now)
        if checkpoint:
            checkpoint.close()
        if not fresh:
            raise CheckpointError(
                f"{path} is the checkpoint of an unfinished scan: use --resume to continue it, or --fresh instead."
            )
    elif resume:
        log.info("there is no checkpoint of this scan at %s; starting a new one", path)
    roots = find_roots(WorkspaceApi(client), request)
    checkpoints.delete_checkpoint(path)
    file_rows.delete_parts(parts_folder(path))
    return ScanRun(client, request, Checkpoint.create(path, identity, roots.folders, roots.unlistable), now=now)


def _existing_checkpoint(path: Path, identity: CheckpointIdentity, *, fresh: bool) -> Checkpoint | None:
    """Open the existing checkpoint; return None if it is from a different version and `fresh` permits replacing it."""
    try:
        return Checkpoint.resume(path, identity)
    except UnsupportedFormat:
        if not fresh:
            raise
        return None


def parts_folder(checkpoint: Path) -> Path:
    """Return the folder for part files with file rows."""
    return checkpoint.with_name(f"{checkpoint.name}.parts")
