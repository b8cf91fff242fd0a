"""The work of a backup: folders are listed, what is in them is fetched, and a folder is done when a listing agrees.

Every folder in which something was fetched is listed once more. What changed meanwhile is fetched again; what changes
all the time is named.
"""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import cast

from inventory.backup.download import Api, Fetch, Spool, download, is_too_large
from inventory.backup.manifest import Entry
from inventory.backup.manifest_index import Index, parent
from inventory.backup.names import Item, Parts, arrange
from inventory.backup.objects import GIT, about, ending_of, extension, git_file, hint, is_same, left_out, name_of
from inventory.backup.pools import ASKERS, FETCHERS, Pace, pools_and_limiters
from inventory.backup.target import NoSuchName, Target
from inventory.scan.folder_request import classify_listing, list_folder
from inventory.scan.visit import Visit
from inventory.transport.answer import Answer, Broken
from inventory.transport.retry import Again, Locked, Refused, classify
from inventory.transport.worker_pool import Items, WorkerPools, WorkItem
from inventory.tree.listing import Failure, File, Folder, Listing, Source
from inventory.tree.walk import Walk

ROUNDS = 4
"""So often a folder is listed and what changed in it fetched."""
AHEAD = 2000
"""So many objects of a file system may wait before further folders of it are listed: they are held in memory."""
GONE = "it was deleted before it could be saved"
NOT_GONE = "it is listed, and the API says that it does not exist"
UNKNOWN = "UNKNOWN"
"""The type of an entry of which nothing can be read."""
NO_HOME = "there is no such folder"


@dataclass(frozen=True)
class Choice:
    """What of a home is saved, and how."""

    formats: tuple[str, ...] = ("source",)
    """Of notebooks."""
    max_size: int | None = None
    """Bytes."""


@dataclass
class Tally:
    """How far it is."""

    saved: int = 0
    size: int = 0
    """Bytes that were fetched."""
    earlier: int = 0
    failed: int = 0
    folders: int = 0


@dataclass
class _Open:
    """A folder that is not done yet."""

    folder: Folder
    place: str
    names: dict[Item, Parts] = field(default_factory=dict)
    known: dict[tuple[str, str], Entry] = field(default_factory=dict)
    """By path and format: what is in the manifest."""
    failed: dict[tuple[str, str], tuple[File, str]] = field(default_factory=dict)
    """What could not be saved as it was then, and why."""
    odd: dict[tuple[str, str], str] = field(default_factory=dict)
    """What was not as long as it was listed."""
    alike: dict[tuple[str, str], File] = field(default_factory=dict)
    """Of which the API does not tell when it changed, and that was the same twice."""
    pending: int = 0
    rounds: int = 0


@dataclass(frozen=True)
class Progress:
    """How far a backup is."""

    tally: Tally
    waiting: int
    requests: Mapping[str, int]
    refusals: Mapping[str, int]
    rates: Mapping[str, float]
    """What the limiters permit, requests a second."""


@dataclass
class Recheck:
    """Ask whether a folder that was listed and then said not to exist is still listed in the one above it."""

    folder: Folder
    failure: Failure

    @property
    def above(self) -> Folder:
        return Folder(self.folder.user, self.folder.source, parent(self.folder.path))


Task = Folder | Fetch | Recheck
Result = Listing | Failure | None


