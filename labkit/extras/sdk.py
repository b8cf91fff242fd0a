"""The parts of the Databricks SDK that the programs need.

The SDK's package imports forty services, which takes longer than a poll. Here they stay unloaded until one of the
package's names is used.
"""

import logging
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from labkit.lazy_package import LazyModule, defer_init, defer_module
from labkit.text import first_line
from labkit.workspace import connectivity
from labkit.workspace.choice import HOST, WorkspaceChoice

defer_init("databricks.sdk")
# Azure and Google logins. The SDK always imports them, with cryptography and asyncio: half of its import time.
_LOGINS = ("databricks.sdk.azure", "google.auth.impersonated_credentials", "google.oauth2.service_account")
for _login in _LOGINS:
    defer_module(_login)

from databricks.sdk.config import Config as SdkConfig  # noqa: E402
from databricks.sdk.core import ApiClient  # noqa: E402
from databricks.sdk.errors import (  # noqa: E402
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    Unauthenticated,
)
from databricks.sdk.errors.base import DatabricksError  # noqa: E402

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

_sdk, _iam = LazyModule("databricks.sdk"), LazyModule("databricks.sdk.service.iam")

__all__ = [
    "ApiClient",
    "LazyWorkspaceClient",
    "Config",
    "DatabricksError",
    "InvalidParameterValue",
    "CredentialNotFound",
    "NotFound",
    "PermissionDenied",
    "ResourceAlreadyExists",
    "SdkConfig",
    "Unauthenticated",
    "configure",
    "list_all",
    "identify",
    "get_object",
    "open_workspace_file",
    "failure_reason",
    "whole_client",
    "list_scim",
    "call_with_timeout",
]

PROBE_AFTER_SECONDS = 1.0
"""A working host responds within this time; after it, the connection is probed for the cause."""
ME_PATH = "/api/2.0/preview/scim/v2/Me"
SCIM_PAGE_SIZE = 100
WORKSPACE_ID_HEADER = "X-Databricks-Org-Id"
"""The response header with the id of the workspace."""

_WITHOUT_CREDENTIAL = "cannot configure default credentials"

Result = TypeVar("Result")


class CredentialNotFound(ValueError):
    """No source has a credential for the chosen workspace; the message is one sentence."""


class Config(SdkConfig):
    """The SDK's Config, which requests the host's metadata only if the login needs it; a token does not.

    `environ` replaces the environment of the process, for a process that uses several workspaces.
    """

    def __init__(self, *, environ: Mapping[str, str] | None = None, **arguments: Any) -> None:
        self._environ = environ
        super().__init__(**arguments)

    @classmethod
    def attributes(cls) -> Any:
        return SdkConfig.attributes()  # the SDK looks them up in the class itself

    def _resolve_host_metadata(self) -> None:
        if not self.token:
            super()._resolve_host_metadata()  # type: ignore[no-untyped-call, unused-ignore]

    def _load_from_env(self) -> None:
        if self._environ is None:
            super()._load_from_env()  # type: ignore[no-untyped-call, unused-ignore]
            return
        for attribute in self.attributes():
            values = (self._environ.get(name) for name in (attribute.env, *attribute.env_aliases) if name)
            value = next((value for value in values if value), None)
            if value and attribute.name not in self._inner:
                setattr(self, attribute.name, value)


class LazyWorkspaceClient:
    """The services of the SDK's WorkspaceClient that the programs use, each imported on first use."""

    def __init__(self, config: SdkConfig) -> None:
        self.config = config
        self.api_client = ApiClient(config)
        # The SDK limits only connections with https; workspaces on this machine have http.
        session = self.api_client._api_client._session
        session.mount("http://", session.get_adapter("https://"))

    @cached_property
    def groups(self) -> Any:
        """Groups, through the SDK's GroupsAPI."""
        return _iam.GroupsAPI(self.api_client)

    @cached_property
    def users(self) -> Any:
        """Users, through the SDK's UsersAPI."""
        return _iam.UsersAPI(self.api_client)


def whole_client(config: SdkConfig) -> "WorkspaceClient":
    """Return the SDK's own client. The first call imports all services, which takes a second."""
    client: WorkspaceClient = _sdk.WorkspaceClient(config=config)
    return client


def load_logins() -> None:
    """Import the logins now. Several threads must not be the first to use one of them at the same time."""
    for name in _LOGINS:
        module = sys.modules.get(name)
        if module is not None:
            vars(module)


