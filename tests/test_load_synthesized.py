"""A synthesized stack in a workspace without Terraform."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from emulator_process import EmulatorProcess

ROOT = Path(__file__).resolve().parents[1]


def load(emulator: EmulatorProcess, stack: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "cdktf/load_synthesized.py", str(stack)]
    environment = {**os.environ, **emulator.environment()}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_groups_members_clusters_and_rights_are_those_of_the_roster(lab_emulator, example_stack):
    with (example_stack.parents[3] / "rosters/94290-2026w.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = Counter({f"group_{int(row['number']):02d}": 0 for row in rows})
    wanted.update(f"group_{int(row['number']):02d}" for row in rows if row["email"])
    workspace = lab_emulator.client()

    groups = workspace.groups.list(attributes="displayName,members")
    sizes = {group.display_name: len(group.members or []) for group in groups}
    clusters = list(workspace.clusters.list())

    assert {name: size for name, size in sizes.items() if name in wanted} == dict(wanted)
    assert sizes["all_student_groups"] == 30
    assert {(cluster.cluster_name, cluster.state.value) for cluster in clusters} == {
        (f"cluster_{number:02d}", "TERMINATED") for number in range(1, 31)
    }
    for cluster in clusters[:3]:
        entries = workspace.permissions.get("clusters", cluster.cluster_id).access_control_list
        rights = {
            entry.group_name or entry.user_name: [right.permission_level.value for right in entry.all_permissions]
            for entry in entries
        }
        assert rights[cluster.custom_tags["lab_group"]] == ["CAN_RESTART"]
        assert rights["assistant@example.ac.il"] == ["CAN_MANAGE"]
        assert len(list(workspace.libraries.cluster_status(cluster.cluster_id))) == 2


def test_a_workspace_that_has_the_lab_already_refuses_with_a_sentence(lab_emulator, example_stack):
    again = load(lab_emulator, example_stack)
    assert again.returncode == 1
    assert "already exists" in again.stderr and "Traceback" not in again.stderr


def test_a_file_that_is_no_stack_is_said(emulator, tmp_path):
    (tmp_path / "cdk.tf.json").write_text("{}")
    refused = load(emulator, tmp_path / "cdk.tf.json")
    assert (refused.returncode, "is not a synthesized stack" in refused.stderr) == (2, True)
