"""API calls other than folder listings: identity, users, groups, git folders, and whether DBFS is enabled."""

import random
import time
from collections.abc import Iterator, Mapping
from typing import Any

from inventory.transport.client import Client
from inventory.transport.response import ConnectError, Response, TransportError
from inventory.transport.retry import next_retry
from labkit.lazy_package import LazyModule
from labkit.workspace.choice import WorkspaceChoice
from labkit.workspace.expected import WorkspaceIdentity

sdk = LazyModule("labkit.extras.sdk")
"""Imported lazily: the import takes a second, and most errors are found without it."""
SCIM_PATH = "/api/2.0/preview/scim/v2"
CONNECT_TIMEOUT_SECONDS = 30.0
GIT_FIELDS = {"url": "url", "provider": "provider", "branch": "branch", "commit": "head_commit_id"}
"""Fields of a git folder: name in the manifest → name in the API."""
GIT_PREFIXES = ("/Users", "/Shared", "/Repos")
"""Folders that can contain git folders; without a prefix the API lists only git folders in /Repos."""
PAGE_SIZE = 1000
"""Requested number of entries per SCIM page; the server may return fewer."""


class WorkspaceError(Exception):
    """The workspace could not be read; the message names it and the reason."""


def connect(
    choice: WorkspaceChoice, *, timeout: float = 60.0, connect_seconds: float = CONNECT_TIMEOUT_SECONDS
) -> Client:
    """Return a client for the chosen workspace. Raises WorkspaceError after at most `connect_seconds`."""
    try:
        config = sdk.call_with_timeout(
            connect_seconds, lambda: sdk.configure(choice, http_seconds=10, retry_seconds=20), host=choice.host
        )
    except sdk.CredentialNotFound as error:
        raise WorkspaceError(str(error)) from None
    except Exception as error:  # noqa: BLE001 - the SDK raises many types
        raise WorkspaceError(
            f"{choice.host} cannot be used with {choice.source}: {sdk.failure_reason(error)}."
        ) from None
    client = Client(choice.host or str(config.host), config.authenticate, timeout=timeout)
    client.credential_source = choice.source
    return client


