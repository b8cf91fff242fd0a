"""Lists folders until none is left, in the order given by `tree.folder_queue`."""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Protocol, cast

from inventory.scan.folder_request import ListingClient, classify_listing, list_folder
from inventory.scan.mounts import Mounts
from inventory.scan.visit import ScanProgress, Visit
from inventory.transport.limiter import Limiter
from inventory.transport.response import Response, TransportError
from inventory.transport.retry import Retry, Unauthorized
from inventory.transport.worker_pool import Items, Pool, WorkerPools, WorkItem
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import Failure, Folder, Listing, Source

INITIAL_RATES: dict[Source, float] = {"dbfs": 75.0, "workspace": 250.0}
"""Initial requests per second: 2.5 times the published limit of DBFS and the assumed limit of Workspace."""
FolderResult = Listing | Failure


class ScanClient(ListingClient, Protocol):
    """The part of a client that a scan needs."""

    def close(self) -> None:
        """Close the connection of the calling thread."""
        ...


class FolderScan:
    """Lists all queued folders of the file systems that have `limiters`.

    `store` is called regularly with new visits and must store them durably. There are `workers` for each file system;
    unless `parallel`, a single worker does everything. `jitter` returns numbers from 0 to 1 for the delays before
    retries. Folders on `mounts` need no request. Once `should_drain` returns True, no further folder is started.
    `progress` is the progress so far.
    """

    def __init__(
        self,
        client: ScanClient,
        folders: FolderQueue,
        store: Callable[[Sequence[Visit]], None],
        *,
        limiters: Mapping[Source, Limiter],
        workers: int = 64,
        parallel: bool = True,
        stop: threading.Event,
        jitter: Callable[[], float] = random.random,
        mounts: Mounts | None = None,
        should_drain: Callable[[], bool] = lambda: False,
        progress: ScanProgress | None = None,
    ) -> None:
        self._client, self._mounts = client, mounts
        self.progress = progress or ScanProgress()
        self._work = _FolderWork(folders, store, jitter, self.progress)
        self._pools = WorkerPools[Folder, FolderResult](
            self._work,
            pools=[Pool([source], workers) for source in limiters] if parallel else [Pool(tuple(limiters), 1)],
            limiters={str(source): limiter for source, limiter in limiters.items()},
            stop=stop,
            should_drain=should_drain,
        )
        self._pools.requests, self._pools.rate_limited = self.progress.requests, self.progress.rate_limited
        self._queue = folders

    def run(self, report: Callable[[ScanProgress], None] = lambda progress: None) -> bool:
        """List until no folder is left, or until `stop` is set and no request is in flight. Return whether none is
        left.

        `report` is called a few times a second.
        """

        def list_folders(items: Items[Folder, FolderResult]) -> None:
            """Run in every worker."""
            with closing(self._client):
                for item in items:
                    if self._list_from_mount(item) or not item.wait_for_turn():
                        continue
                    with item:
                        item.outcome = list_folder(self._client, item.task)

        def report_progress() -> None:
            self.progress.waiting = self._pools.waiting
            self.progress.unfinished_users = len(self._queue.open_folders)
            self.progress.rates = self._pools.rates
            report(self.progress)

        return self._pools.run(list_folders, report_progress)

    def _list_from_mount(self, item: WorkItem[Folder, FolderResult]) -> bool:
        """List a folder from the mount; return False if the API is needed."""
        if self._mounts is None:
            return False
        began = time.monotonic()
        item.result = self._mounts.list_folder(item.task)
        if item.result is None:
            return False
        item.seconds += time.monotonic() - began
        return True


class _FolderWork:
    """The work of a scan: each task is a folder."""

    def __init__(
        self,
        folders: FolderQueue,
        store: Callable[[Sequence[Visit]], None],
        jitter: Callable[[], float],
        progress: ScanProgress,
    ) -> None:
        self._queue, self._store, self._jitter, self._progress = folders, store, jitter, progress
        self._batch: list[Visit] = []

    def next_item(self, apis: Sequence[str]) -> tuple[str, Folder] | None:
        folder = self._queue.next_folder(*cast(Sequence[Source], apis))
        return (folder.source, folder) if folder else None

    def classify(
        self, folder: Folder, outcome: Response | TransportError, tries: int
    ) -> FolderResult | Retry | Unauthorized:
        return classify_listing(folder, outcome, tries, self._jitter)

    def abandon(self, folder: Folder, reason: str) -> Failure:
        return Failure(folder.path, reason)

    def complete(self, item: WorkItem[Folder, FolderResult], result: FolderResult) -> None:
        self._queue.complete(item.task, result)
        if isinstance(result, Listing):
            self._progress.files += len(result.files)
        elif not result.missing:
            self._progress.failures += 1
        self._progress.visits += 1
        self._batch.append(Visit(item.task, result, item.requests, item.rate_limited, item.seconds))

    def flush(self) -> None:
        if self._batch:
            self._store(self._batch)
            self._batch = []

    def __len__(self) -> int:
        return len(self._queue)
