"""An emulated workspace in the test's own process, with a clock that only the test advances."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from emulator.api.errors import ApiError
from emulator.api.routing import Router
from emulator.base.content import EMPTY, BytesContent
from emulator.control.users import ensure_user
from emulator.models.scim import Group, User
from emulator.server import services
from emulator.server.in_process import send_request
from emulator.server.services import open_workspace
from emulator.state.options import Options
from emulator.state.state import dump

START = datetime(2026, 10, 18, 7, 0, tzinfo=UTC)
CLUSTERS = "/api/2.1/clusters/"
SPEC: dict[str, Any] = {
    "cluster_name": "cluster_01",
    "spark_version": "15.4.x-scala2.12",
    "node_type_id": "Standard_DS3_v2",
    "num_workers": 1,
    "autotermination_minutes": 60,
}


@cache
def router() -> Router:
    return Router(services.routes())


class InProcessWorkspace:
    """Calls the handlers directly, as `user` or as the administrator. Cluster state transitions take 2 s."""

    def __init__(self, **options: Any) -> None:
        self.emulated = open_workspace(Options(**(dict[str, Any](seed="desk", speed=0, start=START) | options)))

    @property
    def now(self) -> int:
        return self.emulated.clock.now()

    def advance(self, seconds: float) -> None:
        self.emulated.clock.advance(seconds)
        self.emulated.catch_up()

    def create_user(self, name: str) -> User:
        """Create a user who is in no group except `users`."""
        ensure_user(self.emulated, name, self.now)
        user = self.emulated.state.directory.find_user(name)
        assert user is not None
        return user

    def group(self, name: str, *members: User) -> Group:
        directory = self.emulated.state.directory
        group = Group(id=f"group-{name}", display_name=name, members=[member.id for member in members])
        directory.groups[group.id] = group
        return group

    def call(self, method: str, path: str, body: Any = None, user: User | None = None) -> Any:
        """Return the JSON response. Raises ApiError if the request is refused."""
        assert router().find(method, path.partition("?")[0]), f"{method} {path} is not served"
        sent = EMPTY if body is None else BytesContent(json.dumps(body).encode())
        return send_request(self.emulated, router(), method, path, sent, caller=user).body

    def refusal(self, method: str, path: str, body: Any = None, user: User | None = None) -> tuple[int, Any, str]:
        """Return status, code and message of a request that must be refused and must change nothing."""
        self.emulated.catch_up()
        before = dump(self.emulated.state)
        try:
            response = self.call(method, path, body, user)
        except ApiError as error:
            assert dump(self.emulated.state) == before, "a refused request changed something"
            return error.status, error.code, error.message
        raise AssertionError(f"{method} {path} was not refused: {response}")

    def create(self, user: User | None = None, **fields: Any) -> str:
        """Create a cluster, which is still PENDING, and return its id; fields that are None are omitted."""
        spec = {name: value for name, value in (SPEC | fields).items() if value is not None}
        return str(self.call("POST", f"{CLUSTERS}create", spec, user)["cluster_id"])

    def create_running(self, user: User | None = None, **fields: Any) -> str:
        """Create a cluster, wait until it is running, and return its id."""
        cluster_id = self.create(user, **fields)
        self.advance(2)
        return cluster_id

    def create_stopped(self, **fields: Any) -> str:
        """Create a cluster that ran for two minutes and was terminated; return its id."""
        cluster_id = self.create_running(**fields)
        self.advance(120)
        self.post("delete", cluster_id)
        self.advance(2)
        return cluster_id

    def post(self, verb: str, cluster_id: str, user: User | None = None, **fields: Any) -> Any:
        return self.call("POST", CLUSTERS + verb, {"cluster_id": cluster_id} | fields, user)

    def get(self, cluster_id: str, user: User | None = None) -> dict[str, Any]:
        response: dict[str, Any] = self.call("GET", f"{CLUSTERS}get?cluster_id={cluster_id}", user=user)
        return response

    def state(self, cluster_id: str) -> str:
        return str(self.get(cluster_id)["state"])

    def events(self, cluster_id: str, **fields: Any) -> list[dict[str, Any]]:
        """Return all events, oldest first, page by page as clients do."""
        body = {"cluster_id": cluster_id, "order": "ASC"} | fields
        found: list[dict[str, Any]] = []
        while body:
            page = self.call("POST", f"{CLUSTERS}events", body)
            found += page["events"]
            body = page.get("next_page")
        return found

    def types(self, cluster_id: str, **fields: Any) -> list[str]:
        return [event["type"] for event in self.events(cluster_id, **fields)]

    def grant(self, cluster_id: str, principal: User | Group, level: str | None) -> None:
        """Replace the principal's level on the cluster; None removes it."""
        self.emulated.state.acls.direct.get(f"/clusters/{cluster_id}", {}).pop(principal.id, None)
        if level:
            self.emulated.state.acls.grant(f"/clusters/{cluster_id}", principal.id, level)
