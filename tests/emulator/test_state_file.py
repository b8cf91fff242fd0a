"""The state file: always complete, private, and read at the next start."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from emulator.server.services import open_workspace
from emulator.server.state_check import find_damage
from emulator.state.options import Options
from emulator.state.state import dump, load, load_json
from emulator.state.state_file import StateFile, StateFileError
from emulator_process import ROOT, EmulatorError, EmulatorProcess
from raw_socket import connect

Start = Callable[..., EmulatorProcess]


def saved(file: Path, user_name: str) -> bool:
    """Return whether the user is in the file within the maximum delay of a save."""
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        if file.exists() and user_name in file.read_text():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state file of about 60 MB, shared by the two tests that use it."""
    file = tmp_path_factory.mktemp("large") / "lab.json"
    workspace = open_workspace(Options(seed="large"))
    for number in range(60_000):
        workspace.state.tokens.issue(workspace.administrator.id, 0, f"{number} " + "x" * 800)
    StateFile(file).save_final(workspace, 1)
    assert file.stat().st_size > 50_000_000
    return file


def users_of(emulator: EmulatorProcess) -> set[str]:
    return {user["user_name"] for user in emulator.control("GET", "state")["directory"]["users"].values()}


def test_a_workspace_continues_after_sigterm(start_emulator: Start, tmp_path: Path) -> None:
    file = tmp_path / "lab.json"
    first = start_emulator("--state", file)
    given = first.control("POST", "users", {"user_name": "ana@lab.example"})
    first.control("POST", "clock", {"advance_seconds": 86_400})
    moved = datetime.fromisoformat(first.control("GET", "clock")["now"])
    assert first.stop() == 0

    second = start_emulator("--state", file)
    assert second.workspace_id == first.workspace_id
    assert "ana@lab.example" in users_of(second)
    assert second.control("POST", "users", {"user_name": "ana@lab.example"})["id"] == given["id"]
    assert datetime.fromisoformat(second.control("GET", "clock")["now"]) >= moved


def test_tokens_stay_valid_over_a_restart(start_emulator: Start, tmp_path: Path) -> None:
    file = tmp_path / "lab.json"
    first = start_emulator("--state", file)
    token = first.control("POST", "users", {"user_name": "ana@lab.example"})["token"]
    first.stop()
    second = start_emulator("--state", file)
    for old in (token, first.admin_token):
        assert second.request("GET", "/api/2.0/preview/scim/v2/Me", token=old)[0] == 200
    assert first.admin_token not in file.read_text() and token not in file.read_text()


def test_a_workspace_continues_after_a_crash(start_emulator: Start, tmp_path: Path) -> None:
    file = tmp_path / "lab.json"
    first = start_emulator("--state", file)
    first.control("POST", "users", {"user_name": "ana@lab.example"})
    assert saved(file, "ana@lab.example")
    first.kill()
    assert "ana@lab.example" in users_of(start_emulator("--state", file))


def test_the_state_file_is_complete_after_a_kill_at_any_time(
    start_emulator: Start, tmp_path: Path, acceptance: bool
) -> None:
    file = tmp_path / "lab.json"
    before: set[str] = set()
    for cut in range(20 if acceptance else 3):
        emulator = start_emulator("--state", file)
        assert before <= users_of(emulator)
        ends = time.monotonic() + 0.6 + 0.11 * cut
        number = 0
        while time.monotonic() < ends:
            emulator.control("POST", "users", {"user_name": f"s{cut}-{number}@lab.example"})
            number += 1
        before = {user.user_name for user in load_json(file.read_bytes()).directory.users.values()}
        emulator.kill()
        assert [path.name for path in tmp_path.iterdir() if path.name not in ("lab.json", ".lab.json.new")] == []


def test_the_state_file_is_only_readable_by_its_owner(start_emulator: Start, tmp_path: Path) -> None:
    file = tmp_path / "lab.json"
    start_emulator("--state", file).stop()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_file_is_written_only_after_a_change(start_emulator: Start, tmp_path: Path) -> None:
    file = tmp_path / "lab.json"
    emulator = start_emulator("--state", file)
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    assert saved(file, "ana@lab.example")
    written = file.stat().st_mtime_ns
    for _ in range(5):
        emulator.control("GET", "state")
        time.sleep(0.3)
    assert file.stat().st_mtime_ns == written


def test_requests_are_handled_while_a_large_state_is_written(start_emulator: Start, large: Path) -> None:
    emulator = start_emulator("--state", large)
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    connection = emulator.connection()
    slowest = 0.0
    ends = time.monotonic() + 2.0
    while time.monotonic() < ends:
        began = time.monotonic()
        connection.request("GET", "/_emulator/clock")
        connection.getresponse().read()
        slowest = max(slowest, time.monotonic() - began)
    connection.close()
    assert slowest < 0.4


