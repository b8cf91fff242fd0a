"""Lists folder after folder until none is left: `listing.Walk` says what is next, `attempts.judge` what an answer
means, `engine.Engine` has many workers ask.
"""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

from inventory.scan.folder_request import Lister, classify_listing, list_folder
from inventory.scan.visit import Progress, Visit
from inventory.transport.answer import Answer, Broken
from inventory.transport.limiter import Limiter
from inventory.transport.retry import Again, Locked
from inventory.transport.worker_pool import Engine, Errand, Pool
from inventory.tree.listing import Failure, Folder, Listing, Source
from inventory.tree.walk import Walk

FIRST_RATES: dict[Source, float] = {"dbfs": 75.0, "workspace": 250.0}
"""Requests a second to begin with: two and a half times what is published of the one and assumed of the other."""


class Api(Lister, Protocol):
    """What is asked of a client."""

    def close(self) -> None:
        """The calling thread asks for nothing more."""
        ...


def nothing_at_hand(folder: Folder) -> Listing | Failure | None:
    """Every folder takes a request."""
    return None


class Scan:
    """One run over everything that `walk` knows of the file systems for which there are `limiters`.

    `keep` is called from time to time with what was visited since; it stores that for good before it returns.
    `workers` is how many for each file system; without `parallel` a single one does everything. `chance`
    gives numbers from 0 to 1, by which the delay before a retry is drawn. `at_hand` lists a folder without a request,
    where that can be done; once `enough` says so, no further folder is begun. `progress` goes on where another run was.
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
        at_hand: Callable[[Folder], Listing | Failure | None] = nothing_at_hand,
        enough: Callable[[], bool] = lambda: False,
        progress: Progress | None = None,
    ) -> None:
        self._work = _Folders(client, walk, keep, chance, progress or Progress())
        self._engine = Engine[Folder, Listing | Failure](
            self._work,
            pools=[Pool([source], workers) for source in limiters] if parallel else [Pool(tuple(limiters), 1)],
            limiters={str(source): limiter for source, limiter in limiters.items()},
            stop=stop,
            at_hand=at_hand,
            enough=enough,
        )
        self.progress = self._work.progress
        self._engine.requests, self._engine.refusals = self.progress.requests, self.progress.refusals
        self._walk = walk

    def run(self, report: Callable[[Progress], None] = lambda progress: None) -> bool:
        """List until nothing is left, or until `stop` is set and what is in flight has come back.

        Returns whether nothing is left. `report` is called a few times a second.
        """

        def tell() -> None:
            self.progress.waiting = self._engine.waiting
            self.progress.open_users = len(self._walk.open)
            self.progress.rates = self._engine.rates
            report(self.progress)

        return self._engine.run(tell)


class _Folders:
    """The work of a scan: a task is a folder."""

    def __init__(
        self,
        client: Api,
        walk: Walk,
        keep: Callable[[Sequence[Visit]], None],
        chance: Callable[[], float],
        progress: Progress,
    ) -> None:
        self._client, self._walk, self._keep, self._chance = client, walk, keep, chance
        self._batch: list[Visit] = []
        self.progress = progress

    def take(self, apis: Sequence[str]) -> tuple[str, Folder] | None:
        folder = self._walk.take(*cast(Sequence[Source], apis))
        return (folder.source, folder) if folder else None

    def ask(self, api: str, folder: Folder) -> Answer | Broken:
        return list_folder(self._client, folder)

    def judge(self, folder: Folder, outcome: Answer | Broken, tries: int) -> Listing | Failure | Again | Locked:
        return classify_listing(folder, outcome, tries, self._chance)

    def lost(self, folder: Folder, reason: str) -> Failure:
        return Failure(folder.path, reason)

    def finish(self, errand: Errand[Folder], found: Listing | Failure) -> None:
        self._walk.visited(errand.task, found)
        if isinstance(found, Listing):
            self.progress.files += len(found.files)
        elif not found.missing:
            self.progress.failures += 1
        self.progress.visits += 1
        self._batch.append(Visit(errand.task, found, errand.requests, errand.refusals, errand.seconds))

    def keep(self) -> None:
        if self._batch:
            self._keep(self._batch)
            self._batch = []

    def retire(self) -> None:
        self._client.close()

    def __len__(self) -> int:
        return len(self._walk)
