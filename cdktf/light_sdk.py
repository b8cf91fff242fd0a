"""As much of the Databricks SDK as the programs need that Terraform starts: the whole takes longer than they do."""

from typing import Any

from labkit.lazy_package import enter

enter("databricks.sdk")

from databricks.sdk.config import Config  # noqa: E402
from databricks.sdk.core import ApiClient  # noqa: E402
from databricks.sdk.errors import NotFound, PermissionDenied, Unauthenticated  # noqa: E402
from databricks.sdk.errors.base import DatabricksError  # noqa: E402
from databricks.sdk.mixins.workspace import WorkspaceExt  # noqa: E402
from databricks.sdk.service.iam import GroupsAPI  # noqa: E402

__all__ = [
    "ApiClient",
    "Config",
    "DatabricksError",
    "LightClient",
    "NotFound",
    "PermissionDenied",
    "Unauthenticated",
    "listed",
    "object_of",
]


class LightClient:
    """The services of a WorkspaceClient that are asked."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.api_client = ApiClient(config)
        self.groups = GroupsAPI(self.api_client)  # type: ignore[no-untyped-call]
        self.workspace = WorkspaceExt(self.api_client)  # type: ignore[no-untyped-call]


def object_of(api: ApiClient, path: str, **query: Any) -> dict[str, Any]:
    """What a GET answers; empty where that is no JSON object. Raises what the SDK raises."""
    answer = api.do("GET", path, query=query)
    return answer if isinstance(answer, dict) else {}


def listed(api: ApiClient, path: str, key: str, **query: Any) -> list[dict[str, Any]]:
    """All pages of a list, whose entries stand under `key`."""
    found: list[dict[str, Any]] = []
    while True:
        page = object_of(api, path, **query)
        found += page.get(key, ())
        if not page.get("next_page_token"):
            return found
        query["page_token"] = page["next_page_token"]
