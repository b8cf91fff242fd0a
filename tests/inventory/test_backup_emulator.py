"""The commands over real connections: options, faults, kills at random times, and files of every size."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from emulator_process import ROOT, EmulatorProcess
from home_files import HOSTILE, create_homes, peak_memory_of, read_homes, write_large_file
from inventory.__main__ import main
from inventory_process import run_and_stop

pytestmark = pytest.mark.process

USERS = [f"u{number}@x.org" for number in range(3)]
# A kill interrupts worker pools and writes; without the SDK, the program starts ten times as fast.
START = """
import sys, threading
from datetime import UTC, datetime
from pathlib import Path
from inventory.backup import run
from inventory.backup.backup_index import newest_backup
from inventory.restore import run as restore
from inventory.transport.client import Client
verb, host, token, target, *users = sys.argv[1:]
client = Client(host, lambda: {"Authorization": f"Bearer {token}"})
if verb == "backup":
    request = run.BackupRequest(target, users=tuple(users))
    started = run.prepare_backup(client, request, resume=True, now=datetime(2026, 11, 27, 12, tzinfo=UTC), environ={})
    work = started.save
else:
    backup = newest_backup(target, {})
    index, _ = backup.read_manifest()
    started = restore.prepare_restore(client, restore.RestoreRequest(backup), index, resume=True, now=datetime.now(UTC))
    work = started.restore
