"""A scan checks a cluster first, starts it only with the option, and reports problems."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from emulator_process import EmulatorProcess
from inventory.__main__ import main
from inventory.spark import clusters, credential
from inventory.spark.errors import SparkError
from inventory.transport.client import Client

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER = "3.12" if HERE != "3.12" else "3.11"


@pytest.fixture
def client(emulator) -> Client:
    return Client(emulator.url, lambda: {"Authorization": f"Bearer {emulator.admin_token}"})


@pytest.fixture
def cluster(emulator) -> Callable[..., str]:
    """Create a cluster and return its id."""

    def make(runtime: str = "17.3.x-scala2.13", *, mode: str = "USER_ISOLATION", stopped: bool = False) -> str:
        body = {
            "cluster_name": "lab",
            "spark_version": runtime,
            "node_type_id": "Standard_DS3_v2",
            "num_workers": 1,
            "data_security_mode": mode,
        }
        status, answer = emulator.request("POST", "/api/2.1/clusters/create", body)
        assert status == 200, answer
        if stopped:
            emulator.request("POST", "/api/2.1/clusters/delete", {"cluster_id": answer["cluster_id"]})
        return str(answer["cluster_id"])

    return make


def state(emulator: EmulatorProcess, cluster_id: str) -> str:
    return str(emulator.request("GET", f"/api/2.1/clusters/get?cluster_id={cluster_id}")[1]["state"])


def ready(client: Client, cluster_id: str, *, start: bool = False, python: str = "3.12") -> None:
    clusters.ensure_running(client, cluster_id, start=start, python=python, stop=threading.Event())


def test_a_running_cluster_is_used(emulator, client, cluster):
    running = cluster()

    ready(client, running)

    assert state(emulator, running) == "RUNNING"


def test_a_stopped_cluster_is_started_only_with_the_option(emulator, client, cluster):
    stopped = cluster(stopped=True)
    with pytest.raises(SparkError, match=f"cluster {stopped} is stopped .TERMINATED.; --start-cluster starts it"):
        ready(client, stopped)
    assert state(emulator, stopped) == "TERMINATED"

    ready(client, stopped, start=True)

    assert state(emulator, stopped) == "RUNNING"


def test_waiting_for_a_cluster_ends_when_the_scan_is_stopped(start_emulator):
    slow = start_emulator("--transition-seconds", "600")
    definition: dict[str, Any] = {
        "cluster_name": "lab",
        "spark_version": "17.3.x-scala2.13",
        "node_type_id": "Standard_DS3_v2",
    }
    definition |= {"num_workers": 1, "data_security_mode": "USER_ISOLATION"}
    launching = slow.request("POST", "/api/2.1/clusters/create", definition)[1]["cluster_id"]
    client = Client(slow.url, lambda: {"Authorization": f"Bearer {slow.admin_token}"})
    stop = threading.Event()
    stop.set()

    clusters.ensure_running(client, launching, start=True, python="3.12", stop=stop)

    assert state(slow, launching) == "PENDING"


@pytest.mark.parametrize(
    ("runtime", "mode", "sentences"),
    [
        (
            "15.4.x-scala2.12",
            "SINGLE_USER",
            ["with Spark 3.5, but this client needs Spark 4.0", "with Python 3.11, but this is Python 3.12"],
        ),
        (
            "16.4.x-scala2.12",
            "USER_ISOLATION",
            ["scan from a notebook on this cluster (docs/notebook.md), or scan without a cluster"],
        ),
        (
            "17.3.x-scala2.13",
            "NONE",
            ["has the access mode NONE, but Spark Connect needs dedicated or standard access"],
        ),
        ("19.1.x-scala2.13", "SINGLE_USER", []),
        ("custom:mine", "SINGLE_USER", []),
    ],
)
def test_an_incompatible_runtime_is_reported(runtime, mode, sentences):
    output = clusters.compatibility_problems(clusters.Cluster("7", "lab", "RUNNING", runtime, mode), "3.12")
    assert len(output) == len(sentences)
    assert [sentence in problem for sentence, problem in zip(sentences, output, strict=True)] == [True] * len(output)


def test_a_missing_cluster_is_reported(client):
    with pytest.raises(SparkError, match="cluster 0101-000000-nothing0 in http.* cannot be read: 4"):
        ready(client, "0101-000000-nothing0")


def run_command(emulator: EmulatorProcess, folder, *arguments: str) -> tuple[int, str]:
    (folder / "token").write_text(emulator.admin_token)
    access = ["--workspace-url", emulator.url, "--token-file", str(folder / "token")]
    result = CliRunner().invoke(main, [arguments[0], *access, *arguments[1:]], obj=dict(os.environ))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert emulator.admin_token not in result.output
    return result.exit_code, result.output


def test_a_scan_on_a_stopped_cluster_leaves_nothing_behind(emulator, cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runtime = {"3.11": "15.4.x-scala2.12"}.get(HERE, "17.3.x-scala2.13")
    stopped, before = cluster(runtime, stopped=True), comments(emulator)
    status, output = run_command(emulator, tmp_path, "scan", "--cluster-id", stopped)
    expected = "needs Spark 4.0 or newer" if HERE == "3.11" else "Python" if HERE != "3.12" else "--start-cluster"
    assert (status, expected in output, os.listdir()) == (2, True, ["token"])
    assert run_command(emulator, tmp_path, "scan", "--cluster-id", "7;token=1")[0] == 2
    assert (comments(emulator), os.listdir()) == (before, ["token"])


def test_an_unreachable_server_is_reported(emulator, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, output = run_command(emulator, tmp_path, "scan", "--spark-remote", "sc://127.0.0.1:9")
    assert (status, "the Spark server 127.0.0.1:9 cannot be reached." in output, os.listdir()) == (2, True, ["token"])


def test_doctor_compares_a_cluster_with_this_installation(emulator, cluster, tmp_path):
    stopped = cluster("17.3.x-scala2.13", stopped=True)
    status, output = run_command(emulator, tmp_path, "doctor", "--cluster-id", stopped, "--json")
    document = json.loads(output)
    assert status == 1
    assert {name: document["facts"][name] for name in document["facts"] if "cluster" in name} == {
        "cluster": "lab, TERMINATED",
        "cluster runtime": "17.3.x-scala2.13, access mode USER_ISOLATION",
        "cluster python": "3.12",
        "cluster spark": "4.0",
    }
    assert f"Cluster {stopped} is stopped (TERMINATED): scan --start-cluster starts it." in document["advice"]
    assert any("start this program with Python 3.12" in advice for advice in document["advice"]) == (HERE != "3.12")
    assert document["facts"]["pyspark"].startswith("4.0.")

    status, output = run_command(emulator, tmp_path, "doctor", "--cluster-id", "none")
    assert (status, "! cluster none in http" in output) == (1, True)


def comments(emulator: EmulatorProcess) -> list[str]:
    return [token["comment"] for token in emulator.request("GET", "/api/2.0/token/list")[1]["token_infos"]]


def test_the_token_for_a_run_is_short_lived_and_always_revoked(emulator, client):
    before = comments(emulator)
    with pytest.raises(ValueError, match="in the middle"), credential.temporary_token(client, 600) as made:
        infos = emulator.request("GET", "/api/2.0/token/list")[1]["token_infos"]
        mine = next(info for info in infos if info["comment"].startswith("inventory scan "))
        assert mine["expiry_time"] - mine["creation_time"] == 600_000
        assert emulator.request("GET", "/api/2.0/preview/scim/v2/Me", token=made.token)[0] == 200
        assert made.token not in repr(made)
        raise ValueError("in the middle")
    assert comments(emulator) == before


def test_a_token_is_revoked_even_if_its_response_was_lost(emulator, client):
    before = comments(emulator)
    fault = {"match": "POST /api/2.0/token/create", "kind": "truncate", "count": 1}
    emulator.control("POST", "faults", {"rules": [fault]})
    with credential.temporary_token(client, 600):
        assert len(comments(emulator)) == len(before) + 2
    assert comments(emulator) == before


def test_a_missing_permission_to_create_tokens_is_reported(emulator):
    nobody = Client(emulator.url, lambda: {"Authorization": "Bearer dapi-nobody"})
    output = "no token could be created for the executors: 40. .*Ask an administrator for the permission to use tokens"
    with pytest.raises(SparkError, match=output), credential.temporary_token(nobody, 600):
        raise AssertionError("there is no token")


def test_a_token_that_cannot_be_revoked_is_reported(emulator, client, caplog):
    with credential.temporary_token(client, 600):
        emulator.control("POST", "faults", {"rules": [{"match": "POST /api/2.0/token/delete", "kind": "500"}]})
    warning = next(record.message for record in caplog.records if record.levelname == "WARNING")
    assert warning.startswith("the executors' token was not revoked (500")
    assert "delete 'inventory scan " in warning


def test_in_databricks_the_ambient_token_is_used(emulator, client):
    with credential.ambient_token(client) as there:
        assert (there.host, there.token) == (emulator.url, emulator.admin_token)
    nobody = Client(emulator.url, lambda: {})
    with (
        pytest.raises(SparkError, match="there is no token for the executors"),
        credential.ambient_token(nobody),
    ):
        raise AssertionError("there is no token")
