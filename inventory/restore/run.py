"""One restore: starts or resumes it, uploads the objects, sums up the result."""

import json
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import NoneType
from typing import Any

from inventory.backup.append_only import AppendOnlyFile
from inventory.backup.backup_index import Backup, BackupError
from inventory.backup.manifest import ManifestEntry
from inventory.backup.manifest_index import ManifestIndex
from inventory.backup.pools import DEFAULT_PACING, REQUEST_WORKERS, RequestPacing, limiter_for
from inventory.restore.destination import Destination, NoDestination
from inventory.restore.restore_work import (
    ALREADY_EXISTS,
    EarlierRuns,
    ExistingContent,
    ExistingPolicy,
    RestoredEntry,
    RestoreProgress,
    RestoreWork,
)
from inventory.scan.checkpoint import Checkpoint, CheckpointError, CheckpointIdentity
from inventory.scan.resumable import Resumable
from inventory.scan.scan_work import FolderScan
from inventory.scan.users import short_digest
from inventory.scan.visit import Visit
from inventory.transport.client import Client
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import Failure, Folder, Listing, Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RestoreRequest:
    """The options of a restore."""

    backup: Backup
    users: tuple[str, ...] = ()
    """User names at the time of the backup; empty means all users."""
    new_usernames: Mapping[str, str] = field(default_factory=dict)
    into: str = ""
    existing: ExistingPolicy = "refuse"
    with_git: bool = False

    @property
    def destination(self) -> Destination:
        return Destination(self.new_usernames, self.into)

    def checkpoint_identity(self, host: str) -> CheckpointIdentity:
        """Return the options that must be the same to resume a restore."""
        renamed = "".join(f", {old} as {new}" for old, new in sorted(self.new_usernames.items()))
        return CheckpointIdentity(
            host=host,
            users=short_digest(self.users) if self.users else "all",
            sources=f"a restore of {self.backup.address}",
            homes=f"into {self.into or 'their places'}{renamed}",
            files=f"{self.existing} what is there{', clone git folders' if self.with_git else ''}",
        )


@dataclass
class UserCounts:
    """Counts of one user's objects."""

    restored: int = 0
    skipped: int = 0
    failed: int = 0
    size: int = 0
    """Restored bytes."""
    beside: int = 0
    """Number of objects that were restored beside changed objects."""


@dataclass(frozen=True)
class RestoreResult:
    """The result of a restore."""

    complete: bool
    users: Mapping[str, UserCounts]
    failures: Sequence[tuple[str, str]]
    """Path and reason for each failure."""
    beside: Sequence[tuple[str, str]]
    """Path of each object that was restored beside an existing one, and the reason."""
    requests: Mapping[str, int]
    rate_limited: Mapping[str, int]


class RestoreRun(Resumable):
    """One restore with its checkpoint and a log with every object's result."""

    def __init__(
        self, client: Client, request: RestoreRequest, index: ManifestIndex, checkpoint: Checkpoint, *, day: date
    ) -> None:
        self._client, self._request, self._index, self._checkpoint = client, request, index, checkpoint
        self._day = day.isoformat()
        self._log = AppendOnlyFile(checkpoint.path.with_name(f"{checkpoint.path.name}.log"))

    def restore(
        self,
        stop: threading.Event,
        report: Callable[[RestoreProgress], None] = lambda progress: None,
        pacing: RequestPacing = DEFAULT_PACING,
    ) -> RestoreResult:
        """Restore the remaining objects. Raises TargetError, OSError."""
        work = RestoreWork(
            self._client,
            self._request.backup.target,
            self._checkpoint.remaining_folders(),
            self._index,
            self._store,
            destination=self._request.destination,
            existing=self._request.existing,
            day=self._day,
            with_git=self._request.with_git,
            earlier_runs=_earlier_runs(self._log),
            sources={root.source for root in self._checkpoint.roots()},
            pacing=pacing,
            stop=stop,
        )
        complete = work.run(report)
        users, failures, beside = _sum_up(self._log, self._index)
        self.is_done = complete and not failures
        return RestoreResult(complete, users, failures, beside, work.progress.requests, work.progress.rate_limited)

    def close(self, *, complete: bool) -> None:
        """Close checkpoint and log, and delete them if the restore is complete."""
        self._log.close()
        if complete:
            self._checkpoint.remove()
            self._log.path.unlink()
        else:
            self._checkpoint.close()

    def _store(self, notes: Sequence[RestoredEntry | ExistingContent], visits: Sequence[Visit]) -> None:
        self._log.add([json.dumps(_log_document(note), ensure_ascii=False).encode() + b"\n" for note in notes])
        self._checkpoint.store(visits)


