"""The SDK's services on an emulated workspace in this process: no sockets, no retries, no server threads."""

from __future__ import annotations

import base64
import io
import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import ERROR_CODE_MAPPING, STATUS_CODE_MAPPING
from databricks.sdk.mixins.workspace import WorkspaceExt
from databricks.sdk.service.iam import GroupsAPI, UsersAPI

from emulator.api.errors import ApiError
from in_process_workspace import InProcessWorkspace

HOST = "https://in-process.example"


class InProcessApiClient:
    """The part of ApiClient that the SDK's services use. Responses are copies, as after JSON transfer."""

    def __init__(self, workspace: InProcessWorkspace) -> None:
        self._workspace = workspace
        self._cfg = SimpleNamespace(workspace_id=None, host=HOST)

    def do(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        body: Any = None,
        raw: bool = False,
        files: dict[str, bytes] | None = None,
        data: dict[str, str] | None = None,
        **others: Any,
    ) -> Any:
        """Call the handler. Raises the SDK's error if the request is refused."""
        assert not any(others.values()), f"not carried in process: {others}"
        if files and data:
            # An upload as a form is equivalent to one as JSON.
            body = {**data, "content": base64.b64encode(files["content"]).decode(), "overwrite": "overwrite" in data}
        encoded_query = urlencode({name: str(value) for name, value in (query or {}).items()}, quote_via=quote)
        try:
            response = self._workspace.call(method, f"{path}?{encoded_query}" if encoded_query else path, body)
        except ApiError as error:
            kind: type[DatabricksError] = ERROR_CODE_MAPPING.get(str(error.code)) or STATUS_CODE_MAPPING.get(
                error.status, DatabricksError
            )
            raise kind(error.message, error_code=str(error.code)) from None
        if raw:
            return {"contents": io.BytesIO(response.read())}
        return json.loads(json.dumps(response))


class InProcessSdkClient:
    """The part of WorkspaceClient that the enforcer uses."""

    def __init__(self, workspace: InProcessWorkspace) -> None:
        self.api_client: Any = InProcessApiClient(workspace)
        services: Any = SimpleNamespace(
            workspace=WorkspaceExt, groups=GroupsAPI, users=UsersAPI
        )  # they have no type annotations
        self.workspace: WorkspaceExt = services.workspace(self.api_client)
        self.groups: GroupsAPI = services.groups(self.api_client)
        self.users: UsersAPI = services.users(self.api_client)