class Saving:
    """Saves everything that `walk` knows, and is the `worker_pool.Work` of it.

    `keep` stores entries and then the folders that are done; `places` says where the roots lie. `known` holds what is
    in the manifest already, `earlier` that of another backup; `gits` are git folders by path.
    """

    def __init__(
        self,
        client: Api,
        target: Target,
        walk: Walk,
        keep: Callable[[Sequence[Entry], Sequence[Visit]], None],
        *,
        places: Mapping[tuple[str, str], str],
        choice: Choice,
        known: Index,
        earlier: Index,
        gits: Mapping[str, Mapping[str, str]],
        pace: Pace,
        stop: threading.Event,
    ) -> None:
        self._client, self._target, self._walk, self._keep = client, target, walk, keep
        self._roots, self._choice, self._chance = dict(places), choice, pace.chance
        self._unknown = [entry for entry in known.of_type(UNKNOWN) if entry.state == "failed"]
        """Entries that an earlier run could not use."""
        self._known, self._earlier, self._gits = known, earlier, gits
        self._places: dict[tuple[str, str], str] = dict(places)
        """Of folders that are known and not done."""
        self._open: dict[tuple[str, str], _Open] = {}
        self._ready: defaultdict[str, deque[Task]] = defaultdict(deque)
        """By API, what goes before further folders."""
        self._waiting: Counter[str] = Counter()
        """Objects that wait to be fetched."""
        self._entries: list[Entry] = []
        self._visits: list[Visit] = []
        self._tally = Tally()
        pools, limiters = pools_and_limiters(workers_of({source for source, _ in places}), pace.rate)
        self._pools = WorkerPools[Task, Result](self, pools=pools, limiters=limiters, stop=stop)

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(self._tally, self._pools.waiting, self._pools.requests, self._pools.refusals, self._pools.rates)

    def run(self, report: Callable[[Progress], None]) -> bool:
        """Save until nothing is left, or until it is stopped and what is in flight has come back.

        Returns whether nothing is left. Raises TargetError, OSError.
        """

        def save_objects(items: Items[Task, Result]) -> None:
            """What every worker does: an object is published by who fetched it, since that may take long, too."""
            with closing(self._client):
                for item in items:
                    if not item.wait_for_turn():
                        continue
                    with item:
                        task = item.task
                        if isinstance(task, Folder | Recheck):
                            asked = task if isinstance(task, Folder) else task.above
                            item.outcome = list_folder(self._client, asked)
                            continue
                        spool = task.spool = task.spool or Spool(self._target.spool())
                        item.outcome = download(self._client, task, spool)
                        # What is not as long as it was listed does not lie at its place; the next listing decides.
                        if task.complete and task.file.size in (None, spool.size):
                            try:
                                self._target.publish(spool.path, task.place)
                            except NoSuchName as error:
                                task.problem = f"no place for it: {error}"

        return self._pools.run(save_objects, lambda: report(self.progress))

    # --- what the pools ask

    def next_item(self, apis: Sequence[str]) -> tuple[str, Task] | None:
        for api in apis:
            if self._ready[api]:
                return api, self._ready[api].popleft()
            if api != "export" and self._waiting[api] < AHEAD and (folder := self._walk.take(cast(Source, api))):
                return api, folder
        return None

    def classify(self, task: Task, outcome: Answer | Broken, tries: int) -> Result | Again | Locked:
        if isinstance(task, Folder | Recheck):
            asked = task if isinstance(task, Folder) else task.above
            return classify_listing(asked, outcome, tries, self._chance)
        meaning = classify(outcome, tries, self._chance)
        if isinstance(meaning, Refused):
            if isinstance(outcome, Answer) and task.has_another_way(outcome):
                task.is_refused = True
                return Again(0.0)
            task.is_too_large = isinstance(outcome, Answer) and is_too_large(outcome)
            more = hint(task.folder, task.file, is_too_large=task.is_too_large)
            return Failure(task.file.path, f"{meaning.reason}{more}", missing=meaning.missing)
        if isinstance(meaning, Answer):
            return Failure(task.file.path, task.problem) if task.problem else None
        return meaning

    def abandon(self, task: Task, reason: str) -> Failure:
        match task:
            case Folder(path=path):
                return Failure(path, reason)
            case Recheck():
                return Failure(task.folder.path, reason)
        return Failure(task.file.path, reason)

    def complete(self, item: WorkItem[Task, Result], result: Result) -> None:
        task = item.task
        if isinstance(task, Folder):
            assert result is not None, "of a folder there is a listing, or a reason why not"
            self._listed(task, result)
        elif isinstance(task, Recheck):
            assert result is not None, "of the folder above there is a listing, or a reason why not"
            self._rechecked(task, result)
        elif result is None and not task.complete:
            self._ready[task.api].appendleft(task)
        else:
            assert not isinstance(result, Listing)
            self._fetched(task, result)

    def flush(self) -> None:
        if self._entries or self._visits:
            self._keep(self._entries, self._visits)
            self._entries, self._visits = [], []

    def __len__(self) -> int:
        return len(self._walk) + sum(map(len, self._ready.values()))

    # --- a folder

    def _listed(self, folder: Folder, found: Listing | Failure) -> None:
        if folder.place not in self._places:
            entry = self._known.get(folder.source, folder.path)
            assert entry is not None and entry.place is not None, "an earlier run listed the folder above it"
            self._places[folder.place] = entry.place
        place = self._places[folder.place]
        if isinstance(found, Failure):
            if found.missing and folder.place not in self._roots:
                self._ready[folder.source].appendleft(Recheck(folder, found))
            else:
                self._not_listed(folder, found, place)
            return
        opened = self._open.get(folder.place)
        if opened is None:
            opened = self._open[folder.place] = self._opened(folder, place)
        opened.rounds += 1
        self._arrange(opened, found)
        self._walk.add(Folder(folder.user, folder.source, path) for path in found.folders)
        wanted = [fetch for file in found.files for fetch in self._wanted(opened, file)]
        if wanted and opened.rounds > ROUNDS:
            for fetch in wanted:
                key = (fetch.file.path, fetch.format)
                reason = opened.odd.get(key, "it changed while it was read")
                opened.failed[key] = (fetch.file, f"{reason}, {ROUNDS} times")
            wanted = []
        if not wanted:
            self._done(opened, found)
            return
        opened.pending = len(wanted)
        self._waiting[folder.source] += len(wanted)
        for fetch in wanted:
            self._ready[fetch.api].append(fetch)

    def _opened(self, folder: Folder, place: str) -> _Open:
        """A folder as an earlier run left it, if there was one."""
        opened = _Open(folder, place)
        if folder.place in self._roots:
            self._target.make_folder(place)
            self._entries.append(Entry(folder.user, folder.source, folder.path, "DIRECTORY", "saved", place))
        elif (entry := self._known.get(folder.source, folder.path)) and entry.state == "failed":
            self._entries.append(replace(entry, state="saved", reason=""))
        for entry in self._known.children(folder.source, folder.path):
            opened.known[entry.path, entry.format] = entry
            if entry.place and entry.place.startswith(f"{place}/"):
                ending = ending_of(entry.language, entry.format)
                opened.names[name_of(entry.path), ending] = tuple(entry.place[len(place) + 1 :].split("/"))
        return opened

    def _arrange(self, opened: _Open, found: Listing) -> None:
        """Say where everything lies, and write down folders that are new."""
        items: list[Item] = [(name_of(path), "") for path in found.folders]
        items += [(name_of(file.path), extension(file, form)) for file in found.files for form in self._formats(file)]
        opened.names = arrange(items, opened.names)
        folder = opened.folder
        for path in found.folders:
            place = self._place(opened, path, "")
            self._places.setdefault((folder.source, path), place)
            if (path, "") not in opened.known:
                entry = self._folder_entry(folder, path, place)
                opened.known[path, ""] = entry
                self._entries.append(entry)

    def _folder_entry(self, folder: Folder, path: str, place: str) -> Entry:
        git = self._gits.get(path) if folder.source == "workspace" else None
        try:
            self._target.make_folder(place)
            if git:
                spool = Spool(self._target.spool())
                spool.add(git_file(git))
                self._target.publish(spool.path, place + GIT)
        except NoSuchName as error:
            self._tally.failed += 1
            reason = f"no place for it: {error}"
            return Entry(folder.user, folder.source, path, "DIRECTORY", "failed", place, reason=reason, git=git)
        kind = "REPO" if git else "DIRECTORY"
        return Entry(folder.user, folder.source, path, kind, "saved", place, git=git)

    def _rechecked(self, task: Recheck, above: Listing | Failure) -> None:
        """Only a list without the folder says that it was deleted."""
        folder = task.folder
        is_gone = isinstance(above, Listing) and folder.path not in above.folders
        failure = task.failure if is_gone else Failure(folder.path, f"{NOT_GONE}: {task.failure.reason}")
        self._not_listed(folder, failure, self._places[folder.place])

    def _not_listed(self, folder: Folder, failure: Failure, place: str) -> None:
        """A home may be missing; a folder that is missing was deleted a moment ago; a volume was named by somebody."""
        self._open.pop(folder.place, None)
        self._walk.visited(folder, failure)
        self._tally.folders += 1
        is_root = folder.place in self._roots
        if failure.missing and is_root and folder.source != "volumes":
            self._visits.append(Visit(folder, failure))
            # An earlier run may have noted that it could not find out.
            if (entry := self._known.get(folder.source, folder.path)) and entry.state == "failed":
                self._entries.append(replace(entry, state="left out", place=None, reason=NO_HOME))
            return
        if failure.missing and not is_root:
            entry = Entry(folder.user, folder.source, folder.path, "DIRECTORY", "left out", reason=GONE)
            self._visits.append(Visit(folder, Listing()))
        else:
            entry = Entry(folder.user, folder.source, folder.path, "DIRECTORY", "failed", place, reason=failure.reason)
            self._visits.append(Visit(folder, failure))
            self._tally.failed += 1
        self._entries.append(entry)

    def _done(self, opened: _Open, found: Listing) -> None:
        folder = opened.folder
        there = {file.path for file in found.files} | set(found.folders)
        failures = 0
        for (path, form), (file, reason) in opened.failed.items():
            if path in there:
                failures += 1
                self._entries.append(replace(about(folder, file, form), reason=reason))
        for (path, _), entry in opened.known.items():
            if entry.state == "failed" and path not in there:
                self._entries.append(replace(entry, state="left out", reason=GONE))
        failures += self._note_entries(folder, found)
        self._tally.failed += failures
        self._tally.folders += 1
        del self._open[folder.place]
        if folder.place not in self._roots:
            del self._places[folder.place]
        self._walk.visited(folder, found)
        reason = f"{failures} of its objects could not be saved"
        self._visits.append(Visit(folder, Failure(folder.path, reason) if failures else found))

    def _note_entries(self, folder: Folder, found: Listing) -> int:
        """Write down the entries that cannot be used; how many there are. Those of an earlier run may be gone."""
        for failure in found.failures:
            self._entries.append(
                Entry(folder.user, folder.source, failure.path, UNKNOWN, "failed", reason=failure.reason)
            )
        still = {failure.path for failure in found.failures}
        for entry in self._unknown:
            if (
                (entry.user, entry.source) == (folder.user, folder.source)
                and entry.path.startswith(f"{folder.path}/")
                and entry.path not in still
                and not any(entry.path.startswith(f"{path}/") for path in found.folders)
            ):
                self._entries.append(replace(entry, state="left out", reason=GONE))
        return len(found.failures)

    # --- an object

    def _wanted(self, opened: _Open, file: File) -> Iterable[Fetch]:
        """What is still to be fetched of an object. What is not to be, or was before, is written down."""
        for form in self._formats(file):
            key = (file.path, form)
            entry = opened.known.get(key)
            if (failed := opened.failed.get(key)) and failed[0] == file or opened.alike.get(key) == file:
                continue
            if reason := left_out(file, self._choice.max_size):
                if entry is None or entry.state != "left out":
                    self._note(opened, replace(about(opened.folder, file, form), state="left out", reason=reason))
            elif entry and is_same(file, entry):
                continue
            elif (before := self._earlier.get(opened.folder.source, *key)) and is_same(file, before):
                self._note(opened, replace(before, user=opened.folder.user, state="earlier"))
                self._tally.earlier += 1
            else:
                yield Fetch(opened.folder, file, self._place(opened, file.path, extension(file, form)), form)

    def _note(self, opened: _Open, entry: Entry) -> None:
        opened.known[entry.path, entry.format] = entry
        self._entries.append(entry)

    def _formats(self, file: File) -> tuple[str, ...]:
        return self._choice.formats if file.type == "NOTEBOOK" else ("",)

    def _fetched(self, fetch: Fetch, failure: Failure | None) -> None:
        folder, file = fetch.folder, fetch.file
        opened, spool = self._open[folder.place], fetch.spool or Spool(self._target.spool())
        key = (file.path, fetch.format)
        self._waiting[folder.source] -= 1
        opened.pending -= 1
        if failure:
            opened.failed[key] = (file, failure.reason)
            if fetch.is_too_large and fetch.format == "jupyter" and "source" not in self._choice.formats:
                self._fetch_source(opened, file)
        elif file.size not in (None, spool.size):
            opened.odd[key] = f"{spool.size} bytes came where {file.size} were listed"
        else:
            before = opened.known.get(key)
            entry = replace(
                about(folder, file, fetch.format),
                state="saved",
                place=fetch.place,
                size=spool.size,
                sha256=spool.sha256,
            )
            if file.modified_at is None and before and before.sha256 == entry.sha256:
                opened.alike[key] = file
            self._note(opened, entry)
            self._tally.saved += 1
            self._tally.size += spool.size
        spool.discard()
        if not opened.pending:
            self._ready[folder.source].appendleft(folder)

    def _fetch_source(self, opened: _Open, file: File) -> None:
        """Outputs are what makes a notebook too large for an export; its source is better than nothing."""
        entry = opened.known.get((file.path, "source"))
        if entry and is_same(file, entry):
            return
        ending = extension(file, "source")
        opened.names = arrange([(name_of(file.path), ending)], opened.names)
        fetch = Fetch(opened.folder, file, self._place(opened, file.path, ending), "source")
        opened.pending += 1
        self._waiting[opened.folder.source] += 1
        self._ready[fetch.api].append(fetch)

    def _place(self, opened: _Open, path: str, ending: str) -> str:
        return "/".join((opened.place, *opened.names[name_of(path), ending]))


def workers_of(sources: Collection[str]) -> dict[str, int]:
    """Workers by API for these file systems. Exports have a limit of their own, reads of DBFS share its limit."""
    workers: dict[str, int] = {source: FETCHERS if source == "volumes" else ASKERS for source in sorted(sources)}
    return workers | ({"export": FETCHERS} if "workspace" in sources else {})
