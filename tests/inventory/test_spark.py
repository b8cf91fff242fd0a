"""A scan on the executors of a real Spark Connect server equals a scan without Spark."""

from __future__ import annotations

import csv
import dataclasses
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
from click.testing import CliRunner

from emulator_process import ROOT, EmulatorProcess
from inventory import notebook
from inventory.__main__ import main
from inventory.scan.run import ScanRequest, prepare_scan
from inventory.spark.address import parse_remote
from inventory.spark.driver import SparkOptions
from inventory.spark.errors import SessionLost
from inventory.spark.rate_share import RateShare
from inventory.spark.session import ExecutorCredential, RemoteSessionOpener
from inventory.spark.start import Executors
from inventory.spark.worker import TaskSpec, task_function
from inventory.transport.client import Client
from inventory.tree.listing import Folder, Source
from spark_process import SparkProcess

pytestmark = [pytest.mark.process, pytest.mark.spark, pytest.mark.xdist_group("spark")]
SHAPE = "users=12,files=900"
LIST = "/api/2.0/workspace/list"


@pytest.fixture(scope="module")
def generated_workspace() -> Iterator[EmulatorProcess]:
    """A workspace full of files, with a student who can only see an empty home."""
    with EmulatorProcess(["--files", SHAPE, "--seed", "3"]) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def student(generated_workspace) -> str:
    """The student's token."""
    return str(generated_workspace.control("POST", "users", {"user_name": "student@x.org"})["token"])


@pytest.fixture
def lab(generated_workspace, tmp_path, monkeypatch) -> EmulatorProcess:
    """The workspace without faults, and an empty working directory."""
    generated_workspace.control("POST", "faults", {"rules": []})
    monkeypatch.chdir(tmp_path)
    Path("token").write_text(generated_workspace.admin_token)
    return generated_workspace


@pytest.fixture(scope="module")
def reference(generated_workspace, student, tmp_path_factory) -> Path:
    """The results of a scan without Spark, with details and files."""
    folder = tmp_path_factory.mktemp("reference")
    (folder / "token").write_text(generated_workspace.admin_token)
    arguments = ["--output", folder / "inventory.csv", "--files", folder / "files.jsonl"]
    access = ["--workspace-url", generated_workspace.url, "--token-file", folder / "token"]
    result = CliRunner().invoke(main, ["scan", *map(str, [*access, *arguments])], obj=dict(os.environ))
    assert result.exit_code == 0, result.output
    return folder


Scan = Callable[..., tuple[int, str, str]]


@pytest.fixture
def scan(lab, spark_server) -> Scan:
    """Run a scan on the shared server. Return exit status, stdout and stderr."""

    def run(*arguments: str, remote: str = spark_server.remote, token: str = "token") -> tuple[int, str, str]:
        access = ["--workspace-url", lab.url, "--token-file", token, "--spark-remote", remote]
        result = CliRunner().invoke(main, ["scan", *access, *arguments], obj=dict(os.environ))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        for secret in (lab.admin_token, spark_server.token):
            assert secret not in result.output
        return result.exit_code, result.stdout, result.stderr

    return run


def tokens_of(lab: EmulatorProcess) -> list[str]:
    return [token["comment"] for token in lab.request("GET", "/api/2.0/token/list")[1]["token_infos"]]


def same(reference: Path, path: str = "inventory.csv") -> bool:
    return Path(path).read_bytes() == (reference / "inventory.csv").read_bytes()


def lines(path: Path) -> list[str]:
    return sorted(path.read_text().splitlines())


def test_a_scan_on_executors_equals_a_scan_without_spark(lab, scan, reference):
    status, output, _ = scan("--files", "files.jsonl")

    assert (status, same(reference)) == (0, True)
    assert lines(Path("files.jsonl")) == lines(reference / "files.jsonl")
    assert "Written to inventory.csv, files.jsonl" in output
    assert (tokens_of(lab), sorted(os.listdir())) == (["emulator"], ["files.jsonl", "inventory.csv", "token"])


def test_a_sequential_scan_on_an_executor_has_the_same_result(scan, reference):
    assert (scan("--no-parallel")[0], same(reference)) == (0, True)


