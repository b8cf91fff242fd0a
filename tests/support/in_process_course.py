"""A course in an emulated workspace in this process, as after a deployment, for ticks without a socket."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

from emulator.models.scim import User
from enforcer.domain import timestamps
from enforcer.settings import load_settings
from enforcer.workspace.client import Workspace
from in_process_workspace import InProcessWorkspace
from labkit.course_file import checksum, hash_address
from sdk_in_process import InProcessSdkClient

START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
M = timedelta(minutes=1)
FOLDER = "/lab-94290-2026w"
STAFF = "assistant@example.ac.il"
"""The staff member in the course file."""
SETTINGS = load_settings({"LAB_COURSE": "94290", "LAB_TERM": "2026w"})


class InProcessCourse:
    """Groups `group_001`, `group_002`, … with one student and a stopped cluster each, on a Monday morning."""

    def __init__(
        self,
        groups: int,
        *,
        soft: timedelta,
        hard: timedelta,
        week: timedelta | None = None,
        has_file: bool = True,
        start: datetime = START,
    ) -> None:
        self.workspace = InProcessWorkspace(start=start)
        self.students: dict[str, User] = {}
        """By cluster id."""
        self.clusters: list[str] = []
        """The first cluster of each group."""
        self.names = [f"group_{number:03}" for number in range(1, groups + 1)]
        self.limits = {
            "soft_minutes": soft // M,
            "hard_minutes": hard // M,
            "week_minutes": week and week // M,
            "term_minutes": None,
        }
        for number, name in enumerate(self.names, 1):
            self.workspace.group(name, self.workspace.create_user(f"student{number}@campus.example.ac.il"))
            self.clusters.append(self.make_cluster(name))
        if has_file:
            self.write_course()

    def make_cluster(self, name: str, creator: User | None = None, **tags: str | None) -> str:
        """Create a group's stopped cluster and its grant, as the administrator or `creator`; return its id."""
        number = name.rpartition("_")[2]
        own = {"origin": "terraform", "lab_course": "94290", "lab_term": "2026w", "lab_group": name} | tags
        labels = {key: value for key, value in own.items() if value is not None}
        id = self.workspace.create(
            creator, cluster_name=f"cluster_{number}", autotermination_minutes=0, custom_tags=labels
        )
        groups = {group.display_name: group for group in self.workspace.emulated.state.directory.groups.values()}
        self.workspace.grant(id, groups[name], "CAN_RESTART")
        self.workspace.post("delete", id)
        self.workspace.advance(2)
        self.students[id] = self.student(name)
        return id

    def student(self, name: str) -> User:
        """Return a group's original student."""
        user = self.workspace.emulated.state.directory.find_user(
            f"student{int(name.rpartition('_')[2])}@campus.example.ac.il"
        )
        assert user
        return user

    def members(self, name: str) -> list[str]:
        """Return the list of a group's member ids; tests change it."""
        groups = self.workspace.emulated.state.directory.groups.values()
        return next(group.members for group in groups if group.display_name == name)

    def write_course(self, **changes: object) -> None:
        """Write the course file as a deployment does."""
        document: dict[str, object] = {
            "version": 2,
            "course": "94290",
            "term": "2026w",
            "title": "Lab",
            "timezone": "Asia/Jerusalem",
            "first_day": "2026-10-18",
            "last_day": "2027-01-31",
            "first_weekday": "Sunday",
            "count_all_sessions": False,
            "staff": {"application_ids": [], "address_hashes": [hash_address(STAFF, "94290", "2026w")]},
            "groups": [
                {"name": name, "number": n, "moodle_id": None, "title": f"Team {n}", "limits": self.limits}
                for n, name in enumerate(self.names, 1)
            ],
        } | changes
        document["checksum"] = checksum(document)
        self.put(f"/lab-{document['course']}-{document['term']}/course.json", json.dumps(document))

    def put(self, path: str, text: str) -> None:
        """Write a workspace file and create its folder."""
        self.workspace.call("POST", "/api/2.0/workspace/mkdirs", {"path": f"{path.rpartition('/')[0]}/allowances"})
        content = base64.b64encode(text.encode()).decode()
        body = {"path": path, "content": content, "format": "RAW", "overwrite": True}
        self.workspace.call("POST", "/api/2.0/workspace/import", body)

    def remove_course(self) -> None:
        self.workspace.call("POST", "/api/2.0/workspace/delete", {"path": FOLDER, "recursive": True})

    def remove(self, cluster_id: str) -> None:
        """Delete a cluster permanently, as a deployment does before it recreates the cluster."""
        self.workspace.post("permanent-delete", cluster_id)

    def now(self) -> datetime:
        return timestamps.from_millis(self.workspace.now)

    def connect(self) -> Workspace:
        """Return the workspace as the enforcer uses it."""
        return Workspace(InProcessSdkClient(self.workspace))  # type: ignore[arg-type]

    def start(self, cluster_id: str) -> None:
        """Start a cluster as the group's student."""
        self.workspace.post("start", cluster_id, self.students[cluster_id])

    def stop(self, cluster_id: str) -> None:
        self.workspace.post("delete", cluster_id)

    def grant(self, cluster_id: str, principal: dict[str, str], level: str) -> None:
        """Grant a level on a cluster, as an administrator would do manually."""
        entry = {**principal, "permission_level": level}
        path = f"/api/2.0/permissions/clusters/{cluster_id}"
        self.workspace.call("PATCH", path, {"access_control_list": [entry]})

    def level(self, cluster_id: str) -> str:
        """Return the permission level of the cluster's group."""
        response = self.workspace.call("GET", f"/api/2.0/permissions/clusters/{cluster_id}")
        (level,) = (
            grant["permission_level"]
            for entry in response["access_control_list"]
            if entry.get("group_name", "").startswith("group_")
            for grant in entry["all_permissions"]
        )
        return str(level)
