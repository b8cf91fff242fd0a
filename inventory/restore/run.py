"""One restore from what was asked for to what became of it: begin or go on, put back, sum up."""

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

from inventory.backup.backup_index import Backup, CatalogError
from inventory.backup.journal import Lines
from inventory.backup.manifest import Entry
from inventory.backup.manifest_index import Index
from inventory.backup.pools import ASKERS, PACE, Pace, limiter_of
from inventory.restore.destination import Destination, NoDestination
from inventory.restore.restore_work import IS_THERE, Existing, Looked, Past, Progress, Restored, Restoring
from inventory.scan.checkpoint import Checkpoint, CheckpointError, Identity
from inventory.scan.resumable import Resumable
from inventory.scan.scan_work import Scan
from inventory.scan.users import digest
from inventory.scan.visit import Visit
from inventory.transport.client import Client
from inventory.tree.listing import Failure, Folder, Listing, Source
from inventory.tree.walk import Walk

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    backup: Backup
    users: tuple[str, ...] = ()
    """As they were called when they were saved; none means everybody."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    into: str = ""
    existing: Existing = "refuse"
    with_git: bool = False

    @property
    def destination(self) -> Destination:
        return Destination(self.renamed, self.into)

    def identity(self, host: str) -> Identity:
        """What a restore that goes on with another has to share with it."""
        renamed = "".join(f", {old} as {new}" for old, new in sorted(self.renamed.items()))
        return Identity(
            host=host,
            users=digest(self.users) if self.users else "all",
            sources=f"a restore of {self.backup.address}",
            homes=f"into {self.into or 'their places'}{renamed}",
            files=f"{self.existing} what is there{', clone git folders' if self.with_git else ''}",
        )


@dataclass
class Sum:
    """What became of one user's objects."""

    restored: int = 0
    skipped: int = 0
    failed: int = 0
    size: int = 0
    """Bytes that were restored."""
    beside: int = 0
    """Objects that lie beside what was changed since."""


@dataclass(frozen=True)
class Outcome:
    """What became of a restore."""

    complete: bool
    users: Mapping[str, Sum]
    failures: Sequence[tuple[str, str]]
    """Path and reason."""
    beside: Sequence[tuple[str, str]]
    """Where what was saved lies, and why not at its own path."""
    requests: Mapping[str, int]
    refusals: Mapping[str, int]


class Run(Resumable):
    """One restore with its checkpoint, and beside it a log of what became of every object."""

    def __init__(self, client: Client, wish: Wish, entries: Index, checkpoint: Checkpoint, *, day: date) -> None:
        self._client, self._wish, self._entries, self._checkpoint = client, wish, entries, checkpoint
        self._day = day.isoformat()
        self._log = Lines(checkpoint.path.with_name(f"{checkpoint.path.name}.log"))

    def put_back(
        self,
        stop: threading.Event,
        report: Callable[[Progress], None] = lambda progress: None,
        pace: Pace = PACE,
    ) -> Outcome:
        """Restore what remains. Raises TargetError, OSError."""
        restoring = Restoring(
            self._client,
            self._wish.backup.target,
            self._checkpoint.walk(),
            self._entries,
            self._keep,
            destination=self._wish.destination,
            existing=self._wish.existing,
            day=self._day,
            with_git=self._wish.with_git,
            past=_past(self._log),
            sources={root.source for root in self._checkpoint.roots()},
            pace=pace,
            stop=stop,
        )
        complete = restoring.run(report)
        users, failures, beside = _summed(self._log, self._entries)
        self.is_done = complete and not failures
        return Outcome(complete, users, failures, beside, restoring.progress.requests, restoring.progress.refusals)

    def close(self, *, complete: bool) -> None:
        """Leave the checkpoint and the log; complete, they have served their purpose."""
        self._log.close()
        if complete:
            self._checkpoint.remove()
            self._log.path.unlink()
        else:
            self._checkpoint.close()

    def _keep(self, notes: Sequence[Restored | Looked], visits: Sequence[Visit]) -> None:
        self._log.add([json.dumps(_document(note), ensure_ascii=False).encode() + b"\n" for note in notes])
        self._checkpoint.keep(visits)


def prepare(client: Client, wish: Wish, entries: Index, *, resume: bool, now: datetime) -> Run:
    """Begin a restore, or go on with one. Raises CheckpointError, CatalogError, OSError."""
    day = now.astimezone().date()
    identity = wish.identity(client.host)
    name = digest([f"{key}={value}" for key, value in vars(identity).items()])[:8]
    path = Path(f"restore-{wish.backup.base.rpartition('/')[2]}.{name}.checkpoint")
    if path.exists():
        if not resume:
            raise CheckpointError(
                f"{path} is the checkpoint of an unfinished restore: go on with --resume, or delete it."
            )
        checkpoint = Checkpoint.resume(path, identity)
        log.info("going on after %d directories; what failed is tried again", checkpoint.finished()[0])
        return Run(client, wish, entries, checkpoint, day=day)
    if resume:
        log.info("there is no unfinished restore of this kind in this folder; a new one begins")
    roots = chosen(wish, entries)
    path.with_name(f"{path.name}.log").unlink(missing_ok=True)
    return Run(client, wish, entries, Checkpoint.create(path, identity, roots), day=day)


