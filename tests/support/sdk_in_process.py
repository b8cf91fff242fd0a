"""The SDK's services on an emulated workspace of this process: no socket, no retries, no threads of a server."""

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


class InProcessApiClient:
    """What the SDK's services use of its ApiClient. Answers are plain JSON values of their own, as from a wire."""

    def __init__(self, workspace: InProcessWorkspace) -> None:
        self._workspace = workspace
        self._cfg = SimpleNamespace(workspace_id=None)

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
        """Raises the SDK's error for a refusal."""
        assert not any(others.values()), f"not carried in process: {others}"
        if files and data:
            # An upload as a form says the same as one in JSON.
            body = {**data, "content": base64.b64encode(files["content"]).decode(), "overwrite": "overwrite" in data}
        asked = urlencode({name: str(value) for name, value in (query or {}).items()}, quote_via=quote)
        try:
            answer = self._workspace.call(method, f"{path}?{asked}" if asked else path, body)
        except ApiError as error:
            kind: type[DatabricksError] = ERROR_CODE_MAPPING.get(str(error.code)) or STATUS_CODE_MAPPING.get(
                error.status, DatabricksError
            )
            raise kind(error.message, error_code=str(error.code)) from None
        if raw:
            return {"contents": io.BytesIO(answer.read())}
        return json.loads(json.dumps(answer))


class InProcessSdkClient:
    """As much of a WorkspaceClient as the enforcer asks for."""

    def __init__(self, workspace: InProcessWorkspace) -> None:
        self.api_client: Any = InProcessApiClient(workspace)
        services: Any = SimpleNamespace(workspace=WorkspaceExt, groups=GroupsAPI, users=UsersAPI)  # come without types
        self.workspace: WorkspaceExt = services.workspace(self.api_client)
        self.groups: GroupsAPI = services.groups(self.api_client)
        self.users: UsersAPI = services.users(self.api_client)
