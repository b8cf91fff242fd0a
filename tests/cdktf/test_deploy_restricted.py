"""A deployment and the enforcer do not undo each other's changes."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from emulator_process import ROOT, EmulatorProcess
from terraform_lab import TerraformLab

pytestmark = [pytest.mark.process, pytest.mark.terraform]

ZONE = ZoneInfo("Asia/Jerusalem")
ROSTER = {number: [f"s{number}a@campus.example.ac.il"] for number in (1, 2, 3)}


def set_clock(emulator: EmulatorProcess, instant: datetime) -> None:
    emulator.control("POST", "clock", {"now": instant.isoformat()})


def poll(term: TerraformLab, ledger: Path) -> None:
    environment = {
        **os.environ,
        **term.emulator.environment(),
        "PYTHONPATH": str(ROOT),
        "CLUSTER_UPTIMES_DB": str(ledger),
        "LAB_CLOCK": f"{term.emulator.url}/_emulator/clock",
    }
    command = [sys.executable, "-m", "enforcer", "poll"]
    done = subprocess.run(command, cwd=ledger.parent, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def levels(term: TerraformLab) -> dict[str, str]:
    """Return each group's permission level on its cluster."""
    found = {}
    for cluster in term.clusters().values():
        _, answer = term.emulator.request("GET", f"/api/2.0/permissions/clusters/{cluster['cluster_id']}")
        group = cluster["custom_tags"]["lab_group"]
        for entry in answer["access_control_list"]:
            if entry.get("group_name") == group:
                found[group] = entry["all_permissions"][0]["permission_level"]
    return found


def restrict_by_hand(term: TerraformLab, group: str) -> None:
    """Lower a group's permission manually."""
    number = group.removeprefix("group_")
    value = {"group_name": group, "permission_level": "CAN_ATTACH_TO"}
    term.emulator.control("POST", "drift", {"kind": "permission", "target": f"cluster_{number}", "value": value})


def test_a_restriction_survives_a_deployment_until_midnight(
    tmp_path: Path, start_emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = start_emulator("--speed", 0, "--transition-seconds", 0)
    monkeypatch.setenv("LAB_CLOCK", f"{emulator.url}/_emulator/clock")
    morning = datetime.fromisoformat(emulator.control("GET", "clock")["now"]).astimezone(ZONE) + timedelta(days=1)
    morning = morning.replace(hour=7, minute=0, second=0, microsecond=0)
    set_clock(emulator, morning)
    term = TerraformLab(tmp_path, emulator, settings={"quota.groups.group_07": "quota.groups.group_01"})
    term.create_staff_account()
    term.write_roster(ROSTER)
    term.deploy()
    ledger = tmp_path / "uptimes.db"

    set_clock(emulator, morning + timedelta(hours=1))
    student = emulator.control("POST", "users", {"user_name": "s2a@campus.example.ac.il"})["token"]
    clusters = {cluster["custom_tags"]["lab_group"]: cluster["cluster_id"] for cluster in term.clusters().values()}
    start = {"cluster_id": clusters["group_02"]}
    assert emulator.request("POST", "/api/2.1/clusters/start", start, token=student)[0] == 200
    emulator.control("POST", "work", {**start, "seconds": 5 * 3600, "token": student})
    set_clock(emulator, morning + timedelta(hours=6))
    poll(term, ledger)
    stopped = {"group_01": "CAN_RESTART", "group_02": "CAN_ATTACH_TO", "group_03": "CAN_RESTART"}
    assert levels(term) == stopped
    assert term.clusters()["cluster_02"]["state"] == "TERMINATED"

    assert term.plan() == {}

    restrict_by_hand(term, "group_03")
    term.write_roster({**ROSTER, 1: [*ROSTER[1], "new@campus.example.ac.il"]})
    term.deploy()
    assert levels(term) == stopped
    assert term.plan() == {}

    set_clock(emulator, morning + timedelta(days=1))
    poll(term, ledger)
    assert levels(term) == dict.fromkeys(stopped, "CAN_RESTART")
    assert term.plan() == {}