def chosen(wish: Wish, entries: Index) -> list[Folder]:
    """The homes that are meant. Raises CatalogError for a user of whom nothing was saved."""
    known = set(entries.users())
    for user in [*wish.users, *wish.renamed]:
        if user not in known:
            raise CatalogError(f"nothing of {user} was saved in {wish.backup.address}.")
    roots = [
        Folder(entry.user, entry.source, entry.path)
        for entry in entries.roots()
        if entry.place is not None and (not wish.users or entry.user in wish.users)
    ]
    if not roots:
        raise CatalogError(f"there are no homes in {wish.backup.address}, so there is nothing to restore.")
    return roots


def preview(client: Client, wish: Wish, entries: Index, stop: threading.Event) -> Outcome:
    """What a restore would do: look at the places, change nothing. Raises CatalogError."""
    roots = chosen(wish, entries)
    there: set[tuple[Source, str]] = set()
    failures: list[tuple[str, str]] = []

    def see(visits: Sequence[Visit]) -> None:
        for visit in visits:
            if isinstance(visit.found, Listing):
                there.update((visit.folder.source, path) for path in visit.found.folders)
                there.update((visit.folder.source, file.path) for file in visit.found.files)
            elif isinstance(visit.found, Failure) and not visit.found.missing:
                failures.append((visit.folder.path, visit.found.reason))

    places = []
    for root in roots:
        entry = entries.get(root.source, root.path)
        assert entry is not None, "the homes are those of the manifest"
        places.append(Folder(root.user, root.source, wish.destination.of(entry)))
    limiters = {source: limiter_of(source, None) for source in {root.source for root in roots}}
    Scan(client, Walk(places), see, limiters=limiters, workers=ASKERS, stop=stop).run()
    users: defaultdict[str, Sum] = defaultdict(Sum)
    for entry in entries.all():
        if not entry.lies_there or (wish.users and entry.user not in wish.users):
            continue
        try:
            path = wish.destination.of(entry)
        except NoDestination as error:
            failures.append((entry.path, str(error)))
            continue
        state = "restored"
        if (entry.source, path) in there and wish.existing != "overwrite":
            state = "skipped" if wish.existing == "skip" else "failed"
            failures += [(path, IS_THERE)] * (state == "failed")
        _count(users[entry.user], entry, state)
    return Outcome(True, users, failures, [], {}, {})


def _document(note: Restored | Looked) -> dict[str, Any]:
    if isinstance(note, Looked):
        looked = {"source": note.folder.source, "folder": note.folder.path, "names": note.names}
        return looked | ({"marks": note.marks} if note.marks else {})
    source, path, form = note.entry.key
    return {
        "source": source, "path": path, "format": form, "to": note.path, "state": note.state, "reason": note.reason
    }  # fmt: skip


def _past(lines: Lines) -> Past:
    """What the log says of earlier runs."""
    past = Past()
    for note in _notes(lines):
        if "folder" in note:
            # The first look counts: later ones may see what we put there.
            names = note["names"]
            place = (note["source"], note["folder"])
            if place not in past.looked:
                past.looked[place] = None if names is None else tuple(names)
                past.marks[place] = {name: (mark[0], mark[1]) for name, mark in note.get("marks", {}).items()}
        elif note["state"] != "failed":
            past.done.add((note["source"], note["path"], note["format"]))
    return past


def _notes(lines: Lines) -> Iterator[dict[str, Any]]:
    """What the log says, a line each. Raises CheckpointError: without the log it is not known what is not ours."""
    for number, line in enumerate(lines.read(), start=1):
        try:
            note = json.loads(line)
        except (ValueError, RecursionError):
            note = None
        if not isinstance(note, dict) or not _is_note(note):
            raise CheckpointError(
                f"{lines.path} line {number} is damaged, so it is not known what was there before the restore began:"
                " delete it and its checkpoint, and begin again without --resume."
            )
        yield note


def _is_note(note: Mapping[str, Any]) -> bool:
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


def _summed(lines: Lines, entries: Index) -> tuple[dict[str, Sum], list[tuple[str, str]], list[tuple[str, str]]]:
    """What the log says of every object, the last time it was tried; what failed, and what lies beside its path."""
    last: dict[tuple[str, str, str], tuple[str, str, str]] = {}
    for note in _notes(lines):
        if "state" in note:
            last[note["source"], note["path"], note["format"]] = (note["state"], note["reason"], note["to"])
    sums: defaultdict[str, Sum] = defaultdict(Sum)
    failures: list[tuple[str, str]] = []
    beside: list[tuple[str, str]] = []
    for (source, path, form), (state, reason, to) in sorted(last.items()):
        entry = entries.get(source, path, form)  # type: ignore[arg-type]
        if entry is not None:
            _count(sums[entry.user], entry, state)
        prefix = "dbfs:" if source == "dbfs" else ""
        if state == "failed":
            failures.append((prefix + path, reason))
        elif state == "beside":
            beside.append((prefix + to, reason))
    return dict(sums), failures, beside


def _count(sum: Sum, entry: Entry, state: str) -> None:
    setattr(sum, state, getattr(sum, state) + 1)
    if state in ("restored", "beside") and entry.lies_there:
        sum.size += entry.size or 0
