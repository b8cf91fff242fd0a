"""With any fault, each file counts once or is reported as missing, and an incomplete home is never a success."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator_process import ROOT, EmulatorProcess
from example_counts import exactly_examples
from in_process_inventory import InProcessScanApi, create_checkpoint, refusal, run_scan
from in_process_workspace import InProcessWorkspace
from inventory.results.rows import result_table
from inventory.scan.visit import Visit
from inventory.transport.response import Response, TransportError
from inventory.tree.listing import Listing
from inventory_trees import FAULTS, TRANSIENT_ERRORS, TREES, create_tree

DANA = "dana@x.org"
HOME = f"/Users/{DANA}"
EVENTS = st.none() | st.tuples(st.sampled_from(["delete", "expire"]), st.integers(0, 12), st.integers(0, 12))


class TemporaryFaults:
    """Temporary faults, and a permanent event at the `at`th request."""

    def __init__(
        self, workspace: InProcessWorkspace, folders: list[str], faults: dict[int, list[str]], event: Any
    ) -> None:
        self.workspace, self.folders, self.faults, self.event = workspace, folders, faults, event
        self.requests = 0
        self.order: dict[str, int] = {}

    def __call__(self, path: str, earlier: int) -> Response | TransportError | None:
        self.requests += 1
        kind, at, which = self.event or ("", 0, 0)
        if kind == "expire" and self.requests > at:
            return refusal(401, "UNAUTHENTICATED", "expired")
        if kind == "delete" and self.requests == at and self.folders:
            doomed = self.folders[which % len(self.folders)]
            self.workspace.call("POST", "/api/2.0/workspace/delete", {"path": doomed, "recursive": True})
        planned = self.faults.get(self.order.setdefault(path, len(self.order)), [])
        return cast(Response | TransportError, TRANSIENT_ERRORS[planned[earlier]]) if earlier < len(planned) else None


@given(tree=TREES, faults=FAULTS, event=EVENTS, workers=st.integers(1, 4), parallel=st.booleans())
@exactly_examples(25)
def test_files_count_once_and_incomplete_homes_are_reported(tree, faults, event, workers, parallel):
    workspace = InProcessWorkspace()
    workspace.create_user(DANA)
    there = {f"{HOME}/{path}" for path in create_tree(workspace, HOME, tree, dbfs=False)}
    folders = sorted({path.rpartition("/")[0] for path in there} - {HOME})
    visits: list[Visit] = []
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        checkpoint = create_checkpoint(Path(first), DANA)

        def keep(batch: list[Visit]) -> None:
            visits.extend(batch)
            checkpoint.store(batch)

        recorded: Any = SimpleNamespace(
            remaining_folders=checkpoint.remaining_folders,
            store=keep,
            roots=checkpoint.roots,
            folder_rows=checkpoint.folder_rows,
        )
        api = InProcessScanApi(workspace, TemporaryFaults(workspace, folders, faults, event))
        (home,), _ = run_scan(api, recorded, workers=workers, parallel=parallel)
        (resumed,), _ = run_scan(InProcessScanApi(workspace), checkpoint, workers=workers)
        undisturbed = create_checkpoint(Path(second), DANA)
        (whole,), _ = run_scan(InProcessScanApi(workspace), undisturbed, parallel=False)
        checkpoint.close()
        undisturbed.close()

    seen = [file.path for visit in visits if isinstance(visit.result, Listing) for file in visit.result.files]
    assert sorted(set(seen)) == sorted(seen)
    assert set(seen) <= there
    assert (home.file_count, home.status in ("success", "empty")) == (len(seen), home.failures == 0)
    if event is None:
        assert (set(seen), home.failures) == (there, 0)
    if event is None or event[0] == "expire":
        assert result_table([resumed]) == result_table([whole])


@pytest.fixture
def scan(tmp_path, monkeypatch) -> Callable[..., subprocess.Popen[str]]:
    """Start `scan` as a process in an empty folder, with a token from a file."""
    monkeypatch.chdir(tmp_path)

    def start(emulator: EmulatorProcess, *arguments: str) -> subprocess.Popen[str]:
        if not Path("token").exists():
            Path("token").write_text(emulator.admin_token)
        command = [sys.executable, "-m", "inventory", "scan", "--workspace-url", emulator.url, "--token-file", "token"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [*command, *arguments], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    return start


def listed(emulator: EmulatorProcess) -> Counter[str]:
    """Return the number of successful listings of each folder."""
    return Counter(
        f"{entry['path']}?{entry['query']}"
        for entry in emulator.request_log()
        if entry["path"].endswith("/list") and entry["status"] == 200
    )


@pytest.fixture(scope="module")
def homes() -> Iterator[EmulatorProcess]:
    """A hundred small homes."""
    with EmulatorProcess(["--files", "term", "--seed", "1"]) as emulator:
        yield emulator


def exited(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


@pytest.mark.process
@pytest.mark.parametrize("mode", [[], ["--no-parallel"]], ids=["parallel", "sequential"])
def test_the_totals_in_the_result_equal_the_tree_s_totals(homes, scan, mode, acceptance):
    """The tree is a term's homes; with --acceptance it has 258,824 files, as in a real workspace."""
    emulator = EmulatorProcess(["--files", "heavy", "--seed", "1"]).start() if acceptance else homes
    truth = emulator.control("GET", "files/truth")
    status, out, _ = exited(scan(emulator, "--json", "--details", *mode))
    if acceptance:
        emulator.stop()

    found = json.loads(out)
    columns = [f"{source}_{what}" for source in ("dbfs", "workspace") for what in ("files", "size")]
    there = {
        user["user_name"]: [user[source][what] for source in ("dbfs", "workspace") for what in ("files", "size")]
        for user in truth["users"]
    }
    counted = {user["username"]: [user[column] for column in columns] for user in found["users"]}
    assert (status, found["failed_directories"]) == (0, 0)
    assert counted == there | {"admin@lab.example": [0, 0, 0, 0]}