print("ready", flush=True)
result = work(threading.Event())
failures = result.failed if verb == "backup" else result.failures
started.close(complete=result.complete and not failures)
print("done", failures, flush=True)
"""
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def other(start_emulator: Callable[..., EmulatorProcess]) -> EmulatorProcess:
    """A second workspace, in which the users have different ids."""
    emulator = start_emulator("--transition-seconds", "0", "--seed", "other")
    for user in reversed(USERS):
        emulator.control("POST", "users", {"user_name": user})
    return emulator


@pytest.fixture
def lab(emulator: EmulatorProcess) -> EmulatorProcess:
    """A workspace with some files of three users."""
    create_homes(emulator, USERS)
    return emulator


@pytest.fixture
def run_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command for a workspace in an empty folder. Return exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(emulator: EmulatorProcess, verb: str, *arguments: str) -> tuple[int, str, str]:
        (tmp_path / "token").write_text(emulator.admin_token + "\n")
        access = ["--workspace-url", emulator.url, "--token-file", "token"]
        result = CliRunner().invoke(main, [verb, *access, *arguments], obj=dict(os.environ))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert emulator.admin_token not in result.output
        return result.exit_code, result.stdout, result.stderr

    return run


def test_a_backup_is_named_after_the_lab_clock_s_date(lab, run_command, monkeypatch):
    lab.control("POST", "clock", {"now": "2031-01-02T12:00:00Z"})
    monkeypatch.setenv("LAB_CLOCK", f"{lab.url}/_emulator/clock")
    assert run_command(lab, "backup", "--output", "saved", USERS[0])[0] == 0
    [header, *_] = [json.loads(line) for path in Path("saved").rglob("manifest.jsonl") for line in path.open()]
    assert [path.parent.name for path in Path("saved").rglob("manifest.jsonl")] == ["2031-01-02"]
    assert "2031-01-02T12:00" in json.dumps(header)

    monkeypatch.setenv("LAB_CLOCK", "http://127.0.0.1:9/clock")
    status, _, stderr = run_command(lab, "backup", "--output", "saved", USERS[0])
    assert (status, "LAB_CLOCK http://127.0.0.1:9/clock does not return" in stderr) == (2, True)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def faults(emulator: EmulatorProcess, *rules: dict[str, Any], **more: Any) -> None:
    emulator.control("POST", "faults", {"rules": rules, **more})


def test_a_backup_is_restored_into_another_workspace(lab, other, run_command, acceptance):
    """Three homes; with --acceptance thirty homes, with files up to 60 MB in the Workspace and 200 MB in DBFS."""
    users = [*USERS, *(f"more{number}@x.org" for number in range(27 if acceptance else 0))]
    create_homes(lab, users[3:], sizes=(0, 7, 5_000_000))
    for user in reversed(users[3:]):
        other.control("POST", "users", {"user_name": user})
    for source, megabytes in (("workspace", 60), ("dbfs", 200)) if acceptance else ():
        write_large_file(lab, source, f"/Users/{users[-1]}/large.bin", megabytes)

    status, output, _ = run_command(lab, "backup", *users, "--output", "saved")
    assert (status, output.splitlines()[0].startswith(f"{len(users)} users: ")) == (0, True)
    assert run_command(lab, "verify", "saved", "--live")[0] == 0

    status, output, _ = run_command(other, "restore", "saved", "--dry-run")
    assert (status, "would be restored" in output, read_homes(other, users)) == (0, True, {})
    status, output, _ = run_command(other, "restore", "saved")
    assert (status, output.count("objects restored")) == (0, len(users))

    before, after = (read_homes(emulator, users, digest=sha256) for emulator in (lab, other))
    assert after == before
    assert set(HOSTILE) <= {path.rpartition("/")[2] for path in after}
    assert sorted(os.listdir()) == ["saved", "token"]


def test_temporary_faults_do_not_change_backup_or_restore(lab, other, run_command):
    shares = [("429", 0.04), ("500", 0.02), ("503", 0.02), ("reset", 0.02), ("truncate", 0.02)]
    rules = [
        {"match": match, "kind": kind, "rate": rate}
        for match in ("GET /api/2.0/workspace/export", "GET /api/2.0/*/list", "GET /api/2.0/dbfs/read")
        for kind, rate in shares
    ]
    faults(lab, *rules)
    assert run_command(lab, "backup", *USERS, "--output", "saved")[0] == 0
    faults(lab)
    assert run_command(lab, "verify", "saved", "--live")[0] == 0

    faults(other, *({"match": "POST /api/2.0/*", "kind": kind, "rate": rate} for kind, rate in shares))
    assert run_command(other, "restore", "saved")[0] == 0
    faults(other)
    assert read_homes(other, USERS) == read_homes(lab, USERS)


def test_unreadable_homes_are_failures_until_a_resume_saves_them(lab, run_command, tmp_path):
    student = lab.control("POST", "users", {"user_name": "student@x.org"})["token"]
    (tmp_path / "weak").write_text(student)
    access = ("--workspace-url", lab.url, "--token-file", "weak", "--workspace-only", "--output", "saved", "--json")
    result = CliRunner().invoke(main, ["backup", USERS[0], *access], obj=dict(os.environ))
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [(each["path"], each["reason"].split()[:2]) for each in document["failed"]] == [
        (f"/Users/{USERS[0]}", ["403", "PERMISSION_DENIED"])
    ]
    status, _, sentence = run_command(lab, "backup", USERS[0], "--workspace-only", "--output", "saved")
    assert (status, "use --resume" in sentence) == (2, True)
    assert run_command(lab, "backup", USERS[0], "--workspace-only", "--output", "saved", "--resume")[0] == 0
    assert run_command(lab, "verify", "saved", "--live")[0] == 0


def test_a_backup_stays_within_the_platform_s_rate_limits(lab, run_command):
    lab.control("POST", "faults", {"profile": "azure"})
    _, output, _ = run_command(lab, "backup", *USERS, "--output", "saved", "--json")
    document = json.loads(output)
    assert document["failed"] == []
    assert document["requests"]["export"]["rate_limited"] < 0.2 * document["requests"]["export"]["sent"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--output", "saved", "--dbfs-only", "--workspace-only"], "cannot be combined"),
        (["--output", "saved", "--volumes", "/Volumes/a/../b/c"], "expected /Volumes/<catalog>/<schema>/<volume>"),
        (["--output", "saved", "--tier", "cold"], "has no tiers"),
        (["--output", "saved", "--retain-until", "soon"], "expected a date such as"),
        (["--output", "saved", "--since", "saved/none"], "there is no backup in"),
        (["--output", "saved", "--group", "nobody"], "there is no group 'nobody'"),
        (["--output", "nowhere://x"], "cannot be used"),
        (["--output", "token/x"], "Not a directory"),
        (["../root", "--output", "saved"], "is not a valid user name"),
    ],
)
def test_invalid_options_are_rejected(lab, run_command, arguments, sentence):
    status, _, stderr = run_command(lab, "backup", *(arguments or ()))
    assert (status, sentence in stderr) == (2, True), stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["none"], "there is no backup in none"),
        (["saved", "nobody@x.org"], "has no objects of nobody@x.org"),
        (["saved", "--map", "a"], "expected old@example.org=new@example.org"),
        (["saved", "--map", f"{USERS[0]}=a", "--map", f"{USERS[1]}=a"], "is also in a different --map"),
        (["saved", "--into", "x"], "expected an absolute path"),
        (["saved", "--skip-existing", "--overwrite"], "cannot be combined"),
    ],
)
def test_invalid_restore_options_are_rejected(lab, run_command, arguments, sentence):
    assert run_command(lab, "backup", USERS[2], "--output", "saved", "--dbfs-only")[0] == 0
    status, _, stderr = run_command(lab, "restore", *arguments)
    assert (status, sentence in stderr) == (2, True), stderr


def kill_repeatedly(verb: str, emulator: EmulatorProcess, folder: Path, kills: int, reset: Callable[[], None]) -> int:
    """Start the program, kill it `kills` times, and let it finish. Return how many starts resumed earlier work.

    If the program finishes before it is killed, `reset` resets the target.
    """
    command = [sys.executable, "-c", START, verb, emulator.url, emulator.admin_token, "saved", *USERS]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    rng = random.Random(verb)
    resumed_runs = done = 0
    while done < kills:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        found_checkpoint = any(folder.rglob("*.checkpoint"))
        if rng.random() < 0.8:
            assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, 1))
        process.kill()
        output = process.stdout.read()
        process.wait()
        process.stdout.close()
        if "done" in output:
            assert output.split()[-1] in ("0", "[]"), output
            reset()
        else:
            done, resumed_runs = done + 1, resumed_runs + found_checkpoint
    faults(emulator)
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ended.stdout.startswith("ready\ndone"), ended.stderr
    assert ended.stdout.split()[-1] in ("0", "[]"), ended.stdout
    return resumed_runs


def test_backup_and_restore_survive_kills_at_any_moment(lab, other, run_command, tmp_path, acceptance):
    """Each program is killed five times and then completes: the result is the same as without kills."""
    kills = 50 if acceptance else 5
    slow = {"kind": "latency", "seconds": 0.3}
    faults(lab, {"match": "GET /api/2.0/*", **slow})

    def whole() -> None:
        status, output, _ = run_command(lab, "verify", "saved", "--live")
        assert status == 0, output

    def reset_backup() -> None:
        whole()
        shutil.rmtree(tmp_path / "saved")

    resumed_runs = kill_repeatedly("backup", lab, tmp_path, kills, reset_backup)
    whole()
    before = read_homes(lab, USERS)
    faults(other, {"match": "POST /api/2.0/*", **slow})

    def reset_homes() -> None:
        assert read_homes(other, USERS) == before
        for user in USERS:
            for source in ("workspace", "dbfs"):
                body = {"path": f"/Users/{user}", "recursive": True}
                assert other.request("POST", f"/api/2.0/{source}/delete", body)[0] == 200

    resumed_runs += kill_repeatedly("restore", other, tmp_path, kills, reset_homes)

    assert resumed_runs >= kills
    assert read_homes(other, USERS) == before
    assert sorted(os.listdir(tmp_path)) == ["saved", "token"]
    manifest = next(tmp_path.rglob("manifest.jsonl")).read_text().splitlines()
    ends = [line for line in manifest if line.startswith('{"end"')]
    assert (len(ends), manifest[-1]) == (1, ends[-1])


def test_a_stopped_backup_is_reported_with_the_command_to_resume_it(lab, tmp_path):
    faults(lab, {"match": "GET /api/2.0/workspace/export", "kind": "latency", "seconds": 0.7})
    command = [sys.executable, "-m", "inventory", "backup", *USERS, "--output", str(tmp_path / "saved")]
    environment = {**os.environ, **lab.environment()}
    status, output = run_and_stop(command, environment, tmp_path, after=0.3)
    assert (status, "To continue, run the same command with --resume." in output) == (1, True)

    faults(lab)
    assert subprocess.run([*command, "--resume"], cwd=ROOT, env=environment, capture_output=True).returncode == 0
    verify = [sys.executable, "-m", "inventory", "verify", str(tmp_path / "saved"), "--live"]
    assert subprocess.run(verify, cwd=ROOT, env=environment, capture_output=True).returncode == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read from /proc")
def test_large_files_need_little_memory(lab, other, run_command, tmp_path, acceptance):
    """A file of 40 MB in the Workspace and of 12 MB in DBFS; with --acceptance 400 MB and 2 GB, in 200 MB of memory."""
    sizes = (400, 2048) if acceptance else (40, 12)
    for source, size in zip(("workspace", "dbfs"), sizes, strict=True):
        write_large_file(lab, source, f"/Users/{USERS[0]}/large.bin", size)
    most = 200 * 2**20
    for emulator, verb, *arguments in (
        (lab, "backup", USERS[0], "--output", "saved"),
        (other, "restore", "saved", USERS[0]),
    ):
        assert peak_memory_of(emulator, tmp_path, verb, *arguments) < most
    found = [read_homes(emulator, USERS[:1], digest=sha256) for emulator in (lab, other)]
    assert found[0] == found[1]
