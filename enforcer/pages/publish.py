"""Writes the groups' pages to the workspace if their text has changed, and then records each in the ledger.

A page is a notebook in a folder of its own below the course's folder. Its group may read the folder; the folders above
are closed to students, so members follow the link in their mails.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from enforcer.domain.course import Course
from enforcer.domain.quota import Action, Stop
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.ledger import page_rows
from enforcer.ledger.database import Ledger
from enforcer.ledger.page_rows import StoredPage
from enforcer.pages.content import MOST_MAILS, AskingForTime, Mail, PageContent, page_content
from enforcer.pages.notebook import to_notebook
from enforcer.pages.render import render_page, templates_digest
from enforcer.settings import Settings
from enforcer.time_requests.model import TimeRequest
from enforcer.workspace import objects
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import FolderNotFoundError, ObjectNotFoundError, WorkspaceError
from enforcer.workspace.objects import ObjectKind
from enforcer.workspace.tasks import in_parallel
from labkit.clock import Deadline
from labkit.course_file import GROUPS

log = logging.getLogger(__name__)

NAME = "cluster_time"
"""The name of the notebook."""
READ = "CAN_READ"
EVERY = timedelta(minutes=15)
"""Minimum time between two writes of a page on which only the figures of a running cluster changed."""
RESERVE = 0.2
"""Share of a tick's time that is left for sending messages."""


@dataclass(frozen=True)
class _DuePage:
    group: str
    folder: str
    principal: str
    notebook: str
    stored: StoredPage | None
    """The page as last written; None if it has to be created."""
    former_principal: str
    """The group that could read the folder before; empty if none could, or if it still is the same."""
    row: StoredPage
    """What is recorded once the page is written, except its address."""


def folder_of(course: Course, group: str) -> str:
    """Return the workspace folder of a group's page."""
    return f"{course.folder}/{GROUPS}/{group}"


def publish_pages(
    ledger: Ledger,
    workspace: Workspace,
    settings: Settings,
    snapshot: Snapshot,
    actions: Iterable[Action] = (),
    *,
    deadline: Deadline,
    requests: Mapping[str, Sequence[TimeRequest]] | None = None,
    asking: Mapping[str, AskingForTime] | None = None,
) -> tuple[str, ...]:
    """Write the pages whose text changed; return a message about those that could not be written.

    `actions` are those of this tick. `requests` and `asking` are by group, the latest requests first; a group without
    an entry in `asking` asks the admin. What is not written, for lack of time or after an error, is still due at the
    next tick.
    """
    if snapshot.course.pages is None:
        # A deployment without pages removes their folder.
        page_rows.forget_pages_below(ledger, f"{snapshot.course.folder}/{GROUPS}")
        return ()
    unchanged, due = _due_pages(ledger, settings, snapshot, actions, requests or {}, asking or {})
    for row in unchanged:
        page_rows.store_page(ledger, row)
    if any(page.stored is None for page in due) and (problem := _folder_problem(workspace, snapshot.course)):
        return (problem,)
    written = in_parallel([partial(_write, workspace, page, deadline) for page in due])
    failures: list[str] = []
    late = 0
    for page, result in zip(due, written, strict=True):
        match result:
            case StoredPage():
                page_rows.store_page(ledger, result)
            case WorkspaceError():
                failures.append(f"the page of {page.group}: {result}")
                if isinstance(result, FolderNotFoundError):
                    page_rows.forget_pages(ledger, [page.folder])
            case None:
                late += 1
    if late:
        log.warning("there was not enough time for %d pages; they are written at the next tick", late)
    more = f" (and {len(failures) - 1} more pages)" if len(failures) > 1 else ""
    return (failures[0] + more,) if failures else ()


