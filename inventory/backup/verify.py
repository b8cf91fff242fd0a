"""Compares a backup with its manifest and with the workspace."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from inventory.backup.backup_index import Backup
from inventory.backup.manifest import FILE_NAME, ManifestEntry, ManifestReader
from inventory.backup.manifest_index import ManifestIndex
from inventory.backup.objects import GIT_SUFFIX, git_file_content, is_unchanged
from inventory.backup.pools import limiter_for
from inventory.backup.run import BackupRequest
from inventory.backup.target import PARTIAL, BackupTarget, NotARegularFile, TargetError
from inventory.results.folder_summary import FolderSummary
from inventory.scan.homes import find_roots
from inventory.scan.scan_work import FolderScan
from inventory.scan.visit import Visit
from inventory.transport.client import Client
from inventory.transport.workspace import WorkspaceApi
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import Failure, File, Folder, Listing
from labkit.course_file import is_in_page_folder

FindingKind = Literal["missing", "corrupt", "added", "changed", "unknown", "gone", "rewritten"]
NO_FAULTS: tuple[FindingKind, ...] = ("gone", "rewritten")
READ_WORKERS = 4
"""Number of files that are hashed concurrently."""
BATCH_ENTRIES = 256
CHUNK_BYTES = 2**20


@dataclass(frozen=True, order=True)
class VerifyFinding:
    """A difference between manifest, storage and workspace."""

    kind: FindingKind
    """`missing`: not in the backup; `corrupt`: differs from what was saved; `added`: in the target but not in the
    manifest; `changed`: changed in the workspace since the backup; `unknown`: not readable, or not listed by the
    workspace; `gone`: deleted in the workspace since the backup; `rewritten`: a group's page that the enforcer has
    written again since the backup. The last two are not faults of the backup."""
    what: str
    """A path below the target, or a path in the workspace."""
    detail: str

    @property
    def is_fault(self) -> bool:
        return self.kind not in NO_FAULTS


def verify_backup(
    backup: Backup,
    index: ManifestIndex,
    reader: ManifestReader,
    report_progress: Callable[[int], None] = lambda done: None,
) -> Iterator[VerifyFinding]:
    """Read every file of a backup and yield what is wrong. `report_progress` gets the number of files read so far.

    Raises TargetError.
    """
    yield from _manifest_findings(backup, reader)
    done = 0
    all_entries = index.all_entries()
    with ThreadPoolExecutor(READ_WORKERS) as readers:
        while batch := list(islice(all_entries, BATCH_ENTRIES)):
            for findings in readers.map(lambda entry: list(_entry_findings(backup.target, entry)), batch):
                yield from findings
            done += len(batch)
            report_progress(done)
    yield from _added_findings(backup, index)


def _manifest_findings(backup: Backup, reader: ManifestReader) -> Iterator[VerifyFinding]:
    for problem in reader.problems:
        yield VerifyFinding("corrupt", backup.manifest_path, problem)
    if reader.end is None and not reader.problems:
        yield VerifyFinding(
            "corrupt", backup.manifest_path, "its last line is missing: it is truncated, or the backup was not finished"
        )


def _entry_findings(target: BackupTarget, entry: ManifestEntry) -> Iterator[VerifyFinding]:
    path = f"{'dbfs:' if entry.source == 'dbfs' else ''}{entry.path}"
    if entry.state == "failed":
        yield VerifyFinding("missing", path, f"it could not be saved: {entry.reason}")
    if entry.is_folder and entry.place:
        if entry.state == "saved" and not target.has_folder(entry.place):
            yield VerifyFinding("missing", entry.place, f"the folder of {path}")
        if entry.git is not None:
            content = git_file_content(entry.git)
            expected = (len(content), hashlib.sha256(content).hexdigest())
            yield from _file_findings(target, entry.place + GIT_SUFFIX, expected, path)
    if entry.has_content and entry.place:
        yield from _file_findings(target, entry.place, (entry.size, entry.sha256), path)


def _file_findings(
    target: BackupTarget, place: str, expected: tuple[int | None, str | None], path: str
) -> Iterator[VerifyFinding]:
    size, digest = 0, hashlib.sha256()
    try:
        with target.open(place) as file:
            while chunk := file.read(CHUNK_BYTES):
                size += len(chunk)
                digest.update(chunk)
    except FileNotFoundError:
        yield VerifyFinding("missing", place, path)
        return
    except NotARegularFile as error:
        yield VerifyFinding("corrupt", place, str(error))
        return
    except TargetError as error:
        yield VerifyFinding("unknown", place, str(error))
        return
    if size != expected[0]:
        yield VerifyFinding("corrupt", place, f"{path}: it has {size} bytes instead of {expected[0]}")
    elif digest.hexdigest() != expected[1]:
        yield VerifyFinding("corrupt", place, f"{path}: its checksum is wrong")


def _added_findings(backup: Backup, index: ManifestIndex) -> Iterator[VerifyFinding]:
    for place in backup.target.list_files(backup.base):
        if place == f"{backup.base}/{FILE_NAME}":
            continue
        entry = index.at_place(place.removesuffix(GIT_SUFFIX))
        is_known = entry is not None and (entry.git is not None if place.endswith(GIT_SUFFIX) else entry.has_content)
        if not is_known:
            is_partial = place.startswith(f"{backup.base}/{PARTIAL}/")
            yield VerifyFinding(
                "added", place, "left by an interruption" if is_partial else "it is not in the manifest"
            )


def compare_with_workspace(
    client: Client, backup: Backup, index: ManifestIndex, stop: threading.Event
) -> list[VerifyFinding]:
    """List the workspace and return how it differs from a backup. Raises WorkspaceError, NothingToScan."""
    saved_request = backup.read_header().asked
    request = BackupRequest(
        output="",
        users=tuple(saved_request.get("users") or ()),
        sources=tuple(saved_request.get("sources") or ()),
        all_homes=bool(saved_request.get("all_homes")),
        shared=bool(saved_request.get("shared")),
    )
    home_roots = find_roots(WorkspaceApi(client), request)
    roots = home_roots.folders + [Folder(volume, "volumes", volume) for volume in saved_request.get("volumes") or ()]
    formats = tuple(saved_request.get("formats") or ("source",))
    root_keys = {root.key for root in roots}
    findings = [VerifyFinding("unknown", folder.path, why) for folder, why in home_roots.unlistable]

    def judge(visits: Sequence[Visit]) -> None:
        for visit in visits:
            assert not isinstance(visit.result, FolderSummary), "individual files are compared, not sums"
            findings.extend(
                _folder_findings(visit.folder, visit.result, index, formats, is_root=visit.folder.key in root_keys)
            )

    limiters = {source: limiter_for(source, None) for source in {root.source for root in roots}}
    FolderScan(client, FolderQueue(roots), judge, limiters=limiters, workers=12, stop=stop).run()
    return findings


def _folder_findings(
    folder: Folder, result: Listing | Failure, index: ManifestIndex, formats: Sequence[str], *, is_root: bool
) -> Iterator[VerifyFinding]:
    prefix = "dbfs:" if folder.source == "dbfs" else ""
    saved = index.children(folder.source, folder.path)
    if isinstance(result, Failure):
        if not (result.missing and is_root):
            yield VerifyFinding("unknown", prefix + folder.path, result.reason)
        elif saved:
            yield VerifyFinding("gone", prefix + folder.path, "the whole home")
        return
    if index.get(folder.source, folder.path) is None:
        yield VerifyFinding("missing", prefix + folder.path, "a folder that was created since the backup")
    for failure in result.failures:
        yield VerifyFinding("unknown", prefix + failure.path, failure.reason)
    by_key = {(entry.path, entry.format): entry for entry in saved}
    for file in result.files:
        for form in formats if file.type == "NOTEBOOK" else ("",):
            yield from _object_findings(prefix, file, by_key.get((file.path, form)))
    there = {file.path for file in result.files} | {each.path for each in result.failures} | set(result.folders)
    for entry in saved:
        if entry.path not in there and (entry.has_content or entry.is_folder):
            yield VerifyFinding("gone", prefix + entry.path, "it was deleted since the backup")


def _object_findings(prefix: str, file: File, entry: ManifestEntry | None) -> Iterator[VerifyFinding]:
    if entry is None:
        yield VerifyFinding("missing", prefix + file.path, "it was created since the backup")
    elif entry.has_content and not is_unchanged(file, entry) and not _change_is_undetectable(file, entry):
        if is_in_page_folder(file.path):
            yield VerifyFinding("rewritten", prefix + file.path, "a group's page, written again since the backup")
        else:
            yield VerifyFinding("changed", prefix + file.path, "it was changed since the backup")


def _change_is_undetectable(file: File, entry: ManifestEntry) -> bool:
    """Return whether the API reports no time and nothing else that differs, so that a change cannot be seen."""
    return file.modified_at is None and file.size in (None, entry.size) and file.type == entry.type
