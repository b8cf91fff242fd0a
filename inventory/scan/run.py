"""One scan from what was asked for to what is written: begin or go on, list, sum up."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from inventory.output.file_formats import read_rows
from inventory.results.report import Report
from inventory.results.result_csv import entries_of
from inventory.results.rows import FileRow, Home, homes, table
from inventory.results.summary import of_folders
from inventory.scan import checkpoint as checkpoints
from inventory.scan import file_rows
from inventory.scan.checkpoint import Checkpoint, CheckpointError, Identity, OtherFormat
from inventory.scan.file_rows import Parts
from inventory.scan.homes import begin
from inventory.scan.mounts import Mounts
from inventory.scan.resumable import Resumable
from inventory.scan.scan_work import FIRST_RATES, Scan
from inventory.scan.users import digest
from inventory.scan.visit import Progress, Visit
from inventory.transport.client import Client
from inventory.transport.limiter import CEILING, Limiter
from inventory.transport.workspace import Workspace
from inventory.tree.listing import SOURCES, Folder, Source
from inventory.tree.walk import Walk
from labkit.clock import clock_starting_at
from labkit.csv_cells import write_rows
from labkit.files import atomic_text_file

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    output: Path
    users: tuple[str, ...] = ()
    """Without a name, everybody."""
    sources: tuple[Source, ...] = SOURCES
    all_homes: bool = False
    shared: bool = False
    files: Path | None = None
    report: Path | None = None
    checkpoint: Path | None = None
    details: bool = False
    workers: int = 64
    parallel: bool = True
    ceiling: float | None = None
    """Requests a second for each of the two APIs, at the most."""
    mounts: str | None = None
    """The folder with the mounts of a cluster; None: the API is asked for everything."""
    table: str | None = None
    """A table of Spark for the rows of single files."""

    def identity(self, host: str) -> Identity:
        """What a scan that goes on with another has to share with it."""
        return Identity(
            host=host,
            users=digest(self.users) if self.users else "all",
            sources=" and ".join(self.sources),
            homes=", ".join(["users", *["all homes"] * self.all_homes, *["shared"] * self.shared]),
            files=str(self.files.resolve()) if self.files else f"table {self.table}" if self.table else "none",
        )

    def checkpoint_path(self, host: str) -> Path:
        """Beside the result unless told otherwise; scans with other options have another name and do not meet."""
        identity = self.identity(host)
        name = digest([f"{key}={value}" for key, value in vars(identity).items()])[:8]
        return self.checkpoint or self.output.with_name(f"{self.output.name}.{name}.checkpoint")


@dataclass(frozen=True)
class Outcome:
    """What became of a scan."""

    complete: bool
    """False: it was stopped, nothing is written but the checkpoint."""
    homes: Sequence[Home]
    progress: Progress
    done: int
    """Directories finished so far, failures included."""
    failed: int


class Run(Resumable):
    """One scan with its checkpoint."""

    def __init__(self, client: Client, wish: Wish, checkpoint: Checkpoint, *, now: datetime) -> None:
        self._client, self._wish, self._checkpoint = client, wish, checkpoint
        self._now = clock_starting_at(now)
        self._parts: Parts | None = None
        self._rows = wish.files or (
            checkpoint.path.with_name(f"{checkpoint.path.name}.parquet") if wish.table else None
        )
        if self._rows:
            self._parts = Parts(parts_folder(checkpoint.path), self._rows, checkpoint.last_part())

    @property
    def users(self) -> int:
        """How many users it is about."""
        return len({root.user for root in self._checkpoint.roots()})

    @property
    def roots(self) -> list[Folder]:
        """Where the scan began."""
        return self._checkpoint.roots()

    def remaining(self) -> Walk:
        """The folders that are not listed yet."""
        return self._checkpoint.walk()

    def lister(self, walk: Walk, stop: threading.Event, progress: Progress | None = None) -> Scan:
        """What lists these folders from here; `progress` continues where another run was."""
        ceiling = self._wish.ceiling or CEILING
        return Scan(
            self._client,
            walk,
            self.store,
            limiters={source: Limiter(ceiling=ceiling, rate=FIRST_RATES[source]) for source in SOURCES},
            workers=self._wish.workers,
            parallel=self._wish.parallel,
            stop=stop,
            mounts=Mounts(self._wish.mounts) if self._wish.mounts else None,
            progress=progress,
        )

    def scan(self, stop: threading.Event, report: Callable[[Progress], None]) -> Outcome:
        """List what remains and, when nothing does, write the results. Raises OSError if they cannot be written."""
        scan = self.lister(self.remaining(), stop)
        complete, progress = scan.run(report), scan.progress
        del scan  # it holds every folder that was queued, and writing the results takes memory, too
        return self.finish(progress, complete=complete)

    def store(self, visits: Sequence[Visit]) -> None:
        """Store visits for good. Raises OSError."""
        self._checkpoint.keep(visits, self._parts.add(visits) if self._parts else None)

    def finish(self, progress: Progress, *, complete: bool) -> Outcome:
        """What became of the scan; when it is complete, its results are written. Raises OSError."""
        done, failed = self._checkpoint.finished()
        if not complete:
            return Outcome(False, [], progress, done, failed)
        found = homes(self._checkpoint.roots(), self._checkpoint.rows())
        self._write(found)
        self.is_done = not failed
        return Outcome(True, found, progress, done, failed)

    def file_rows(self) -> Iterator[FileRow]:
        """The rows of single files, of a scan that is complete. Raises OSError."""
        return read_rows(self._rows) if self._rows else iter(())

    def close(self, *, complete: bool) -> None:
        """Leave the checkpoint; a complete one has served its purpose, and one of nothing has none."""
        if self._rows and not self._wish.files:
            self._rows.unlink(missing_ok=True)
        if not complete and self._checkpoint.finished()[0]:
            self._checkpoint.close()
            return
        self._checkpoint.remove()
        if self._parts:
            self._parts.remove()

    def _write(self, found: Sequence[Home]) -> None:
        if self._parts:
            self._parts.join(self._checkpoint.parts())
        with atomic_text_file(self._wish.output) as file:
            write_rows(file, table(found, details=self._wish.details, measured=self._wish.mounts is not None))
        if self._wish.report:
            from inventory.output import page

            entries, figures = entries_of(table(found, details=True)), of_folders(self._checkpoint.rows())
            page.write(Report(self._client.host, self._now(), entries, figures), self._wish.report)


def prepare(client: Client, wish: Wish, *, resume: bool, fresh: bool, now: datetime) -> Run:
    """Begin a scan, or go on with one. Raises CheckpointError, WorkspaceError, NothingToScan."""
    identity, path = wish.identity(client.host), wish.checkpoint_path(client.host)
    if path.exists():
        checkpoint = _existing(path, identity, fresh=fresh)
        if resume and checkpoint:
            done, failed = checkpoint.finished()
            log.info("going on after %d directories; %d that failed are tried again", done, failed)
            return Run(client, wish, checkpoint, now=now)
        if checkpoint:
            checkpoint.close()
        if not fresh:
            raise CheckpointError(
                f"{path} is the checkpoint of an unfinished scan: go on with --resume, or begin anew with --fresh."
            )
    elif resume:
        log.info("there is no checkpoint of such a scan at %s; a new one begins", path)
    begun = begin(Workspace(client), wish)
    checkpoints.discard(path)
    file_rows.discard(parts_folder(path))
    return Run(client, wish, Checkpoint.create(path, identity, begun.roots, begun.refused), now=now)


def _existing(path: Path, identity: Identity, *, fresh: bool) -> Checkpoint | None:
    """The checkpoint that is there; None for one of another version that may be replaced."""
    try:
        return Checkpoint.resume(path, identity)
    except OtherFormat:
        if not fresh:
            raise
        return None


def parts_folder(checkpoint: Path) -> Path:
    """Where the rows of single files lie until the scan is complete."""
    return checkpoint.with_name(f"{checkpoint.name}.parts")
