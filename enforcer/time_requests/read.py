"""Reads the groups' changed files, answers time requests by the course's rule, and records both in the ledger.

The workspace is the record: answers are allowances in it, and a file is created only once, so that two machines never
grant a time request twice.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from enforcer.domain.allowances import Allowance, Revocation, format_entry
from enforcer.domain.course import Course
from enforcer.domain.observations import FileInfo
from enforcer.domain.snapshot import Snapshot
from enforcer.ledger import time_request_rows
from enforcer.ledger.database import Ledger
from enforcer.ledger.time_request_rows import RequestFile
from enforcer.ledger.workspace_memory import WorkspaceMemory
from enforcer.time_requests import store
from enforcer.time_requests.answers import reason_for, with_answers
from enforcer.time_requests.decide import Granted, Refused, decide_extension
from enforcer.time_requests.model import State, TimeRequest
from enforcer.time_requests.parse import (
    LARGEST_FILE,
    MOST_MINUTES,
    AskedTime,
    NoRequest,
    Parsed,
    Unreadable,
    parse_request,
)
from enforcer.time_requests.sentences import Reason, language_of, sentence
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import AlreadyExistsError, FileTooLargeError, FolderNotFoundError, WorkspaceError
from enforcer.workspace.tasks import in_parallel
from labkit.course_file import ALLOWANCES, REQUESTS

log = logging.getLogger(__name__)

SAVED_FOR = timedelta(minutes=1)
"""Minimum time between saving and reading a file: editors save while a person is still typing."""
MOST_READ = 50
"""Maximum number of files read in one poll; the groups with the most changes today are read at the next one."""
MOST_CHANGES_A_DAY = 20
"""Maximum number of changes of a group's file that are read on one day."""
LONGEST_PATH = 255
SHOWN_FOR = timedelta(days=14)
"""How long an expired time request is loaded at each poll, for the group's page; older ones stay in the ledger."""
Write = Callable[[Allowance, str], None]
"""Creates an allowance's file in a course's folder. Raises AlreadyExistsError if it exists, WorkspaceError if it cannot
be created.
"""


class FileReader(Protocol):
    """Reads small workspace files."""

    def read_bytes(self, path: str, *, most: int) -> bytes: ...


@dataclass(frozen=True)
class RequestsRead:
    """Result of reading and answering the time requests of a course."""

    snapshot: Snapshot
    """Includes the allowances that were just granted."""
    requests: tuple[TimeRequest, ...] = ()
    problems: tuple[str, ...] = ()


def read_requests(
    ledger: Ledger, workspace: FileReader, snapshot: Snapshot, write: Write | None = None
) -> RequestsRead:
    """Read what has changed and grant what the course's rule permits. Errors become problems.

    `write` creates an allowance's file; without it, a grant takes effect in the returned snapshot only.
    """
    course = snapshot.course
    if course.requests is None:
        return RequestsRead(snapshot)
    expires_after = timedelta(days=course.requests.expire_days)
    since = snapshot.now - expires_after - SHOWN_FOR
    before = store.load(ledger, course, since=since, ids={entry.time_request for entry in snapshot.entries} - {""})
    requests, files, problems = _with_changes(ledger, workspace, snapshot, {one.id: one for one in before})
    answered = with_answers(
        requests.values(),
        snapshot.entries,
        now=snapshot.now,
        expires_after=expires_after,
        expired=sentence(Reason.EXPIRED, language_of(course)),
    )
    snapshot, decided, given, failures = _with_extensions(answered, snapshot, write)
    _remember(ledger, snapshot, given)
    known = set(before)
    store.save(ledger, course, [one for one in decided if one not in known])
    time_request_rows.put_files(ledger, files)
    return RequestsRead(snapshot, decided, (*problems, *failures))


def group_paths(course: Course) -> Mapping[str, str]:
    """Return the groups by the path of their file."""
    folder = f"{course.folder}/{REQUESTS}"
    paths = {f"{folder}/{group}.txt": group for group in course.groups if "/" not in group}
    return {path: group for path, group in paths.items() if len(path) <= LONGEST_PATH}


def request_id(file: FileInfo, asked_at: datetime) -> str:
    """Return the id of the time request in this version of a file; the ids sort by time."""
    digest = hashlib.sha256(f"{file.path}\n{file.version}".encode()).hexdigest()[:10]
    return f"{asked_at:%Y%m%dT%H%M%SZ}-{digest}"


def _with_changes(
    ledger: Ledger, workspace: FileReader, snapshot: Snapshot, requests: Mapping[str, TimeRequest]
) -> tuple[dict[str, TimeRequest], list[RequestFile], list[str]]:
    """Return the time requests with those in changed files, what was done with these files, and problems."""
    found, handled, problems = dict(requests), [], []
    known = time_request_rows.files(ledger, snapshot.course.folder)
    groups, today = group_paths(snapshot.course), snapshot.today.isoformat()
    changed = [
        (file, _counted(known.get(file.path, RequestFile(file.path)), today))
        for file in snapshot.request_files or ()
        if file.path in groups and _is_due(file, known.get(file.path), snapshot.now, today)
    ]
    # First the groups with the fewest changes today, so that no group delays the others by saving again and again.
    changed.sort(key=lambda one: (one[1].reads, one[0].modified_at or snapshot.now, one[0].path))
    changed = changed[:MOST_READ]
    contents = in_parallel([partial(_parsed, workspace, file, row.reads) for file, row in changed])
    for (file, row), parsed in zip(changed, contents, strict=True):
        if isinstance(parsed, WorkspaceError):
            problems.append(f"{parsed}; the time request is read at the next poll")
            continue
        handled.append(row._replace(version=file.version))
        asked = _request_in(file, groups[file.path], parsed, snapshot)
        if asked and _is_repeated(asked, snapshot):
            continue
        for earlier in found.values():
            if (
                earlier.group == groups[file.path]
                and earlier.state is State.WAITING
                and (not asked or earlier.id != asked.id)
            ):
                found[earlier.id] = replace(earlier, state=State.WITHDRAWN, answered_at=snapshot.now)
        if asked:
            found.setdefault(asked.id, asked)
    return found, handled, problems


