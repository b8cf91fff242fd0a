"""The work of a restore: folder after folder is looked at, made where it is missing, and filled.

What was there before the restore began is written down before anything is changed. What is there later is compared with
what is sent: a restore never replaces what a person has put there or changed since.
"""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from inventory.backup.manifest import Entry, Key
from inventory.backup.manifest_index import Index, parent
from inventory.backup.objects import name_of
from inventory.backup.pools import ASKERS, FETCHERS, Pace, pools_and_limiters
from inventory.backup.target import Target
from inventory.restore.destination import Destination, NoDestination
from inventory.restore.presence import Doubt, Mark, mark_of
from inventory.restore.upload import Api, Corrupt, Sending, clone, is_large, make_folder, upload
from inventory.scan.folder_request import classify_listing, list_folder
from inventory.scan.visit import Visit
from inventory.transport.answer import Answer, Broken
from inventory.transport.retry import Again, Locked, Refused, classify, is_limit, is_transient
from inventory.transport.worker_pool import Items, WorkerPools, WorkItem
from inventory.tree.listing import Failure, Folder, Listing, Source
from inventory.tree.walk import Walk

Existing = Literal["refuse", "skip", "overwrite"]
"""What becomes of what is there already."""
State = Literal["restored", "skipped", "beside", "failed"]
"""`beside`: what is there was not sent by the restore, so that what was saved lies beside it."""
IS_THERE = "it is there already; --skip-existing leaves it so, --overwrite replaces it"
CONFLICT = frozenset({"RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"})
CONFLICTS = 5
"""Maximum number of times that the API says something is there and its list does not."""
AHEAD = 2000
"""So many objects of a file system may wait before further folders of it are looked at."""


@dataclass(frozen=True)
class Restored:
    """What became of one entry."""

    entry: Entry
    path: str
    """Where it was to lie."""
    state: State
    reason: str = ""


@dataclass(frozen=True)
class Looked:
    """What lay in a folder before anything was put there; None where the folder itself was missing."""

    folder: Folder
    names: tuple[str, ...] | None
    marks: Mapping[str, Mark] = field(default_factory=dict)
    """Of what is to be overwritten, by name."""


@dataclass
class Past:
    """What an earlier run left behind."""

    looked: dict[tuple[str, str], tuple[str, ...] | None] = field(default_factory=dict)
    """By source and path of the folder when it was saved."""
    marks: dict[tuple[str, str], Mapping[str, Mark]] = field(default_factory=dict)
    """The same of what is to be overwritten, by name."""
    done: set[Key] = field(default_factory=set)
    """What was restored, skipped or put beside something else."""


@dataclass
class Look:
    """Ask what lies where a folder is to be."""

    folder: Folder
    path: str


@dataclass
class Make:
    """Make a folder, or clone a git folder."""

    folder: Folder
    path: str
    git: Entry | None = None


@dataclass
class _Open:
    folder: Folder
    path: str
    pending: int = 0
    failures: int = 0


@dataclass(frozen=True)
class Progress:
    """How far a restore is."""

    restored: int
    skipped: int
    beside: int
    failed: int
    size: int
    waiting: int
    requests: Mapping[str, int]
    refusals: Mapping[str, int]
    rates: Mapping[str, float]


Task = Look | Make | Sending
Result = Listing | Failure | None


