"""The work of a restore: lists folders, makes missing ones, and uploads their objects.

The existing content of a folder is recorded before anything is changed. Objects found there later are compared with the
saved ones: a restore never replaces an object that a person has created or changed since it started.
"""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from inventory.backup.manifest import EntryKey, ManifestEntry
from inventory.backup.manifest_index import ManifestIndex, parent_path
from inventory.backup.objects import base_name
from inventory.backup.pools import REQUEST_WORKERS, TRANSFER_WORKERS, RequestPacing, pools_and_limiters
from inventory.backup.target import BackupTarget
from inventory.restore.destination import Destination, NoDestination
from inventory.restore.existing_check import ExistingCheck, ObjectVersion, version_of
from inventory.restore.upload import (
    CorruptObject,
    ObjectUpload,
    UploadClient,
    clone_git_folder,
    is_large,
    make_folder,
    upload_object,
)
from inventory.scan.folder_request import classify_listing, list_folder
from inventory.scan.visit import Visit
from inventory.transport.response import Response, TransportError
from inventory.transport.retry import PermanentFailure, Retry, Unauthorized, classify, is_rate_limited, is_transient
from inventory.transport.worker_pool import Items, WorkerPools, WorkItem
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import Failure, Folder, Listing, Source

ExistingPolicy = Literal["refuse", "skip", "overwrite"]
"""How to handle existing objects."""
RestoreState = Literal["restored", "skipped", "beside", "failed", "opened"]
"""`beside`: the path has an object that the restore did not upload, so the saved object was restored beside it.
`opened`: a folder, not counted, that an earlier run could neither list nor make, and that this run filled."""
ALREADY_EXISTS = "it already exists; --skip-existing keeps it, --overwrite replaces it"
CONFLICT_CODES = frozenset({"RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"})
MAX_CONFLICTS = 5
"""Maximum number of conflicts that the API reports for an object that its listing does not show."""
MAX_QUEUED = 2000
"""Maximum number of queued uploads per file system before further folders are listed."""


@dataclass(frozen=True)
class RestoredEntry:
    """The result for one entry."""

    entry: ManifestEntry
    path: str
    """The intended path."""
    state: RestoreState
    reason: str = ""


@dataclass(frozen=True)
class ExistingContent:
    """The content of a folder before the restore changed it; `names` is None if the folder was missing."""

    folder: Folder
    names: tuple[str, ...] | None
    versions: Mapping[str, ObjectVersion] = field(default_factory=dict)
    """Versions of the objects to overwrite, by name."""


@dataclass
class EarlierRuns:
    """Records from earlier runs of the restore."""

    existing_names: dict[tuple[str, str], tuple[str, ...] | None] = field(default_factory=dict)
    """Names in the existing content of each folder, by file system and saved path."""
    existing_versions: dict[tuple[str, str], Mapping[str, ObjectVersion]] = field(default_factory=dict)
    """Versions of the objects to overwrite in each folder, by name; same keys."""
    done: set[EntryKey] = field(default_factory=set)
    """Entries that were restored, skipped, or restored beside an existing object."""
    failed: set[EntryKey] = field(default_factory=set)
    """Entries whose last record is a failure."""


@dataclass
class ListFolderTask:
    """List the destination of a folder."""

    folder: Folder
    path: str


@dataclass
class MakeFolderTask:
    """Make a folder, or clone a git folder."""

    folder: Folder
    path: str
    git_entry: ManifestEntry | None = None


@dataclass
class _OpenFolder:
    folder: Folder
    path: str
    pending: int = 0
    failures: int = 0


@dataclass(frozen=True)
class RestoreProgress:
    """The progress of a restore."""

    restored: int
    skipped: int
    beside: int
    failed: int
    size: int
    waiting: int
    requests: Mapping[str, int]
    rate_limited: Mapping[str, int]
    rates: Mapping[str, float]


Task = ListFolderTask | MakeFolderTask | ObjectUpload
Result = Listing | Failure | None


