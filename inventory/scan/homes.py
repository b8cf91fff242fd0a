"""The folders in which a scan or a backup begins: homes, and what else was asked for."""

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

log = logging.getLogger(__name__)
SHARED_FOLDERS: dict[Source, tuple[str, ...]] = {"dbfs": (), "workspace": ("/Shared", "/Repos")}
NO_SUCH_USER = "the workspace has neither a user nor a home of this name"
DBFS_DISABLED = "DBFS is switched off in this workspace; only the Workspace is scanned."


class NothingToScan(Exception):
    """A sentence that says why."""


@dataclass(frozen=True)
class HomeRoots:
    """The folders with which a scan or a backup begins."""

    folders: list[Folder]
    unlistable: list[tuple[Folder, str]]
    """Homes for which no request can be sent, and why."""


class HomeSelection(Protocol):
    """Of a wish: whose homes, and where."""

    @property
    def users(self) -> tuple[str, ...]: ...

    @property
    def sources(self) -> tuple[Source, ...]: ...

    @property
    def all_homes(self) -> bool: ...

    @property
    def shared(self) -> bool: ...


def find_roots(workspace: WorkspaceApi, selection: HomeSelection) -> HomeRoots:
    """Where a new scan begins, or a new backup. Raises WorkspaceError, NothingToScan."""
    sources = selection.sources
    if "dbfs" in sources and workspace.is_dbfs_disabled():
        sources = tuple(source for source in sources if source != "dbfs")
        if not sources:
            raise NothingToScan("DBFS is switched off in this workspace, so there is nothing to scan there.")
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
        roots += shared_folders(sources)
    if not roots and not unlistable:
        raise NothingToScan("the workspace has no users, so there is nothing to scan.")
    return HomeRoots(roots, unlistable)


def find_home(user: User, source: Source, homes_by_name: Mapping[str, Sequence[str]]) -> tuple[Folder, str]:
    """The home of a user, and why it cannot be asked for, if so. `there` are the homes by name in lower case.

    The platform keeps user names in lower case and the case of a home as it was made. A home that is not there under
    the user's very name is looked for by ignoring case.
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
        ), f"several homes differ from the name of the user in case alone: {', '.join(sorted(candidates))}"
    return Folder(user.username, source, candidates[0]), ""


def _placeholder(user: User, source: Source) -> Folder:
    """In the place of a home that cannot be asked for: no folder has such a path."""
    return Folder(user.username, source, f"/Users//{user.username}")


def _unknown_users(
    workspace: WorkspaceApi, named: Sequence[str], homes_by_name: Mapping[Source, Mapping[str, Sequence[str]] | None]
) -> Mapping[str, str]:
    """Who was named and has no home, and why: if the workspace has no such user either, the name is a slip."""
    homes = [found for found in homes_by_name.values() if found is not None]
    names_without_home = {name for name in named if not any(name.casefold() in found for found in homes)}
    if not names_without_home or len(homes) < len(homes_by_name):
        return {}
    try:
        known = {user.username.casefold(): user.problem for user in list_users(workspace, service_principals=True)}
    except WorkspaceError as error:
        log.info("%s It is not known whether all users exist.", error)
        return {}
    return {name: known.get(name.casefold(), NO_SUCH_USER) for name in names_without_home}


def _homes_by_name(workspace: WorkspaceApi, source: Source) -> Mapping[str, Sequence[str]] | None:
    """The homes there are by name in lower case; None where the folder of homes cannot be listed."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    try:
        for path in list_existing(workspace, Folder("", source, "/Users")).folders:
            found[path.rpartition("/")[2].casefold()].append(path)
    except WorkspaceError as error:
        log.info("%s Homes are looked for under the very names of the users.", error)
        return None
    return found


def shared_folders(sources: Iterable[Source]) -> list[Folder]:
    """What belongs to nobody in particular; the name of the folder stands in the place of the user's."""
    return [Folder(path, source, path) for source in sources for path in SHARED_FOLDERS[source]]


def list_existing(workspace: WorkspaceApi, folder: Folder) -> Listing:
    """What lies directly in a folder; nothing where it is missing. Raises WorkspaceError."""
    outcome = workspace.try_get(LIST_PATHS[folder.source], {"path": folder.path})
    if isinstance(outcome, Response) and is_not_found(outcome):
        return Listing()
    reason = outcome.reason if isinstance(outcome, Response) else str(outcome)
    if isinstance(outcome, Response) and outcome.ok:
        try:
            return parse_listing(folder, outcome.document)
        except InvalidListing as error:
            reason = str(error)
    raise WorkspaceError(f"{folder.path} of {workspace.client.host} cannot be listed: {reason.rstrip('.')}.")