def configure(
    choice: WorkspaceChoice,
    *,
    http_seconds: float,
    retry_seconds: float,
    environ: Mapping[str, str] | None = None,
    connections: int | None = None,
) -> Config:
    """Return the SDK's settings for the chosen workspace.

    The environment must contain no workspace variables but the chosen ones (`workspace.access.choose_and_apply`);
    `environ` replaces it. `connections` is the maximum number of connections, by default the SDK's. Can block for
    minutes, so callers run it with `call_with_timeout`. Raises CredentialNotFound, and ValueError for a credential that
    cannot be used.
    """
    # The SDK logs each attempt; the error that follows is clearer.
    logging.getLogger("databricks.sdk").setLevel(logging.ERROR)
    arguments: dict[str, Any] = dict(choice.arguments)
    if connections is not None:
        # The SDK passes this value on as the size of a host's pool.
        arguments["max_connection_pools"] = connections
    try:
        return Config(
            environ=environ, http_timeout_seconds=http_seconds, retry_timeout_seconds=retry_seconds, **arguments
        )
    except ValueError as error:
        if _WITHOUT_CREDENTIAL not in str(error):
            raise
        where = f"{choice.host} from {choice.source}" if choice.host else choice.source
        raise CredentialNotFound(
            f"there is no credential for {where}: set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and"
            f" DATABRICKS_CLIENT_SECRET, in addition to {HOST}, or log in."
        ) from None


def call_with_timeout(seconds: float, make: Callable[[], Result], *, host: str) -> Result:
    """Call `make`, which can block for minutes; return or raise what it does, or raise TimeoutError after `seconds`.

    Raises ConnectionError as soon as it is known that no connection to `host` can be made; its message is the cause.
    """
    results: list[Result] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            results.append(make())
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(min(seconds, PROBE_AFTER_SECONDS))
    if thread.is_alive():
        if cause := connectivity.probe(host) if host else "":
            raise ConnectionError(cause)
        thread.join(max(0.0, seconds - PROBE_AFTER_SECONDS))
    if failed:
        if cause := connectivity.connection_failure(failed[0]):
            raise ConnectionError(cause) from failed[0]
        raise failed[0]
    if not results:
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    return results[0]


def failure_reason(error: BaseException) -> str:
    """Return why a workspace cannot be used, as a clause without a full stop."""
    message = first_line(error)
    if isinstance(error, Unauthenticated | PermissionDenied):
        return f"it refused the credential ({message})"
    return message


def identify(api: ApiClient) -> tuple[str, str]:
    """Return the id of the workspace and the name of the caller, with one request. Raises what the SDK raises.

    Each is empty if the response lacks it, which means a different kind of server.
    """
    answer = api.do("GET", ME_PATH, response_headers=[WORKSPACE_ID_HEADER])
    if not isinstance(answer, dict):
        return "", ""
    return str(answer.get(WORKSPACE_ID_HEADER) or ""), str(answer.get("userName") or "")


def get_object(api: ApiClient, path: str, **query: Any) -> dict[str, Any]:
    """Return the JSON object of a GET; an empty dict if the response is not an object. Raises what the SDK raises."""
    document = api.do("GET", path, query=query)
    return document if isinstance(document, dict) else {}


def list_all(
    api: ApiClient,
    path: str,
    key: str,
    query: Mapping[str, Any] | None = None,
    *,
    before: Callable[[], object] = lambda: None,
) -> list[dict[str, Any]]:
    """Return the entries under `key` from all pages of a list. `before` is called before each request."""
    found: list[dict[str, Any]] = []
    parameters = dict(query or {})
    while True:
        before()
        page = get_object(api, path, **parameters)
        found += page.get(key, ())
        if not page.get("next_page_token"):
            return found
        parameters["page_token"] = page["next_page_token"]


def list_scim(api: ApiClient, kind: str, attributes: str) -> list[dict[str, Any]]:
    """Return all `Users` or all `Groups`, with these attributes. Raises what the SDK raises."""
    found: list[dict[str, Any]] = []
    while True:
        query = {"attributes": attributes, "startIndex": len(found) + 1, "count": SCIM_PAGE_SIZE}
        answer = get_object(api, f"/api/2.0/preview/scim/v2/{kind}", **query)
        page = answer.get("Resources") or []
        found += page
        if not page or len(found) >= int(answer.get("totalResults") or 0):
            return found


def open_workspace_file(api: ApiClient, path: str) -> BinaryIO:
    """Return the content of a workspace file as a stream, which the caller closes. Raises what the SDK raises."""
    query = {"path": path, "direct_download": "true"}
    answer = api.do("GET", "/api/2.0/workspace/export", query=query, raw=True)
    return cast(BinaryIO, cast(Any, answer)["contents"])
