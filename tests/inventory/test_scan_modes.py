"""Every scan mode gives the same bytes."""

from __future__ import annotations

import base64
import csv
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator_process import ROOT, EmulatorProcess
from example_counts import exactly_examples
from inventory.scan.run import ScanRequest, ScanResult, prepare_scan
from inventory.spark.address import parse_remote
from inventory.spark.driver import SparkOptions
from inventory.spark.session import ExecutorCredential, ExecutorSession, RemoteSessionOpener
from inventory.spark.start import Executors
from inventory.transport.client import Client
from spark_process import SparkProcess

pytestmark = [pytest.mark.process, pytest.mark.spark, pytest.mark.xdist_group("spark")]
USERS = ("carol@x.org", "dana@x.org")
NAMES = st.sampled_from(["a", "b", "c d", "é", "x'y", "=1+1", "50%", "q?", "#"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
CONTENTS = st.integers(0, 60) | st.just("NOTEBOOK")
TREES = st.dictionaries(
    st.tuples(st.sampled_from(USERS), st.sampled_from(["dbfs", "workspace"]), PATHS), CONTENTS, max_size=10
)
NOTEBOOK = b"# Databricks notebook source\nprint(1)"
Tree = Mapping[tuple[str, str, str], Any]


def without_conflicts(tree: Tree) -> dict[tuple[str, str, str], Any]:
    """Return the tree without files whose paths are needed for folders."""
    there: dict[tuple[str, str, str], Any] = {}
    for (user, source, path), content in sorted(tree.items(), key=lambda item: item[0]):
        above = [(user, source, path[:place]) for place, letter in enumerate(path) if letter == "/"]
        if not any(folder in there for folder in above):
            there[user, source, path] = content if source == "workspace" or content != "NOTEBOOK" else 7
    return {
        place: content
        for place, content in there.items()
        if not any(other[:2] == place[:2] and other[2].startswith(f"{place[2]}/") for other in there)
    }


def plant(lab: EmulatorProcess, mounts: Path, tree: Tree) -> None:
    """Create a tree in the workspace, and on disk as a cluster would mount it."""
    for user in USERS:
        assert lab.request("POST", "/api/2.0/preview/scim/v2/Users", {"userName": user})[0] == 201
        (mounts / "Workspace/Users" / user).mkdir(parents=True)
    for (user, source, path), content in tree.items():
        data = NOTEBOOK if content == "NOTEBOOK" else b"x" * content
        file = mounts / ("dbfs" if source == "dbfs" else "Workspace") / "Users" / user / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        there, text = f"/Users/{user}/{path}", base64.b64encode(data).decode()
        if source == "dbfs":
            assert lab.request("POST", "/api/2.0/dbfs/put", {"path": there, "contents": text})[0] == 200
            continue
        lab.request("POST", "/api/2.0/workspace/mkdirs", {"path": there.rpartition("/")[0]})
        kind = {"format": "SOURCE", "language": "PYTHON"} if content == "NOTEBOOK" else {"format": "RAW"}
        assert lab.request("POST", "/api/2.0/workspace/import", {"path": there, "content": text, **kind})[0] == 200


@pytest.fixture(scope="module")
def opened(
    spark_server: SparkProcess, shared_emulator: EmulatorProcess
) -> Iterator[tuple[RemoteSessionOpener, ExecutorSession]]:
    """One session for all examples; its executors see the mounts of every example below one folder."""
    if not shared_emulator.running:
        shared_emulator.start()
    shared_emulator.control("POST", "reset")
    opener = RemoteSessionOpener(
        parse_remote(spark_server.remote), ExecutorCredential(shared_emulator.url, shared_emulator.admin_token)
    )
    session = opener.open()
    yield opener, session
    session.close()


Modes = Mapping[str, Callable[[Path], bytes]]


def modes(lab: EmulatorProcess, mounts: Path, opened: tuple[RemoteSessionOpener, ExecutorSession]) -> Modes:
    """Map each mode to a function that scans everything into a file and returns its bytes."""
    client = Client(lab.url, lambda: {"Authorization": f"Bearer {lab.admin_token}"})

    def count(spark: bool, **fields: Any) -> Callable[[Path], bytes]:
        def run(output: Path) -> bytes:
            request = ScanRequest(output, **fields)
            scan_run = prepare_scan(client, request, resume=False, fresh=False, now=datetime.now(UTC))
            stop, report = threading.Event(), lambda progress: None
            executors = Executors(*opened, SparkOptions(mounts=request.mounts))
            result: ScanResult = executors.scan(scan_run, stop, report) if spark else scan_run.scan(stop, report)
            scan_run.close(complete=result.complete)
            return output.read_bytes()

        return run

    here = str(mounts)
    return {
        "local": count(False),
        "sequential": count(False, parallel=False),
        "mounts": count(False, mounts=here),
        "spark": count(True),
        "spark on mounts": count(True, mounts=here),
    }


@given(TREES)
@exactly_examples(3, acceptance=20)
def test_every_mode_gives_the_same_bytes_for_any_tree(opened, shared_emulator, tree):
    there = without_conflicts(tree)
    shared_emulator.control("POST", "reset")
    with TemporaryDirectory() as name:
        folder = Path(name)
        plant(shared_emulator, folder / "mounts", there)
        found = {
            mode: run(folder / f"{mode}.csv") for mode, run in modes(shared_emulator, folder / "mounts", opened).items()
        }
        assert set(found.values()) == {found["local"]}
        with (folder / "local.csv").open(newline="") as file:
            rows = {row["username"]: (int(row["file_count"]), int(row["total_size"])) for row in csv.DictReader(file)}
    sizes = {user: [10_000 if c == "NOTEBOOK" else c for (u, _, _), c in there.items() if u == user] for user in USERS}
    assert {user: rows[user] for user in USERS} == {user: (len(some), sum(some)) for user, some in sizes.items()}


@pytest.mark.acceptance
def test_every_mode_counts_a_quarter_of_a_million_files_exactly(tmp_path, spark_server):
    """27 users, 23,143 folders, 258,824 files, as in a real workspace."""
    layout = [sys.executable, "-m", "emulator", "layout", "--files", "heavy", "--seed", "0", str(tmp_path / "mounts")]
    subprocess.run(layout, cwd=ROOT, check=True, capture_output=True)
    with EmulatorProcess(["--files", "heavy", "--seed", "0"]) as lab:
        truth = lab.control("GET", "files/truth")
        expected = {
            user["user_name"]: tuple(user["dbfs"][name] + user["workspace"][name] for name in ("files", "size"))
            for user in truth["users"]
        }
        opener = RemoteSessionOpener(parse_remote(spark_server.remote), ExecutorCredential(lab.url, lab.admin_token))
        opened = opener, opener.open()
        for mode, run in modes(lab, tmp_path / "mounts", opened).items():
            run(tmp_path / f"{mode}.csv")
            with (tmp_path / f"{mode}.csv").open(newline="") as file:
                rows = {row["username"]: row for row in csv.DictReader(file)}
            counted = {name: (int(rows[name]["file_count"]), int(rows[name]["total_size"])) for name in expected}
            assert (mode, counted) == (mode, expected)
            assert (tmp_path / f"{mode}.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()
        opened[1].close()
    assert sum(files for files, _ in expected.values()) == 258_824
