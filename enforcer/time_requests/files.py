"""Creates the groups' files for time requests, and lets each group edit its own."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import TypeVar

from enforcer.domain.observations import FileInfo
from enforcer.domain.snapshot import Snapshot
from enforcer.ledger import time_request_rows
from enforcer.ledger.database import Ledger
from enforcer.ledger.time_request_rows import RequestFile
from enforcer.time_requests.read import group_paths
from enforcer.time_requests.sentences import language_of
from enforcer.workspace import objects
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import AlreadyExistsError, WorkspaceError
from enforcer.workspace.objects import ObjectKind
from enforcer.workspace.tasks import in_parallel
from labkit.clock import Deadline
from labkit.course_file import COURSE_VERSION_FILE, REQUESTS

Item = TypeVar("Item")
EDIT = "CAN_EDIT"
"""The permission level of a group on its file."""
BATCH = 20
"""Number of files that are created or given permissions before the deadline is checked again."""
LEAST_TIME = timedelta(seconds=8)
"""Time of a poll that is reserved for messages."""
EXPLANATIONS = {
    "en": "# More time for your cluster: write one line below, such as “60 minutes: project deadline”, and save. "
    "The answer appears on your group's page.\n\n",
    "he": "# זמן נוסף למחשב: כתבו שורה אחת למטה, למשל “60 דקות: הגשת פרויקט”, ושמרו. התשובה תופיע בדף הקבוצה.\n\n",
}
"""Content of a new file, by language."""


def make_request_files(ledger: Ledger, workspace: Workspace, snapshot: Snapshot, *, deadline: Deadline) -> list[str]:
    """Create the missing files and permissions, as far as the time permits; return messages about failures.

    A new file's version is recorded before its group can change it, so that every change is noticed. A permission is
    recorded only after it was given.
    """
    listed = snapshot.request_files
    # After a destroy there is no cluster, and no file is created again.
    if snapshot.course.requests is None or not snapshot.clusters or listed is None or not listed.is_complete:
        return []
    folder = f"{snapshot.course.folder}/{REQUESTS}"
    files = {file.path: file for file in listed}
    if f"{folder}/{COURSE_VERSION_FILE}" not in files:
        return [
            f"{folder} has no {COURSE_VERSION_FILE}, so that no group can ask for more time; deploy the course again"
        ]
    groups = group_paths(snapshot.course)
    text = EXPLANATIONS[language_of(snapshot.course)]
    created, problems = _create_files(workspace, [path for path in groups if path not in files], text, deadline)
    known = time_request_rows.files(ledger, snapshot.course.folder)
    if created:
        try:
            files = {file.path: file for file in workspace.files(folder)}
        except WorkspaceError as error:
            return [*problems, f"{error}; the groups get their permissions at the next poll"]
        new = [
            known.get(path, RequestFile(path))._replace(version=files[path].version) for path in created & files.keys()
        ]
        time_request_rows.put_files(ledger, new)
        known |= {row.path: row for row in new}
    principals = {path: snapshot.course.principal_of(group) for path, group in groups.items()}
    return [*problems, *_grant(ledger, workspace, files, principals, known, deadline)]


def files_of_groups(ledger: Ledger, snapshot: Snapshot) -> dict[str, RequestFile]:
    """Return the files that their groups can edit, by group."""
    if snapshot.course.requests is None:
        return {}
    known, groups = time_request_rows.files(ledger, snapshot.course.folder), group_paths(snapshot.course)
    return {groups[path]: row for path, row in known.items() if path in groups and row.object_id}


def _create_files(
    workspace: Workspace, paths: Iterable[str], text: str, deadline: Deadline
) -> tuple[set[str], list[str]]:
    """Create files with this text; return the paths of the created ones, and problems."""
    created, problems = set(), []
    for batch in _batches(list(paths)):
        if deadline.remaining < LEAST_TIME:
            break
        for path, error in zip(batch, in_parallel([partial(_create, workspace, p, text) for p in batch]), strict=True):
            if error is None:
                created.add(path)
            elif isinstance(error, AlreadyExistsError):
                problems.append(f"{path} exists, but is not a file; delete it, so that the group can ask for more time")
            else:
                problems.append(f"{error}; the file is created at the next poll")
    return created, problems


def _create(workspace: Workspace, path: str, text: str) -> WorkspaceError | None:
    try:
        workspace.write(path, text)
    except WorkspaceError as error:
        return error
    return None


def _grant(
    ledger: Ledger,
    workspace: Workspace,
    files: Mapping[str, FileInfo],
    principals: Mapping[str, str],
    known: Mapping[str, RequestFile],
    deadline: Deadline,
) -> list[str]:
    """Give the groups the missing permissions; return problems."""
    due = [
        (files[path], principal, _former_principal(known.get(path), files[path], principal))
        for path, principal in principals.items()
        if path in files and not _is_granted(known.get(path), files[path], principal)
    ]
    problems = []
    for batch in _batches(due):
        if deadline.remaining < LEAST_TIME:
            break
        errors = in_parallel([partial(_let_edit, workspace, *one) for one in batch])
        done = []
        for (file, principal, _), error in zip(batch, errors, strict=True):
            if error:
                problems.append(str(error))
                continue
            row = known.get(file.path, RequestFile(file.path))
            done.append(row._replace(object_id=file.object_id, principal=principal))
        time_request_rows.put_files(ledger, done)
    return problems


def _is_granted(row: RequestFile | None, file: FileInfo, principal: str) -> bool:
    return row is not None and (row.object_id, row.principal) == (file.object_id, principal)


def _former_principal(row: RequestFile | None, file: FileInfo, principal: str) -> str:
    """Return the group that could edit a file before; empty if none could, or if it still is the same."""
    if row is None or row.object_id != file.object_id or row.principal == principal:
        return ""
    return row.principal


def _let_edit(workspace: Workspace, file: FileInfo, principal: str, former: str) -> WorkspaceError | None:
    try:
        workspace.let_edit(file, principal)
        if former:
            objects.withdraw(workspace, ObjectKind.FILE, file.object_id, former)
    except WorkspaceError as error:
        return error
    return None


def _batches(items: list[Item]) -> Iterable[list[Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
