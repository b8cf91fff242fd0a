"""The guard: which workspaces stop a plan, and which warnings it reports."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from check_workspace import main
from emulator_process import EmulatorProcess
from labkit.course_file import checksum
from labkit.workspace.expected import WorkspaceExpectation, WorkspaceIdentity, mismatch
from preflight.identity import GuardError, target_expectation
from preflight.warnings import account_group_conflict, course_file_edited, open_to_everybody, unguarded, would_restart

ROOT = Path(__file__).resolve().parents[2]
LIVE = WorkspaceIdentity(host="https://adb-1.7.azuredatabricks.net", workspace_id="123", caller="me@lab.example")

TAGS = {"origin": "terraform", "lab_course": "94290", "lab_term": "2026w", "lab_group": "group_01"}
SETTINGS: dict[str, Any] = {
    "spark_version": "15.4.x-scala2.12",
    "node_type_id": "Standard_DS3_v2",
    "driver_node_type_id": "Standard_DS3_v2",
    "autotermination_minutes": 20,
    "data_security_mode": "USER_ISOLATION",
    "spark_conf": {"spark.databricks.delta.preview.enabled": "true", "spark.a": "1"},
    "spark_env_vars": {"A": "b"},
    "log_destination": "",
    "allow_jobs": False,
}
CLUSTER: dict[str, Any] = {
    "cluster_name": "cluster_01",
    "custom_tags": TAGS,
    "spark_version": "15.4.x-scala2.12",
    "node_type_id": "Standard_DS3_v2",
    "driver_node_type_id": "Standard_DS3_v2",
    "autotermination_minutes": 20,
    "data_security_mode": "USER_ISOLATION",
    "spark_conf": {"spark.a": "1"},
    "spark_env_vars": {"A": "b"},
    "workload_type": {"clients": {"jobs": False, "notebooks": True}},
    "num_workers": 7,
}


@pytest.mark.parametrize(
    "expectation",
    [
        target_expectation("production"),
        target_expectation("production", host="https://ADB-1.7.azuredatabricks.net:443/"),
        target_expectation("production", workspace_id="123"),
        target_expectation("production", host="https://adb-1.7.azuredatabricks.net", workspace_id="123"),
    ],
)
def test_the_expected_workspace_is_accepted(expectation: WorkspaceExpectation):
    assert mismatch(LIVE, expectation) == ""


@pytest.mark.parametrize(
    ("expectation", "wanted"),
    [
        (
            target_expectation("production", host="https://adb-2.7.azuredatabricks.net"),
            "expected_host https://adb-2.7.azur",
        ),
        (target_expectation("production", workspace_id="124"), "expected_workspace_id 124"),
        (target_expectation("production", host=LIVE.host, workspace_id="124"), "expected_workspace_id 124"),
        (
            target_expectation("production", host=LIVE.host + ":8443"),
            "expected_host https://adb-1.7.azuredatabricks.net:8443",
        ),
    ],
)
def test_the_error_for_an_unexpected_workspace_says_what_to_change(expectation: WorkspaceExpectation, wanted: str):
    sentence = mismatch(LIVE, expectation)
    assert sentence.startswith(f"Wrong workspace: target production has {wanted}")
    assert "but this is workspace 123 at https://adb-1.7.azuredatabricks.net (as me@lab.example)." in sentence
    assert sentence.endswith("or correct targets.production in lab.toml.")


def test_a_workspace_without_an_id_is_not_the_expected_one():
    assert "workspace with unknown id" in mismatch(
        WorkspaceIdentity(LIVE.host, "", "me"), target_expectation("p", workspace_id="124")
    )


def test_a_name_conflict_with_an_account_group_is_an_error():
    assert account_group_conflict(["group_01", "group_02"], ["users-of-it"]) == ""
    assert account_group_conflict(["group_01", "group_02"], ["group_02", "x"]) == (
        'The Databricks account has a group named "group_02", so the workspace cannot have a group with this '
        "name: rename the account's group, or set course.name_prefix in lab.toml."
    )


def everybody(**given: Any) -> str:
    closed: dict[str, Any] = {
        "entitlements": ["workspace-access"],
        "warehouses": [],
        "policies": ["Personal Compute"],
        "pools": [],
        "has_metastore": False,
        "unread": [],
        "sql_access": False,
        "closes_personal_compute": True,
    }
    return open_to_everybody(**{**closed, **given})


def test_a_restricted_workspace_has_no_warning():
    assert everybody() == ""
    assert everybody(entitlements=["databricks-sql-access"], sql_access=True) == ""


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"entitlements": ["allow-cluster-create"]}, "has allow-cluster-create, so everybody may create clusters"),
        (
            {"entitlements": ["databricks-sql-access"]},
            "has databricks-sql-access, although students.sql_access is false",
        ),
        ({"warehouses": ["Starter", "Big"]}, 'may use SQL warehouse "Starter" and "Big"'),
        ({"policies": ["Personal Compute", "Mine"]}, 'the group "users" may use cluster policy "Mine"'),
        ({"closes_personal_compute": False}, 'the group "users" may use cluster policy "Personal Compute"'),
        ({"pools": ["p"]}, 'the group "users" may use instance pool "p"'),
        ({"has_metastore": True}, "a metastore is assigned, so serverless notebooks may be available to everybody"),
        ({"unread": ["pools", "policies"]}, "pools and policies could not be read"),
    ],
)
def test_costs_outside_the_quota_cause_a_warning(given: dict[str, Any], sentence: str):
    assert sentence in everybody(**given)


def test_a_different_number_of_workers_does_not_restart_a_cluster():
    assert would_restart([CLUSTER], tags={"cluster_01": TAGS}, settings=SETTINGS) == ""


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"custom_tags": {**TAGS, "lab_group": "group_1"}}, "custom_tags"),
        ({"spark_version": "14.3.x-scala2.12"}, "spark_version"),
        ({"spark_conf": {}}, "spark_conf"),
        ({"spark_env_vars": None}, "spark_env_vars"),
        ({"workload_type": None}, "allow_jobs"),
        ({"cluster_log_conf": {"dbfs": {"destination": "dbfs:/logs"}}}, "log_destination"),
        ({"data_security_mode": "NONE"}, "data_security_mode"),
        ({"autotermination_minutes": 120, "node_type_id": "Standard_DS4_v2"}, "node_type_id, autotermination_minutes"),
    ],
)
def test_the_warning_lists_a_running_clusters_differing_settings(change: dict[str, Any], what: str):
    assert would_restart([{**CLUSTER, **change}], tags={"cluster_01": TAGS}, settings=SETTINGS) == (
        f"A deployment restarts these running clusters, because their settings differ: cluster_01 ({what})."
    )


def test_aliases_of_a_mode_and_an_unset_driver_are_not_differences():
    same = {**CLUSTER, "data_security_mode": "DATA_SECURITY_MODE_STANDARD", "driver_node_type_id": None}
    assert would_restart([same], tags={"cluster_01": TAGS}, settings=SETTINGS) == ""


def test_only_an_edited_course_file_causes_a_warning():
    def written(**document: Any) -> bytes:
        return json.dumps({**document, "checksum": checksum(document)}).encode()

    wanted = hashlib.sha256(written(hard=180)).hexdigest()

    def warning(live: bytes | None) -> str:
        return course_file_edited(live, path="/lab/course.json", expected_sha256=wanted)

    assert warning(None) == warning(written(hard=180)) == warning(written(hard=170)) == ""
    assert warning(written(hard=180).replace(b"180", b"999")).startswith("/lab/course.json was edited by hand, ")
    assert warning(b"\xff").startswith("/lab/course.json was edited by hand, ")


def test_without_expectations_a_warning_identifies_the_workspace():
    facts = {"target": "rehearsal", "host": "https://a", "workspace_id": "123", "caller": "me"}
    assert unguarded(is_checked=True, **facts) == ""
    assert unguarded(is_checked=False, **facts) == (
        "Connected to workspace 123 at https://a as me; target rehearsal accepts any workspace. "
        'To check it, set expected_workspace_id = "123" under [targets.rehearsal] in lab.toml.'
    )


def query(**given: str) -> dict[str, str]:
    return {
        "target": "rehearsal",
        "profile": "",
        "host": "",
        "expected_host": "",
        "expected_workspace_id": "",
        "sql_access": "false",
        "closes_personal_compute": "true",
        "group_names": json.dumps(["group_01", "all_student_groups"]),
        "clusters": json.dumps({"cluster_01": TAGS}),
        "cluster_settings": json.dumps(SETTINGS),
        "course_file": "/lab-94290-2026w/course.json",
        "course_file_sha256": "0" * 64,
        **given,
    }


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch):
    """Run the external data program for a workspace; return its output and its error message."""

    def run(environment: dict[str, str], **given: str) -> tuple[dict[str, str], str]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        try:
            return main(query(**given)), ""
        except GuardError as error:
            return {}, str(error)

    return run


def test_an_open_workspace_is_described(emulator: EmulatorProcess, check: Any):
    emulator.control("POST", "drift", {"kind": "metastore", "target": "5a0c0000-0000-4000-8000-000000000000"})
    path = "/lab-94290-2026w"
    emulator.request("POST", "/api/2.0/workspace/mkdirs", {"path": path})
    body = {"path": f"{path}/course.json", "content": "e30=", "format": "RAW", "overwrite": True}
    emulator.request("POST", "/api/2.0/workspace/import", body)

    result, refusal = check(emulator.environment())

    assert refusal == ""
    assert (result["host"], result["workspace_id"]) == (emulator.url, emulator.workspace_id)
    assert 'the group "users" may use SQL warehouse "Serverless Starter Warehouse"' in result["open_to_everybody"]
    assert "a metastore is assigned" in result["open_to_everybody"]
    assert "could not be read" not in result["open_to_everybody"]
    assert result["course_file_edited"].startswith(f"{path}/course.json was edited by hand, ")
    assert result["would_restart"] == ""
    assert all(isinstance(value, str) for value in result.values())


def test_a_running_cluster_that_a_deployment_would_restart_is_reported(emulator: EmulatorProcess, check: Any):
    spec = {**CLUSTER, "custom_tags": {**TAGS, "lab_term": "2025w"}}
    emulator.request("POST", "/api/2.1/clusters/create", spec)
    result, _ = check(emulator.environment())
    assert (
        result["would_restart"]
        == "A deployment restarts these running clusters, because their settings differ: cluster_01 (custom_tags)."
    )


def test_the_script_only_reads(emulator: EmulatorProcess, check: Any):
    check(emulator.environment())
    assert {entry["method"] for entry in emulator.request_log() if "/_emulator/" not in entry["path"]} == {"GET"}


def test_the_script_stops_in_an_unexpected_workspace(emulator: EmulatorProcess, check: Any):
    result, refusal = check(emulator.environment(), expected_workspace_id="42")
    assert result == {}
    assert refusal.startswith("Wrong workspace: target rehearsal has expected_workspace_id 42, but this is workspace ")
    assert check(emulator.environment(), expected_workspace_id=emulator.workspace_id)[1] == ""


def test_the_script_stops_if_the_workspace_lacks_a_directory_group(emulator: EmulatorProcess, check: Any):
    emulator.control("POST", "drift", {"kind": "account_group", "target": "PR-1"})
    assert check(emulator.environment(), principals='["PR-1"]')[1] == ""
    _, refusal = check(emulator.environment(), principals='["PR-1", "PR-2"]')
    assert refusal.startswith(
        'The roster has the directory\'s group "PR-2", but the workspace has no account-level group'
    )


def test_the_script_stops_if_an_account_group_has_a_conflicting_name(emulator: EmulatorProcess, check: Any):
    emulator.control("POST", "drift", {"kind": "account_group", "target": "group_01"})
    _, refusal = check(emulator.environment())
    assert refusal.startswith('The Databricks account has a group named "group_01"')


def test_errors_about_credentials_contain_no_secret(emulator: EmulatorProcess, check: Any):
    _, refusal = check({**emulator.environment(), "DATABRICKS_TOKEN": "dapi-wrong"})
    assert refusal == f"The workspace at {emulator.url} refused the credentials: Invalid access token."
    _, refusal = check({"DATABRICKS_HOST": emulator.url, "DATABRICKS_TOKEN": ""})
    assert refusal.startswith(
        f"there is no credential for {emulator.url} from the environment: set DATABRICKS_TOKEN, or"
    )
    assert "\n" not in refusal


@pytest.mark.process
def test_a_host_that_does_not_respond_causes_an_error_within_seconds(check: Any):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        _, refusal = check({"DATABRICKS_HOST": url, "DATABRICKS_TOKEN": "dapi-any"})
    assert (
        refusal
        == f"The workspace at {url} does not respond; check the URL, the network and that the workspace is running."
    )
    assert time.monotonic() - began < 20


def test_network_faults_do_not_stop_the_script(emulator: EmulatorProcess, check: Any):
    rules = [{"match": "GET *", "kind": "503", "count": 1}, {"match": "GET *", "kind": "429", "count": 1}]
    emulator.control("POST", "faults", {"rules": rules})
    result, refusal = check(emulator.environment())
    assert (result.get("caller"), refusal) == ("admin@lab.example", "")


def test_the_program_follows_the_external_data_protocol(emulator: EmulatorProcess):
    def run(**given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, ROOT / "cdktf" / "check_workspace.py"],
            input=json.dumps(query(**given)),
            env={**os.environ, **emulator.environment()},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    done = run()
    assert (done.returncode, json.loads(done.stdout)["workspace_id"]) == (0, emulator.workspace_id)
    refused = run(expected_workspace_id="42")
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (1, "", 1)
