"""Finds the root folders of a scan or backup: homes and further selected folders."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from inventory.scan.folder_request import LIST_PATHS
from inventory.scan.users import User, list_users, username_problem
from inventory.transport.response import Response
from inventory.transport.retry import is_not_found
from inventory.transport.workspace import WorkspaceApi, WorkspaceError
from inventory.tree.listing import Folder, InvalidListing, Listing, Source, parse_listing
from labkit.course_file import is_course_folder

log = logging.getLogger(__name__)
SHARED_FOLDERS: dict[Source, tuple[str, ...]] = {"dbfs": (), "workspace": ("/Shared", "/Repos")}
NO_SUCH_USER = "the workspace has neither a user nor a home of this name"
DBFS_DISABLED = "DBFS is disabled in this workspace; only the Workspace is scanned."


class NothingToScan(Exception):
    """Nothing is selected; the message gives the reason."""


@dataclass(frozen=True)
class HomeRoots:
    """The root folders of a scan or backup."""

    folders: list[Folder]
    unlistable: list[tuple[Folder, str]]
    """Homes that no request can address, with the reasons."""


class HomeSelection(Protocol):
    """The fields of a request that select homes."""

    @property
    def users(self) -> tuple[str, ...]: ...

    @property
    def sources(self) -> tuple[Source, ...]: ...

    @property
    def all_homes(self) -> bool: ...

    @property
    def shared(self) -> bool: ...


def find_roots(workspace: WorkspaceApi, selection: HomeSelection) -> HomeRoots:
    """Return the root folders of a new scan or backup. Raises WorkspaceError, NothingToScan."""
    sources = selection.sources
    if "dbfs" in sources and workspace.is_dbfs_disabled():
        sources = tuple(source for source in sources if source != "dbfs")
        if not sources:
            raise NothingToScan("DBFS is disabled in this workspace, so there is nothing to scan.")
        log.warning(DBFS_DISABLED)
    users = (
        [User(name, problem=username_problem(name)) for name in selection.users]
        if selection.users
        else list_users(workspace)
    )
    homes_by_name = {source: _homes_by_name(workspace, source) for source in sources}
    unknown_users = _unknown_users(workspace, selection.users, homes_by_name)
    roots: list[Folder] = []
    unlistable: list[tuple[Folder, str]] = []
    for user in users:
        if problem := unknown_users.get(user.username):
            unlistable.append((_placeholder(user, sources[0]), problem))
            continue
        for source in sources:
            folder, problem = find_home(user, source, homes_by_name[source] or {})
            if problem:
                unlistable.append((folder, problem))
            else:
                roots.append(folder)
    if selection.all_homes:
        for source in sources:
            found = list_existing(workspace, Folder("", source, "/Users"))
            roots += [Folder(path.rpartition("/")[2], source, path) for path in found.folders]
            unlistable += [(Folder(each.path, source, f"/{each.path}"), each.reason) for each in found.failures]
    if selection.shared:
        roots += shared_folders(workspace, sources)
    if not roots and not unlistable:
        raise NothingToScan("the workspace has no users, so there is nothing to scan.")
    return HomeRoots(roots, unlistable)


def find_home(user: User, source: Source, homes_by_name: Mapping[str, Sequence[str]]) -> tuple[Folder, str]:
    """Return a user's home, and the reason if no request can address it; `homes_by_name` has lower-case names.

    The platform stores user names in lower case, but homes keep the case in which they were created. A home is found by
    its exact name, or else ignoring case.
    """
    if user.problem:
        return _placeholder(user, source), user.problem
    exact = f"/Users/{user.username}"
    candidates = homes_by_name.get(user.username.casefold(), ())
    if exact in candidates or not candidates:
        return Folder(user.username, source, exact), ""
    if len(candidates) > 1:
        return _placeholder(
            user, source
        ), f"several homes differ from the user name only in case: {', '.join(sorted(candidates))}"
    return Folder(user.username, source, candidates[0]), ""


def _placeholder(user: User, source: Source) -> Folder:
    """Return a placeholder for a home that no request can address; no folder has such a path."""
    return Folder(user.username, source, f"/Users//{user.username}")


def _unknown_users(
    workspace: WorkspaceApi, named: Sequence[str], homes_by_name: Mapping[Source, Mapping[str, Sequence[str]] | None]
) -> Mapping[str, str]:
    """Return the selected users that have no home, with the reason. A name without a user is probably a typing
    error."""
    homes = [found for found in homes_by_name.values() if found is not None]
    names_without_home = {name for name in named if not any(name.casefold() in found for found in homes)}
    if not names_without_home or len(homes) < len(homes_by_name):
        return {}
    try:
        known = {user.username.casefold(): user.problem for user in list_users(workspace, service_principals=True)}
    except WorkspaceError as error:
        log.info("%s It is unknown whether all selected users exist.", error)
        return {}
    return {name: known.get(name.casefold(), NO_SUCH_USER) for name in names_without_home}


def _homes_by_name(workspace: WorkspaceApi, source: Source) -> Mapping[str, Sequence[str]] | None:
    """Return the existing homes by lower-case name; None if the folder /Users cannot be listed."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    try:
        for path in list_existing(workspace, Folder("", source, "/Users")).folders:
            found[path.rpartition("/")[2].casefold()].append(path)
    except WorkspaceError as error:
        log.info("%s Homes are looked up by the exact user names.", error)
        return None
    return found


def shared_folders(workspace: WorkspaceApi, sources: Iterable[Source]) -> list[Folder]:
    """Return the folders that belong to no user, with those of the courses; the folder's path replaces the user name.

    Raises WorkspaceError.
    """
    found = [(source, path) for source in sources for path in SHARED_FOLDERS[source]]
    if "workspace" in sources:
        folders = list_existing(workspace, Folder("", "workspace", "/")).folders
        found += [("workspace", path) for path in sorted(folders) if is_course_folder(path)]
    return [Folder(path, source, path) for source, path in found]


def list_existing(workspace: WorkspaceApi, folder: Folder) -> Listing:
    """Return the content of a folder, empty if the folder is missing. Raises WorkspaceError."""
    outcome = workspace.try_get(LIST_PATHS[folder.source], {"path": folder.path})
    if isinstance(outcome, Response) and is_not_found(outcome):
        return Listing()
    reason = outcome.reason if isinstance(outcome, Response) else str(outcome)
    if isinstance(outcome, Response) and outcome.ok:
        try:
            return parse_listing(folder, outcome.document)
        except InvalidListing as error:
            reason = str(error)
    raise WorkspaceError(f"{folder.path} in {workspace.client.host} cannot be listed: {reason.rstrip('.')}.")
