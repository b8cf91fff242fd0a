"""The work of a backup: lists folders and downloads their objects until a second listing agrees.

Every folder with downloads is listed again. Objects that changed meanwhile are downloaded again; an object that keeps
changing is a failure.
"""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import cast

from inventory.backup.download import DownloadClient, ObjectDownload, PartialFile, download_object, is_too_large
from inventory.backup.manifest import ManifestEntry
from inventory.backup.manifest_index import ManifestIndex, parent_path
from inventory.backup.names import NameAndSuffix, PathParts, assign_names
from inventory.backup.objects import (
    GIT_SUFFIX,
    base_name,
    exclusion_reason,
    failure_hint,
    git_file_content,
    is_unchanged,
    listed_entry,
    notebook_suffix,
    stored_suffix,
)
from inventory.backup.pools import REQUEST_WORKERS, TRANSFER_WORKERS, RequestPacing, pools_and_limiters
from inventory.backup.target import BackupTarget, UnsupportedName
from inventory.scan.folder_request import classify_listing, list_folder
from inventory.scan.visit import Visit
from inventory.transport.response import Response, TransportError
from inventory.transport.retry import PermanentFailure, Retry, Unauthorized, classify
from inventory.transport.worker_pool import Items, WorkerPools, WorkItem
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import Failure, File, Folder, Listing, Source

MAX_ROUNDS = 4
"""Maximum list-and-download rounds per folder."""
MAX_QUEUED = 2000
"""Maximum number of queued objects per file system before further folders are listed; the queue is held in memory."""
DELETED = "it was deleted before it could be saved"
STILL_LISTED = "it is listed, but the API reports that it does not exist"
UNKNOWN_TYPE = "UNKNOWN"
"""The type of an unusable entry."""
NO_FOLDER = "there is no such folder"


@dataclass(frozen=True)
class BackupOptions:
    """What to save from a home."""

    notebook_formats: tuple[str, ...] = ("source",)
    """Formats of notebooks."""
    max_size: int | None = None
    """Bytes."""


@dataclass
class BackupCounts:
    """Running totals of a backup."""

    saved: int = 0
    size: int = 0
    """Downloaded bytes."""
    unchanged: int = 0
    failed: int = 0
    folders: int = 0


@dataclass
class _OpenFolder:
    """A folder that is being saved."""

    folder: Folder
    place: str
    names: dict[NameAndSuffix, PathParts] = field(default_factory=dict)
    entries: dict[tuple[str, str], ManifestEntry] = field(default_factory=dict)
    """Entries already in the manifest, by path and format."""
    failed: dict[tuple[str, str], tuple[File, str]] = field(default_factory=dict)
    """Objects that could not be saved, as listed before the failure, and why."""
    wrong_sizes: dict[tuple[str, str], str] = field(default_factory=dict)
    """Why the size of a download was wrong."""
    same_content: dict[tuple[str, str], File] = field(default_factory=dict)
    """Objects without a modification time whose content was the same twice."""
    pending: int = 0
    rounds: int = 0


@dataclass(frozen=True)
class BackupProgress:
    """The progress of a backup."""

    counts: BackupCounts
    waiting: int
    requests: Mapping[str, int]
    rate_limited: Mapping[str, int]
    rates: Mapping[str, float]
    """Permitted rates in requests per second."""


@dataclass
class ParentCheck:
    """Lists the parent of a folder that the API reports as missing, to check whether the folder was deleted."""

    folder: Folder
    failure: Failure

    @property
    def parent_folder(self) -> Folder:
        return Folder(self.folder.user, self.folder.source, parent_path(self.folder.path))


Task = Folder | ObjectDownload | ParentCheck
Result = Listing | Failure | None


