"""The Databricks workspace, as the enforcer needs it. The only module here that knows the SDK.

Everything it hands out is one of our own values; everything it raises is a `WorkspaceError` with the place in it.
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from enforcer.domain.observations import FileInfo, SeenCluster, ToldEvent
from enforcer.domain.quota import Level
from enforcer.domain.timestamps import to_instant, to_millis
from enforcer.domain.uptime import LATER_FAILURES, Event, Sighting
from enforcer.workspace.errors import Gone, NoCredential, Unreachable, WorkspaceError
from enforcer.workspace.rate_limit import Pace
from labkit.course_file import COURSE_TAG, GROUP_TAG, ORIGIN_TAG, TERM_TAG
from labkit.extras import sdk
from labkit.extras.sdk import (
    Client,
    DatabricksError,
    ImportFormat,
    InvalidParameterValue,
    NotFound,
    ResourceAlreadyExists,
    configure,
    listed,
    me,
    reason_of,
    within,
)
from labkit.text import first_line
from labkit.workspace.choice import Choice
from labkit.workspace.expected import Identity

CONNECT_SECONDS = 15
RETRY_SECONDS = 20
UP_STATES = frozenset({"RUNNING", "RESIZING", "RESTARTING"})
EVENT_PAGE = 500
LIMITS = {
    "clusters": 100,
    "permissions/get": 100,
    "permissions/patch": 30,
    "scim": 4,
    "scim/delete": 20,
    "workspace/list": 100,
    "workspace/export": 60,
    "workspace/import": 30,
}
"""Requests a second that a workspace takes, by kind or by what kinds begin with."""
SHARE = 0.9
"""Of a limit that is ours; a deploy or a person may ask at the same time."""


def connect(choice: Choice, *, seconds: float = CONNECT_SECONDS) -> "Workspace":
    """The workspace of the choice. Raises NoCredential, and Unreachable within `seconds` and a moment."""

    def make() -> Workspace:
        client = Client(configure(choice, http_seconds=10, retry_seconds=RETRY_SECONDS))
        workspace_id, caller = me(client.api_client)
        return Workspace(client, caller=caller, limits=LIMITS, workspace_id=workspace_id)

    try:
        return within(seconds, make, host=choice.host)
    except sdk.NoCredential as error:
        raise NoCredential(str(error)) from None
    except Exception as error:  # noqa: BLE001 - the SDK raises many types
        shown = choice.host or "the workspace of the environment"
        is_refusal = isinstance(error, sdk.Unauthenticated | sdk.PermissionDenied | ValueError)
        advice = f"the credential of {choice.source}" if is_refusal else "DATABRICKS_HOST and the network"
        raise Unreachable(f"{shown} cannot be used: {reason_of(error)}; check {advice}.") from None


class Workspace:
    """`client` is the SDK's, or as much of it; `caller` is who we are; `limits`, as LIMITS, are kept.

    `calls` counts requests by kind. `workspace_id` is empty if the workspace does not say it.
    """

    def __init__(
        self,
        client: Client,
        caller: str = "",
        limits: Mapping[str, float] | None = None,
        workspace_id: str = "",
    ) -> None:
        self._client = client
        self.api = client.api_client
        self.caller = caller
        self.workspace_id = workspace_id
        self.calls: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._paces = {kind: Pace(limit * SHARE) for kind, limit in (limits or {}).items()}

    def count(self, kind: str) -> None:
        """Note a request that is about to be sent, and wait until the limit of its kind lets it go."""
        with self._counting:
            self.calls[kind] += 1
        pace = self._paces.get(kind) or self._paces.get(kind.partition("/")[0])
        if pace:
            pace.wait()

    @property
    def host(self) -> str:
        return str(self.api._cfg.host)

    @property
    def identity(self) -> Identity:
        return Identity(self.host, self.workspace_id, self.caller)

    def date_header(self) -> str | None:
        """The time that the workspace puts on its answers."""
        self.count("scim/me")
        with place("the workspace"):
            answer: Any = self.api.do("GET", "/api/2.0/preview/scim/v2/Me", response_headers=["date"])
        return answer.get("date") if isinstance(answer, dict) else None

    def clusters(self, *, now: datetime) -> list[SeenCluster]:
        """Every cluster the list shows: pinned, active, or stopped within 30 days. `now` is when we looked."""
        with place("the list of clusters"):
            path, count = "/api/2.1/clusters/list", partial(self.count, "clusters/list")
            found = listed(self.api, path, "clusters", {"page_size": 100}, before=count)
            return [_seen(cluster, now) for cluster in found]

    def exists(self, cluster_id: str) -> bool:
        """Whether the workspace still knows the cluster, which it may while the list no longer shows it."""
        self.count("clusters/get")
        with place(f"cluster {cluster_id}"):
            try:
                self.api.do("GET", "/api/2.1/clusters/get", query={"cluster_id": cluster_id})
            except NotFound:
                return False
            return True

    def events(self, cluster_id: str, since: datetime | None) -> list[ToldEvent]:
        """All events from `since` on, oldest first; types the SDK does not know are kept.

        Raises Gone for a cluster that no longer exists.
        """
        request: dict[str, Any] | None = {"cluster_id": cluster_id, "order": "ASC", "limit": EVENT_PAGE}
        if since is not None:
            request = {**(request or {}), "start_time": to_millis(since)}
        told: list[ToldEvent] = []
        with place(f"the events of cluster {cluster_id}"):
            while request:
                self.count("clusters/events")
                try:
                    page: Any = self.api.do("POST", "/api/2.1/clusters/events", body=request)
                except (NotFound, InvalidParameterValue) as error:
                    if isinstance(error, NotFound) or "does not exist" in str(error):
                        raise Gone(f"cluster {cluster_id} no longer exists") from None
                    raise
                told += [_told(event) for event in page.get("events", [])]
                request = page.get("next_page")
        return told

    def terminate(self, cluster_id: str) -> None:
        """Turn it off; its definition stays. One that is off stays off."""
        self.count("clusters/delete")
        with place(f"cluster {cluster_id}"):
            self.api.do("POST", "/api/2.1/clusters/delete", body={"cluster_id": cluster_id})

    def level(self, cluster_id: str, group: str) -> Level | None:
        """What the group's own entry on the cluster says; None: no entry, or one that is neither of ours to change."""
        self.count("permissions/get")
        with place(f"the permissions of cluster {cluster_id}"):
            answer: Any = self.api.do("GET", f"/api/2.0/permissions/clusters/{cluster_id}")
        own = [
            grant["permission_level"]
            for entry in answer.get("access_control_list", [])
            if entry.get("group_name") == group
            for grant in entry.get("all_permissions", [])
            if not grant.get("inherited")
        ]
        return next((level for level in Level if own == [level.value]), None)

    def set_level(self, cluster_id: str, group: str, level: Level) -> None:
        """Change the group's own entry, and no other."""
        self.count("permissions/patch")
        entry = {"group_name": group, "permission_level": level.value}
        with place(f"the permission of {group} on cluster {cluster_id}"):
            self.api.do("PATCH", f"/api/2.0/permissions/clusters/{cluster_id}", body={"access_control_list": [entry]})

    def files(self, folder: str) -> list[FileInfo]:
        """The files directly in a workspace folder, by path; an absent folder has none."""
        self.count("workspace/list")
        with place(f"the folder {folder}"):
            try:
                answer: Any = self.api.do("GET", "/api/2.0/workspace/list", query={"path": folder})
            except NotFound:
                return []
        found = [
            FileInfo(entry["path"], f"{entry.get('object_id')}:{entry.get('modified_at')}:{entry.get('size')}")
            for entry in answer.get("objects", [])
            if entry.get("object_type") == "FILE"
        ]
        return sorted(found, key=lambda file: file.path)

    def read(self, path: str) -> str:
        """The content of a workspace file."""
        self.count("workspace/export")
        with place(path), self._client.workspace.download(path) as stream:
            return stream.read().decode("utf-8")

    def write(self, path: str, text: str, *, overwrite: bool = False) -> None:
        """Put a workspace file there. Raises WorkspaceError if it exists and is not to be overwritten."""
        self.count("workspace/import")
        with place(path):
            try:
                self._client.workspace.upload(path, text.encode(), format=ImportFormat.RAW, overwrite=overwrite)
            except ResourceAlreadyExists:
                raise WorkspaceError(f"{path} exists already") from None

    def make_folder(self, path: str) -> None:
        """Make the workspace folder and those above it, unless they exist."""
        self.count("workspace/mkdirs")
        with place(f"the folder {path}"):
            self.api.do("POST", "/api/2.0/workspace/mkdirs", body={"path": path})

    def members(self) -> dict[str, frozenset[str]]:
        """Addresses of the direct members of every group, by display name, lower case."""
        with place("the groups"):
            self.count("scim/groups")
            groups = list(self._client.groups.list(attributes="id,displayName,members"))
            self.count("scim/users")
            users = {user.id: user.user_name for user in self._client.users.list(attributes="id,userName")}
        return {
            group.display_name or "": frozenset(
                (users[member.value] or "").casefold() for member in group.members or [] if member.value in users
            )
            for group in groups
        }


