"""As much of the Databricks SDK as the programs need that Terraform starts: the whole takes longer than they do."""

from light_package import enter

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
]


class LightClient:
    """The services of a WorkspaceClient that are asked."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.api_client = ApiClient(config)
        self.groups = GroupsAPI(self.api_client)  # type: ignore[no-untyped-call]
        self.workspace = WorkspaceExt(self.api_client)  # type: ignore[no-untyped-call]
