"""Finds the addresses that already have an account in a target's workspace. Read-only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from lab_settings import TargetSettings
from labkit.addresses import normalised_address
from labkit.extras.sdk import DatabricksError, LazyWorkspaceClient
from labkit.text import first_line
from labkit.workspace.choice import WorkspaceChoice
from preflight.facts import light_client, verify_workspace
from preflight.identity import GuardError

_RETRY_SECONDS = 120
_PAGE = 100


def existing_accounts(
    emails: Collection[str], *, target_name: str, target: TargetSettings, choice: WorkspaceChoice
) -> frozenset[str]:
    """Return the addresses that have an account in the workspace that the target expects.

    Raise GuardError if it is a different workspace or does not respond.
    """
    client = light_client(choice)
    verify_workspace(client, target_name, target)
    # The guard gives up within seconds; listing many users may have to wait for the workspace's rate limit.
    config: Any = client.config.copy()  # type: ignore[no-untyped-call]
    config.retry_timeout_seconds = _RETRY_SECONDS
    try:
        users = LazyWorkspaceClient(config).users.list(attributes="userName", count=_PAGE)
        names = {normalised_address(user.user_name) for user in users if user.user_name}
    except (DatabricksError, OSError, TimeoutError) as error:
        raise GuardError(
            f"The workspace at {client.config.host} did not list its users: {first_line(error)}."
        ) from error
    return frozenset(names & set(emails))
