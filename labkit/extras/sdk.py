"""As much of the Databricks SDK as the programs need. Its package imports forty services, which takes longer than a
poll or a data script does; they stay unloaded until somebody asks the package for one of its names.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from labkit.lazy_package import enter
from labkit.workspace.choice import Choice

enter("databricks.sdk")

from databricks.sdk.config import Config  # noqa: E402
from databricks.sdk.core import ApiClient  # noqa: E402
from databricks.sdk.errors import (  # noqa: E402
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    Unauthenticated,
)
from databricks.sdk.errors.base import DatabricksError  # noqa: E402
from databricks.sdk.mixins.workspace import WorkspaceExt  # noqa: E402
from databricks.sdk.service.iam import GroupsAPI, UsersAPI  # noqa: E402
from databricks.sdk.service.workspace import ImportFormat  # noqa: E402

__all__ = [
    "ApiClient",
    "Client",
    "Config",
    "DatabricksError",
    "ImportFormat",
    "InvalidParameterValue",
    "NotFound",
    "PermissionDenied",
    "ResourceAlreadyExists",
    "Unauthenticated",
    "configure",
    "listed",
    "me",
    "object_of",
    "within",
]

ME = "/api/2.0/preview/scim/v2/Me"
WORKSPACE_ID = "X-Databricks-Org-Id"
"""The header of each answer that says which workspace gave it."""

Made = TypeVar("Made")


class Client:
    """The services of a WorkspaceClient that are used."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.api_client = ApiClient(config)
        self.workspace = WorkspaceExt(self.api_client)  # type: ignore[no-untyped-call]
        self.groups = GroupsAPI(self.api_client)  # type: ignore[no-untyped-call]
        self.users = UsersAPI(self.api_client)  # type: ignore[no-untyped-call]


def configure(choice: Choice, *, http_seconds: float, retry_seconds: float) -> Config:
    """The SDK's settings for the workspace that was chosen.

    The environment holds only the choice (`workspace_access.enter`). Raises ValueError without usable credentials; may
    block for minutes, so callers run it in `within`.
    """
    arguments: dict[str, Any] = dict(choice.arguments)
    return Config(http_timeout_seconds=http_seconds, retry_timeout_seconds=retry_seconds, **arguments)


def within(seconds: float, make: Callable[[], Made]) -> Made:
    """What `make` returns or raises; TimeoutError after `seconds`. The SDK's constructor can block for minutes."""
    made: list[Made] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            made.append(make())
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not made:
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    return made[0]


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
