"""Scans over real connections: an emulated workspace, its faults, and kills at random times."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator_process import ROOT, EmulatorProcess
from inventory.__main__ import main
from inventory_process import run_and_stop

pytestmark = pytest.mark.process

LIST = "/api/2.0/workspace/list"
HEADER = "username,file_count,total_size,total_size_gb,status,file_source,error\r\n"
USERS = [f"u{number}@x.org" for number in range(4)]
TREE = (
    "u0@x.org,14,130020,0.000121,success,both,\r\n"
    "u1@x.org,13,130000,0.000121,success,workspace,\r\n"
    "u2@x.org,13,130000,0.000121,success,workspace,\r\n"
    "u3@x.org,0,0,0.000000,empty,none,\r\n"
)
# A kill interrupts worker pools, checkpoint and files; without the SDK, the program starts ten times as fast.
SCAN = """
import sys, threading
from datetime import UTC, datetime
from pathlib import Path
from inventory.scan.run import ScanRequest, prepare_scan
from inventory.transport.client import Client
host, token, folder, *users = sys.argv[1:]
client = Client(host, lambda: {"Authorization": f"Bearer {token}"})
request = ScanRequest(Path(folder) / "inventory.csv", users=tuple(users), files=Path(folder) / "files.csv", workers=2)
run = prepare_scan(client, request, resume=True, fresh=False, now=datetime.now(UTC))
print("ready", flush=True)
result = run.scan(threading.Event(), lambda progress: None)
run.close(complete=result.complete and not result.folders_failed)
print("done", flush=True)
"""


@pytest.fixture
def lab(emulator: EmulatorProcess) -> EmulatorProcess:
    """Three users with thirteen folders and notebooks each, one of them also with DBFS files, and a user without
    any."""
    for user in USERS:
        assert emulator.request("POST", "/api/2.0/preview/scim/v2/Users", {"userName": user})[0] == 201
    content = base64.b64encode(b"print(1)").decode()
    for user in USERS[:3]:
        for number in range(13):
            folder = f"/Users/{user}/week {number % 4}/{number}"
            assert emulator.request("POST", "/api/2.0/workspace/mkdirs", {"path": folder})[0] == 200
            body = {"path": f"{folder}/nb", "content": content, "format": "SOURCE", "language": "PYTHON"}
            assert emulator.request("POST", "/api/2.0/workspace/import", body)[0] == 200
    body = {"path": f"/Users/{USERS[0]}/a/f", "contents": base64.b64encode(b"x" * 20).decode()}
    assert emulator.request("POST", "/api/2.0/dbfs/put", body)[0] == 200
    return emulator


def faults(emulator: EmulatorProcess, *rules: dict[str, object], **more: object) -> None:
    emulator.control("POST", "faults", {"rules": rules, **more})


@pytest.fixture
def inventory(lab, tmp_path, monkeypatch):
    """Run a command for the lab in an empty folder. Return exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text(lab.admin_token + "\n")
    access = ["--workspace-url", lab.url, "--token-file", "token"]

    def run(verb: str, *arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(main, [verb, *access, *arguments], obj=dict(os.environ))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert lab.admin_token not in result.output
        return result.exit_code, result.stdout, result.stderr

    return run


def test_a_scan_counts_the_users_of_an_exported_list(inventory, tmp_path):
    assert inventory("users", "--output", "users.csv")[0] == 0
    status, output, _ = inventory("scan", "--users-file", "users.csv", "--files", "files.jsonl", "--top", "1")

    assert status == 0
    assert (
        Path("inventory.csv").read_bytes().decode() == HEADER + "admin@lab.example,0,0,0.000000,empty,none,\r\n" + TREE
    )
    assert output.startswith(
        "5 homes: 3 success, 2 empty\n40 files, 380.9 kB (39 sizes estimated), in 58 directories\n"
    )
    rows = [json.loads(line) for line in Path("files.jsonl").read_text().splitlines()]
    assert (len(rows), sum(row["size"] for row in rows), {row["source"] for row in rows}) == (
        40, 390_020, {"dbfs", "workspace"}
    )  # fmt: skip
    assert sorted(os.listdir()) == ["files.jsonl", "inventory.csv", "token", "users.csv"]


def test_temporary_faults_do_not_change_the_result(lab, inventory):
    shares = [("429", 0.05), ("500", 0.03), ("503", 0.03), ("reset", 0.03), ("truncate", 0.03)]
    faults(lab, *({"match": f"GET {LIST}", "kind": kind, "rate": rate} for kind, rate in shares))
    status, _, _ = inventory("scan", *USERS)
    assert (status, Path("inventory.csv").read_bytes().decode()) == (0, HEADER + TREE)


def test_the_requested_rate_is_not_exceeded(inventory):
    begin = time.monotonic()
    status, output, _ = inventory("scan", *USERS, "--json", "--max-requests-per-second", "40")
    requests = json.loads(output)["requests"]["workspace"]
    assert (status, requests["rate_limited"]) == (0, 0)
    assert time.monotonic() - begin >= (requests["sent"] - 2) / 40 > 1


def test_resume_retries_folders_that_could_not_be_listed(lab, inventory):
    student = "student@x.org"
    Path("token").write_text(lab.control("POST", "users", {"user_name": student})["token"])
    status, _, stderr = inventory("scan", USERS[1], student, "--workspace-only")
    before = Path("inventory.csv").read_bytes().decode().splitlines()
    assert (status, "1 directories could not be listed; --resume retries them" in stderr) == (1, True)
    assert before[1] == f"{student},0,0,0.000000,empty,none,"
    assert before[2].startswith(f"{USERS[1]},0,0,0.000000,error,none,/Users/{USERS[1]}: 403 PERMISSION_DENIED")

    Path("token").write_text(lab.admin_token)
    refused, _, sentence = inventory("scan", USERS[1], student, "--workspace-only")
    assert (refused, Path("inventory.csv").read_bytes().decode().splitlines()) == (2, before)
    assert "use --resume to continue it, or --fresh" in sentence

    assert inventory("scan", USERS[1], student, "--workspace-only", "--resume")[0] == 0
    assert Path("inventory.csv").read_bytes().decode().splitlines()[1:] == [before[1], TREE.splitlines()[1]]
    assert sorted(os.listdir()) == ["inventory.csv", "token"]


def test_a_scan_exits_with_2_if_no_home_can_be_listed(lab, inventory):
    student = lab.control("POST", "users", {"user_name": "student@x.org"})["token"]
    Path("token").write_text(student)
    status, output, _ = inventory("scan", *USERS[:2], "--workspace-only")
    assert (status, "success" in output, "success" in Path("inventory.csv").read_text()) == (2, False, False)
    assert Path("inventory.csv").read_text().count(",error,none,") == 2


def test_disabled_dbfs_is_reported_once(lab, inventory, caplog):
    lab.control("POST", "faults", {"profile": "no-dbfs"})
    status, _, _ = inventory("scan", *USERS)
    assert [record.message for record in caplog.records if "DBFS" in record.message] == [
        "DBFS is disabled in this workspace; only the Workspace is scanned."
    ]
    expected = TREE.replace("14,130020,0.000121,success,both", "13,130000,0.000121,success,workspace")
    assert (status, Path("inventory.csv").read_bytes().decode()) == (0, HEADER + expected)
    assert inventory("scan", *USERS, "--dbfs-only")[0] == 2


def test_nothing_is_written_if_the_token_is_rejected(inventory):
    Path("token").write_text("dapi-nobody")
    status, _, sentence = inventory("scan")
    assert (status, os.listdir()) == (2, ["token"])
    assert sentence.startswith("Error: http://127.0.0.1")
    assert sentence.endswith(" rejected the credential from the command line: Invalid access token.\n")
    assert inventory("users", "--output", "users.csv")[0] == 1
    assert os.listdir() == ["token"]


def test_doctor_shows_the_account_and_missing_permissions(lab, inventory):
    status, output, _ = inventory("doctor", "--json")
    assert (status, json.loads(output)["facts"]["account"], json.loads(output)["advice"]) == (
        0,
        "admin@lab.example",
        [],
    )
    facts = json.loads(output)["facts"]
    assert (facts["workspace"], facts["credential"]) == (lab.url, "the command line")
    Path("token").write_text(lab.control("POST", "users", {"user_name": "student@x.org"})["token"])
    status, output, _ = inventory("doctor")
    assert (status, "is not a workspace administrator" in output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--resume", "--fresh"], "cannot be combined"),
        (["--dbfs-only", "--workspace-only"], "cannot be combined"),
        (["--files", "files.xlsx"], "expected a name that ends in .csv, .jsonl or .parquet"),
        (["--output", "no/where.csv"], "there is no folder no"),
        (["../root"], "is not a valid user name"),
        (["--users-file", "none.csv"], "No such file"),
        (["--checkpoint", "token"], "is not a checkpoint of this program"),
        (["--checkpoint", "token", "--fresh"], "is not a checkpoint of this program"),
    ],
)
def test_invalid_options_are_reported_and_nothing_is_written(inventory, arguments, sentence):
    status, _, stderr = inventory("scan", *arguments)
    assert (status, sentence in stderr, os.listdir()) == (2, True, ["token"])