@pytest.mark.process
def test_two_interruptions_lose_nothing_and_repeat_no_listing(homes, scan):
    homes.control("POST", "faults", {"rules": [{"match": "GET /api/2.0/*/list", "kind": "latency", "seconds": 0.1}]})
    users = [user["user_name"] for user in homes.control("GET", "files/truth")["users"]][:25]
    before = listed(homes)
    options = ["--workers", "2", "--files", "files.csv"]
    for number, resume in enumerate(([], ["--resume"])):
        process = scan(homes, *users, *options, *resume)
        enough = 30 * (number + 1)
        wait_for(partial(lambda enough: sum((listed(homes) - before).values()) > enough, enough), process)
        process.send_signal(signal.SIGINT if number else signal.SIGTERM)
        status, _, stderr = exited(process)
        assert (status, "To continue, run the same command with --resume." in stderr) == (1, True), stderr
    assert exited(scan(homes, *users, *options, "--resume"))[0] == 0
    interrupted = Path("inventory.csv").read_bytes(), sorted(Path("files.csv").read_text().splitlines())
    requests = listed(homes) - before

    homes.control("POST", "faults", {})
    assert exited(scan(homes, *users, *options))[0] == 0

    assert (Path("inventory.csv").read_bytes(), sorted(Path("files.csv").read_text().splitlines())) == interrupted
    assert [path for path, times in requests.items() if times > 1 and "Users/" in path] == []


@pytest.mark.process
def test_a_revoked_token_is_reported_without_being_written(homes, scan):
    own = homes.control("POST", "users", {"user_name": "scanner@lab.example", "admin": True})["token"]
    users = [user["user_name"] for user in homes.control("GET", "files/truth")["users"]][:20]
    homes.control("POST", "faults", {"rules": [{"match": "GET /api/2.0/*/list", "kind": "latency", "seconds": 0.02}]})
    before = listed(homes)
    Path("token").write_text(own)
    process = scan(homes, *users, "--workers", "1", "--debug", "--files", "files.parquet", "--report", "page.html")
    wait_for(lambda: sum((listed(homes) - before).values()) > 20, process)
    token_id = homes.request("GET", "/api/2.0/token/list", token=own)[1]["token_infos"][0]["token_id"]
    assert homes.request("POST", "/api/2.0/token/delete", {"token_id": token_id}, token=own)[0] == 200
    status, out, stderr = exited(process)

    rows = Path("inventory.csv").read_text().splitlines()[1:]
    assert (status, len(rows), "retries them" in stderr) == (1, 20, True)
    assert {row.split(",")[4] for row in rows} & {"partial", "error"}
    files = [path for path in Path(".").rglob("*") if path.is_file() and path.name != "token"]
    assert {path.suffix for path in files} >= {".csv", ".parquet", ".html", ".checkpoint"}
    assert [path.name for path in files if own.encode() in path.read_bytes()] == []
    assert own not in out + stderr

    homes.control("POST", "faults", {})
    Path("token").write_text(homes.admin_token)
    options = ["--workers", "1", "--files", "files.parquet"]
    assert exited(scan(homes, *users, *options, "--resume"))[0] == 0
    resumed = Path("inventory.csv").read_bytes()
    assert exited(scan(homes, *users, *options))[0] == 0
    assert Path("inventory.csv").read_bytes() == resumed


@pytest.mark.acceptance
def test_a_silent_server_costs_a_minute_but_no_files(homes, scan):
    users = [user["user_name"] for user in homes.control("GET", "files/truth")["users"]][:5]
    assert exited(scan(homes, *users))[0] == 0
    undisturbed = Path("inventory.csv").read_bytes()
    silence = {"match": "GET /api/2.0/workspace/list", "kind": "hang", "seconds": 3600, "after": 3, "count": 2}
    homes.control("POST", "faults", {"rules": [silence]})
    began = time.monotonic()
    status, _, stderr = exited(scan(homes, *users))
    took = time.monotonic() - began
    homes.control("POST", "faults", {})
    assert (status, Path("inventory.csv").read_bytes()) == (0, undisturbed), stderr
    assert 60 < took < 120


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for a condition while the process runs."""
    ends = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, exited(process)
        assert time.monotonic() < ends
        time.sleep(0.3)
