"""Lists folder after folder until none is left: `tree.walk` says which is next, `folder_request` how it is listed."""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Protocol, cast

from inventory.scan.folder_request import Lister, classify_listing, list_folder
from inventory.scan.mounts import Mounts
from inventory.scan.visit import Progress, Visit
from inventory.transport.answer import Answer, Broken
from inventory.transport.limiter import Limiter
from inventory.transport.retry import Again, Locked
from inventory.transport.worker_pool import Items, Pool, WorkerPools, WorkItem
from inventory.tree.listing import Failure, Folder, Listing, Source
from inventory.tree.walk import Walk

FIRST_RATES: dict[Source, float] = {"dbfs": 75.0, "workspace": 250.0}
"""Requests a second to begin with: two and a half times what is published of the one and assumed of the other."""
Found = Listing | Failure


class Api(Lister, Protocol):
    """What is asked of a client."""

    def close(self) -> None:
        """The calling thread asks for nothing more."""
        ...


class Scan:
    """One run over everything that `walk` knows of the file systems for which there are `limiters`.

    `keep` is called from time to time with what was visited since; it stores that for good before it returns.
    `workers` is how many for each file system; without `parallel` a single one does everything. `chance`
    gives numbers from 0 to 1, by which the delay before a retry is drawn. What `mounts` show takes no request; once
    `enough` says so, no further folder is begun. `progress` continues where another run was.
    """

    def __init__(
        self,
        client: Api,
        walk: Walk,
        keep: Callable[[Sequence[Visit]], None],
        *,
        limiters: Mapping[Source, Limiter],
        workers: int = 64,
        parallel: bool = True,
        stop: threading.Event,
        chance: Callable[[], float] = random.random,
        mounts: Mounts | None = None,
        enough: Callable[[], bool] = lambda: False,
        progress: Progress | None = None,
    ) -> None:
        self._client, self._mounts = client, mounts
        self.progress = progress or Progress()
        self._work = _Folders(walk, keep, chance, self.progress)
        self._pools = WorkerPools[Folder, Found](
            self._work,
            pools=[Pool([source], workers) for source in limiters] if parallel else [Pool(tuple(limiters), 1)],
            limiters={str(source): limiter for source, limiter in limiters.items()},
            stop=stop,
            enough=enough,
        )
        self._pools.requests, self._pools.refusals = self.progress.requests, self.progress.refusals
        self._walk = walk

    def run(self, report: Callable[[Progress], None] = lambda progress: None) -> bool:
        """List until nothing is left, or until `stop` is set and what is in flight has come back.

        Returns whether nothing is left. `report` is called a few times a second.
        """

        def list_folders(items: Items[Folder, Found]) -> None:
            """What every worker does."""
            with closing(self._client):
                for item in items:
                    if self._look_at_mount(item) or not item.wait_for_turn():
                        continue
                    with item:
                        item.outcome = list_folder(self._client, item.task)

        def report_progress() -> None:
            self.progress.waiting = self._pools.waiting
            self.progress.open_users = len(self._walk.open)
            self.progress.rates = self._pools.rates
            report(self.progress)

        return self._pools.run(list_folders, report_progress)

    def _look_at_mount(self, item: WorkItem[Folder, Found]) -> bool:
        """Whether a mount shows the folder, and no request is needed."""
        if self._mounts is None:
            return False
        began = time.monotonic()
        item.result = self._mounts.list_folder(item.task)
        if item.result is None:
            return False
        item.seconds += time.monotonic() - began
        return True


class _Folders:
    """The work of a scan: a task is a folder."""

    def __init__(
        self,
        walk: Walk,
        keep: Callable[[Sequence[Visit]], None],
        chance: Callable[[], float],
        progress: Progress,
    ) -> None:
        self._walk, self._keep, self._chance, self._progress = walk, keep, chance, progress
        self._batch: list[Visit] = []

    def next_item(self, apis: Sequence[str]) -> tuple[str, Folder] | None:
        folder = self._walk.take(*cast(Sequence[Source], apis))
        return (folder.source, folder) if folder else None

    def classify(self, folder: Folder, outcome: Answer | Broken, tries: int) -> Found | Again | Locked:
        return classify_listing(folder, outcome, tries, self._chance)

    def abandon(self, folder: Folder, reason: str) -> Failure:
        return Failure(folder.path, reason)

    def complete(self, item: WorkItem[Folder, Found], found: Found) -> None:
        self._walk.visited(item.task, found)
        if isinstance(found, Listing):
            self._progress.files += len(found.files)
        elif not found.missing:
            self._progress.failures += 1
        self._progress.visits += 1
        self._batch.append(Visit(item.task, found, item.requests, item.refusals, item.seconds))

    def flush(self) -> None:
        if self._batch:
            self._keep(self._batch)
            self._batch = []

    def __len__(self) -> int:
        return len(self._walk)
