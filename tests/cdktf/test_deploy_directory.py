"""A directory's groups become the roster; a deployment uses them and their accounts, and a destroy leaves them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from emulator_process import ROOT
from roster.model import parse_roster
from teardown_lab import SETTINGS, TeardownLab
from terraform_lab import STAFF

pytestmark = [pytest.mark.process, pytest.mark.terraform]

ZONE = ZoneInfo("Asia/Jerusalem")
TEAMS = {
    "DE-2026-1": ["a1@campus.example.ac.il", "a2@campus.example.ac.il"],
    "DE-2026-2": ["b1@campus.example.ac.il"],
    "DE-2026-10": ["c1@campus.example.ac.il"],
}
GROUPS = "/api/2.0/account/scim/v2/Groups"


class DirectoryLab(TeardownLab):
    """A lab in a workspace that lists a directory's groups."""

    def add_account(self, name: str) -> str:
        """Create an account as the directory would; return its token."""
        return str(self.emulator.control("POST", "users", {"user_name": name})["token"])

    def add_group(self, name: str, members: Sequence[str]) -> None:
        """Create a group as the directory would, with these accounts."""
        for member in members:
            self.add_account(member)
        self.drift("account_group", name, list(members))

    def change_members(self, name: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Change the members of a group as the directory would."""
        directory = self.workspace_state()["directory"]
        ids = {user["user_name"]: id for id, user in directory["users"].items()}
        (group,) = (id for id, group in directory["groups"].items() if group["display_name"] == name)
        operations: list[dict[str, Any]] = [
            {"op": "add", "path": "members", "value": [{"value": ids[member]} for member in add]}
        ]
        operations += [{"op": "remove", "path": f'members[value eq "{ids[member]}"]'} for member in remove]
        assert self.emulator.request("PATCH", f"{GROUPS}/{group}", {"Operations": operations})[0] in (200, 204)

    def import_groups(self, *options: str) -> list[str]:
        """Import the groups from the workspace; return the lines of the report."""
        program = ROOT / "cdktf" / "import_roster.py"
        done = self.program(program, "--from-workspace", "DE-2026-*", "--out", self.roster, *options)
        assert done.status == 0, done.err
        return done.out.splitlines()

    def level(self, cluster: str, group: str) -> str:
        """Return a group's permission level on a cluster."""
        path = f"/api/2.0/permissions/clusters/{self.clusters()[cluster]['cluster_id']}"
        entries = self.call("GET", path)["access_control_list"]
        (entry,) = (entry for entry in entries if entry.get("group_name") == group)
        return str(entry["all_permissions"][0]["permission_level"])

    def principals(self) -> tuple[set[str], dict[str, list[str]]]:
        """Return the names of all users, and the members of the directory's groups."""
        directory = self.workspace_state()["directory"]
        groups = directory["groups"].values()
        found = {group["display_name"]: sorted(group["members"]) for group in groups if group["account_level"]}
        return {user["user_name"] for user in directory["users"].values()}, found

    def set_clock(self, instant: datetime) -> None:
        self.emulator.control("POST", "clock", {"now": instant.isoformat()})

    def use(self, cluster: str, token: str, hours: int) -> None:
        """Start a cluster as a student and keep it in use."""
        start = {"cluster_id": self.clusters()[cluster]["cluster_id"]}
        assert self.emulator.request("POST", "/api/2.1/clusters/start", start, token=token)[0] == 200
        self.emulator.control("POST", "work", {**start, "seconds": hours * 3600, "token": token})


@pytest.fixture
def lab(tmp_path: Path, start_emulator: Any, monkeypatch: pytest.MonkeyPatch) -> DirectoryLab:
    """A lab that is not deployed yet, in the morning of a day of the term."""
    emulator = start_emulator("--speed", 0, "--transition-seconds", 0)
    expected = f'[targets.demo]\nexpected_workspace_id = "{emulator.workspace_id}"'
    monkeypatch.setenv("LAB_CLOCK", f"{emulator.url}/_emulator/clock")
    lab = DirectoryLab(tmp_path, emulator, **{**SETTINGS, "[targets.demo]": expected})
    lab.create_staff_account()
    for name, members in TEAMS.items():
        lab.add_group(name, members)
    lab.add_group("DE-2025-1", ["old@campus.example.ac.il"])
    return lab


def test_a_directory_course_is_deployed_enforced_and_closed(lab: DirectoryLab) -> None:
    before = lab.principals()
    morning = datetime.fromisoformat(lab.emulator.control("GET", "clock")["now"]).astimezone(ZONE) + timedelta(days=1)
    morning = morning.replace(hour=7, minute=0, second=0, microsecond=0)
    lab.set_clock(morning)

    report = lab.import_groups()
    assert report[:2] == [
        f"DE-2026-*: groups of a directory, {lab.emulator.url}",
        "The workspace lists 4 people in 3 groups. A directory may list only people that have logged in: compare the "
        "numbers with the directory's.",
    ]
    roster = parse_roster(lab.roster.read_text(encoding="utf-8"), "r.csv")
    assert [(group.number, group.principal) for group in roster.groups] == list(enumerate(TEAMS, 1))
    assert {member.account for group in roster.groups for member in group.members} == {"existing:demo"}

    lab.deploy()
    assert lab.plan() == {}
    assert lab.principals() == before
    managed = [address for address in lab.state_list() if not address.startswith("data.")]
    assert [address for address in managed if ".group_" in address or "databricks_user." in address] == []
    looked_up = {"data.databricks_group.group_02", "data.databricks_user.student_b1_at_campus-example-ac-il"}
    assert looked_up <= set(lab.state_list())
    names = [f"cluster_0{number}" for number in (1, 2, 3)]
    assert [lab.level(name, group) for name, group in zip(names, TEAMS, strict=True)] == ["CAN_RESTART"] * 3
    content = lab.call("GET", "/api/2.0/workspace/export?path=/lab-94290-2026w/course.json&direct_download=true")
    groups = (content if isinstance(content, dict) else json.loads(content))["groups"]
    assert [(group["name"], group["principal"]) for group in groups] == [
        (f"group_0{number}", name) for number, name in enumerate(TEAMS, 1)
    ]

    # The directory adds a student, who uses the cluster beyond the limit; nothing is deployed.
    token = lab.add_account("b2@campus.example.ac.il")
    lab.change_members("DE-2026-2", add=["b2@campus.example.ac.il"], remove=["b1@campus.example.ac.il"])
    lab.set_clock(morning + timedelta(hours=1))
    lab.use("cluster_02", token, hours=5)
    lab.set_clock(morning + timedelta(hours=6))
    lab.enforcer("poll")
    assert lab.level("cluster_02", "DE-2026-2") == "CAN_ATTACH_TO"
    assert lab.clusters()["cluster_02"]["state"] == "TERMINATED"
    assert [lab.level(name, group) for name, group in (("cluster_01", "DE-2026-1"), ("cluster_03", "DE-2026-10"))] == [
        "CAN_RESTART",
        "CAN_RESTART",
    ]
    assert lab.plan() == {}

    # The next import follows the directory, too.
    report = lab.import_groups("--allow-drops")
    assert "  joined     b2@campus.example.ac.il → group_02" in report
    assert "  left       b1@campus.example.ac.il (was in group_02)" in report
    lab.deploy()
    assert lab.plan() == {}
    assert lab.level("cluster_02", "DE-2026-2") == "CAN_ATTACH_TO"
    lab.set_clock(morning + timedelta(days=1))
    lab.enforcer("poll")
    assert lab.level("cluster_02", "DE-2026-2") == "CAN_RESTART"

    backup = ("-m", "inventory", "backup", "--group", "DE-2026-2", "--output", lab.folder / "saved")
    saved = lab.program(*backup)
    assert saved.status == 0, saved.err
    folders = {path.name for path in (lab.folder / "saved").rglob("*@*") if path.is_dir()}
    assert folders == {"b2@campus.example.ac.il"}

    kept = lab.principals()
    refused = lab.enforcer("delete-groups", "--dry-run", "--json")
    assert "DE-2026" not in refused.out
    closed = lab.close("--no-backup", "--yes", "--json")
    assert closed.status == 0, (closed.out, closed.err)
    steps = {step["name"]: step["status"] for step in closed.json["steps"]}
    assert steps["destroy"] == "done"
    assert lab.principals() == kept
    assert kept[1].keys() == before[1].keys()
    assert STAFF in kept[0]
    assert lab.clusters() == {}


def test_a_group_that_the_directory_removed_stops_the_plan_in_one_sentence(lab: DirectoryLab) -> None:
    lab.import_groups()
    lab.deploy()
    directory = lab.workspace_state()["directory"]["groups"]
    (id,) = (id for id, group in directory.items() if group["display_name"] == "DE-2026-10")
    assert lab.emulator.request("DELETE", f"{GROUPS}/{id}")[0] in (200, 204)
    done = lab.terraform("plan", "-input=false")
    text = " ".join(done.text.replace("│", " ").split())
    assert done.status == 1
    assert 'The roster has the directory\'s group "DE-2026-10", but the workspace has no account-level group' in text
    assert "  retired    group_03" in "\n".join(lab.import_groups("--allow-drops"))
    lab.deploy()
    assert lab.plan() == {}
    assert set(lab.clusters()) == {"cluster_01", "cluster_02"}
    assert lab.terraform("destroy", "-input=false", "-auto-approve").status == 0
    assert set(lab.principals()[1]) == {"DE-2026-1", "DE-2026-2", "DE-2025-1"}