class WorkspaceApi:
    """Workspace API calls, with retries."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get_document(self, path: str, query: Mapping[str, str], description: str) -> Any:
        """Return the document at a path. Raises WorkspaceError; `description` is what its message calls the
        document."""
        return self._get(path, query, description)[1]

    def _get(
        self, path: str, query: Mapping[str, str], description: str, *, is_first: bool = False
    ) -> tuple[Response, Any]:
        outcome = self.try_get(path, query, is_first=is_first)
        if isinstance(outcome, ConnectError):
            raise WorkspaceError(f"{self.client.host} cannot be reached: {outcome}.")
        if isinstance(outcome, Response) and outcome.ok and isinstance(outcome.document, Mapping):
            return outcome, outcome.document
        if isinstance(outcome, Response) and outcome.rejects_credential:
            raise WorkspaceError(
                f"{self.client.host} rejected the credential{self._of_credential_source()}:"
                f" {_credential_message(outcome)}."
            )
        reason = str(outcome)
        if isinstance(outcome, Response):
            reason = "the response is not a JSON object" if outcome.ok else outcome.reason
        raise WorkspaceError(f"{description} in {self.client.host} cannot be read: {reason.rstrip('.')}.")

    def _of_credential_source(self) -> str:
        return f" from {self.client.credential_source}" if self.client.credential_source else ""

    def caller(self) -> tuple[str, list[str]]:
        """Return the caller's name and the names of the caller's groups. Raises WorkspaceError."""
        identity, groups = self.identity()
        return identity.caller, groups

    def identity(self) -> tuple[WorkspaceIdentity, list[str]]:
        """Return the identity of workspace and caller, and the names of the caller's groups. Raises WorkspaceError."""
        # This is the first request, so an unreachable host is reported at once, without retries.
        response, me = self._get(f"{SCIM_PATH}/Me", {}, "the account", is_first=True)
        groups = [str(group["display"]) for group in json_objects(me.get("groups")) if group.get("display")]
        identity = WorkspaceIdentity(self.client.host, response.workspace_id, str(me.get("userName") or ""))
        return identity, sorted(groups)

    def scim_resources(self, kind: str, attributes: str, scim_filter: str = "") -> Iterator[Mapping[str, Any]]:
        """Yield all `Users`, `Groups` or `ServicePrincipals`, once each, with these attributes. Raises WorkspaceError.

        A list entry that is not an object is yielded as an empty object.
        """
        seen: set[str] = set()
        start, before = 1, list[Any]()
        while True:
            query = {"attributes": f"id,{attributes}", "startIndex": str(start), "count": str(PAGE_SIZE)}
            page = self.get_document(
                f"{SCIM_PATH}/{kind}", query | ({"filter": scim_filter} if scim_filter else {}), f"the list of {kind}"
            )
            received = page.get("Resources", [])
            total = page.get("totalResults")
            if not isinstance(received, list):
                raise WorkspaceError(f"the list of {kind} in {self.client.host} has no list Resources.")
            if not received and type(total) is int and total >= start:
                raise WorkspaceError(f"the list of {kind} in {self.client.host} ends after {start - 1} of {total}.")
            # A server that ignores startIndex would return the same page forever.
            if not received or received == before:
                return
            for resource in received:
                if not isinstance(resource, Mapping) or not resource.get("id"):
                    yield resource if isinstance(resource, Mapping) else {}
                elif str(resource["id"]) not in seen:
                    seen.add(str(resource["id"]))
                    yield resource
            start, before = start + len(received), received

    def is_dbfs_disabled(self) -> bool:
        """Return whether DBFS is disabled for the whole workspace.

        Not every caller may read the setting, so an error from the DBFS root that reports it counts as well.
        """
        setting = "/api/2.0/settings/types/disable_legacy_dbfs/names/default"
        outcome = self.try_get(setting, {})
        if isinstance(outcome, Response) and outcome.ok and isinstance(outcome.document, Mapping):
            value = outcome.document.get("disable_legacy_dbfs")
            if isinstance(value, Mapping) and isinstance(value.get("value"), bool):
                return bool(value["value"])
        probe = self.try_get("/api/2.0/dbfs/get-status", {"path": "/"})
        return isinstance(probe, Response) and probe.status == 403 and "dbfs root is disabled" in probe.reason.lower()

    def git_folders(self) -> dict[str, dict[str, str]]:
        """Map the path of each git folder to its url, provider, branch and commit. Raises WorkspaceError."""
        found: dict[str, dict[str, str]] = {}
        for prefix in GIT_PREFIXES:
            page, pages = "", set[str]()
            while True:
                query = {"path_prefix": prefix} | ({"next_page_token": page} if page else {})
                response = self.get_document("/api/2.0/repos", query, "the list of git folders")
                for repo in json_objects(response.get("repos")):
                    about = {name: repo.get(field) for name, field in GIT_FIELDS.items()}
                    path = str(repo.get("path")).removeprefix("/Workspace")
                    found[path] = {name: str(value) for name, value in about.items() if value}
                page = str(response.get("next_page_token") or "")
                if not page or page in pages:
                    break
                pages.add(page)
        return found

    def try_get(self, path: str, query: Mapping[str, str], *, is_first: bool = False) -> Response | TransportError:
        """Return the outcome of a GET, with retries. If `is_first`, it is not repeated after a ConnectError."""
        tries = 0
        while True:
            tries += 1
            outcome: Response | TransportError
            try:
                outcome = self.client.get(path, query)
            except TransportError as error:
                outcome = error
            repeat = next_retry(outcome, tries, random.random)
            if repeat is None or (is_first and isinstance(outcome, ConnectError)):
                return outcome
            time.sleep(repeat.delay)


def json_objects(value: object) -> list[Mapping[str, Any]]:
    """Return the JSON objects in a list. Entries of other types are skipped; empty if the value is not a list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _credential_message(response: Response) -> str:
    """Return the server's message about a rejected credential, without the status."""
    return response.reason.removeprefix(str(response.status)).strip().rstrip(".") or f"status {response.status}"
