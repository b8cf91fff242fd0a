"""A scan of a cluster's mounts has the same result as a scan through the API, plus exact sizes."""

from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator_process import ROOT, EmulatorProcess
from inventory.__main__ import main
from inventory.scan.mounts import Mounts
from inventory.tree.listing import Failure, File, Folder, Listing

DANA = "dana@x.org"
HOME = f"/Users/{DANA}"
SHAPE = "users=12,files=900"


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    """One Workspace home as a cluster mounts it; DBFS is not mounted."""
    home = tmp_path / "Workspace/Users" / DANA
    (home / "a folder/empty").mkdir(parents=True)
    (home / "sql").write_bytes(b"-- Databricks notebook source\nSELECT 1")
    (home / "py 1.5").write_bytes(b"# Databricks notebook source\r\nprint(1)")
    (home / "README").write_bytes(b"# nothing of Databricks in here")
    (home / "data.csv").write_bytes(b"# Databricks notebook source\n")
    (home / "sales.lvdash.json").write_bytes(b"{}")
    (home / "old.ipynb").write_bytes(b"{}")
    (home / "elsewhere").symlink_to("/")
    for path in home.iterdir():
        os.utime(path, ns=(0, 1_790_000_000_123_456_789), follow_symlinks=False)
    return tmp_path


def place(name: str = "") -> Folder:
    return Folder(DANA, "workspace", f"{HOME}{name}")


def test_notebooks_on_mounts_are_recognised_by_their_first_line(mounts):
    found = Mounts(str(mounts)).list_folder(place())

    at = 1_790_000_000_123
    link = (mounts / "Workspace" / HOME[1:] / "elsewhere").lstat().st_size
    assert found == Listing(
        (f"{HOME}/a folder",),
        (
            File(f"{HOME}/README", "FILE", 31, at),
            File(f"{HOME}/data.csv", "FILE", 29, at),
            File(f"{HOME}/elsewhere", "FILE", link, at),
            File(f"{HOME}/old.ipynb", "NOTEBOOK", None, at, "", measured_size=2),
            File(f"{HOME}/py 1.5", "NOTEBOOK", None, at, "", measured_size=38),
            File(f"{HOME}/sales.lvdash.json", "DASHBOARD", None, at, "", measured_size=2),
            File(f"{HOME}/sql", "NOTEBOOK", None, at, "SQL", measured_size=38),
        ),
    )


def test_a_missing_folder_is_a_failure_and_an_empty_one_is_not(mounts):
    found = Mounts(str(mounts))
    assert found.list_folder(place("/a folder/empty")) == Listing()
    assert found.list_folder(place("/a folder/gone")) == Failure(
        f"{HOME}/a folder/gone", "on the mount: No such file or directory"
    )


@pytest.mark.parametrize(
    "folder",
    [
        Folder("carol@x.org", "workspace", "/Users/carol@x.org"),
        Folder("carol@x.org", "workspace", "/Users/carol@x.org/a"),
        Folder(DANA, "dbfs", HOME),
        Folder("/Shared", "workspace", "/Shared"),
    ],
    ids=lambda folder: f"{folder.source}:{folder.path}",
)
def test_a_home_missing_on_the_mount_is_listed_through_the_api(mounts, folder):
    assert Mounts(str(mounts)).list_folder(folder) is None


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EIO])
def test_a_folder_with_an_unreadable_notebook_is_listed_through_the_api(mounts, monkeypatch, number):
    opened = open

    def refuse(path, *arguments, **options):
        if str(path).endswith("/sql"):
            raise OSError(number, os.strerror(number), path)
        return opened(path, *arguments, **options)

    (mounts / f"Workspace{HOME}/a folder/sql").write_bytes(b"-- Databricks notebook source\nSELECT 2")
    monkeypatch.setattr("builtins.open", refuse)
    assert [Mounts(str(mounts)).list_folder(place(folder)) for folder in ("", "/a folder")] == [None, None]


def test_a_mount_without_homes_is_ignored(mounts):
    assert (Mounts(str(mounts)).sources_with_homes(), Mounts(f"{mounts}/no").sources_with_homes()) == (
        ["workspace"],
        [],
    )


@pytest.fixture
def lab(start_emulator) -> EmulatorProcess:
    return start_emulator("--files", SHAPE, "--seed", "3")


def scanned(lab: EmulatorProcess, *arguments: object) -> tuple[int, str]:
    Path("token").write_text(lab.admin_token)
    access = ["--workspace-url", lab.url, "--token-file", "token"]
    result = CliRunner().invoke(main, ["scan", *access, *map(str, arguments)], obj=dict(os.environ))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stderr


def test_a_scan_of_mounts_equals_a_scan_through_the_api_plus_exact_sizes(lab, tmp_path, monkeypatch):
    """Half of the homes are not mounted: only these are listed through the API."""
    command = [sys.executable, "-m", "emulator", "layout", "--files", SHAPE, "--seed", "3", str(tmp_path / "mounts")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    truth = {user["user_name"]: user for user in lab.control("GET", "files/truth")["users"]}
    unseen = sorted(truth)[::2]
    for name in unseen:
        for mount in ("Workspace", "dbfs"):
            if (home := tmp_path / "mounts" / mount / "Users" / name).exists():
                home.rename(tmp_path / f"{mount} of {name}")

    monkeypatch.chdir(tmp_path)
    assert scanned(lab, "--output", tmp_path / "api.csv")[0] == 0
    before = len(lab.request_log())
    status, _ = scanned(
        lab, "--output", tmp_path / "m.csv", "--details", "--mounts", "--mounts-root", tmp_path / "mounts"
    )

    assert status == 0
    with (tmp_path / "m.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    seven = [list(row.values())[:7] for row in rows]
    with (tmp_path / "api.csv").open(newline="") as file:
        assert seven == list(csv.reader(file))[1:]
    exact = {row["username"]: row["exact_size"] for row in rows if row["username"] in truth}
    assert exact == {
        name: str(sum(user[source]["exact_size"] for source in ("dbfs", "workspace"))) if name not in unseen
        or not any(user[source]["estimated_files"] for source in ("dbfs", "workspace")) else ""
        for name, user in truth.items()
    }  # fmt: skip
    listed = [request["path"] for request in lab.request_log()[before:] if request["path"].endswith("/list")]
    of_all_homes = 2
    assert len(listed) == sum(int(row["requests"]) for row in rows) + of_all_homes
    assert {row["username"] for row in rows if row["requests"] == "0"} <= set(truth) - set(unseen)


def test_a_cluster_is_suggested_if_this_machine_has_no_mounts(tmp_path):
    result = CliRunner().invoke(main, ["scan", "--mounts", "--mounts-root", str(tmp_path)], obj=dict(os.environ))
    assert (result.exit_code, "read them on a cluster with --cluster-id" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--spark-remote", "local[2]", "--cluster-id", "1"], "cannot be combined"),
        (["--start-cluster"], "--start-cluster needs --cluster-id"),
        (["--table", "files"], "--table needs Spark"),
        (["--mounts-root", "/mnt"], "--mounts-root needs --mounts"),
    ],
)
def test_contradictory_options_are_rejected(arguments, sentence):
    result = CliRunner().invoke(main, ["scan", *arguments], obj=dict(os.environ))
    assert (result.exit_code, sentence in result.output) == (2, True)


def test_the_environment_can_specify_a_spark_server(tmp_path):
    environment = {**os.environ, "SPARK_REMOTE": "local[2]"}
    result = CliRunner().invoke(main, ["scan", "--start-cluster"], obj=environment)
    assert json.dumps(result.output).count("--start-cluster needs --cluster-id") == 1