def _due_pages(
    ledger: Ledger,
    settings: Settings,
    snapshot: Snapshot,
    actions: Iterable[Action],
    requests: Mapping[str, Sequence[TimeRequest]],
    asking: Mapping[str, AskingForTime],
) -> tuple[list[StoredPage], list[_DuePage]]:
    """Return the rows of pages whose content changed and whose text did not, and the pages to write."""
    course, options = snapshot.course, snapshot.course.pages
    assert options is not None, "publish_pages checks it"
    templates = templates_digest(options.language, settings.mail_templates)
    stored = page_rows.stored_pages(ledger)
    ends = _last_end_by_group(snapshot, page_rows.last_ends(ledger))
    notices = page_rows.latest_notices(ledger, snapshot.group_by_cluster, most=MOST_MAILS)
    stopped = frozenset(action.cluster_id for action in actions if isinstance(action, Stop))
    unchanged, due = [], []
    # A group without a cluster has nothing to show; after a destroy, no group has one.
    for group in sorted(course.groups.keys() & {group_of(cluster) for cluster in snapshot.clusters}):
        content = page_content(
            snapshot,
            group,
            options,
            stopped=stopped,
            last_ran=ends.get(group),
            mails=[Mail(notice.kind, notice.queued, notice.subject) for notice in notices.get(group, ())],
            requests=requests.get(group, ()),
            asking=asking.get(group) or AskingForTime(settings.admin_email or ""),
        )
        folder = folder_of(course, group)
        known = stored.get(folder)
        principal = course.principal_of(group)
        former = known.principal if known and known.principal != principal else ""
        clusters = _digest("\n".join(sorted(one.id for one in snapshot.clusters if group_of(one) == group)))
        # New clusters are from a new deployment, which may have removed the folder before.
        if known and (former or not known.text.startswith(clusters)):
            known = None
        row = _row(content, templates, folder, principal, snapshot.now)
        if known and not is_due(known, row, snapshot.now):
            continue
        notebook = to_notebook(render_page(content, options.language, settings.mail_templates))
        row = replace(row, text=clusters + _digest(notebook), address=known.address if known else "")
        if known and known.text == row.text:
            unchanged.append(replace(row, written=known.written))
            continue
        due.append(_DuePage(group, folder, row.principal, notebook, known, former, row))
    return unchanged, due


def _last_end_by_group(snapshot: Snapshot, ends: Mapping[str, datetime]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for id, group in snapshot.group_by_cluster.items():
        if id in ends:
            found[group] = max(ends[id], found.get(group, ends[id]))
    return found


def _row(content: PageContent, templates: str, folder: str, principal: str, now: datetime) -> StoredPage:
    """Return what identifies the content, without the text's digest and the address."""
    facts = _digest(f"{templates}\n{content.without_figures!r}")
    return StoredPage(folder, principal, "", _digest(f"{templates}\n{content!r}"), facts, "", now)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_due(stored: StoredPage, new: StoredPage, now: datetime) -> bool:
    """Return whether a page is written again: at once, or after a while if only figures of a running cluster changed.

    A time of writing in the future, after a correction of the clock, does not delay it.
    """
    if stored.content == new.content:
        return False
    return stored.facts != new.facts or not timedelta() <= now - stored.written < EVERY


def _folder_problem(workspace: Workspace, course: Course) -> str | None:
    """Return a message if there is no course folder in which pages could be created.

    Folders are created with their parents; a page must not create the folder of a course that was destroyed.
    """
    try:
        objects.object_id(workspace, course.folder)
    except ObjectNotFoundError as error:
        return f"the pages: {error}; deploy the course"
    except WorkspaceError as error:
        return f"the pages: {error}"
    return None


def _write(workspace: Workspace, page: _DuePage, deadline: Deadline) -> StoredPage | WorkspaceError | None:
    """Write a page, and create its folder if needed. Return the row to record, or None without enough time."""
    if deadline.remaining <= deadline.budget * RESERVE:
        return None
    path = f"{page.folder}/{NAME}"
    try:
        if page.stored is None:
            workspace.make_folder(page.folder)
            id = objects.object_id(workspace, page.folder)
            objects.grant(workspace, ObjectKind.FOLDER, id, page.principal, READ)
            if page.former_principal:
                objects.withdraw(workspace, ObjectKind.FOLDER, id, page.former_principal)
        # A notebook that was deleted is created again, with another id.
        return replace(page.row, address=_address(workspace, objects.write_notebook(workspace, path, page.notebook)))
    except WorkspaceError as error:
        return error


def _address(workspace: Workspace, id: int) -> str:
    """Return the URL of a notebook."""
    number = f"?o={workspace.workspace_id}" if workspace.workspace_id else ""
    return f"{workspace.host.rstrip('/')}/{number}#notebook/{id}"
