"""Reads a directory's groups and their people from a target's workspace. Read-only."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from lab_settings import TargetSettings
from labkit.addresses import normalised_address
from labkit.extras import sdk
from labkit.extras.sdk import ApiClient, DatabricksError, LazyWorkspaceClient
from labkit.text import first_line
from labkit.workspace.choice import WorkspaceChoice
from preflight.facts import light_client, verify_workspace
from preflight.identity import GuardError
from sources.directory_groups import DirectoryGroup, DirectoryListing, DirectoryMember, Person

_RETRY_SECONDS = 120
_GROUP_PATH = "/api/2.0/preview/scim/v2/Groups/{}"


def read_directory(
    pattern: str, *, target_name: str, target: TargetSettings, choice: WorkspaceChoice
) -> tuple[DirectoryListing, str]:
    """Return the groups whose names match a shell-style pattern, with all users, and the workspace's URL.

    Raise GuardError if it is a different workspace than the target expects, or if it does not respond completely.
    """
    client = light_client(choice)
    identity = verify_workspace(client, target_name, target)
    # The guard gives up within seconds; listing many users may have to wait for the workspace's rate limit.
    config: Any = client.config.copy()  # type: ignore[no-untyped-call]
    config.retry_timeout_seconds = _RETRY_SECONDS
    api = LazyWorkspaceClient(config).api_client
    try:
        listed = [one for one in sdk.list_scim(api, "Groups", "id,displayName,meta") if one.get("displayName")]
        matching = [one for one in listed if fnmatchcase(one["displayName"], pattern)]
        # A list may leave out members of large groups.
        groups = tuple(_group(api, one) for one in matching)
        people = {str(one["id"]): _person(one) for one in sdk.list_scim(api, "Users", "id,userName,active")}
    except (DatabricksError, OSError, TimeoutError, KeyError, TypeError, ValueError) as error:
        raise GuardError(
            f"The workspace at {identity.host} did not list its groups and users: {first_line(error)}."
        ) from error
    return DirectoryListing(pattern, groups, people, sum(map(_is_of_account, listed))), identity.host


def _is_of_account(group: dict[str, Any]) -> bool:
    return str((group.get("meta") or {}).get("resourceType") or "") == "Group"


def _group(api: ApiClient, listed: dict[str, Any]) -> DirectoryGroup:
    id, name = str(listed["id"]), str(listed["displayName"])
    if not _is_of_account(listed):
        return DirectoryGroup(id, name, is_of_account=False)
    document = sdk.get_object(api, _GROUP_PATH.format(id), attributes="id,displayName,members")
    if str(document.get("id")) != id:
        raise ValueError(f"the response about the group {name} is not the group")
    return DirectoryGroup(id, name, is_of_account=True, members=tuple(map(_member, document.get("members") or ())))


def _member(entry: dict[str, Any]) -> DirectoryMember:
    kind = str(entry.get("$ref") or "").partition("/")[0]
    return DirectoryMember(kind, str(entry["value"]), str(entry.get("display") or ""))


def _person(document: dict[str, Any]) -> Person:
    # Some versions leave the attribute out for active users.
    return Person(normalised_address(str(document.get("userName") or "")), document.get("active") is not False)