class BackupWork:
    """Saves all queued folders; implements `worker_pool.Work`.

    `store` stores new entries and then the finished folders; `places` has the roots' paths below the target. `known`
    has the entries already in the manifest, `earlier` the entries of an earlier backup; `git_folders` maps paths to
    the properties of git folders.
    """

    def __init__(
        self,
        client: DownloadClient,
        target: BackupTarget,
        folders: FolderQueue,
        store: Callable[[Sequence[ManifestEntry], Sequence[Visit]], None],
        *,
        places: Mapping[tuple[str, str], str],
        options: BackupOptions,
        known: ManifestIndex,
        earlier: ManifestIndex,
        git_folders: Mapping[str, Mapping[str, str]],
        pacing: RequestPacing,
        stop: threading.Event,
    ) -> None:
        self._client, self._target, self._queue, self._store = client, target, folders, store
        self._roots, self._options, self._jitter = dict(places), options, pacing.jitter
        self._unusable_entries = [entry for entry in known.of_type(UNKNOWN_TYPE) if entry.state == "failed"]
        """Entries that were unusable in an earlier run."""
        self._known, self._earlier, self._git_folders = known, earlier, git_folders
        self._places: dict[tuple[str, str], str] = dict(places)
        """Paths below the target of unfinished folders."""
        self._open_folders: dict[tuple[str, str], _OpenFolder] = {}
        self._ready: defaultdict[str, deque[Task]] = defaultdict(deque)
        """Tasks to run before further folders are listed, by API."""
        self._waiting: Counter[str] = Counter()
        """Number of objects to download, by file system."""
        self._new_entries: list[ManifestEntry] = []
        self._new_visits: list[Visit] = []
        self._counts = BackupCounts()
        pools, limiters = pools_and_limiters(workers_of({source for source, _ in places}), pacing.initial_rate)
        self._pools = WorkerPools[Task, Result](self, pools=pools, limiters=limiters, stop=stop)

    @property
    def progress(self) -> BackupProgress:
        """The progress so far."""
        return BackupProgress(
            self._counts, self._pools.waiting, self._pools.requests, self._pools.rate_limited, self._pools.rates
        )

    def run(self, report: Callable[[BackupProgress], None]) -> bool:
        """Save until no task is left, or until `stop` is set and no request is in flight. Return whether all is saved.

        Raises TargetError, OSError.
        """

        def save_objects(items: Items[Task, Result]) -> None:
            """Run in every worker. A worker also publishes what it downloads, since publishing may take long."""
            with closing(self._client):
                for item in items:
                    if not item.wait_for_turn():
                        continue
                    with item:
                        task = item.task
                        if isinstance(task, Folder | ParentCheck):
                            listed_folder = task if isinstance(task, Folder) else task.parent_folder
                            item.outcome = list_folder(self._client, listed_folder)
                            continue
                        partial_file = task.partial_file = task.partial_file or PartialFile(
                            self._target.new_partial_file()
                        )
                        item.outcome = download_object(self._client, task, partial_file)
                        # An object that changed while it was downloaded is listed and downloaded again.
                        if task.complete and task.file.size in (None, partial_file.size):
                            try:
                                self._target.publish(partial_file.path, task.place)
                            except UnsupportedName as error:
                                task.problem = f"no place for it: {error}"

        return self._pools.run(save_objects, lambda: report(self.progress))

    # --- worker_pool.Work

    def next_item(self, apis: Sequence[str]) -> tuple[str, Task] | None:
        for api in apis:
            if self._ready[api]:
                return api, self._ready[api].popleft()
            if (
                api != "export"
                and self._waiting[api] < MAX_QUEUED
                and (folder := self._queue.next_folder(cast(Source, api)))
            ):
                return api, folder
        return None

    def classify(self, task: Task, outcome: Response | TransportError, tries: int) -> Result | Retry | Unauthorized:
        if isinstance(task, Folder | ParentCheck):
            listed_folder = task if isinstance(task, Folder) else task.parent_folder
            return classify_listing(listed_folder, outcome, tries, self._jitter)
        classified = classify(outcome, tries, self._jitter)
        if isinstance(classified, PermanentFailure):
            if isinstance(outcome, Response) and task.has_other_api(outcome):
                task.first_api_refused = True
                return Retry(0.0)
            task.is_too_large = isinstance(outcome, Response) and is_too_large(outcome)
            hint = failure_hint(task.folder, task.file, is_too_large=task.is_too_large)
            return Failure(task.file.path, f"{classified.reason}{hint}", missing=classified.missing)
        if isinstance(classified, Response):
            return Failure(task.file.path, task.problem) if task.problem else None
        return classified

    def abandon(self, task: Task, reason: str) -> Failure:
        match task:
            case Folder(path=path):
                return Failure(path, reason)
            case ParentCheck():
                return Failure(task.folder.path, reason)
        return Failure(task.file.path, reason)

    def complete(self, item: WorkItem[Task, Result], result: Result) -> None:
        task = item.task
        if isinstance(task, Folder):
            assert result is not None, "a folder has a listing or a failure"
            self._handle_listing(task, result)
        elif isinstance(task, ParentCheck):
            assert result is not None, "the parent folder has a listing or a failure"
            self._handle_parent_check(task, result)
        elif result is None and not task.complete:
            self._ready[task.api].appendleft(task)
        else:
            assert not isinstance(result, Listing)
            self._handle_download(task, result)

    def flush(self) -> None:
        if self._new_entries or self._new_visits:
            self._store(self._new_entries, self._new_visits)
            self._new_entries, self._new_visits = [], []

    def __len__(self) -> int:
        return len(self._queue) + sum(map(len, self._ready.values()))

    # --- folders

    def _handle_listing(self, folder: Folder, result: Listing | Failure) -> None:
        if folder.key not in self._places:
            entry = self._known.get(folder.source, folder.path)
            assert entry is not None and entry.place is not None, "an earlier run listed the folder above it"
            self._places[folder.key] = entry.place
        place = self._places[folder.key]
        if isinstance(result, Failure):
            if result.missing and folder.key not in self._roots:
                self._ready[folder.source].appendleft(ParentCheck(folder, result))
            else:
                self._fail_folder(folder, result, place)
            return
        open_folder = self._open_folders.get(folder.key)
        if open_folder is None:
            open_folder = self._open_folders[folder.key] = self._open_folder(folder, place)
        open_folder.rounds += 1
        self._assign_places(open_folder, result)
        self._queue.add(Folder(folder.user, folder.source, path) for path in result.folders)
        downloads = [download for file in result.files for download in self._downloads_for(open_folder, file)]
        if downloads and open_folder.rounds > MAX_ROUNDS:
            for download in downloads:
                key = (download.file.path, download.format)
                reason = open_folder.wrong_sizes.get(key, "it changed while it was read")
                open_folder.failed[key] = (download.file, f"{reason}, {MAX_ROUNDS} times")
            downloads = []
        if not downloads:
            self._finish_folder(open_folder, result)
            return
        open_folder.pending = len(downloads)
        self._waiting[folder.source] += len(downloads)
        for download in downloads:
            self._ready[download.api].append(download)

    def _open_folder(self, folder: Folder, place: str) -> _OpenFolder:
        """Return a folder with the entries from earlier runs."""
        open_folder = _OpenFolder(folder, place)
        if folder.key in self._roots:
            self._target.make_folder(place)
            self._new_entries.append(
                ManifestEntry(folder.user, folder.source, folder.path, "DIRECTORY", "saved", place)
            )
        elif (entry := self._known.get(folder.source, folder.path)) and entry.state == "failed":
            self._new_entries.append(replace(entry, state="saved", reason=""))
        for entry in self._known.children(folder.source, folder.path):
            open_folder.entries[entry.path, entry.format] = entry
            if entry.place and entry.place.startswith(f"{place}/"):
                suffix = notebook_suffix(entry.language, entry.format)
                open_folder.names[base_name(entry.path), suffix] = tuple(entry.place[len(place) + 1 :].split("/"))
        return open_folder

    def _assign_places(self, open_folder: _OpenFolder, found: Listing) -> None:
        """Assign a path below the target to each object and subfolder of a folder, and record new subfolders."""
        items: list[NameAndSuffix] = [(base_name(path), "") for path in found.folders]
        items += [
            (base_name(file.path), stored_suffix(file, form)) for file in found.files for form in self._formats(file)
        ]
        open_folder.names = assign_names(items, open_folder.names)
        folder = open_folder.folder
        for path in found.folders:
            place = self._place(open_folder, path, "")
            self._places.setdefault((folder.source, path), place)
            if (path, "") not in open_folder.entries:
                entry = self._folder_entry(folder, path, place)
                open_folder.entries[path, ""] = entry
                self._new_entries.append(entry)

    def _folder_entry(self, folder: Folder, path: str, place: str) -> ManifestEntry:
        git = self._git_folders.get(path) if folder.source == "workspace" else None
        try:
            self._target.make_folder(place)
            if git:
                partial_file = PartialFile(self._target.new_partial_file())
                partial_file.add(git_file_content(git))
                self._target.publish(partial_file.path, place + GIT_SUFFIX)
        except UnsupportedName as error:
            self._counts.failed += 1
            reason = f"no place for it: {error}"
            return ManifestEntry(folder.user, folder.source, path, "DIRECTORY", "failed", place, reason=reason, git=git)
        kind = "REPO" if git else "DIRECTORY"
        return ManifestEntry(folder.user, folder.source, path, kind, "saved", place, git=git)

    def _handle_parent_check(self, task: ParentCheck, parent_listing: Listing | Failure) -> None:
        """Handle the parent's listing: a folder was deleted only if its parent no longer lists it."""
        folder = task.folder
        is_gone = isinstance(parent_listing, Listing) and folder.path not in parent_listing.folders
        failure = task.failure if is_gone else Failure(folder.path, f"{STILL_LISTED}: {task.failure.reason}")
        self._fail_folder(folder, failure, self._places[folder.key])

    def _fail_folder(self, folder: Folder, failure: Failure, place: str) -> None:
        """Record a folder that cannot be listed. A missing home is no failure, a missing subfolder was deleted, and a
        missing volume is a failure."""
        self._open_folders.pop(folder.key, None)
        self._queue.complete(folder, failure)
        self._counts.folders += 1
        is_root = folder.key in self._roots
        if failure.missing and is_root and folder.source != "volumes":
            self._new_visits.append(Visit(folder, failure))
            # Replaces a failure that an earlier run may have recorded.
            if (entry := self._known.get(folder.source, folder.path)) and entry.state == "failed":
                self._new_entries.append(replace(entry, state="left out", place=None, reason=NO_FOLDER))
            return
        if failure.missing and not is_root:
            entry = ManifestEntry(folder.user, folder.source, folder.path, "DIRECTORY", "left out", reason=DELETED)
            self._new_visits.append(Visit(folder, Listing()))
        else:
            entry = ManifestEntry(
                folder.user, folder.source, folder.path, "DIRECTORY", "failed", place, reason=failure.reason
            )
            self._new_visits.append(Visit(folder, failure))
            self._counts.failed += 1
        self._new_entries.append(entry)

    def _finish_folder(self, open_folder: _OpenFolder, found: Listing) -> None:
        folder = open_folder.folder
        there = {file.path for file in found.files} | set(found.folders)
        failures = 0
        for (path, form), (file, reason) in open_folder.failed.items():
            if path in there:
                failures += 1
                self._new_entries.append(replace(listed_entry(folder, file, form), reason=reason))
        for (path, _), entry in open_folder.entries.items():
            if entry.state == "failed" and path not in there:
                self._new_entries.append(replace(entry, state="left out", reason=DELETED))
        failures += self._record_unusable_entries(folder, found)
        self._counts.failed += failures
        self._counts.folders += 1
        del self._open_folders[folder.key]
        if folder.key not in self._roots:
            del self._places[folder.key]
        self._queue.complete(folder, found)
        reason = f"{failures} of its objects could not be saved"
        self._new_visits.append(Visit(folder, Failure(folder.path, reason) if failures else found))

    def _record_unusable_entries(self, folder: Folder, found: Listing) -> int:
        """Record unusable entries and return their number. Unusable entries from earlier runs may have been deleted."""
        for failure in found.failures:
            self._new_entries.append(
                ManifestEntry(folder.user, folder.source, failure.path, UNKNOWN_TYPE, "failed", reason=failure.reason)
            )
        unusable_paths = {failure.path for failure in found.failures}
        for entry in self._unusable_entries:
            if (
                (entry.user, entry.source) == (folder.user, folder.source)
                and entry.path.startswith(f"{folder.path}/")
                and entry.path not in unusable_paths
                and not any(entry.path.startswith(f"{path}/") for path in found.folders)
            ):
                self._new_entries.append(replace(entry, state="left out", reason=DELETED))
        return len(found.failures)

    # --- objects

    def _downloads_for(self, open_folder: _OpenFolder, file: File) -> Iterable[ObjectDownload]:
        """Yield the downloads that an object still needs; record what is excluded or unchanged."""
        for form in self._formats(file):
            key = (file.path, form)
            entry = open_folder.entries.get(key)
            if (
                (failed := open_folder.failed.get(key))
                and failed[0] == file
                or open_folder.same_content.get(key) == file
            ):
                continue
            if reason := exclusion_reason(file, self._options.max_size):
                if entry is None or entry.state != "left out":
                    self._record(
                        open_folder,
                        replace(listed_entry(open_folder.folder, file, form), state="left out", reason=reason),
                    )
            elif entry and is_unchanged(file, entry):
                continue
            elif (before := self._earlier.get(open_folder.folder.source, *key)) and is_unchanged(file, before):
                self._record(open_folder, replace(before, user=open_folder.folder.user, state="earlier"))
                self._counts.unchanged += 1
            else:
                yield ObjectDownload(
                    open_folder.folder, file, self._place(open_folder, file.path, stored_suffix(file, form)), form
                )

    def _record(self, open_folder: _OpenFolder, entry: ManifestEntry) -> None:
        open_folder.entries[entry.path, entry.format] = entry
        self._new_entries.append(entry)

    def _formats(self, file: File) -> tuple[str, ...]:
        return self._options.notebook_formats if file.type == "NOTEBOOK" else ("",)

    def _handle_download(self, task: ObjectDownload, failure: Failure | None) -> None:
        folder, file = task.folder, task.file
        open_folder, partial_file = (
            self._open_folders[folder.key],
            task.partial_file or PartialFile(self._target.new_partial_file()),
        )
        key = (file.path, task.format)
        self._waiting[folder.source] -= 1
        open_folder.pending -= 1
        if failure:
            open_folder.failed[key] = (file, failure.reason)
            if task.is_too_large and task.format == "jupyter" and "source" not in self._options.notebook_formats:
                self._download_source(open_folder, file)
        elif file.size not in (None, partial_file.size):
            open_folder.wrong_sizes[key] = f"{partial_file.size} bytes were received, but {file.size} were listed"
        else:
            before = open_folder.entries.get(key)
            entry = replace(
                listed_entry(folder, file, task.format),
                state="saved",
                place=task.place,
                size=partial_file.size,
                sha256=partial_file.sha256,
            )
            if file.modified_at is None and before and before.sha256 == entry.sha256:
                open_folder.same_content[key] = file
            self._record(open_folder, entry)
            self._counts.saved += 1
            self._counts.size += partial_file.size
        partial_file.discard()
        if not open_folder.pending:
            self._ready[folder.source].appendleft(folder)

    def _download_source(self, open_folder: _OpenFolder, file: File) -> None:
        """Download the source of a notebook whose outputs make it too large for an export."""
        entry = open_folder.entries.get((file.path, "source"))
        if entry and is_unchanged(file, entry):
            return
        suffix = stored_suffix(file, "source")
        open_folder.names = assign_names([(base_name(file.path), suffix)], open_folder.names)
        download = ObjectDownload(open_folder.folder, file, self._place(open_folder, file.path, suffix), "source")
        open_folder.pending += 1
        self._waiting[open_folder.folder.source] += 1
        self._ready[download.api].append(download)

    def _place(self, open_folder: _OpenFolder, path: str, suffix: str) -> str:
        return "/".join((open_folder.place, *open_folder.names[base_name(path), suffix]))


def workers_of(sources: Collection[str]) -> dict[str, int]:
    """Return the number of workers per API. Exports have their own rate limit; DBFS reads and listings share one."""
    workers: dict[str, int] = {
        source: TRANSFER_WORKERS if source == "volumes" else REQUEST_WORKERS for source in sorted(sources)
    }
    return workers | ({"export": TRANSFER_WORKERS} if "workspace" in sources else {})