def test_executors_with_mounts_get_the_same_counts_without_api_calls(lab, scan, reference, tmp_path):
    command = [sys.executable, "-m", "emulator", "layout", "--files", SHAPE, "--seed", "3", str(tmp_path / "mounts")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    before = len(lab.request_log())
    truth = {user["user_name"]: user for user in lab.control("GET", "files/truth")["users"]}

    status, _, _ = scan("--mounts", "--mounts-root", str(tmp_path / "mounts"), "--details", "--workspace-only")
    assert status == 0

    with open("inventory.csv", newline="") as file:
        rows = {row["username"]: row for row in csv.DictReader(file)}
    amounts = ("file_count", "total_size", "estimated_files", "exact_size")
    assert {name: [int(rows[name][amount]) for amount in amounts] for name in truth} == {
        name: [user["workspace"][amount] for amount in ("files", "size", "estimated_files", "exact_size")]
        for name, user in truth.items()
    }
    # The listing of all homes, and the student's home, which is not on the mounts.
    queries = [request["query"] for request in listings(lab, before)]
    assert queries == ["path=/Users", "path=/Users/student%40x.org"]


def test_missing_mounts_are_reported_and_the_api_is_used(scan, reference, tmp_path, caplog):
    status, _, _ = scan("--mounts", "--mounts-root", str(tmp_path))
    assert (status, same(reference)) == (0, True)
    assert f"the executors have no mounts at {tmp_path}; using the API only" in caplog.messages


def test_only_permanent_faults_change_the_result(lab, scan, reference, student):
    shares = [("429", 0.05), ("503", 0.03), ("reset", 0.03), ("truncate", 0.03)]
    lab.control(
        "POST", "faults", {"rules": [{"match": f"GET {LIST}", "kind": kind, "rate": rate} for kind, rate in shares]}
    )
    assert (scan()[0], same(reference)) == (0, True)

    lab.control("POST", "faults", {"rules": []})
    Path("student").write_text(student)
    status, _, stderr = scan("--workspace-only", "--output", "refused.csv", token="student")
    assert (status, "could not be listed; --resume retries them" in stderr) == (1, True)
    assert "403 PERMISSION_DENIED" in Path("refused.csv").read_text()


def test_all_tasks_together_stay_within_the_rate(lab, scan, reference):
    begin = len(lab.request_log())
    assert (scan("--workspace-only", "--max-requests-per-second", "30", "--output", "w.csv")[0]) == 0
    requests = [request for request in lab.request_log()[begin:] if request["path"] == LIST]
    sent = [datetime.fromisoformat(request["at"]).timestamp() for request in requests]
    busiest = max(sum(at <= other < at + 1 for other in sent) for at in sent)
    assert (len(sent) > 40, busiest <= 36) == (True, True)


def test_file_rows_are_stored_as_a_table(scan, reference, spark_server):
    status, output, _ = scan("--table", "lab_files")
    assert (status, output.splitlines()[-1].startswith("Written to inventory.csv, lab_files; ")) == (0, True)
    spark = session(spark_server)
    stored = spark.table("lab_files")
    wanted = [json.loads(line) for line in lines(reference / "files.jsonl")]
    assert stored.columns == list(wanted[0])
    assert sorted((row.path, row.size) for row in stored.collect()) == sorted(
        (row["path"], row["size"]) for row in wanted
    )
    assert [table.name for table in spark.catalog.listTables()] == ["lab_files"]
    assert sorted(os.listdir()) == ["inventory.csv", "token"]
    assert scan("--table", "lab_files; DROP TABLE x")[0] == 2
    end(spark)


def session(server: SparkProcess):
    from pyspark.sql.connect.session import SparkSession

    return SparkSession.builder.remote(server.remote).create()


def end(spark: Any) -> None:
    """Stop a session permanently; see `ExecutorSession.close` in `inventory.spark.session`."""
    spark.stop()
    spark.client.close = lambda: None


def test_a_notebook_receives_the_result_as_a_dataframe(lab, reference, spark_server, tmp_path):
    spark = session(spark_server)
    client = Client(lab.url, lambda: {"Authorization": f"Bearer {lab.admin_token}"})
    found = notebook.scan(spark, folder=tmp_path, mounts=False, client=client)

    assert found.dtypes[:4] == [
        ("username", "string"),
        ("file_count", "bigint"),
        ("total_size", "bigint"),
        ("total_size_gb", "double"),
    ]
    with (reference / "inventory.csv").open(newline="") as file:
        assert [(row.username, str(row.total_size), row.status) for row in found.collect()] == [
            (row["username"], row["total_size"], row["status"]) for row in csv.DictReader(file)
        ]
    end(spark)


CLASSIC = """
import json, os, sys
os.environ["PYSPARK_PYTHON"] = sys.executable
from pyspark.sql import SparkSession
from inventory import notebook
from inventory.transport.client import Client
host, token, folder = sys.argv[1:]
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
client = Client(host, lambda: {"Authorization": f"Bearer {token}"})
for table in ("lab_files", None):
    found = notebook.scan(spark, folder=folder, mounts=False, client=client, table_name=table)
print(json.dumps([found.count(), spark.table("lab_files").count()]))
"""


@pytest.mark.acceptance
def test_a_notebook_s_classic_session_can_be_used_for_repeated_scans(lab, tmp_path):
    """As on a cluster with dedicated access: the driver is in the same process, and the session is shared."""
    command = [sys.executable, "-c", CLASSIC, lab.url, lab.admin_token, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    output = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert output.stdout.splitlines()[-1:] == ["[14, 900]"], output.stderr
    left = [path.read_text() for path in Path(gettempdir()).glob("inventory-*/*.json")]
    assert [text for text in left if lab.admin_token in text] == []


def test_the_token_of_a_stopped_scan_is_revoked(lab, reference, spark_server):
    lab.control("POST", "faults", {"rules": [{"match": f"GET {LIST}", "kind": "latency", "seconds": 0.3}]})
    environment = {**os.environ, **lab.environment(), "SPARK_REMOTE": spark_server.remote, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "inventory", "scan", "--workers", "4", "--max-requests-per-second", "10"]
    before = len(lab.request_log())
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert at_request(lab, before, 5, lambda: None)
    assert len(tokens_of(lab)) == 2
    process.send_signal(signal.SIGINT)
    _, output = process.communicate(timeout=60)

    assert (process.returncode, tokens_of(lab), Path("inventory.csv").exists()) == (1, ["emulator"], False)
    assert "To continue, run the same command with --resume." in output
    assert not [secret for secret in (lab.admin_token, spark_server.token) if secret in output]
    lab.control("POST", "faults", {"rules": []})
    assert subprocess.run([*command[:4], "--resume"], env=environment, capture_output=True).returncode == 0
    assert same(reference)


def test_the_executors_token_is_only_in_its_file(lab, spark_server, tmp_path, caplog, capfd):
    """Rows, plans, debug logs, checkpoint, results and errors are searched for the token."""
    made = lab.request("POST", "/api/2.0/token/create", {"comment": "emulator"})[1]
    secret = made["token_value"]
    lab.control("POST", "faults", {"rules": [{"match": f"GET {LIST}", "kind": "503", "rate": 0.2}]})
    caplog.set_level(logging.DEBUG)
    client = Client(lab.url, lambda: {"Authorization": f"Bearer {lab.admin_token}"})
    run = prepare_scan(
        client,
        ScanRequest(Path("inventory.csv"), files=Path("files.csv")),
        resume=False,
        fresh=False,
        now=datetime.now(UTC),
    )
    opener = RemoteSessionOpener(parse_remote(spark_server.remote), ExecutorCredential(lab.url, secret))
    opened = opener.open()
    users = tuple(Folder(user, "workspace", f"/Users/{user}") for user in ("admin@lab.example", "nobody@x.org"))
    shares: dict[Source, RateShare] = {"workspace": RateShare(50.0, 50.0, True)}
    order = TaskSpec(users, True, 5.0, 1000, True, shares, 4, True, opened.credential_file, None)
    output = [
        *opened.run_task(order),
        repr([order, opener, parse_remote(spark_server.remote), ExecutorCredential(lab.url, secret)]),
    ]
    spark = session(spark_server)
    spark.range(0, 1, 1, 1).mapInArrow(task_function(order), "line string").explain("extended")
    with pytest.raises(SessionLost, match="did not receive a session file") as missing:
        opened.run_task(dataclasses.replace(order, credential_file="none.json"))
    lab.request("POST", "/api/2.0/token/delete", {"token_id": made["token_info"]["token_id"]})
    output += [str(missing.value), *opened.run_task(order)]

    executors = Executors(opener, opened, SparkOptions(with_files=True))
    outcome = executors.scan(run, threading.Event(), lambda progress: None)

    assert outcome.folders_failed
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "token"]
    output += [path.read_text(errors="replace") for path in files]
    assert len(output) > 8
    run.close(complete=False)
    opened.close()
    end(spark)
    out, err = capfd.readouterr()
    assert "MapInArrow" in out
    output += [out, err, caplog.text, (spark_server.folder / "log").read_text()]
    assert [text[:200] for text in output if secret in text] == []


def test_garbage_collection_of_a_session_does_not_affect_other_sessions(lab, spark_server):
    from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator

    opener = RemoteSessionOpener(parse_remote(spark_server.remote), ExecutorCredential(lab.url, lab.admin_token))
    first, second = opener.open(), opener.open()
    first.close()
    threads = ExecutePlanResponseReattachableIterator._get_or_create_release_thread_pool()
    threads.submit(first._spark.__del__).result()
    nobody = TaskSpec(
        (), True, 5.0, 1000, True, {"workspace": RateShare(50.0, 50.0, True)}, 4, True, second.credential_file, None
    )
    assert len(second.run_task(nobody)) == 1
    second.close()


@pytest.fixture
def dying_server() -> Iterator[SparkProcess]:
    with SparkProcess() as server:
        yield server


@pytest.mark.acceptance
def test_a_scan_continues_without_spark_if_the_server_dies(lab, scan, reference, dying_server, caplog):
    """The server is killed while tasks run, and its address stays unreachable."""
    before = len(lab.request_log())
    threading.Thread(target=at_request, args=(lab, before, 45, dying_server.kill), daemon=True).start()

    status, output, _ = scan(
        "--max-requests-per-second", "15", "--details", "--output", "d.csv", remote=dying_server.remote
    )

    assert status == 0
    seven = [",".join(row.split(",")[:7]) for row in Path("d.csv").read_text().splitlines()]
    assert seven == (reference / "inventory.csv").read_text().splitlines()
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert any("continuing from the checkpoint in a new session" in warning for warning in warnings)
    assert warnings[-1].startswith("no further session can be opened with ")


def test_a_local_server_that_died_is_restarted(lab, reference, tmp_path):
    """The server is killed after the homes were listed; the homes are not listed again."""
    environment = {**os.environ, **lab.environment(), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "inventory", "scan", "--spark-remote", "local[2]"]
    before = len(lab.request_log())
    slow = [*command, "--max-requests-per-second", "15"]
    process = subprocess.Popen(slow, env=environment, stderr=subprocess.PIPE, text=True)
    assert at_request(lab, before, 45, lambda: os.kill(java_below(process.pid), signal.SIGKILL))
    _, output = process.communicate(timeout=300)

    assert (process.returncode, same(reference)) == (0, True), output
    assert output.count("continuing from the checkpoint in a new session") == 1
    assert "continuing without Spark" not in output
    assert tokens_of(lab) == ["emulator"]
    homes = [request["query"] for request in listings(lab, before) if request["query"].count("/") == 2]
    assert (len(homes), len(set(homes))) == (2 * 14, 14)


def listings(lab: EmulatorProcess, before: int) -> list[dict[str, str]]:
    return [request for request in lab.request_log()[before:] if request["path"] in (LIST, "/api/2.0/dbfs/list")]


def at_request(lab: EmulatorProcess, before: int, number: int, act: Callable[[], object]) -> bool:
    """Call `act` once this many folders were requested."""
    for _ in range(2400):
        if len(listings(lab, before)) >= number:
            act()
            return True
        time.sleep(0.1)
    return False


def java_below(pid: int) -> int:
    """Return the process id of the server started by a scan: a grandchild process named java."""
    children: dict[int, list[tuple[int, str]]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        children.setdefault(int(rest.split()[1]), []).append((int(stat.parent.name), name))
    waiting = [pid]
    while waiting:
        for child, name in children.get(waiting.pop(), []):
            if name == "java":
                return child
            waiting.append(child)
    raise AssertionError("there is no Java below the scan")