class Restoring:
    """Puts back everything that `walk` knows, and is the `worker_pool.Work` of it.

    `keep` stores what became of entries, what was looked at, and the folders that are done.

    The walk is that of the saved tree; `destination` says where its folders and files go.
    """

    def __init__(
        self,
        client: Api,
        target: Target,
        walk: Walk,
        entries: Index,
        keep: Callable[[Sequence[Restored | Looked], Sequence[Visit]], None],
        *,
        destination: Destination,
        existing: Existing,
        day: str,
        with_git: bool,
        past: Past,
        sources: Collection[Source],
        pace: Pace,
        stop: threading.Event,
    ) -> None:
        self._client, self._target, self._walk, self._entries, self._keep = client, target, walk, entries, keep
        self._destination, self._existing, self._with_git = destination, existing, with_git
        self._past, self._chance, self._day = past, pace.chance, day
        self._ready: defaultdict[str, deque[Task]] = defaultdict(deque)
        self._open: dict[tuple[str, str], _Open] = {}
        self._new: set[tuple[str, str]] = set()
        """Folders in a folder that was missing: there is nothing to look at."""
        self._held: list[Callable[[], None]] = []
        """What follows from a look, once that is written down."""
        self._notes: list[Restored | Looked] = []
        self._visits: list[Visit] = []
        self._counts: Counter[State] = Counter()
        self._size = 0
        """Bytes that were sent."""
        pools, limiters = pools_and_limiters(workers_of(sources), pace.rate)
        self._pools = WorkerPools[Task, Result](self, pools=pools, limiters=limiters, stop=stop)

    @property
    def progress(self) -> Progress:
        """How far it is."""
        pools = self._pools
        counts = self._counts
        return Progress(
            counts["restored"],
            counts["skipped"],
            counts["beside"],
            counts["failed"],
            self._size,
            pools.waiting,
            pools.requests,
            pools.refusals,
            pools.rates,
        )

    def run(self, report: Callable[[Progress], None]) -> bool:
        """Restore until nothing is left, or until it is stopped and what is in flight has come back.

        Returns whether nothing is left. Raises TargetError, OSError.
        """

        def restore_objects(items: Items[Task, Result]) -> None:
            """What every worker does."""
            with closing(self._client):
                for item in items:
                    if not item.wait_for_turn():
                        continue
                    with item:
                        match item.task:
                            case Look(folder, path):
                                item.outcome = list_folder(self._client, replace(folder, path=path))
                            case Make(folder, path, None):
                                item.outcome = make_folder(self._client, folder.source, path)
                            case Make(_, path, Entry() as git):
                                item.outcome = clone(self._client, git, path)
                            case Sending() as sending:
                                try:
                                    item.outcome = upload(self._client, self._target, sending)
                                except Corrupt as error:
                                    sending.problem = str(error)
                                    item.outcome = Answer(0, None)

        return self._pools.run(restore_objects, lambda: report(self.progress))

    # --- what the pools ask

    def next_item(self, apis: Sequence[str]) -> tuple[str, Task] | None:
        for api in apis:
            if self._ready[api]:
                return api, self._ready[api].popleft()
            if api == "import" or len(self._ready["import" if api == "workspace" else api]) >= AHEAD:
                continue
            while folder := self._walk.take(cast(Source, api)):
                if task := self._begun(folder):
                    return api, task
        return None

    def classify(self, task: Task, outcome: Answer | Broken, tries: int) -> Result | Again | Locked:
        if isinstance(task, Look):
            return classify_listing(replace(task.folder, path=task.path), outcome, tries, self._chance)
        if isinstance(task, Sending):
            if task.problem:
                return Failure(task.path, task.problem)
            is_unknown = isinstance(outcome, Broken) or (is_transient(outcome) and not is_limit(outcome))
            if is_unknown and task.doubt is None:
                task.restart()
        if isinstance(outcome, Answer) and is_conflict(outcome):
            return self._conflict(task, tries)
        meaning = classify(outcome, tries, self._chance)
        if isinstance(meaning, Refused):
            if isinstance(task, Sending) and task.doubt is not None and task.doubt.fetch is not None:
                # What cannot be read is not known to be ours.
                task.step_aside()
                return None
            return Failure(task.path, meaning.reason, missing=meaning.missing)
        return None if isinstance(meaning, Answer) else meaning

    def abandon(self, task: Task, reason: str) -> Failure:
        return Failure(task.path, reason)

    def complete(self, item: WorkItem[Task, Result], result: Result) -> None:
        task = item.task
        if isinstance(task, Look):
            assert result is not None, "who looks sees something, or is told why not"
            self._looked(task, result)
        elif isinstance(task, Make):
            assert not isinstance(result, Listing)
            self._made(task, result)
        elif result is None and not task.complete:
            self._ready[task.api].appendleft(task)
        else:
            assert not isinstance(result, Listing)
            self._sent(task, result)

    def flush(self) -> None:
        while self._notes or self._visits or self._held:
            self._keep(self._notes, self._visits)
            self._notes, self._visits = [], []
            held, self._held = self._held, []
            for follow in held:
                follow()

    def __len__(self) -> int:
        return len(self._walk) + len(self._held) + sum(map(len, self._ready.values()))

    # --- a folder

    def _begun(self, folder: Folder) -> Task | None:
        entry = self._entries.get(folder.source, folder.path)
        assert entry is not None, "the walk is that of the manifest"
        try:
            path = self._destination.of(entry)
        except NoDestination as error:
            self._given_up(folder, folder.path, str(error))
            return None
        self._open[folder.place] = _Open(folder, path)
        if self._with_git and entry.git is not None:
            return Make(folder, path, git=entry)
        if folder.place in self._past.looked or folder.place in self._new or self._was_missing(folder):
            return Make(folder, path)
        return Look(folder, path)

    def _was_missing(self, folder: Folder) -> bool:
        """Whether an earlier run found no folder above it: then it is that run which made this one, if it is there."""
        path = folder.path
        while "/" in path[1:]:
            path = parent(path)
            if (folder.source, path) in self._past.looked:
                return self._past.looked[folder.source, path] is None
        return False

    def _looked(self, look: Look, found: Listing | Failure) -> None:
        if isinstance(found, Failure) and not found.missing:
            self._given_up(look.folder, look.path, found.reason)
            return
        names, marks = None, dict[str, Mark]()
        if isinstance(found, Listing):
            paths = [*found.folders, *(file.path for file in found.files), *(each.path for each in found.failures)]
            names = tuple(map(name_of, paths))
            if self._existing == "overwrite":
                marks = {name_of(file.path): mark_of(file) for file in found.files}
        # Written down before anything is put there: who goes on after a kill has to know what is not ours.
        self._notes.append(Looked(look.folder, names, marks))
        if names is None:
            self._held.append(lambda: self._ready[look.folder.source].appendleft(Make(look.folder, look.path)))
        else:
            self._held.append(lambda: self._fill(look.folder, frozenset(names), marks, is_later=False))

    def _made(self, made: Make, failure: Failure | None) -> None:
        if made.git:
            self._cloned(made, made.git, failure)
        elif failure:
            self._given_up(made.folder, made.path, failure.reason)
        else:
            earlier = made.folder.place in self._past.looked or self._was_missing(made.folder)
            before = self._past.looked.get(made.folder.place)
            marks = self._past.marks.get(made.folder.place, {})
            self._fill(made.folder, frozenset(before or ()), marks, is_later=earlier, is_new=before is None)

    def _fill(
        self,
        folder: Folder,
        there: frozenset[str],
        marks: Mapping[str, Mark],
        *,
        is_later: bool,
        is_new: bool = False,
    ) -> None:
        """Put everything into a folder that is there. `is_later`: an earlier run has put some of it there.

        `there` is what lay in it before the restore began, with its `marks`.
        """
        opened = self._open[folder.place]
        below: list[Folder] = []
        for entry in self._chosen(folder):
            if entry.is_folder:
                below.append(Folder(folder.user, folder.source, entry.path))
            elif entry.key not in self._past.done:
                self._put(opened, entry, there, marks, is_later=is_later)
        if is_new:
            self._new.update(each.place for each in below)
        self._walk.add(below)
        if not opened.pending:
            self._done(opened)

    def _chosen(self, folder: Folder) -> list[Entry]:
        """What of a folder goes back: of a notebook in two formats the source, which every workspace reads."""
        saved = [entry for entry in self._entries.children(folder.source, folder.path) if entry.place]
        sources = {entry.path for entry in saved if entry.format == "source"}
        return [
            entry
            for entry in saved
            if (entry.is_folder or entry.lies_there) and not (entry.format == "jupyter" and entry.path in sources)
        ]

    def _put(
        self, opened: _Open, entry: Entry, there: frozenset[str], marks: Mapping[str, Mark], *, is_later: bool
    ) -> None:
        path = f"{opened.path.rstrip('/')}/{name_of(entry.path)}"
        is_there = name_of(entry.path) in there
        if is_there and self._existing != "overwrite":
            skipped = self._existing == "skip"
            self._note(opened, Restored(entry, path, *(("skipped", "") if skipped else ("failed", IS_THERE))))
            return
        sending = Sending(
            opened.folder,
            entry,
            path,
            self._day,
            overwrite=is_there,
            before=marks.get(name_of(entry.path)),
            may_be_ours=is_later,
            # What lay there is replaced only if nobody has changed it since the restore began.
            doubt=Doubt() if is_later and (is_there or is_large(entry)) else None,
        )
        opened.pending += 1
        self._ready[sending.api].append(sending)

    def _conflict(self, task: Task, tries: int) -> Result | Again:
        """Something is there that was not there when we looked: it may be our own, if this is not the first try."""
        if isinstance(task, Sending) and (task.may_be_ours or self._existing == "overwrite"):
            task.conflicts += 1
            if task.conflicts <= CONFLICTS + task.turn:
                task.overwrite, task.doubt = False, Doubt()
                return None
        if isinstance(task, Make) and (tries > 1 or task.folder.place in self._past.looked):
            return None
        return Failure(task.path, IS_THERE)

    def _sent(self, sending: Sending, failure: Failure | None) -> None:
        opened = self._open[sending.folder.place]
        opened.pending -= 1
        if failure:
            self._note(opened, Restored(sending.entry, sending.path, "failed", failure.reason))
        else:
            self._size += sending.entry.size or 0
            taken = f"{sending.wanted} was changed since the restore began and stays: what was saved lies beside it"
            state: State = "beside" if sending.turn else "restored"
            self._note(opened, Restored(sending.entry, sending.path, state, taken if sending.turn else ""))
        if not opened.pending:
            self._done(opened)

    def _cloned(self, made: Make, entry: Entry, failure: Failure | None) -> None:
        opened = self._open[made.folder.place]
        reason = failure.reason if failure else ""
        self._note(opened, Restored(entry, made.path, "failed" if failure else "restored", reason))
        self._done(opened)

    def _given_up(self, folder: Folder, path: str, reason: str) -> None:
        """A folder that can be neither seen nor made: nothing in it can be put back."""
        opened = self._open.setdefault(folder.place, _Open(folder, path))
        for entry in [self._entries.get(folder.source, folder.path), *self._chosen(folder)]:
            if entry and not (entry.is_folder and entry.path != folder.path):
                self._note(opened, Restored(entry, path, "failed", reason))
        self._walk.add(
            Folder(folder.user, folder.source, entry.path) for entry in self._chosen(folder) if entry.is_folder
        )
        self._done(opened)

    def _note(self, opened: _Open, restored: Restored) -> None:
        opened.failures += restored.state == "failed"
        self._counts[restored.state] += 1
        self._notes.append(restored)

    def _done(self, opened: _Open) -> None:
        folder = opened.folder
        del self._open[folder.place]
        self._new.discard(folder.place)
        below = tuple(entry.path for entry in self._chosen(folder) if entry.is_folder)
        found = Listing(folders=() if self._is_clone(folder) else below)
        failure = Failure(folder.path, f"{opened.failures} objects could not be restored")
        self._walk.visited(folder, failure if opened.failures else found)
        self._visits.append(Visit(folder, failure if opened.failures else found))

    def _is_clone(self, folder: Folder) -> bool:
        entry = self._entries.get(folder.source, folder.path)
        return self._with_git and entry is not None and entry.git is not None


def is_conflict(answer: Answer) -> bool:
    """Whether the API refuses because something is there already."""
    code = answer.document.get("error_code") if isinstance(answer.document, Mapping) else None
    return answer.status in (400, 409) and code in CONFLICT


def workers_of(sources: Collection[Source]) -> dict[str, int]:
    """Workers by API for these file systems. Imports have a limit of their own."""
    workers: dict[str, int] = {source: ASKERS for source in sorted(sources)}
    return workers | ({"import": FETCHERS} if "workspace" in sources else {})
