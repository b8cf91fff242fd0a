"""The folders in which a scan or a backup begins: homes, and what else was asked for."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from inventory.scan.folder_request import ADDRESSES
from inventory.scan.users import User, everybody, problem_of
from inventory.transport.answer import Answer
from inventory.transport.retry import is_missing
from inventory.transport.workspace import Workspace, WorkspaceError
from inventory.tree.listing import Folder, Listing, NotAListing, Source, read

log = logging.getLogger(__name__)
SHARED: dict[Source, tuple[str, ...]] = {"dbfs": (), "workspace": ("/Shared", "/Repos")}
NO_SUCH_USER = "the workspace has neither a user nor a home of this name"
DBFS_IS_OFF = "DBFS is switched off in this workspace; only the Workspace is scanned."


class NothingToScan(Exception):
    """A sentence that says why."""


@dataclass(frozen=True)
class Beginning:
    """The folders with which a scan or a backup begins."""

    roots: list[Folder]
    refused: list[tuple[Folder, str]]
    """Homes for which no request can be sent, and why."""


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


def begin(workspace: Workspace, wish: Whose) -> Beginning:
    """Where a new scan begins, or a new backup. Raises WorkspaceError, NothingToScan."""
    sources = wish.sources
    if "dbfs" in sources and workspace.dbfs_is_off():
        sources = tuple(source for source in sources if source != "dbfs")
        if not sources:
            raise NothingToScan("DBFS is switched off in this workspace, so there is nothing to scan there.")
        log.warning(DBFS_IS_OFF)
    users = [User(name, problem=problem_of(name)) for name in wish.users] if wish.users else everybody(workspace)
    there = {source: _homes_by_name(workspace, source) for source in sources}
    strangers = _strangers(workspace, wish.users, there)
    roots: list[Folder] = []
    refused: list[tuple[Folder, str]] = []
    for user in users:
        if problem := strangers.get(user.username):
            refused.append((_nowhere(user, sources[0]), problem))
            continue
        for source in sources:
            folder, problem = home_of(user, source, there[source] or {})
            if problem:
                refused.append((folder, problem))
            else:
                roots.append(folder)
    if wish.all_homes:
        for source in sources:
            found = listing_of(workspace, Folder("", source, "/Users"))
            roots += [Folder(path.rpartition("/")[2], source, path) for path in found.folders]
            refused += [(Folder(each.path, source, f"/{each.path}"), each.reason) for each in found.failures]
    if wish.shared:
        roots += shared_folders(sources)
    if not roots and not refused:
        raise NothingToScan("the workspace has no users, so there is nothing to scan.")
    return Beginning(roots, refused)


def home_of(user: User, source: Source, there: Mapping[str, Sequence[str]]) -> tuple[Folder, str]:
    """The home of a user, and why it cannot be asked for, if so. `there` are the homes by name in lower case.

    The platform keeps user names in lower case and the case of a home as it was made. A home that is not there under
    the user's very name is looked for by ignoring case.
    """
    if user.problem:
        return _nowhere(user, source), user.problem
    exact = f"/Users/{user.username}"
    alike = there.get(user.username.casefold(), ())
    if exact in alike or not alike:
        return Folder(user.username, source, exact), ""
    if len(alike) > 1:
        return _nowhere(
            user, source
        ), f"several homes differ from the name of the user in case alone: {', '.join(sorted(alike))}"
    return Folder(user.username, source, alike[0]), ""


def _nowhere(user: User, source: Source) -> Folder:
    """In the place of a home that cannot be asked for: no folder has such a path."""
    return Folder(user.username, source, f"/Users//{user.username}")


def _strangers(
    workspace: Workspace, named: Sequence[str], there: Mapping[Source, Mapping[str, Sequence[str]] | None]
) -> Mapping[str, str]:
    """Who was named and has no home, and why: if the workspace has no such user either, the name is a slip."""
    homes = [found for found in there.values() if found is not None]
    without = {name for name in named if not any(name.casefold() in found for found in homes)}
    if not without or len(homes) < len(there):
        return {}
    try:
        known = {user.username.casefold(): user.problem for user in everybody(workspace, service_principals=True)}
    except WorkspaceError as error:
        log.info("%s It is not known whether all users exist.", error)
        return {}
    return {name: known.get(name.casefold(), NO_SUCH_USER) for name in without}


def _homes_by_name(workspace: Workspace, source: Source) -> Mapping[str, Sequence[str]] | None:
    """The homes there are by name in lower case; None where the folder of homes cannot be listed."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    try:
        for path in listing_of(workspace, Folder("", source, "/Users")).folders:
            found[path.rpartition("/")[2].casefold()].append(path)
    except WorkspaceError as error:
        log.info("%s Homes are looked for under the very names of the users.", error)
        return None
    return found


def shared_folders(sources: Iterable[Source]) -> list[Folder]:
    """What belongs to nobody in particular; the name of the folder stands in the place of the user's."""
    return [Folder(path, source, path) for source in sources for path in SHARED[source]]


def listing_of(workspace: Workspace, folder: Folder) -> Listing:
    """What lies directly in a folder; nothing where it is missing. Raises WorkspaceError."""
    outcome = workspace.outcome(ADDRESSES[folder.source], {"path": folder.path})
    if isinstance(outcome, Answer) and is_missing(outcome):
        return Listing()
    reason = outcome.reason if isinstance(outcome, Answer) else str(outcome)
    if isinstance(outcome, Answer) and outcome.ok:
        try:
            return read(folder, outcome.document)
        except NotAListing as error:
            reason = str(error)
    raise WorkspaceError(f"{folder.path} of {workspace.client.host} cannot be listed: {reason.rstrip('.')}.")
