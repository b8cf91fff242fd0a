"""As much of the Databricks SDK as the enforcer needs. Its package imports forty services, which takes longer than a
poll does; here they are left alone until somebody asks the package for one of its names.
"""

import importlib.util
import sys
from typing import Any

PACKAGE = "databricks.sdk"


def _enter() -> None:
    """Make the package known without running its own module."""
    if PACKAGE in sys.modules:
        return
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.loader is None:
        return  # the imports below say what is missing
    loader, module = spec.loader, importlib.util.module_from_spec(spec)

    def load(name: str) -> Any:
        if name.startswith("__") or importlib.util.find_spec(f"{PACKAGE}.{name}"):
            raise AttributeError(name)  # a module inside, which is imported in the usual way
        del module.__getattr__
        loader.exec_module(module)
        return getattr(module, name)

    module.__getattr__ = load  # type: ignore[method-assign]
    sys.modules[PACKAGE] = module
    sys.modules["databricks"].sdk = module  # type: ignore[attr-defined]


_enter()

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