def prepare_restore(
    client: Client, request: RestoreRequest, index: ManifestIndex, *, resume: bool, now: datetime
) -> RestoreRun:
    """Start or resume a restore. Raises CheckpointError, BackupError, OSError."""
    day = now.astimezone().date()
    identity = request.checkpoint_identity(client.host)
    name = short_digest([f"{key}={value}" for key, value in vars(identity).items()])[:8]
    path = Path(f"restore-{request.backup.base.rpartition('/')[2]}.{name}.checkpoint")
    if path.exists():
        if not resume:
            raise CheckpointError(
                f"{path} is the checkpoint of an unfinished restore: use --resume to continue it, or delete it."
            )
        checkpoint = Checkpoint.resume(path, identity)
        log.info("resuming after %d directories; what failed is retried", checkpoint.folder_counts()[0])
        return RestoreRun(client, request, index, checkpoint, day=day)
    if resume:
        log.info("there is no unfinished restore with these options in this folder; starting a new one")
    roots = selected_roots(request, index)
    path.with_name(f"{path.name}.log").unlink(missing_ok=True)
    return RestoreRun(client, request, index, Checkpoint.create(path, identity, roots), day=day)


def selected_roots(request: RestoreRequest, index: ManifestIndex) -> list[Folder]:
    """Return the selected homes. Raises BackupError if a selected user has no saved objects."""
    known = set(index.users())
    for user in [*request.users, *request.new_usernames]:
        if user not in known:
            raise BackupError(f"{request.backup.address} has no objects of {user}.")
    roots = [
        Folder(entry.user, entry.source, entry.path)
        for entry in index.roots()
        if entry.place is not None and (not request.users or entry.user in request.users)
    ]
    if not roots:
        raise BackupError(f"there are no homes in {request.backup.address}, so there is nothing to restore.")
    return roots


def preview_restore(
    client: Client, request: RestoreRequest, index: ManifestIndex, stop: threading.Event
) -> RestoreResult:
    """Return what a restore would do, without changing anything. Raises BackupError."""
    roots = selected_roots(request, index)
    existing_paths: set[tuple[Source, str]] = set()
    failures: list[tuple[str, str]] = []

    def collect(visits: Sequence[Visit]) -> None:
        for visit in visits:
            if isinstance(visit.result, Listing):
                existing_paths.update((visit.folder.source, path) for path in visit.result.folders)
                existing_paths.update((visit.folder.source, file.path) for file in visit.result.files)
            elif isinstance(visit.result, Failure) and not visit.result.missing:
                failures.append((visit.folder.path, visit.result.reason))

    destination_folders = []
    for root in roots:
        entry = index.get(root.source, root.path)
        assert entry is not None, "the homes are from the manifest"
        try:
            destination_folders.append(Folder(root.user, root.source, request.destination.path_of(entry)))
        except NoDestination as error:
            failures.append((root.path, str(error)))
    limiters = {source: limiter_for(source, None) for source in {root.source for root in roots}}
    FolderScan(
        client, FolderQueue(destination_folders), collect, limiters=limiters, workers=REQUEST_WORKERS, stop=stop
    ).run()
    users: defaultdict[str, UserCounts] = defaultdict(UserCounts)
    for entry in index.all_entries():
        if not entry.has_content or (request.users and entry.user not in request.users):
            continue
        try:
            path = request.destination.path_of(entry)
        except NoDestination as error:
            failures.append((entry.path, str(error)))
            continue
        state = "restored"
        if (entry.source, path) in existing_paths and request.existing != "overwrite":
            state = "skipped" if request.existing == "skip" else "failed"
            failures += [(path, ALREADY_EXISTS)] * (state == "failed")
        _count(users[entry.user], entry, state)
    return RestoreResult(True, users, failures, [], {}, {})


