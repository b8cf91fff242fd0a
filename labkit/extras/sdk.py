"""As much of the Databricks SDK as the programs need. Its package imports forty services, which takes longer than a
poll or a data script does; they stay unloaded until somebody asks the package for one of its names.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, BinaryIO, TypeVar, cast

from labkit.lazy_package import LazyModule, defer_init, defer_module
from labkit.text import first_line
from labkit.workspace import connectivity
from labkit.workspace.choice import HOST, WorkspaceChoice

defer_init("databricks.sdk")
# Logins at Azure and Google. The SDK imports them for everybody, with cryptography and asyncio: half of its time.
for _login in ("databricks.sdk.azure", "google.auth.impersonated_credentials", "google.oauth2.service_account"):
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

_mixins = LazyModule("databricks.sdk.mixins.workspace")
_iam = LazyModule("databricks.sdk.service.iam")
_files = LazyModule("databricks.sdk.service.workspace")

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
    "raw_import_format",
    "failure_reason",
    "list_scim",
    "call_with_timeout",
]

PROBE_AFTER_SECONDS = 1.0
"""A host that answers has answered by then; of another one the cause is looked for."""
ME_PATH = "/api/2.0/preview/scim/v2/Me"
SCIM_PAGE_SIZE = 100
WORKSPACE_ID_HEADER = "X-Databricks-Org-Id"
"""The header of each answer that says which workspace gave it."""

_WITHOUT_CREDENTIAL = "cannot configure default credentials"

Result = TypeVar("Result")


class CredentialNotFound(ValueError):
    """The workspace is named and no source has a credential for it; a sentence."""


class Config(SdkConfig):
    """Asks the host about itself only where that is needed to sign in: a token is sent as it is."""

    @classmethod
    def attributes(cls) -> Any:
        return SdkConfig.attributes()  # the SDK looks for them in the class itself

    def _resolve_host_metadata(self) -> None:
        if not self.token:
            super()._resolve_host_metadata()  # type: ignore[no-untyped-call, unused-ignore]


class LazyWorkspaceClient:
    """The services of a WorkspaceClient that are used, each imported when it is."""

    def __init__(self, config: SdkConfig) -> None:
        self.config = config
        self.api_client = ApiClient(config)

    @cached_property
    def workspace(self) -> Any:
        """The SDK's WorkspaceExt."""
        return _mixins.WorkspaceExt(self.api_client)

    @cached_property
    def groups(self) -> Any:
        """The SDK's GroupsAPI."""
        return _iam.GroupsAPI(self.api_client)

    @cached_property
    def users(self) -> Any:
        """The SDK's UsersAPI."""
        return _iam.UsersAPI(self.api_client)


def configure(choice: WorkspaceChoice, *, http_seconds: float, retry_seconds: float) -> Config:
    """The SDK's settings for the workspace that was chosen.

    The environment must hold the choice alone (`workspace.access.choose_and_apply`). Can block for minutes, so callers
    run it with `call_with_timeout`. Raises CredentialNotFound, and ValueError for a credential that cannot be used.
    """
    # The SDK logs each attempt; the sentence of the error that follows says it better.
    logging.getLogger("databricks.sdk").setLevel(logging.ERROR)
    arguments: dict[str, Any] = dict(choice.arguments)
    try:
        return Config(http_timeout_seconds=http_seconds, retry_timeout_seconds=retry_seconds, **arguments)
    except ValueError as error:
        if _WITHOUT_CREDENTIAL not in str(error):
            raise
        where = f"{choice.host} of {choice.source}" if choice.host else choice.source
        raise CredentialNotFound(
            f"there is no credential for {where}: set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and"
            f" DATABRICKS_CLIENT_SECRET, beside {HOST}, or log in."
        ) from None


def call_with_timeout(seconds: float, make: Callable[[], Result], *, host: str) -> Result:
    """What `make` returns or raises; TimeoutError after `seconds`. The SDK's constructor can block for minutes.

    Raises ConnectionError as soon as it is clear that `host` cannot be connected to; the text is the cause.
    """
    made: list[Result] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            made.append(make())
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
    if not made:
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    return made[0]


def failure_reason(error: BaseException) -> str:
    """Why a workspace cannot be used, as a clause without a full stop."""
    said = first_line(error)
    if isinstance(error, Unauthenticated | PermissionDenied):
        return f"it refused the credential ({said})"
    return said


def identify(api: ApiClient) -> tuple[str, str]:
    """The id of the workspace and the name of the caller, from one request. Raises what the SDK raises.

    Each is empty if the answer lacks it, as that of another kind of server does.
    """
    answer = api.do("GET", ME_PATH, response_headers=[WORKSPACE_ID_HEADER])
    if not isinstance(answer, dict):
        return "", ""
    return str(answer.get(WORKSPACE_ID_HEADER) or ""), str(answer.get("userName") or "")


def get_object(api: ApiClient, path: str, **query: Any) -> dict[str, Any]:
    """The JSON object that a GET answers; empty if the answer is none. Raises what the SDK raises."""
    answer = api.do("GET", path, query=query)
    return answer if isinstance(answer, dict) else {}


def list_all(
    api: ApiClient,
    path: str,
    key: str,
    query: Mapping[str, Any] | None = None,
    *,
    before: Callable[[], object] = lambda: None,
) -> list[dict[str, Any]]:
    """The entries below `key` of all pages of a list. `before` is called before each request."""
    found: list[dict[str, Any]] = []
    asked = dict(query or {})
    while True:
        before()
        page = get_object(api, path, **asked)
        found += page.get(key, ())
        if not page.get("next_page_token"):
            return found
        asked["page_token"] = page["next_page_token"]


def list_scim(api: ApiClient, kind: str, attributes: str) -> list[dict[str, Any]]:
    """All `Users` or `Groups`, with these attributes. Raises what the SDK raises."""
    found: list[dict[str, Any]] = []
    while True:
        query = {"attributes": attributes, "startIndex": len(found) + 1, "count": SCIM_PAGE_SIZE}
        answer = get_object(api, f"/api/2.0/preview/scim/v2/{kind}", **query)
        page = answer.get("Resources") or []
        found += page
        if not page or len(found) >= int(answer.get("totalResults") or 0):
            return found


def open_workspace_file(api: ApiClient, path: str) -> BinaryIO:
    """The content of a workspace file, as a stream to be closed. Raises what the SDK raises."""
    query = {"path": path, "direct_download": "true"}
    answer = api.do("GET", "/api/2.0/workspace/export", query=query, raw=True)
    return cast(BinaryIO, cast(Any, answer)["contents"])


def raw_import_format() -> Any:
    """The SDK's name for the import of a file as it is."""
    return _files.ImportFormat.RAW
