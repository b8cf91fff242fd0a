"""As much of the Databricks SDK as the enforcer needs. Its package imports forty services, which takes longer than a
poll does; here they are left alone until somebody asks the package for one of its names.
"""

from labkit.lazy_package import enter

enter("databricks.sdk")

from databricks.sdk.config import Config  # noqa: E402
from databricks.sdk.core import ApiClient  # noqa: E402
from databricks.sdk.errors import InvalidParameterValue, NotFound, ResourceAlreadyExists  # noqa: E402
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
    "ResourceAlreadyExists",
]


class Client:
    """The services of a WorkspaceClient that are asked."""

    def __init__(self, config: Config) -> None:
        self.api_client = ApiClient(config)
        self.workspace = WorkspaceExt(self.api_client)  # type: ignore[no-untyped-call]
        self.groups = GroupsAPI(self.api_client)  # type: ignore[no-untyped-call]
        self.users = UsersAPI(self.api_client)  # type: ignore[no-untyped-call]