def test_a_profile_overrides_the_environment_and_no_token_is_logged(lab, tmp_path):
    profiles = tmp_path / "profiles"
    profiles.write_text(f"[lab]\nhost = {lab.url}\ntoken = {lab.admin_token}\n")
    others = {
        "DATABRICKS_HOST": "http://127.0.0.1:9",
        "DATABRICKS_TOKEN": "dapi-other",
        "DATABRICKS_AUTH_TYPE": "azure-cli",
    }
    command = [sys.executable, "-m", "inventory", "scan", USERS[1], "--profile", "lab", "--debug", "--files", "f.csv"]
    environment = {**os.environ, **others, "DATABRICKS_CONFIG_FILE": str(profiles), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert f"GET {LIST}?path=/Users/u1%40x.org: 200" in done.stderr
    written = [path.read_text() for path in tmp_path.iterdir() if path != profiles]
    assert [text for text in [done.stdout, done.stderr, *written] if lab.admin_token in text] == []


def test_nested_members_of_a_group_are_listed(lab, inventory):
    groups = "/api/2.0/preview/scim/v2/Groups"
    ids = {
        user["userName"]: user["id"] for user in lab.request("GET", "/api/2.0/preview/scim/v2/Users")[1]["Resources"]
    }
    inner = lab.request("POST", groups, {"displayName": "inner", "members": [{"value": ids[USERS[1]]}]})[1]["id"]
    members = [{"value": inner}, {"value": ids[USERS[0]]}]
    assert lab.request("POST", groups, {"displayName": "outer", "members": members})[0] == 201
    _, output, _ = inventory("users", "--group", "outer", "--json")
    assert [user["username"] for user in json.loads(output)] == USERS[:2]
    assert inventory("users", "--group", "nobody")[0] == 1


def test_a_scan_survives_kills_at_any_moment(lab, tmp_path, acceptance):
    """The scan is killed twenty times and then completes: the result has the same bytes as without kills."""
    faults(lab, {"match": "GET /api/2.0/*/list", "kind": "latency", "seconds": 0.08})
    command = [sys.executable, "-c", SCAN, lab.url, lab.admin_token, str(tmp_path), *USERS]
    rng = random.Random(5)
    resumed_runs = 0
    for _ in range(200 if acceptance else 20):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        resumed_runs += any(tmp_path.glob("*.checkpoint"))
        if rng.random() < 0.8:
            assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, 0.3))
        process.kill()
        process.wait()
        process.stdout.close()
    faults(lab)
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout == "ready\ndone\n"

    assert resumed_runs > 10
    assert (tmp_path / "inventory.csv").read_bytes().decode() == HEADER + TREE
    rows = (tmp_path / "files.csv").read_text().splitlines()
    assert (len(rows), len(set(rows))) == (41, 41)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files.csv", "inventory.csv"]


def test_a_stopped_scan_is_reported_with_the_command_to_resume_it(lab, tmp_path):
    faults(lab, {"match": f"GET {LIST}", "kind": "latency", "seconds": 0.2})
    command = [sys.executable, "-m", "inventory", "scan", *USERS, "--no-parallel", "--output", f"{tmp_path}/out.csv"]
    environment = {**os.environ, **lab.environment()}
    status, output = run_and_stop(command, environment, tmp_path, after=0.8)
    assert (status, (tmp_path / "out.csv").exists()) == (1, False)
    assert "To continue, run the same command with --resume." in output

    faults(lab)
    resumed = subprocess.run([*command, "--resume"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (resumed.returncode, (tmp_path / "out.csv").read_bytes().decode()) == (0, HEADER + TREE)
    assert "resuming after" in resumed.stderr