def _log_document(note: RestoredEntry | ExistingContent) -> dict[str, Any]:
    if isinstance(note, ExistingContent):
        looked = {"source": note.folder.source, "folder": note.folder.path, "names": note.names}
        return looked | ({"marks": note.versions} if note.versions else {})
    source, path, form = note.entry.key
    return {
        "source": source, "path": path, "format": form, "to": note.path, "state": note.state, "reason": note.reason
    }  # fmt: skip


def _earlier_runs(log_file: AppendOnlyFile) -> EarlierRuns:
    """Return the records that earlier runs wrote to the log."""
    earlier_runs = EarlierRuns()
    for note in _read_log(log_file):
        if "folder" in note:
            # Only the first record counts: later listings may contain the restore's own uploads.
            names = note["names"]
            folder_key = (note["source"], note["folder"])
            if folder_key not in earlier_runs.existing_names:
                earlier_runs.existing_names[folder_key] = None if names is None else tuple(names)
                earlier_runs.existing_versions[folder_key] = {
                    name: (mark[0], mark[1]) for name, mark in note.get("marks", {}).items()
                }
        else:
            entry_key = (note["source"], note["path"], note["format"])
            if note["state"] == "failed":
                earlier_runs.failed.add(entry_key)
            else:
                earlier_runs.failed.discard(entry_key)
                earlier_runs.done.add(entry_key)
    return earlier_runs


def _read_log(log_file: AppendOnlyFile) -> Iterator[dict[str, Any]]:
    """Yield the records in the log. Raises CheckpointError if it is damaged, since the restore's own uploads are
    unknown then."""
    for number, line in enumerate(log_file.read(), start=1):
        try:
            note = json.loads(line)
        except (ValueError, RecursionError):
            note = None
        if not isinstance(note, dict) or not _is_log_entry(note):
            raise CheckpointError(
                f"{log_file.path} line {number} is damaged, so it is unknown what existed before the restore:"
                " delete it and its checkpoint, and start again without --resume."
            )
        yield note


def _is_log_entry(note: Mapping[str, Any]) -> bool:
    marks = note.get("marks", {})
    if "folder" not in note:
        return all(isinstance(note.get(name), str) for name in ("source", "path", "format", "to", "state", "reason"))
    return (
        isinstance(note.get("source"), str)
        and isinstance(note["folder"], str)
        and isinstance(note.get("names", 0), list | NoneType)
        and all(isinstance(name, str) for name in note["names"] or ())
        and isinstance(marks, dict)
        and all(isinstance(mark, list) and len(mark) == 2 for mark in marks.values())
    )


def _sum_up(
    log_file: AppendOnlyFile, index: ManifestIndex
) -> tuple[dict[str, UserCounts], list[tuple[str, str]], list[tuple[str, str]]]:
    """Return counts by user, failures, and objects restored beside others, according to each object's last record."""
    last: dict[tuple[str, str, str], tuple[str, str, str]] = {}
    for note in _read_log(log_file):
        if "state" in note:
            last[note["source"], note["path"], note["format"]] = (note["state"], note["reason"], note["to"])
    sums: defaultdict[str, UserCounts] = defaultdict(UserCounts)
    failures: list[tuple[str, str]] = []
    beside: list[tuple[str, str]] = []
    for (source, path, form), (state, reason, to) in sorted(last.items()):
        entry = index.get(source, path, form)  # type: ignore[arg-type]
        if entry is not None and state != "opened":
            _count(sums[entry.user], entry, state)
        prefix = "dbfs:" if source == "dbfs" else ""
        if state == "failed":
            failures.append((prefix + path, reason))
        elif state == "beside":
            beside.append((prefix + to, reason))
    return dict(sums), failures, beside


def _count(counts: UserCounts, entry: ManifestEntry, state: str) -> None:
    setattr(counts, state, getattr(counts, state) + 1)
    if state in ("restored", "beside") and entry.has_content:
        counts.size += entry.size or 0
