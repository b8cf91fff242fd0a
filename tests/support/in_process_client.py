"""Calls the emulator's handlers without a network, for tests that make thousands of requests."""

from __future__ import annotations

import json
from typing import Any

from emulator.api.errors import ApiError
from emulator.api.routing import Router
from emulator.base.content import BytesContent, Content
from emulator.models.scim import USERS, Group, User
from emulator.server import services
from emulator.server.in_process import send_request
from emulator.server.services import open_workspace
from emulator.state.options import Options


class InProcessClient:
    """One workspace, and requests to it by any user."""

    def __init__(self, **options: Any) -> None:
        self.workspace = open_workspace(Options(seed="7", **options))
        self._router = Router(services.routes())

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        caller: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Send a request, as the administrator by default. Return status and body (JSON value or bytes)."""
        assert self._router.find(method, path.partition("?")[0]), f"no route for {method} {path}"
        sent = BytesContent(body if isinstance(body, bytes) else json.dumps(body or {}).encode())
        try:
            response = send_request(self.workspace, self._router, method, path, sent, caller=caller, headers=headers)
        except ApiError as error:
            return error.status, error.body()
        if isinstance(response.body, Content):
            return response.status, response.body.read()
        return response.status, response.body if isinstance(response.body, bytes) else json.loads(
            json.dumps(response.body)
        )

    def user(self, name: str) -> User:
        """Create a user, who is a member of `users` and has a home."""
        status, created = self.request("POST", "/api/2.0/preview/scim/v2/Users", {"userName": name})
        assert status == 201, created
        directory = self.workspace.state.directory
        users = directory.find_group(USERS)
        assert users and created["id"] in users.members
        return directory.users[created["id"]]

    def group(self, name: str, *members: User) -> Group:
        """Create a group with these members."""
        body = {"displayName": name, "members": [{"value": member.id} for member in members]}
        status, created = self.request("POST", "/api/2.0/preview/scim/v2/Groups", body)
        assert status == 201, created
        return self.workspace.state.directory.groups[created["id"]]
