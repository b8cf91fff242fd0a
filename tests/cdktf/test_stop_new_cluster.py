"""A cluster that was just created is stopped unless it is in use; one process serves many requests."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from emulator_process import EmulatorProcess
from stop_new_cluster import request_stop
from stopping.new_clusters import KeepRunning, StopCluster, StopDecision, decide_stop
from stopping.request_queue import RequestQueue

ROOT = Path(__file__).resolve().parents[2]
DEPLOYER = "admin@lab.example"
MINUTE = 60_000


def event(kind: str, at: int, user: str = "") -> dict[str, Any]:
    return {"type": kind, "timestamp": at, "details": {"user": user} if user else {}}


def decision(state: str, *events: dict[str, Any], **facts: Any) -> StopDecision:
    newest_first = sorted(events, key=lambda event: -event["timestamp"])
    return decide_stop({"state": state, **facts}, newest_first, deployer=DEPLOYER)


CREATED = (event("CREATING", 0, DEPLOYER), event("RUNNING", MINUTE))


def test_a_cluster_started_only_by_the_deployment_is_stopped():
    assert decision("RUNNING", *CREATED) == StopCluster()
    assert decision("RESIZING", *CREATED) == StopCluster()


def test_the_deployers_name_is_compared_ignoring_case():
    assert decision("RUNNING", event("CREATING", 0, "Admin@LAB.example"), event("RUNNING", 1)) == StopCluster()


def test_a_stopped_cluster_is_left_without_a_warning():
    assert decision("TERMINATED", *CREATED) == KeepRunning()
    assert decision("TERMINATING", *CREATED) == KeepRunning()


@pytest.mark.parametrize("kind", ["STARTING", "RESTARTING"])
def test_a_cluster_started_by_a_student_since_keeps_running(kind: str):
    events = (*CREATED, event(kind, 5 * MINUTE, "dana@campus.example.ac.il"), event("RUNNING", 6 * MINUTE))
    assert decision("RUNNING", *events) == KeepRunning("dana@campus.example.ac.il has started it since")


def test_a_cluster_in_use_keeps_running():
    assert decision("RUNNING", *CREATED, last_activity_time=3 * MINUTE) == KeepRunning("it is in use")


def test_activity_during_the_start_does_not_count_as_use():
    assert decision("RUNNING", *CREATED, last_activity_time=MINUTE + 500) == StopCluster()


def test_a_cluster_with_an_unknown_starter_keeps_running():
    assert decision("RUNNING", event("RUNNING", MINUTE)) == KeepRunning("its starter is unknown")
    assert decision("RUNNING", event("STARTING", 0), event("RUNNING", MINUTE)) == KeepRunning(
        "somebody has started it since"
    )


def test_a_pending_cluster_keeps_running_with_a_warning():
    assert decision("PENDING", event("CREATING", 0, DEPLOYER)) == KeepRunning("its state is PENDING")


def test_a_request_is_pending_until_it_is_answered(tmp_path: Path):
    queue = RequestQueue(tmp_path / "spool")
    queue.put("c1")
    queue.put("c2")
    queue.write_answer("c1", "it is in use")
    assert (queue.pending(), queue.is_answered("c1"), queue.is_answered("c2")) == ({"c2"}, True, False)
    assert queue.pop_answer("c1") == "it is in use"
    with pytest.raises(FileNotFoundError):
        queue.pop_answer("c1")


def test_an_earlier_answer_is_discarded(tmp_path: Path):
    queue = RequestQueue(tmp_path)
    queue.put("c1")
    queue.write_answer("c1", "old")
    queue.put("c1")
    assert (queue.pending(), queue.is_answered("c1")) == ({"c1"}, False)


def test_only_one_process_serves_at_a_time(tmp_path: Path):
    queue, other = RequestQueue(tmp_path), RequestQueue(tmp_path)
    with queue.server_lock() as first, other.server_lock() as second:
        assert (first, second) == (True, False)
    with other.server_lock() as later:
        assert later


def test_the_queue_is_private(tmp_path: Path):
    (tmp_path / "spool").mkdir(mode=0o755)
    RequestQueue(tmp_path / "spool").put("c1")
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "spool" / "c1.wanted").stat().st_mode & 0o777 == 0o600


def new_cluster(emulator: EmulatorProcess) -> str:
    spec = {"cluster_name": "cluster_01", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
    status, answer = emulator.request("POST", "/api/2.1/clusters/create", {**spec, "num_workers": 1})
    assert status == 200
    return str(answer["cluster_id"])


def set_environment(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set the environment that a deployment gives its programs; return a copy."""
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    return dict(os.environ)


