"""A course in an emulated workspace of this process, as a deploy leaves it, for ticks without a socket."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

from emulator.models.scim import User
from enforcer.domain import timestamps
from enforcer.settings import load_settings
from enforcer.workspace.client import Workspace
from in_process_workspace import Desk
from sdk_in_process import Client

START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
M = timedelta(minutes=1)
FOLDER = "/lab-94290-2026w"
SETTINGS = load_settings({"LAB_COURSE": "94290", "LAB_TERM": "2026w"})


class DeskLab:
    """Groups `group_001`, `group_002`, … of one student each, with a stopped cluster, on a Monday morning."""

    def __init__(self, groups: int, *, soft: timedelta, hard: timedelta) -> None:
        self.desk = Desk(start=START)
        self.students: dict[str, User] = {}
        """By cluster id."""
        self.clusters: list[str] = []
        for number in range(1, groups + 1):
            self._make_group(number)
        self._write_course(groups, soft, hard)

    def _make_group(self, number: int) -> None:
        name = f"group_{number:03}"
        student = self.desk.person(f"student{number}@campus.example.ac.il")
        group = self.desk.group(name, student)
        tags = {"origin": "terraform", "lab_course": "94290", "lab_term": "2026w", "lab_group": name}
        id = self.desk.create(cluster_name=f"cluster_{number:03}", autotermination_minutes=0, custom_tags=tags)
        self.desk.grant(id, group, "CAN_RESTART")
        self.desk.post("delete", id)
        self.desk.advance(2)
        self.students[id] = student
        self.clusters.append(id)

    def _write_course(self, groups: int, soft: timedelta, hard: timedelta) -> None:
        limits = {"soft_minutes": soft // M, "hard_minutes": hard // M, "week_minutes": None, "term_minutes": None}
        document = {
            "version": 1,
            "course": "94290",
            "term": "2026w",
            "title": "Lab",
            "timezone": "Asia/Jerusalem",
            "first_day": "2026-10-18",
            "last_day": "2027-01-31",
            "first_weekday": "Sunday",
            "count_all_sessions": False,
            "groups": [
                {"name": f"group_{n:03}", "number": n, "moodle_id": None, "title": f"Team {n}", "limits": limits}
                for n in range(1, groups + 1)
            ],
        }
        self.desk.ask("POST", "/api/2.0/workspace/mkdirs", {"path": f"{FOLDER}/allowances"})
        content = base64.b64encode(json.dumps(document).encode()).decode()
        body = {"path": f"{FOLDER}/course.json", "content": content, "format": "RAW", "overwrite": True}
        self.desk.ask("POST", "/api/2.0/workspace/import", body)

    def now(self) -> datetime:
        return timestamps.to_instant(self.desk.now)

    def connect(self) -> Workspace:
        """The workspace as the enforcer sees it."""
        return Workspace(Client(self.desk))  # type: ignore[arg-type]

    def start(self, cluster_id: str) -> None:
        """Its student starts a cluster."""
        self.desk.post("start", cluster_id, self.students[cluster_id])

    def level(self, cluster_id: str) -> str:
        """What the cluster's group may do on it."""
        answer = self.desk.ask("GET", f"/api/2.0/permissions/clusters/{cluster_id}")
        (level,) = (
            grant["permission_level"]
            for entry in answer["access_control_list"]
            if entry.get("group_name", "").startswith("group_")
            for grant in entry["all_permissions"]
        )
        return str(level)