def test_connections_can_close_while_the_state_is_written(start_emulator: Start, large: Path) -> None:
    emulator = start_emulator("--state", large)
    connections = [connect(emulator.url) for _ in range(100)]
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    longest = 0.0
    for connection in connections:
        with connection:
            connection.sendall(b"GET /_emulator/clock HTTP/1.0\r\n\r\n")
            while b"now" not in connection.recv(65536):
                pass
            began = time.monotonic()
            assert connection.recv(65536) == b""
            longest = max(longest, time.monotonic() - began)
        time.sleep(0.02)
    assert longest < 0.2


def test_a_state_is_unchanged_after_saving_and_reading(tmp_path: Path) -> None:
    file = tmp_path / "lab.json"
    workspace = open_workspace(Options(seed="7"))
    workspace.state.scheduler.schedule(5, "clusters.running", cluster_id="c")
    StateFile(file).save_final(workspace, 1)
    read = StateFile(file).read()
    assert read is not None
    assert dump(read) == dump(workspace.state)


def test_a_missing_state_file_means_a_new_workspace(tmp_path: Path) -> None:
    assert StateFile(tmp_path / "lab.json").read() is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"workspace_id": 7}', "\x00\x01", "<html></html>"])
def test_an_invalid_state_file_is_rejected_and_left_unchanged(tmp_path: Path, content: str) -> None:
    file = tmp_path / "lab.json"
    file.write_text(content)
    with pytest.raises(
        StateFileError, match=r"lab\.json is not a valid state file .*; move it away to start with a new workspace"
    ):
        StateFile(file).read()
    assert file.read_text() == content


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("agenda", "entries", 0, "arguments", "cluster_id"), "none", "agenda: KeyError 'none'"),
        (("agenda", "entries", 0, "kind"), "none", "agenda: KeyError 'none'"),
        (
            ("objects", "nodes", "0", "children", "Users"),
            7,
            "objects: object 0 has the child 7 named 'Users', which does not exist",
        ),
        (
            ("dbfs", "entries", "0", "children", "x"),
            7,
            "dbfs: object 0 has the child 7 named 'x', which does not exist",
        ),
    ],
)
def test_an_inconsistent_state_is_reported(place: tuple[Any, ...], value: object, problem: str) -> None:
    workspace = open_workspace(Options(seed="7"))
    workspace.state.scheduler.schedule(5, "clusters.change", cluster_id="c", to="RUNNING")
    dumped = dump(workspace.state)
    spot = dumped
    for step in place[:-1]:
        spot = spot[step]
    spot[place[-1]] = value
    assert find_damage(open_workspace(Options(seed="7"), load(dumped))) == problem


@pytest.mark.parametrize("forest", ["0", "{}"])
def test_a_state_file_with_an_invalid_shape_is_rejected(tmp_path: Path, forest: str) -> None:
    file = tmp_path / "lab.json"
    content = dump(open_workspace(Options(seed="7")).state)
    content["volumes"]["forest"] = json.loads(forest)
    file.write_text(json.dumps(content))
    with pytest.raises(StateFileError, match="is not a valid state file"):
        StateFile(file).read()


def test_a_missing_folder_of_the_state_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StateFileError, match="the folder does not exist; create it"):
        StateFile(tmp_path / "nowhere" / "lab.json").read()


def test_a_state_that_cannot_be_written_at_shutdown_is_reported(start_emulator: Start, tmp_path: Path) -> None:
    folder, log = tmp_path / "folder", tmp_path / "log"
    folder.mkdir()
    emulator = start_emulator("--state", folder / "lab.json", log=log)
    assert saved(folder / "lab.json", "admin@lab.example")
    shutil.rmtree(folder)
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    assert emulator.stop() == 1
    last = log.read_text().splitlines()[-1]
    assert last == f"Error: {folder}/lab.json could not be written: No such file or directory"


@pytest.mark.process
def test_an_invalid_state_file_is_reported_on_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "lab.json"
    file.write_text(json.dumps({"workspace_id": "1"}))
    command = [sys.executable, "-m", "emulator", "--port", "0", "--state", str(file)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        f"Error: {file} is not a valid state file (ids: Field required); move it away to start with a new workspace\n"
    )


def test_a_workspace_keeps_its_unity_catalog(start_emulator: Start, tmp_path: Path) -> None:
    file = tmp_path / "lab.json"
    assignment = "/api/2.1/unity-catalog/current-metastore-assignment"
    first = start_emulator("--state", file, "--unity-catalog", "auto")
    before = first.request("GET", assignment)
    first.control("POST", "reset")
    assert first.request("GET", assignment)[1]["default_catalog_name"] == "lab_workspace"
    first.stop()
    second = start_emulator("--state", file)
    assert (before[0], second.request("GET", assignment)[1]["default_catalog_name"]) == (200, "lab_workspace")
    second.control("POST", "reset")
    assert second.request("GET", assignment)[0] == 200
    second.stop()
    with pytest.raises(EmulatorError, match="has a workspace with --unity-catalog auto; omit --unity-catalog"):
        start_emulator("--state", file, "--unity-catalog", "none")