@contextmanager
def place(what: str) -> Iterator[None]:
    """Turn what the SDK raises into a WorkspaceError that names `what`."""
    try:
        yield
    except (DatabricksError, TimeoutError, OSError, ValueError) as error:
        raise WorkspaceError(f"{what}: {first_line(error)}") from error


def _seen(cluster: dict[str, Any], now: datetime) -> SeenCluster:
    tags = {**cluster.get("default_tags", {}), **cluster.get("custom_tags", {})}
    times = [cluster.get(name) for name in ("start_time", "last_restarted_time", "terminated_time")]
    started = max((time for time in times[:2] if time), default=None)
    ended = to_instant(times[2]) if times[2] else None
    if cluster.get("state") == "TERMINATING":
        # The list tells an end only when it is through.
        ended = now
    return SeenCluster(
        id=cluster["cluster_id"],
        name=cluster.get("cluster_name", ""),
        group=tags.get(GROUP_TAG),
        course=tags.get(COURSE_TAG, ""),
        term=tags.get(TERM_TAG, ""),
        origin=tags.get(ORIGIN_TAG, ""),
        sighting=Sighting(
            at=now,
            running=cluster.get("state") in UP_STATES,
            since=to_instant(started) if started else None,
            terminated=ended,
        ),
        moved=":".join(str(time or "") for time in [*times, cluster.get("last_state_loss_time")]),
    )


def _told(event: dict[str, Any]) -> ToldEvent:
    details = event.get("details") or {}
    reason = details.get("reason") or {}
    idle = (reason.get("parameters") or {}).get("inactivity_duration_min")
    workers = details.get("current_num_workers")
    narrowed = Event(
        at=to_instant(event["timestamp"]),
        type=str(event.get("type") or ""),
        user=details.get("user"),
        workers=workers if isinstance(workers, int) else None,
        idle=timedelta(minutes=float(idle)) if reason.get("code") == "INACTIVITY" and idle else None,
        failed=event.get("type") == "TERMINATING" and reason.get("type", "SUCCESS") != "SUCCESS",
        may_have_run=reason.get("code") in LATER_FAILURES,
    )
    return ToldEvent(narrowed, json.dumps(event, sort_keys=True))
