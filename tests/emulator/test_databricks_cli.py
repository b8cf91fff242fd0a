"""The real Databricks CLI with the emulator: commands that a teacher uses."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator_process import EmulatorProcess

pytestmark = pytest.mark.process

Run = Callable[..., str]


def cli_problem() -> str:
    """Return why the Databricks CLI cannot be used; empty if it can. The older CLI in Python has different commands."""
    program = shutil.which("databricks")
    if program is None:
        return "the Databricks CLI is not installed"
    output = subprocess.run([program, "version"], capture_output=True, text=True, timeout=60, check=False).stdout
    return "" if re.search(r"Databricks CLI v\d", output) else "the Databricks CLI found here is not the current one"


@pytest.fixture(scope="module")
def installed() -> None:
    if problem := cli_problem():
        pytest.skip(problem)


@pytest.fixture(scope="module")
def workspace(installed: None) -> Iterator[EmulatorProcess]:
    with EmulatorProcess(["--transition-seconds", "0.2"]) as process:
        yield process


@pytest.fixture
def databricks(workspace: EmulatorProcess, tmp_path: Path) -> Run:
    workspace.control("POST", "reset")
    return cli(workspace, tmp_path)


@pytest.fixture
def databricks_without_time(installed: None, tmp_path: Path) -> Iterator[Run]:
    """The CLI with a workspace in which no time passes: runs of jobs do not end by themselves."""
    with EmulatorProcess(["--speed", "0"]) as process:
        yield cli(process, tmp_path)


def cli(workspace: EmulatorProcess, tmp_path: Path) -> Run:
    """Return a function that runs the CLI as the administrator in its own folder and returns the output."""

    def run(*arguments: str, token: str | None = None) -> str:
        environment = {
            **os.environ,
            **workspace.environment(token),
            "HOME": str(tmp_path / "home"),
            "DATABRICKS_CLI_DISABLE_TELEMETRY": "1",
        }
        command = ["databricks", *arguments]
        ended = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert ended.returncode == 0, f"{' '.join(command)}: {ended.stderr}"
        return ended.stdout

    return run


def as_json(databricks: Run, *arguments: str) -> Any:
    return json.loads(databricks(*arguments, "-o", "json"))


def test_the_cli_shows_the_current_user(databricks: Run, workspace: EmulatorProcess) -> None:
    assert as_json(databricks, "current-user", "me")["userName"] == "admin@lab.example"
    described = as_json(databricks, "auth", "describe")
    assert (described["username"], described["status"]) == ("admin@lab.example", "success")


def test_the_cli_lists_users_and_groups(databricks: Run) -> None:
    databricks("users", "create", "--user-name", "ana@lab.example")
    databricks("groups", "create", "--display-name", "group_01")
    assert [user["userName"] for user in as_json(databricks, "users", "list")] == [
        "admin@lab.example",
        "ana@lab.example",
    ]
    assert {group["displayName"] for group in as_json(databricks, "groups", "list")} == {"admins", "users", "group_01"}


def test_the_cli_creates_stops_and_starts_a_cluster(databricks: Run) -> None:
    arguments = ["--cluster-name", "cluster_01", "--node-type-id", "Standard_DS3_v2", "--num-workers", "1"]
    made = as_json(databricks, "clusters", "create", "15.4.x-scala2.12", *arguments)
    cluster_id = made["cluster_id"]
    assert made["state"] == "RUNNING"
    assert as_json(databricks, "clusters", "delete", cluster_id)["state"] == "TERMINATED"
    assert as_json(databricks, "clusters", "start", cluster_id)["state"] == "RUNNING"
    assert [cluster["state"] for cluster in as_json(databricks, "clusters", "list")] == ["RUNNING"]
    kinds = [event["type"] for event in as_json(databricks, "clusters", "events", cluster_id)]
    assert kinds.count("RUNNING") == 2
    databricks("clusters", "permanent-delete", cluster_id)
    assert as_json(databricks, "clusters", "list") == []


def test_the_cli_imports_and_exports_a_folder(databricks: Run, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "notebook.py").write_text("# Databricks notebook source\nprint(1)\n")
    (source / "text.txt").write_text("שלום\n")
    (source / "inner" / "data.bin").write_bytes(bytes(range(256)) * 5000)
    databricks("workspace", "import-dir", "source", "/Shared/lab")
    listed = {entry["path"]: entry["object_type"] for entry in as_json(databricks, "workspace", "list", "/Shared/lab")}
    assert listed == {
        "/Shared/lab/notebook": "NOTEBOOK",
        "/Shared/lab/text.txt": "FILE",
        "/Shared/lab/inner": "DIRECTORY",
    }
    databricks("workspace", "export-dir", "/Shared/lab", "back")
    assert contents(tmp_path / "back") == contents(source)


def test_the_cli_copies_to_and_from_dbfs(databricks: Run, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(bytes(range(256)) * 10_000)
    databricks("fs", "mkdir", "dbfs:/lab")
    databricks("fs", "cp", "data.bin", "dbfs:/lab/data.bin")
    assert databricks("fs", "ls", "dbfs:/lab").split() == ["data.bin"]
    databricks("fs", "cp", "dbfs:/lab/data.bin", "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == (tmp_path / "data.bin").read_bytes()
    databricks("fs", "rm", "-r", "dbfs:/lab")


@pytest.fixture
def main_catalog(databricks: Run, workspace: EmulatorProcess) -> None:
    """The workspace has a metastore with storage, and its catalog `main`."""
    metastore = {"kind": "metastore", "target": "5a0c6d3e-1f5b-4c0a-9d0e-3f2b1a4c5d6e"}
    workspace.control(
        "POST", "drift", metastore | {"value": {"storage_root": "abfss://meta@store.dfs.core.windows.net"}}
    )


@pytest.mark.usefixtures("main_catalog")
def test_the_cli_creates_renames_and_deletes_a_catalog(databricks: Run) -> None:
    made = as_json(databricks, "catalogs", "create", "Lab", "--comment", "a course")
    assert as_json(databricks, "catalogs", "get", "lab") == made
    assert (made["name"], made["owner"], made["catalog_type"]) == ("lab", "admin@lab.example", "MANAGED_CATALOG")
    changed = as_json(databricks, "catalogs", "update", "lab", "--comment", "a term", "--new-name", "term")
    assert (changed["name"], changed["comment"]) == ("term", "a term")
    databricks("schemas", "create", "raw", "term")
    with pytest.raises(AssertionError, match="Catalog 'term' is not empty"):
        databricks("catalogs", "delete", "term")
    databricks("catalogs", "delete", "term", "--force")
    assert [one["name"] for one in as_json(databricks, "catalogs", "list")] == ["main", "system"]


@pytest.mark.usefixtures("main_catalog")
def test_the_cli_creates_renames_and_deletes_a_schema(databricks: Run) -> None:
    made = as_json(databricks, "schemas", "create", "Raw", "main", "--comment", "raw data")
    assert as_json(databricks, "schemas", "get", "main.raw") == made
    assert (made["full_name"], made["comment"]) == ("main.raw", "raw data")
    changed = as_json(databricks, "schemas", "update", "main.raw", "--comment", "first data", "--new-name", "bronze")
    assert (changed["full_name"], changed["comment"]) == ("main.bronze", "first data")
    listed = [one["full_name"] for one in as_json(databricks, "schemas", "list", "main")]
    assert listed == ["main.bronze", "main.default", "main.information_schema"]
    databricks("schemas", "delete", "main.bronze")
    with pytest.raises(AssertionError, match="Schema 'main.bronze' does not exist"):
        databricks("schemas", "get", "main.bronze")


@pytest.mark.usefixtures("main_catalog")
def test_the_cli_creates_renames_and_deletes_a_volume(databricks: Run) -> None:
    made = as_json(databricks, "volumes", "create", "main", "default", "Files", "MANAGED", "--comment", "data")
    assert as_json(databricks, "volumes", "read", "main.default.files") == made
    assert (made["full_name"], made["volume_type"]) == ("main.default.files", "MANAGED")
    changed = as_json(databricks, "volumes", "update", "main.default.files", "--comment", "b", "--new-name", "books")
    assert as_json(databricks, "volumes", "list", "main", "default") == [changed]
    assert (changed["full_name"], changed["comment"]) == ("main.default.books", "b")
    assert changed["storage_location"] == made["storage_location"]
    databricks("volumes", "delete", "main.default.books")
    assert as_json(databricks, "volumes", "list", "main", "default") == []


@pytest.mark.usefixtures("main_catalog")
def test_the_cli_copies_folders_to_and_from_a_volume(databricks: Run, tmp_path: Path) -> None:
    (tmp_path / "tree" / "a b").mkdir(parents=True)
    (tmp_path / "tree" / "a b" / "שלום.txt").write_text("one\n")
    (tmp_path / "tree" / "empty").write_bytes(b"")
    (tmp_path / "tree" / "data.bin").write_bytes(bytes(range(256)) * 20_000)
    databricks("volumes", "create", "main", "default", "files", "MANAGED")
    volume = "dbfs:/Volumes/main/default/files"
    databricks("fs", "mkdir", f"{volume}/new/folder")
    databricks("fs", "cp", "-r", "tree", f"{volume}/tree")
    databricks("fs", "cp", "-r", f"{volume}/tree", f"{volume}/copy")
    databricks("fs", "cp", "-r", f"{volume}/copy", "back")
    assert contents(tmp_path / "back") == contents(tmp_path / "tree")
    assert databricks("fs", "cat", f"{volume}/tree/a b/שלום.txt") == "one\n"
    sizes = {
        one["name"]: (one["size"], one["is_directory"]) for one in as_json(databricks, "fs", "ls", f"{volume}/tree")
    }
    assert sizes == {"a b": (0, True), "data.bin": (5_120_000, False), "empty": (0, False)}
    assert databricks("fs", "ls", "--absolute", f"{volume}/new").split() == [f"{volume}/new/folder"]
    with pytest.raises(AssertionError, match="directory not empty"):
        databricks("fs", "rm", f"{volume}/tree")
    for folder in ("tree", "copy", "new"):
        databricks("fs", "rm", "-r", f"{volume}/{folder}")
    assert databricks("fs", "ls", volume) == ""


@pytest.mark.usefixtures("main_catalog")
def test_the_cli_grants_the_privileges_to_read_a_volume(
    databricks: Run, workspace: EmulatorProcess, tmp_path: Path
) -> None:
    token = workspace.control("POST", "users", {"user_name": "ana@lab.example"})["token"]
    databricks("schemas", "create", "raw", "main")
    databricks("volumes", "create", "main", "raw", "files", "MANAGED")
    (tmp_path / "data.bin").write_bytes(bytes(range(256)) * 10_000)
    databricks("fs", "cp", "data.bin", "dbfs:/Volumes/main/raw/files/data.bin")
    change = {"principal": "ana@lab.example", "add": ["USE_SCHEMA", "READ_VOLUME", "SELECT"]}
    databricks("grants", "update", "schema", "main.raw", "--json", json.dumps({"changes": [change]}))
    revoked = {"changes": [{"principal": "ana@lab.example", "remove": ["SELECT"]}]}
    databricks("grants", "update", "schema", "main.raw", "--json", json.dumps(revoked))
    assert as_json(databricks, "grants", "get", "schema", "main.raw")["privilege_assignments"] == [
        {"principal": "ana@lab.example", "privileges": ["READ_VOLUME", "USE_SCHEMA"]}
    ]
    effective = as_json(
        databricks, "grants", "get-effective", "volume", "main.raw.files", "--principal", "ana@lab.example"
    )
    source = {"inherited_from_name": "main.raw", "inherited_from_type": "SCHEMA"}
    assert effective["privilege_assignments"][0]["privileges"] == [source | {"privilege": "READ_VOLUME"}]
    databricks("fs", "cp", "dbfs:/Volumes/main/raw/files/data.bin", "back.bin", token=token)
    assert (tmp_path / "back.bin").read_bytes() == (tmp_path / "data.bin").read_bytes()
    with pytest.raises(AssertionError, match=r"User does not have WRITE VOLUME on Volume 'main\.raw\.files'"):
        databricks("fs", "cp", "data.bin", "dbfs:/Volumes/main/raw/files/mine.bin", token=token)
    databricks("fs", "rm", "dbfs:/Volumes/main/raw/files/data.bin")
    databricks("volumes", "delete", "main.raw.files")
    assert as_json(databricks, "volumes", "list", "main", "raw") == []


def test_the_cli_retries_after_429(databricks: Run, workspace: EmulatorProcess) -> None:
    rule = {"match": "GET */Me", "kind": "429", "count": 1}
    workspace.control("POST", "faults", {"rules": [rule]})
    databricks("current-user", "me")
    assert [line["status"] for line in workspace.request_log() if line["path"].endswith("/Me")] == [429, 200]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_cli_creates_edits_stops_and_deletes_a_warehouse(databricks: Run) -> None:
    arguments = ["--name", "lab", "--cluster-size", "2X-Small", "--auto-stop-mins", "10", "--max-num-clusters", "1"]
    made = as_json(databricks, "warehouses", "create", *arguments)
    assert (made["name"], made["state"]) == ("lab", "RUNNING")
    databricks("warehouses", "edit", made["id"], "--name", "other", "--cluster-size", "Small", "--auto-stop-mins", "20")
    assert as_json(databricks, "warehouses", "get", made["id"])["cluster_size"] == "Small"
    databricks("warehouses", "stop", made["id"])
    databricks("warehouses", "start", made["id"])
    names = {one["name"]: one["state"] for one in as_json(databricks, "warehouses", "list")}
    assert names == {"Serverless Starter Warehouse": "STOPPED", "other": "RUNNING"}
    levels = as_json(databricks, "warehouses", "get-permission-levels", made["id"])["permission_levels"]
    assert [one["permission_level"] for one in levels][-1] == "IS_OWNER"
    databricks("warehouses", "delete", made["id"])
    assert [one["name"] for one in as_json(databricks, "warehouses", "list")] == ["Serverless Starter Warehouse"]


def test_the_cli_creates_runs_and_deletes_a_job(databricks: Run) -> None:
    task = {"task_key": "a", "notebook_task": {"notebook_path": "/Shared/a"}}
    job_id = str(
        as_json(databricks, "jobs", "create", "--json", json.dumps({"name": "nightly", "tasks": [task]}))["job_id"]
    )
    assert as_json(databricks, "jobs", "get", job_id)["settings"]["name"] == "nightly"
    run = as_json(databricks, "jobs", "run-now", job_id)
    assert run["state"]["result_state"] == "SUCCESS"
    changed = {"job_id": int(job_id), "new_settings": {"name": "weekly"}}
    databricks("jobs", "update", "--json", json.dumps(changed))
    assert [one["settings"]["name"] for one in as_json(databricks, "jobs", "list")] == ["weekly"]
    assert [one["run_id"] for one in as_json(databricks, "jobs", "list-runs", "--job-id", job_id)] == [run["run_id"]]
    submitted = as_json(databricks, "jobs", "submit", "--json", json.dumps({"run_name": "once", "tasks": [task]}))
    assert submitted["state"]["result_state"] == "SUCCESS"
    assert as_json(databricks, "jobs", "get-run", str(submitted["run_id"]))["run_type"] == "SUBMIT_RUN"
    databricks("jobs", "delete-run", str(submitted["run_id"]))
    databricks("jobs", "delete", job_id)
    assert as_json(databricks, "jobs", "list") == []


def test_the_cli_replaces_a_job_and_cancels_its_runs(databricks_without_time: Run) -> None:
    databricks = databricks_without_time
    task = {"task_key": "a", "notebook_task": {"notebook_path": "/Shared/a"}}
    settings = {"name": "nightly", "tasks": [task], "tags": {"course": "lab"}, "continuous": {"pause_status": "PAUSED"}}
    job_id = str(as_json(databricks, "jobs", "create", "--json", json.dumps(settings))["job_id"])
    cluster = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    replaced = {"name": "weekly", "tasks": [task | {"new_cluster": cluster}], "max_concurrent_runs": 2}
    databricks("jobs", "reset", "--json", json.dumps({"job_id": int(job_id), "new_settings": replaced}))
    assert {"tags", "continuous"}.isdisjoint(as_json(databricks, "jobs", "get", job_id)["settings"])
    runs = [str(as_json(databricks, "jobs", "run-now", job_id, "--no-wait")["run_id"]) for _ in range(2)]
    listed = as_json(databricks, "jobs", "list-runs", "--job-id", job_id, "--active-only")
    assert {str(one["run_id"]) for one in listed} == set(runs)
    assert as_json(databricks, "jobs", "cancel-run", runs[0])["state"]["result_state"] == "CANCELED"
    databricks("jobs", "cancel-all-runs", "--job-id", job_id)
    ended = as_json(databricks, "jobs", "list-runs", "--job-id", job_id, "--completed-only")
    assert [one["state"]["result_state"] for one in ended] == ["CANCELED", "CANCELED"]
    databricks("jobs", "delete", job_id)
    with pytest.raises(AssertionError, match=f"Job {job_id} does not exist"):
        databricks("jobs", "get", job_id)


def test_the_cli_lists_the_query_history(databricks: Run, workspace: EmulatorProcess) -> None:
    workspace.control("POST", "work", {"serverless": True, "seconds": 1})
    (query,) = as_json(databricks, "query-history", "list")["res"]
    assert (query["user_name"], query["query_text"]) == ("admin@lab.example", "SELECT 1")
