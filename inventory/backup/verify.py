"""Whether what lies in a backup is what was written down, and whether that is what the workspace has now."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from inventory.backup.backup_index import Backup
from inventory.backup.manifest import NAME, Entry, Reading
from inventory.backup.manifest_index import Index
from inventory.backup.objects import GIT, git_file, is_same
from inventory.backup.pools import limiter_of
from inventory.backup.run import Wish
from inventory.backup.target import PARTIAL, NoFile, Target, TargetError
from inventory.results.folder_summary import Counted
from inventory.scan.homes import begin
from inventory.scan.scan_work import Scan
from inventory.scan.visit import Visit
from inventory.transport.client import Client
from inventory.transport.workspace import Workspace
from inventory.tree.listing import Failure, File, Folder, Listing
from inventory.tree.walk import Walk

Kind = Literal["missing", "corrupt", "added", "changed", "unknown", "gone"]
READERS = 4
"""Files that are hashed at once."""
BATCH = 256
PIECE = 2**20


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is not as it should be."""

    kind: Kind
    """`missing`: not in the backup; `corrupt`: not what was saved; `added`: in the folder and not in the manifest;
    `changed`: the workspace has another by now; `unknown`: it cannot be read, or the workspace did not tell; `gone`: it
    is in the backup and no longer in the workspace, which is no fault of the backup."""
    what: str
    """A place below the target, or a path of the workspace."""
    detail: str

    @property
    def is_fault(self) -> bool:
        return self.kind != "gone"


def verify(
    backup: Backup, entries: Index, reading: Reading, told: Callable[[int], None] = lambda done: None
) -> Iterator[Finding]:
    """Read everything again. `told` is called with how many files were read so far. Raises TargetError."""
    yield from _of_manifest(backup, reading)
    done = 0
    everything = entries.all()
    with ThreadPoolExecutor(READERS) as readers:
        while batch := list(islice(everything, BATCH)):
            for findings in readers.map(lambda entry: list(_of_entry(backup.target, entry)), batch):
                yield from findings
            done += len(batch)
            told(done)
    yield from _added(backup, entries)


def _of_manifest(backup: Backup, reading: Reading) -> Iterator[Finding]:
    for problem in reading.problems:
        yield Finding("corrupt", backup.manifest, problem)
    if reading.end is None and not reading.problems:
        yield Finding("corrupt", backup.manifest, "its end is missing: it was cut, or the backup was never finished")


def _of_entry(target: Target, entry: Entry) -> Iterator[Finding]:
    where = f"{'dbfs:' if entry.source == 'dbfs' else ''}{entry.path}"
    if entry.state == "failed":
        yield Finding("missing", where, f"it could not be saved: {entry.reason}")
    if entry.is_folder and entry.place:
        if entry.state == "saved" and not target.has_folder(entry.place):
            yield Finding("missing", entry.place, f"the folder of {where}")
        if entry.git is not None:
            content = git_file(entry.git)
            expected = (len(content), hashlib.sha256(content).hexdigest())
            yield from _of_file(target, entry.place + GIT, expected, where)
    if entry.lies_there and entry.place:
        yield from _of_file(target, entry.place, (entry.size, entry.sha256), where)


def _of_file(target: Target, place: str, expected: tuple[int | None, str | None], where: str) -> Iterator[Finding]:
    size, digest = 0, hashlib.sha256()
    try:
        with target.open(place) as file:
            while piece := file.read(PIECE):
                size += len(piece)
                digest.update(piece)
    except FileNotFoundError:
        yield Finding("missing", place, where)
        return
    except NoFile as error:
        yield Finding("corrupt", place, str(error))
        return
    except TargetError as error:
        yield Finding("unknown", place, str(error))
        return
    if size != expected[0]:
        yield Finding("corrupt", place, f"{where}: it has {size} bytes and not {expected[0]}")
    elif digest.hexdigest() != expected[1]:
        yield Finding("corrupt", place, f"{where}: its checksum is another")


def _added(backup: Backup, entries: Index) -> Iterator[Finding]:
    for place in backup.target.files(backup.base):
        if place == f"{backup.base}/{NAME}":
            continue
        entry = entries.at(place.removesuffix(GIT))
        is_known = entry is not None and (entry.git is not None if place.endswith(GIT) else entry.lies_there)
        if not is_known:
            left = place.startswith(f"{backup.base}/{PARTIAL}/")
            yield Finding("added", place, "an interruption left it" if left else "it is not in the manifest")


def compare(client: Client, backup: Backup, entries: Index, stop: threading.Event) -> list[Finding]:
    """List the workspace again and compare. Raises WorkspaceError, NothingToScan."""
    asked = backup.header().asked
    wish = Wish(
        output="",
        users=tuple(asked.get("users") or ()),
        sources=tuple(asked.get("sources") or ()),
        all_homes=bool(asked.get("all_homes")),
        shared=bool(asked.get("shared")),
    )
    begun = begin(Workspace(client), wish)
    roots = begun.roots + [Folder(volume, "volumes", volume) for volume in asked.get("volumes") or ()]
    formats = tuple(asked.get("formats") or ("source",))
    places = {root.place for root in roots}
    found = [Finding("unknown", folder.path, why) for folder, why in begun.refused]

    def judge(visits: Sequence[Visit]) -> None:
        for visit in visits:
            assert not isinstance(visit.found, Counted), "files are compared, not sums"
            found.extend(_of_visit(visit.folder, visit.found, entries, formats, is_root=visit.folder.place in places))

    limiters = {source: limiter_of(source, None) for source in {root.source for root in roots}}
    Scan(client, Walk(roots), judge, limiters=limiters, workers=12, stop=stop).run()
    return found


def _of_visit(
    folder: Folder, found: Listing | Failure, entries: Index, formats: Sequence[str], *, is_root: bool
) -> Iterator[Finding]:
    prefix = "dbfs:" if folder.source == "dbfs" else ""
    saved = entries.children(folder.source, folder.path)
    if isinstance(found, Failure):
        if not (found.missing and is_root):
            yield Finding("unknown", prefix + folder.path, found.reason)
        elif saved:
            yield Finding("gone", prefix + folder.path, "the whole home")
        return
    if entries.get(folder.source, folder.path) is None:
        yield Finding("missing", prefix + folder.path, "a folder that was made since the backup")
    for failure in found.failures:
        yield Finding("unknown", prefix + failure.path, failure.reason)
    by_key = {(entry.path, entry.format): entry for entry in saved}
    for file in found.files:
        for form in formats if file.type == "NOTEBOOK" else ("",):
            yield from _of_listed(prefix, file, by_key.get((file.path, form)))
    there = {file.path for file in found.files} | {each.path for each in found.failures} | set(found.folders)
    for entry in saved:
        if entry.path not in there and (entry.lies_there or entry.is_folder):
            yield Finding("gone", prefix + entry.path, "it was deleted since the backup")


def _of_listed(prefix: str, file: File, entry: Entry | None) -> Iterator[Finding]:
    if entry is None:
        yield Finding("missing", prefix + file.path, "it was made since the backup")
    elif entry.lies_there and not is_same(file, entry) and not _cannot_tell(file, entry):
        yield Finding("changed", prefix + file.path, "it was changed since the backup")


def _cannot_tell(file: File, entry: Entry) -> bool:
    """Whether the API says nothing by which a change could be seen."""
    return file.modified_at is None and file.size in (None, entry.size) and file.type == entry.type