class RestoreWork:
    """Restores all queued folders; implements `worker_pool.Work`.

    `store` stores results of entries, existing content of folders, and finished folders. The queue has folders with
    their saved paths; `destination` maps them to the workspace.
    """

    def __init__(
        self,
        client: UploadClient,
        target: BackupTarget,
        folders: FolderQueue,
        index: ManifestIndex,
        store: Callable[[Sequence[RestoredEntry | ExistingContent], Sequence[Visit]], None],
        *,
        destination: Destination,
        existing: ExistingPolicy,
        day: str,
        with_git: bool,
        earlier_runs: EarlierRuns,
        sources: Collection[Source],
        pacing: RequestPacing,
        stop: threading.Event,
    ) -> None:
        self._client, self._target, self._queue, self._index, self._store = client, target, folders, index, store
        self._destination, self._existing, self._with_git = destination, existing, with_git
        self._earlier_runs, self._jitter, self._day = earlier_runs, pacing.jitter, day
        self._ready: defaultdict[str, deque[Task]] = defaultdict(deque)
        self._open_folders: dict[tuple[str, str], _OpenFolder] = {}
        self._new_folders: set[tuple[str, str]] = set()
        """Subfolders of folders that were missing, so that no listing is needed."""
        self._deferred: list[Callable[[], None]] = []
        """Steps that follow a listing, pending until the listing is recorded."""
        self._notes: list[RestoredEntry | ExistingContent] = []
        self._new_visits: list[Visit] = []
        self._counts: Counter[RestoreState] = Counter()
        self._size = 0
        """Uploaded bytes."""
        pools, limiters = pools_and_limiters(workers_of(sources), pacing.initial_rate)
        self._pools = WorkerPools[Task, Result](self, pools=pools, limiters=limiters, stop=stop)

    @property
    def progress(self) -> RestoreProgress:
        """The progress so far."""
        pools = self._pools
        counts = self._counts
        return RestoreProgress(
            counts["restored"],
            counts["skipped"],
            counts["beside"],
            counts["failed"],
            self._size,
            pools.waiting,
            pools.requests,
            pools.rate_limited,
            pools.rates,
        )

    def run(self, report: Callable[[RestoreProgress], None]) -> bool:
        """Restore until no task is left, or until `stop` is set and no request is in flight. Return whether none is
        left.

        Raises TargetError, OSError.
        """

        def restore_objects(items: Items[Task, Result]) -> None:
            """Run in every worker."""
            with closing(self._client):
                for item in items:
                    if not item.wait_for_turn():
                        continue
                    with item:
                        match item.task:
                            case ListFolderTask(folder, path):
                                item.outcome = list_folder(self._client, replace(folder, path=path))
                            case MakeFolderTask(folder, path, None):
                                item.outcome = make_folder(self._client, folder.source, path)
                            case MakeFolderTask(_, path, ManifestEntry() as git):
                                item.outcome = clone_git_folder(self._client, git, path)
                            case ObjectUpload() as sending:
                                try:
                                    item.outcome = upload_object(self._client, self._target, sending)
                                except CorruptObject as error:
                                    sending.problem = str(error)
                                    item.outcome = Response(0, None)

        return self._pools.run(restore_objects, lambda: report(self.progress))

    # --- worker_pool.Work

    def next_item(self, apis: Sequence[str]) -> tuple[str, Task] | None:
        for api in apis:
            if self._ready[api]:
                return api, self._ready[api].popleft()
            if api == "import" or len(self._ready["import" if api == "workspace" else api]) >= MAX_QUEUED:
                continue
            while folder := self._queue.next_folder(cast(Source, api)):
                if task := self._start_folder(folder):
                    return api, task
        return None

    def classify(self, task: Task, outcome: Response | TransportError, tries: int) -> Result | Retry | Unauthorized:
        if isinstance(task, ListFolderTask):
            return classify_listing(replace(task.folder, path=task.path), outcome, tries, self._jitter)
        if isinstance(task, ObjectUpload):
            if task.problem:
                return Failure(task.path, task.problem)
            is_unknown = isinstance(outcome, TransportError) or (is_transient(outcome) and not is_rate_limited(outcome))
            if is_unknown and task.check is None:
                task.restart()
        if isinstance(outcome, Response) and is_conflict(outcome):
            return self._handle_conflict(task, tries)
        classified = classify(outcome, tries, self._jitter)
        if isinstance(classified, PermanentFailure):
            if isinstance(task, ObjectUpload) and task.check is not None and task.check.download is not None:
                # An object that cannot be read may belong to somebody else.
                task.use_alternative_path()
                return None
            return Failure(task.path, classified.reason, missing=classified.missing)
        return None if isinstance(classified, Response) else classified

    def abandon(self, task: Task, reason: str) -> Failure:
        return Failure(task.path, reason)

    def complete(self, item: WorkItem[Task, Result], result: Result) -> None:
        task = item.task
        if isinstance(task, ListFolderTask):
            assert result is not None, "a listing has content or a failure"
            self._handle_listing(task, result)
        elif isinstance(task, MakeFolderTask):
            assert not isinstance(result, Listing)
            self._handle_made_folder(task, result)
        elif result is None and not task.complete:
            self._ready[task.api].appendleft(task)
        else:
            assert not isinstance(result, Listing)
            self._handle_upload(task, result)

    def flush(self) -> None:
        while self._notes or self._new_visits or self._deferred:
            self._store(self._notes, self._new_visits)
            self._notes, self._new_visits = [], []
            deferred, self._deferred = self._deferred, []
            for follow in deferred:
                follow()

    def __len__(self) -> int:
        return len(self._queue) + len(self._deferred) + sum(map(len, self._ready.values()))

    # --- folders

    def _start_folder(self, folder: Folder) -> Task | None:
        entry = self._index.get(folder.source, folder.path)
        assert entry is not None, "queued folders are in the manifest"
        try:
            path = self._destination.path_of(entry)
        except NoDestination as error:
            self._fail_folder(folder, folder.path, str(error))
            return None
        self._open_folders[folder.key] = _OpenFolder(folder, path)
        if self._with_git and entry.git is not None:
            return MakeFolderTask(folder, path, git_entry=entry)
        if (
            folder.key in self._earlier_runs.existing_names
            or folder.key in self._new_folders
            or self._was_missing(folder)
        ):
            return MakeFolderTask(folder, path)
        return ListFolderTask(folder, path)

    def _was_missing(self, folder: Folder) -> bool:
        """Return whether an earlier run found a parent folder missing. If this folder now exists, that run made it."""
        path = folder.path
        while "/" in path[1:]:
            path = parent_path(path)
            if (folder.source, path) in self._earlier_runs.existing_names:
                return self._earlier_runs.existing_names[folder.source, path] is None
        return False

    def _handle_listing(self, task: ListFolderTask, result: Listing | Failure) -> None:
        if isinstance(result, Failure) and not result.missing:
            self._fail_folder(task.folder, task.path, result.reason)
            return
        names, versions = None, dict[str, ObjectVersion]()
        if isinstance(result, Listing):
            paths = [*result.folders, *(file.path for file in result.files), *(each.path for each in result.failures)]
            names = tuple(map(base_name, paths))
            if self._existing == "overwrite":
                versions = {base_name(file.path): version_of(file) for file in result.files}
        # The listing is recorded before any upload: a resumed run must know which objects the restore did not create.
        self._notes.append(ExistingContent(task.folder, names, versions))
        if names is None:
            self._deferred.append(
                lambda: self._ready[task.folder.source].appendleft(MakeFolderTask(task.folder, task.path))
            )
        else:
            self._deferred.append(lambda: self._fill(task.folder, frozenset(names), versions, is_later=False))

    def _handle_made_folder(self, task: MakeFolderTask, failure: Failure | None) -> None:
        if task.git_entry:
            self._handle_clone(task, task.git_entry, failure)
        elif failure:
            self._fail_folder(task.folder, task.path, failure.reason)
        else:
            is_later = task.folder.key in self._earlier_runs.existing_names or self._was_missing(task.folder)
            existing_names = self._earlier_runs.existing_names.get(task.folder.key)
            versions = self._earlier_runs.existing_versions.get(task.folder.key, {})
            self._fill(
                task.folder, frozenset(existing_names or ()), versions, is_later=is_later, is_new=existing_names is None
            )

    def _fill(
        self,
        folder: Folder,
        existing_names: frozenset[str],
        versions: Mapping[str, ObjectVersion],
        *,
        is_later: bool,
        is_new: bool = False,
    ) -> None:
        """Queue the uploads into an existing folder. `is_later` means that an earlier run may have restored some
        objects.

        `existing_names` and `versions` describe its content before the restore started.
        """
        open_folder = self._open_folders[folder.key]
        folder_entry = self._index.get(folder.source, folder.path)
        if folder_entry is not None and folder_entry.key in self._earlier_runs.failed:
            self._notes.append(RestoredEntry(folder_entry, open_folder.path, "opened"))
        subfolders: list[Folder] = []
        for entry in self._entries_to_restore(folder):
            if entry.is_folder:
                subfolders.append(Folder(folder.user, folder.source, entry.path))
            elif entry.key not in self._earlier_runs.done:
                self._queue_upload(open_folder, entry, existing_names, versions, is_later=is_later)
        if is_new:
            self._new_folders.update(each.key for each in subfolders)
        self._queue.add(subfolders)
        if not open_folder.pending:
            self._finish_folder(open_folder)

    def _entries_to_restore(self, folder: Folder) -> list[ManifestEntry]:
        """Return the entries to restore in a folder. For a notebook in two formats this is the source, which every
        workspace can import."""
        saved = [entry for entry in self._index.children(folder.source, folder.path) if entry.place]
        sources = {entry.path for entry in saved if entry.format == "source"}
        return [
            entry
            for entry in saved
            if (entry.is_folder or entry.has_content) and not (entry.format == "jupyter" and entry.path in sources)
        ]

    def _queue_upload(
        self,
        open_folder: _OpenFolder,
        entry: ManifestEntry,
        existing_names: frozenset[str],
        versions: Mapping[str, ObjectVersion],
        *,
        is_later: bool,
    ) -> None:
        path = f"{open_folder.path.rstrip('/')}/{base_name(entry.path)}"
        exists = base_name(entry.path) in existing_names
        if exists and self._existing != "overwrite":
            skipped = self._existing == "skip"
            self._record(
                open_folder, RestoredEntry(entry, path, *(("skipped", "") if skipped else ("failed", ALREADY_EXISTS)))
            )
            return
        task = ObjectUpload(
            open_folder.folder,
            entry,
            path,
            self._day,
            overwrite=exists,
            replaced_version=versions.get(base_name(entry.path)),
            may_be_own_upload=is_later,
            # The existing object is replaced only if nobody has changed it since the restore started.
            check=ExistingCheck() if is_later and (exists or is_large(entry)) else None,
        )
        open_folder.pending += 1
        self._ready[task.api].append(task)

    def _handle_conflict(self, task: Task, tries: int) -> Result | Retry:
        """Handle a conflict with an object that the listing did not show; it may be the restore's own upload."""
        if isinstance(task, ObjectUpload) and (task.may_be_own_upload or self._existing == "overwrite"):
            task.conflicts += 1
            if task.conflicts <= MAX_CONFLICTS + task.alternative_number:
                task.overwrite, task.check = False, ExistingCheck()
                return None
        if isinstance(task, MakeFolderTask) and (tries > 1 or task.folder.key in self._earlier_runs.existing_names):
            return None
        return Failure(task.path, ALREADY_EXISTS)

    def _handle_upload(self, task: ObjectUpload, failure: Failure | None) -> None:
        open_folder = self._open_folders[task.folder.key]
        open_folder.pending -= 1
        if failure:
            self._record(open_folder, RestoredEntry(task.entry, task.path, "failed", failure.reason))
        else:
            self._size += task.entry.size or 0
            reason = f"{task.requested_path} was changed since the restore started; the saved object is beside it"
            state: RestoreState = "beside" if task.alternative_number else "restored"
            self._record(
                open_folder, RestoredEntry(task.entry, task.path, state, reason if task.alternative_number else "")
            )
        if not open_folder.pending:
            self._finish_folder(open_folder)

    def _handle_clone(self, task: MakeFolderTask, entry: ManifestEntry, failure: Failure | None) -> None:
        open_folder = self._open_folders[task.folder.key]
        reason = failure.reason if failure else ""
        self._record(open_folder, RestoredEntry(entry, task.path, "failed" if failure else "restored", reason))
        self._finish_folder(open_folder)

    def _fail_folder(self, folder: Folder, path: str, reason: str) -> None:
        """Record that a folder can be neither listed nor made, so that none of its objects can be restored."""
        open_folder = self._open_folders.setdefault(folder.key, _OpenFolder(folder, path))
        for entry in [self._index.get(folder.source, folder.path), *self._entries_to_restore(folder)]:
            if entry and not (entry.is_folder and entry.path != folder.path):
                self._record(open_folder, RestoredEntry(entry, path, "failed", reason))
        self._queue.add(
            Folder(folder.user, folder.source, entry.path)
            for entry in self._entries_to_restore(folder)
            if entry.is_folder
        )
        self._finish_folder(open_folder)

    def _record(self, open_folder: _OpenFolder, restored: RestoredEntry) -> None:
        open_folder.failures += restored.state == "failed"
        self._counts[restored.state] += 1
        self._notes.append(restored)

    def _finish_folder(self, open_folder: _OpenFolder) -> None:
        folder = open_folder.folder
        del self._open_folders[folder.key]
        self._new_folders.discard(folder.key)
        subfolders = tuple(entry.path for entry in self._entries_to_restore(folder) if entry.is_folder)
        found = Listing(folders=() if self._is_clone(folder) else subfolders)
        failure = Failure(folder.path, f"{open_folder.failures} objects could not be restored")
        self._queue.complete(folder, failure if open_folder.failures else found)
        self._new_visits.append(Visit(folder, failure if open_folder.failures else found))

    def _is_clone(self, folder: Folder) -> bool:
        entry = self._index.get(folder.source, folder.path)
        return self._with_git and entry is not None and entry.git is not None


def is_conflict(response: Response) -> bool:
    """Return whether the API reports that an object already exists."""
    code = response.document.get("error_code") if isinstance(response.document, Mapping) else None
    return response.status in (400, 409) and code in CONFLICT_CODES


def workers_of(sources: Collection[Source]) -> dict[str, int]:
    """Return the number of workers per API. Imports have their own rate limit."""
    workers: dict[str, int] = {source: REQUEST_WORKERS for source in sorted(sources)}
    return workers | ({"import": TRANSFER_WORKERS} if "workspace" in sources else {})