def _counted(row: RequestFile, today: str) -> RequestFile:
    """Return what was done with a file after one more change on this day."""
    return row._replace(read_day=today, reads=row.reads + 1 if row.read_day == today else 1)


def _is_due(file: FileInfo, row: RequestFile | None, now: datetime, today: str) -> bool:
    """Return whether a file has changed and is to be read now."""
    if row and row.version == file.version:
        return False
    if row and row.read_day == today and row.reads > MOST_CHANGES_A_DAY:
        return False
    # A time in the future is the result of clock skew, which must not delay the file.
    return file.modified_at is None or not timedelta() <= now - file.modified_at < SAVED_FOR


def _parsed(workspace: FileReader, file: FileInfo, reads: int) -> Parsed | WorkspaceError:
    if reads > MOST_CHANGES_A_DAY:
        return Unreadable(Reason.TOO_OFTEN)
    if (file.size or 0) > LARGEST_FILE:
        return Unreadable(Reason.TOO_LARGE)
    try:
        return parse_request(workspace.read_bytes(file.path, most=LARGEST_FILE))
    except FileTooLargeError:
        return Unreadable(Reason.TOO_LARGE)
    except WorkspaceError as error:
        return error


def _request_in(file: FileInfo, group: str, parsed: Parsed, snapshot: Snapshot) -> TimeRequest | None:
    asked_at = file.modified_at or snapshot.now
    id = request_id(file, asked_at)
    match parsed:
        case NoRequest():
            return None
        case Unreadable(reason):
            numbers = {"most": MOST_MINUTES, "number": MOST_CHANGES_A_DAY}
            answer = sentence(reason, language_of(snapshot.course), **numbers)
            return TimeRequest(id, group, asked_at, None, "", State.REFUSED, answer, snapshot.now)
        case AskedTime(minutes, reason):
            return TimeRequest(id, group, asked_at, minutes, reason)


def _is_repeated(request: TimeRequest, snapshot: Snapshot) -> bool:
    """Return whether the group got the same today already, so that the file was only saved again."""
    return any(
        one.time_request
        and one.time_request != request.id
        and one.change == timedelta(minutes=request.minutes or 0)
        and one.reason == reason_for(request)
        and one.group == request.group
        and one.covers(request.group, snapshot.today)
        for one in snapshot.allowances
    )


def _with_extensions(
    requests: Iterable[TimeRequest], snapshot: Snapshot, write: Write | None
) -> tuple[Snapshot, tuple[TimeRequest, ...], list[Allowance], list[str]]:
    """Return snapshot and time requests after the decisions by the course's rule, what was granted, and problems.

    A group has at most one waiting time request, so that the decisions do not depend on each other.
    """
    decided = {one.id: one for one in requests}
    # Without all allowances it is not known how often the group got an extension.
    waiting = [one for one in decided.values() if one.state is State.WAITING and snapshot.knows_all_allowances]
    decisions = [(one, decide_extension(one, snapshot)) for one in waiting]
    grants = [(one, decision.allowance) for one, decision in decisions if isinstance(decision, Granted)]
    folder = snapshot.course.folder
    errors = in_parallel([partial(_create, write, allowance, folder) for _, allowance in grants])
    given: list[Allowance] = []
    problems = []
    for (one, allowance), error in zip(grants, errors, strict=True):
        if isinstance(error, AlreadyExistsError):
            log.info("another machine has granted an extension to %s", one.group)
        elif error:
            problems.append(f"the extension of {one.group} is not granted: {error}")
        else:
            given.append(allowance)
            log.info("extension of %s: %s", one.group, allowance.id)
            decided[one.id] = replace(one, state=State.GRANTED, answered_at=snapshot.now, minutes_given=one.minutes)
    for one, decision in decisions:
        if isinstance(decision, Refused):
            decided[one.id] = replace(one, state=State.REFUSED, answer=decision.sentence, answered_at=snapshot.now)
    raised = replace(snapshot, allowances=(*snapshot.allowances, *given), entries=(*snapshot.entries, *given))
    return raised if given else snapshot, tuple(decided.values()), given, problems


def _remember(ledger: Ledger, snapshot: Snapshot, given: Iterable[Allowance]) -> None:
    """Store what was granted as read from the workspace, so that commands that read only the ledger know it, too.

    The version is unknown, so the next poll reads the files.
    """
    memory, folder = WorkspaceMemory(ledger, now=snapshot.now), f"{snapshot.course.folder}/{ALLOWANCES}"
    for allowance in given:
        path = f"{folder}/{allowance.id}.json"
        memory.store_file(FileInfo(path, ""), format_entry(allowance))
        memory.store_paths(folder, sorted({*memory.paths(folder), path}))


def create_entry(workspace: Workspace, folder: str, entry: Allowance | Revocation) -> None:
    """Create the file of an allowance or revocation in a course's folder. Raises the errors of `Write`."""
    path = f"{folder}/{ALLOWANCES}/{entry.id}.json"
    try:
        workspace.create(path, format_entry(entry))
    except FolderNotFoundError:
        workspace.make_folder(f"{folder}/{ALLOWANCES}")
        workspace.create(path, format_entry(entry))


def _create(write: Write | None, allowance: Allowance, folder: str) -> WorkspaceError | None:
    try:
        if write:
            write(allowance, folder)
    except WorkspaceError as error:
        return error
    return None
