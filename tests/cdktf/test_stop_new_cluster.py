"""A cluster that was just made is stopped, unless somebody uses it; and one process serves many."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from emulator_process import EmulatorProcess
from stopping.new_cluster import Decision, Leave, Stop, decide
from stopping.request_queue import ask

ROOT = Path(__file__).resolve().parents[2]
ME = "admin@lab.example"
MINUTE = 60_000


def event(kind: str, at: int, user: str = "") -> dict[str, Any]:
    return {"type": kind, "timestamp": at, "details": {"user": user} if user else {}}


def decision(state: str, *events: dict[str, Any], **facts: Any) -> Decision:
    newest_first = sorted(events, key=lambda event: -event["timestamp"])
    return decide({"state": state, **facts}, newest_first, me=ME)


CREATED = (event("CREATING", 0, ME), event("RUNNING", MINUTE))


def test_a_cluster_that_only_the_deploy_started_is_stopped():
    assert decision("RUNNING", *CREATED) == Stop()
    assert decision("RESIZING", *CREATED) == Stop()


def test_the_name_of_who_deploys_is_compared_without_case():
    assert decision("RUNNING", event("CREATING", 0, "Admin@LAB.example"), event("RUNNING", 1)) == Stop()


def test_a_cluster_that_is_stopped_already_is_left_in_silence():
    assert decision("TERMINATED", *CREATED) == Leave()
    assert decision("TERMINATING", *CREATED) == Leave()


@pytest.mark.parametrize("kind", ["STARTING", "RESTARTING"])
def test_a_cluster_that_a_student_started_since_is_left(kind: str):
    events = (*CREATED, event(kind, 5 * MINUTE, "dana@campus.example.ac.il"), event("RUNNING", 6 * MINUTE))
    assert decision("RUNNING", *events) == Leave("dana@campus.example.ac.il has started it since")


def test_a_cluster_that_is_in_use_is_left_though_the_deploy_started_it():
    assert decision("RUNNING", *CREATED, last_activity_time=3 * MINUTE) == Leave("it is in use")


def test_an_activity_of_the_start_itself_is_not_use():
    assert decision("RUNNING", *CREATED, last_activity_time=MINUTE + 500) == Stop()


def test_a_cluster_of_unknown_starter_is_left():
    assert decision("RUNNING", event("RUNNING", MINUTE)) == Leave("it is not known who started it")
    assert decision("RUNNING", event("STARTING", 0), event("RUNNING", MINUTE)) == Leave("somebody has started it since")


def test_a_cluster_on_its_way_is_left_and_said():
    assert decision("PENDING", event("CREATING", 0, ME)) == Leave("its state is PENDING")


def test_many_requests_are_served_by_few(tmp_path: Path):
    served: list[Sequence[str]] = []

    def start():
        def serve(requests: Sequence[str]) -> dict[str, str]:
            served.append(requests)
            return {request: request.upper() for request in requests}

        return serve

    with ThreadPoolExecutor(12) as askers:
        names = [f"c{number}" for number in range(12)]
        answers = list(askers.map(lambda name: ask(tmp_path / "spool", name, start), names))
    assert answers == [name.upper() for name in names]
    assert sorted(name for requests in served for name in requests) == sorted(names)
    assert [path.name for path in (tmp_path / "spool").iterdir()] == ["lock"]
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700


def test_a_request_that_takes_long_does_not_keep_a_later_one_waiting(tmp_path: Path):
    came, quick_done = threading.Event(), threading.Event()

    def start():
        def serve(requests: Sequence[str]) -> dict[str, str]:
            if "slow" in requests:
                came.set()
                assert quick_done.wait(30)
            return dict.fromkeys(requests, "done")

        return serve

    with ThreadPoolExecutor(2) as askers:
        slow = askers.submit(ask, tmp_path, "slow", start)
        assert came.wait(30)
        assert ask(tmp_path, "quick", start) == "done"
        quick_done.set()
        assert slow.result() == "done"


def test_what_a_dead_process_left_in_the_queue_is_served_by_the_next(tmp_path: Path):
    def broken():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        ask(tmp_path, "first", broken)
    assert ask(tmp_path, "second", lambda: lambda requests: dict.fromkeys(requests, "done")) == "done"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.done", "lock"]


def test_an_answer_of_an_earlier_time_is_not_given_again(tmp_path: Path):
    (tmp_path / "c1.done").write_text("old")
    assert ask(tmp_path, "c1", lambda: lambda requests: dict.fromkeys(requests, "new")) == "new"


def stop_with_the_program(emulator: EmulatorProcess, spool: Path, monkeypatch: pytest.MonkeyPatch, cluster: str) -> str:
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(
        [sys.executable, str(ROOT / "cdktf" / "stop_new_cluster.py"), "--name", "cluster_01", "--spool", str(spool)]
        + ["--cluster-id", cluster],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def running(emulator: EmulatorProcess) -> str:
    spec = {"cluster_name": "cluster_01", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
    status, answer = emulator.request("POST", "/api/2.1/clusters/create", {**spec, "num_workers": 1})
    assert status == 200
    return str(answer["cluster_id"])


def state_of(emulator: EmulatorProcess, cluster: str) -> str:
    return str(emulator.request("GET", f"/api/2.1/clusters/get?cluster_id={cluster}")[1]["state"])


def test_the_program_stops_a_new_cluster_twice_without_a_word(
    emulator: EmulatorProcess, running: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert stop_with_the_program(emulator, tmp_path, monkeypatch, running) == ""
    assert state_of(emulator, running) == "TERMINATED"
    assert stop_with_the_program(emulator, tmp_path, monkeypatch, running) == ""


def test_the_program_leaves_a_cluster_that_is_in_use(
    emulator: EmulatorProcess, running: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    emulator.control("POST", "work", {"cluster_id": running, "seconds": 600})
    emulator.control("POST", "clock", {"advance_seconds": 60})
    said = stop_with_the_program(emulator, tmp_path, monkeypatch, running)
    assert said == f"Warning: cluster_01 ({running}) was not stopped: it is in use\n"
    assert state_of(emulator, running) == "RUNNING"


def test_a_workspace_that_refuses_is_a_warning_and_not_a_failure(
    emulator: EmulatorProcess, running: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    emulator.admin_token, token = "dapi-wrong", emulator.admin_token
    try:
        said = stop_with_the_program(emulator, tmp_path, monkeypatch, running)
    finally:
        emulator.admin_token = token
    assert said == f"Warning: cluster_01 ({running}) was not stopped: Invalid access token.\n"
