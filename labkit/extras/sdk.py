"""As much of the Databricks SDK as the programs need. Its package imports forty services, which takes longer than a
poll or a data script does; they stay unloaded until somebody asks the package for one of its names.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, BinaryIO, TypeVar, cast

from labkit.lazy_package import Deferred, defer, enter
from labkit.text import first_line
from labkit.workspace import reach
from labkit.workspace.choice import HOST, Choice

enter("databricks.sdk")
# Logins at Azure and Google. The SDK imports them for everybody, with cryptography and asyncio: half of its time.
for _login in ("databricks.sdk.azure", "google.auth.impersonated_credentials", "google.oauth2.service_account"):
    defer(_login)

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

_mixins = Deferred("databricks.sdk.mixins.workspace")
_iam = Deferred("databricks.sdk.service.iam")
_files = Deferred("databricks.sdk.service.workspace")

__all__ = [
    "ApiClient",
    "Client",
    "Config",
    "DatabricksError",
    "InvalidParameterValue",
    "NoCredential",
    "NotFound",
    "PermissionDenied",
    "ResourceAlreadyExists",
    "SdkConfig",
    "Unauthenticated",
    "configure",
    "listed",
    "me",
    "object_of",
    "opened",
    "raw_format",
    "reason_of",
    "scim_listed",
    "within",
]

PATIENCE_SECONDS = 1.0
"""A host that answers has answered by then; of another one the cause is looked for."""
ME = "/api/2.0/preview/scim/v2/Me"
SCIM_PAGE = 100
WORKSPACE_ID = "X-Databricks-Org-Id"
"""The header of each answer that says which workspace gave it."""

_WITHOUT_CREDENTIAL = "cannot configure default credentials"

Made = TypeVar("Made")


class NoCredential(ValueError):
    """The workspace is named and no source has a credential for it; a sentence."""


class Config(SdkConfig):
    """Asks the host about itself only where that is needed to sign in: a token is sent as it is."""

    @classmethod
    def attributes(cls) -> Any:
        return SdkConfig.attributes()  # the SDK looks for them in the class itself

    def _resolve_host_metadata(self) -> None:
        if not self.token:
            super()._resolve_host_metadata()  # type: ignore[no-untyped-call, unused-ignore]


class Client:
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


def configure(choice: Choice, *, http_seconds: float, retry_seconds: float) -> Config:
    """The SDK's settings for the workspace that was chosen.

    The environment holds only the choice (`workspace_access.enter`). Raises NoCredential, and ValueError for one that
    cannot be used; may block for minutes, so callers run it in `within`.
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
        raise NoCredential(
            f"there is no credential for {where}: set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and"
            f" DATABRICKS_CLIENT_SECRET, beside {HOST}, or log in."
        ) from None


def within(seconds: float, make: Callable[[], Made], *, host: str) -> Made:
    """What `make` returns or raises; TimeoutError after `seconds`. The SDK's constructor can block for minutes.

    Raises ConnectionError as soon as it is clear that `host` cannot be connected to; the text is the cause.
    """
    made: list[Made] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            made.append(make())
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(min(seconds, PATIENCE_SECONDS))
    if thread.is_alive():
        if cause := reach.probe(host) if host else "":
            raise ConnectionError(cause)
        thread.join(max(0.0, seconds - PATIENCE_SECONDS))
    if failed:
        if cause := reach.cause_of(failed[0]):
            raise ConnectionError(cause) from failed[0]
        raise failed[0]
    if not made:
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    return made[0]


def reason_of(error: BaseException) -> str:
    """Why a workspace cannot be used, as a clause without a full stop."""
    said = first_line(error)
    if isinstance(error, Unauthenticated | PermissionDenied):
        return f"it refused the credential ({said})"
    return said


def me(api: ApiClient) -> tuple[str, str]:
    """The id of the workspace and the name of the caller, from one request. Raises what the SDK raises.

    Each is empty if the answer lacks it, as that of another kind of server does.
    """
    answer = api.do("GET", ME, response_headers=[WORKSPACE_ID])
    if not isinstance(answer, dict):
        return "", ""
    return str(answer.get(WORKSPACE_ID) or ""), str(answer.get("userName") or "")


def object_of(api: ApiClient, path: str, **query: Any) -> dict[str, Any]:
    """The JSON object that a GET answers; empty if the answer is none. Raises what the SDK raises."""
    answer = api.do("GET", path, query=query)
    return answer if isinstance(answer, dict) else {}


def listed(
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
        page = object_of(api, path, **asked)
        found += page.get(key, ())
        if not page.get("next_page_token"):
            return found
        asked["page_token"] = page["next_page_token"]


def scim_listed(api: ApiClient, kind: str, attributes: str) -> list[dict[str, Any]]:
    """All `Users` or `Groups`, with these attributes. Raises what the SDK raises."""
    found: list[dict[str, Any]] = []
    while True:
        query = {"attributes": attributes, "startIndex": len(found) + 1, "count": SCIM_PAGE}
        answer = object_of(api, f"/api/2.0/preview/scim/v2/{kind}", **query)
        page = answer.get("Resources") or []
        found += page
        if not page or len(found) >= int(answer.get("totalResults") or 0):
            return found


def opened(api: ApiClient, path: str) -> BinaryIO:
    """The content of a workspace file, as a stream to be closed. Raises what the SDK raises."""
    query = {"path": path, "direct_download": "true"}
    answer = api.do("GET", "/api/2.0/workspace/export", query=query, raw=True)
    return cast(BinaryIO, cast(Any, answer)["contents"])


def raw_format() -> Any:
    """The SDK's name for the import of a file as it is."""
    return _files.ImportFormat.RAW