def test_many_requests_are_served_by_one_process(
    emulator: EmulatorProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    environ = set_environment(emulator, monkeypatch)
    clusters = [new_cluster(emulator) for _ in range(12)]
    queues = [RequestQueue(tmp_path / "spool") for _ in clusters]
    # A request from a process that died before the request was answered.
    queues[0].put("left-behind")
    with ThreadPoolExecutor(len(clusters)) as processes:
        assert list(processes.map(request_stop, clusters, queues, repeat(environ))) == [""] * len(clusters)
    assert {state_of(emulator, cluster) for cluster in clusters} == {"TERMINATED"}
    logins = [call for call in emulator.request_log() if call["path"].endswith("/Me")]
    assert len(logins) == 1
    assert sorted(path.name for path in (tmp_path / "spool").iterdir()) == ["left-behind.done", "lock"]


def test_a_slow_termination_does_not_delay_a_later_request(
    start_emulator: Callable[..., EmulatorProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    emulator = start_emulator("--speed", 0, "--transition-seconds", 60)
    environ = set_environment(emulator, monkeypatch)
    slow, used = new_cluster(emulator), new_cluster(emulator)
    emulator.control("POST", "clock", {"advance_seconds": 60})
    emulator.control("POST", "work", {"cluster_id": used, "seconds": 600})
    emulator.control("POST", "clock", {"advance_seconds": 60})
    with ThreadPoolExecutor(1) as processes:
        terminated = processes.submit(request_stop, slow, RequestQueue(tmp_path), environ)
        while state_of(emulator, slow) != "TERMINATING":
            time.sleep(0.05)
        assert request_stop(used, RequestQueue(tmp_path), environ) == "it is in use"
        assert not terminated.done()
        emulator.control("POST", "clock", {"advance_seconds": 60})
        assert terminated.result() == ""


def stop_with_the_program(emulator: EmulatorProcess, spool: Path, monkeypatch: pytest.MonkeyPatch, cluster: str) -> str:
    set_environment(emulator, monkeypatch)
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
    return new_cluster(emulator)


def state_of(emulator: EmulatorProcess, cluster: str) -> str:
    return str(emulator.request("GET", f"/api/2.1/clusters/get?cluster_id={cluster}")[1]["state"])


def test_stopping_a_cluster_twice_prints_nothing(
    emulator: EmulatorProcess, running: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert stop_with_the_program(emulator, tmp_path, monkeypatch, running) == ""
    assert state_of(emulator, running) == "TERMINATED"
    assert stop_with_the_program(emulator, tmp_path, monkeypatch, running) == ""


def test_the_program_does_not_stop_a_cluster_in_use(
    emulator: EmulatorProcess, running: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    emulator.control("POST", "work", {"cluster_id": running, "seconds": 600})
    emulator.control("POST", "clock", {"advance_seconds": 60})
    output = stop_with_the_program(emulator, tmp_path, monkeypatch, running)
    assert output == f"Warning: cluster_01 ({running}) was not stopped: it is in use\n"
    assert state_of(emulator, running) == "RUNNING"


def test_a_refused_request_causes_only_a_warning(
    emulator: EmulatorProcess, running: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    emulator.admin_token, token = "dapi-wrong", emulator.admin_token
    try:
        output = stop_with_the_program(emulator, tmp_path, monkeypatch, running)
    finally:
        emulator.admin_token = token
    assert output == f"Warning: cluster_01 ({running}) was not stopped: Invalid access token.\n"
