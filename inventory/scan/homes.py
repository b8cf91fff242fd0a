"""The folders in which a scan or a backup begins: homes, and what else was asked for."""

import logging
from collections.abc import Iterable
from typing import Protocol

from inventory.results.users_file import check_name
from inventory.scan.folder_request import ADDRESSES
from inventory.scan.users import everybody
from inventory.transport.answer import Answer
from inventory.transport.retry import is_missing
from inventory.transport.workspace import Workspace, WorkspaceError
from inventory.tree.listing import Folder, NotAListing, Source, read

log = logging.getLogger(__name__)
SHARED: dict[Source, tuple[str, ...]] = {"dbfs": (), "workspace": ("/Shared", "/Repos")}
DBFS_IS_OFF = "DBFS is switched off in this workspace; only the Workspace is scanned."


class NothingToScan(Exception):
    """A sentence that says why."""


class Whose(Protocol):
    """Of a wish: whose homes, and where."""

    @property
    def users(self) -> tuple[str, ...]: ...

    @property
    def sources(self) -> tuple[Source, ...]: ...

    @property
    def all_homes(self) -> bool: ...

    @property
    def shared(self) -> bool: ...


def begin(workspace: Workspace, wish: Whose) -> list[Folder]:
    """Where a new scan begins, or a new backup."""
    sources = wish.sources
    if "dbfs" in sources and workspace.dbfs_is_off():
        sources = tuple(source for source in sources if source != "dbfs")
        if not sources:
            raise NothingToScan("DBFS is switched off in this workspace, so there is nothing to scan there.")
        log.warning(DBFS_IS_OFF)
    names = wish.users or tuple(user.username for user in everybody(workspace))
    for name in names:
        check_name(name, "the list of users")
    roots = homes_of(names, sources)
    if wish.all_homes:
        roots += other_homes(workspace, sources)
    if wish.shared:
        roots += shared_folders(sources)
    if not roots:
        raise NothingToScan("the workspace has no users, so there is nothing to scan.")
    return roots


def homes_of(users: Iterable[str], sources: Iterable[Source]) -> list[Folder]:
    """The homes of these users."""
    return [Folder(user, source, f"/Users/{user}") for user in users for source in sources]


def other_homes(workspace: Workspace, sources: Iterable[Source]) -> list[Folder]:
    """Every home there is, whoever's: also of users who are gone. Raises WorkspaceError."""
    found = []
    for source in sources:
        for path in folders_in(workspace, Folder("", source, "/Users")):
            found.append(Folder(path.rpartition("/")[2], source, path))
    return found


def shared_folders(sources: Iterable[Source]) -> list[Folder]:
    """What belongs to nobody in particular; the name of the folder stands in the place of the user's."""
    return [Folder(path, source, path) for source in sources for path in SHARED[source]]


def folders_in(workspace: Workspace, folder: Folder) -> list[str]:
    """The folders directly in one; none where it is missing. Raises WorkspaceError."""
    outcome = workspace.outcome(ADDRESSES[folder.source], {"path": folder.path})
    if isinstance(outcome, Answer) and is_missing(outcome):
        return []
    reason = outcome.reason if isinstance(outcome, Answer) else str(outcome)
    if isinstance(outcome, Answer) and outcome.status == 200:
        try:
            return list(read(folder, outcome.document).folders)
        except NotAListing as error:
            reason = str(error)
    raise WorkspaceError(f"{folder.path} of {workspace.client.host} cannot be listed: {reason.rstrip('.')}.")
