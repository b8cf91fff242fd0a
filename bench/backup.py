"""Measures speed and memory of a backup, compared with the Databricks CLI and with a loop over individual files.

    python bench/backup.py [--notebooks 2400] [--large 2048] [--json]

The workspace is the emulator with 40 ms of latency: (a) with the limits of an Azure workspace, 60 exports per second,
(b) without limits. The CLI is `databricks workspace export-dir`, if `databricks` is on the PATH. The loop lists folders
and exports their notebooks one after another as JSON, as the legacy script did. Both save a part of the tree, and
notebooks per second are compared.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from emulator_process import EmulatorProcess  # noqa: E402
from home_files import peak_memory_of, request_ok, write_large_file  # noqa: E402
from inventory.backup import run  # noqa: E402
from inventory.backup.download import EXPORT  # noqa: E402
from inventory.transport.client import Client  # noqa: E402

LATENCY_SECONDS = 0.04
MAX_EXPORTS_PER_SECOND = 60
"""The limit of an Azure workspace."""
CLI = "databricks workspace export-dir"
USER_COUNT, NOTEBOOKS_PER_FOLDER = 6, 20
MIN_SHARE_OF_LIMIT, MIN_SPEEDUP_OVER_CLI, MAX_MEMORY_MB = 0.95, 5.0, 200
LANGUAGES = ("PYTHON", "SQL", "SCALA", "R")


@dataclass(frozen=True)
class BackupMeasurement:
    """The result of one method of saving notebooks."""

    who: str
    notebooks: int
    seconds: float
    refused: float | None = None
    """The share of exports that were rate-limited."""

    @property
    def speed(self) -> float:
        """Notebooks per second."""
        return self.notebooks / self.seconds


def create_notebooks(emulator: EmulatorProcess, notebooks: int) -> list[str]:
    """Create notebooks in the homes of some users, twenty per folder; return the users."""
    users = [f"u{number}@x.org" for number in range(USER_COUNT)]
    for user in users:
        emulator.control("POST", "users", {"user_name": user})
    folders = [
        f"/Users/{users[number % USER_COUNT]}/week {number}" for number in range(-(-notebooks // NOTEBOOKS_PER_FOLDER))
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: request_ok(emulator, "POST", "/api/2.0/workspace/mkdirs", {"path": path}), folders))
        list(pool.map(lambda number: create_notebook(emulator, folders, number), range(notebooks)))
    return users


def create_notebook(emulator: EmulatorProcess, folders: list[str], number: int) -> None:
    content = base64.b64encode(f"value = {number}\n".encode() * 200).decode()
    path = f"{folders[number // NOTEBOOKS_PER_FOLDER]}/nb {number}"
    body = {"path": path, "content": content, "format": "SOURCE", "language": LANGUAGES[number % 4]}
    request_ok(emulator, "POST", "/api/2.0/workspace/import", body)


def set_faults(emulator: EmulatorProcess, *, limited: bool) -> None:
    rule = {"match": "GET /api/2.0/*", "kind": "latency", "seconds": LATENCY_SECONDS}
    body: dict[str, Any] = {"rules": [rule]} | ({"profile": "azure"} if limited else {})
    emulator.control("POST", "faults", body)


def measure_backup(emulator: EmulatorProcess, users: list[str], notebooks: int) -> BackupMeasurement:
    """Measure a backup of all users, from its first request to its manifest."""
    client = client_of(emulator)
    with tempfile.TemporaryDirectory() as folder:
        request = run.BackupRequest(folder, users=tuple(users), sources=("workspace",))
        one = run.prepare_backup(client, request, resume=False, now=datetime.now(UTC), environ={})
        began = time.perf_counter()
        outcome = one.save(threading.Event())
        seconds = time.perf_counter() - began
        one.close(complete=True)
        assert outcome.complete and not outcome.failed
        assert outcome.index.count_by_state() == {"saved": notebooks}
    return BackupMeasurement(
        "this program", notebooks, seconds, outcome.rate_limited["export"] / outcome.requests["export"]
    )


def measure_loop(emulator: EmulatorProcess, folders: list[str], limit: float) -> BackupMeasurement:
    """Export notebooks one by one as JSON, for `limit` seconds; retry a refused export after a second."""
    client, done, refused = client_of(emulator), 0, 0
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for path in folders:
            for entry in client.get("/api/2.0/workspace/list", {"path": path}).document["objects"]:  # type: ignore[index]
                while (answer := client.get(EXPORT, {"path": entry["path"], "format": "SOURCE"})).status != 200:
                    refused += 1
                    time.sleep(1)
                content = base64.b64decode(answer.document["content"])  # type: ignore[index]
                Path(folder, f"{done}.py").write_bytes(content)
                done += 1
            if time.perf_counter() - began > limit:
                break
    client.close()
    return BackupMeasurement("a loop", done, time.perf_counter() - began, refused / (done + refused))


def measure_cli(emulator: EmulatorProcess, user: str, notebooks: int) -> BackupMeasurement | None:
    """Measure `databricks workspace export-dir` of one home. Return None if the CLI is not installed."""
    program = shutil.which("databricks")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **emulator.environment(), "HOME": folder}
        command = [program, "workspace", "export-dir", f"/Users/{user}", f"{folder}/out"]
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        assert done.returncode == 0, done.stderr
        found = sum(path.is_file() for path in Path(folder, "out").rglob("*"))
        assert found == notebooks, f"{found} of {notebooks}"
    return BackupMeasurement(CLI, notebooks, seconds)


def client_of(emulator: EmulatorProcess) -> Client:
    token = emulator.admin_token
    return Client(emulator.url, lambda: {"Authorization": f"Bearer {token}"})


def measure_memory(emulator: EmulatorProcess, megabytes: int) -> int:
    """Return the peak memory, in MB, of a backup command that saves one large DBFS file."""
    emulator.control("POST", "faults", {})
    write_large_file(emulator, "dbfs", "/Users/large@x.org/large.bin", megabytes)
    with tempfile.TemporaryDirectory() as folder:
        arguments = ("backup", "large@x.org", "--dbfs-only", "--output", "saved")
        return peak_memory_of(emulator, Path(folder), *arguments) // 2**20


@click.command()
@click.option("--notebooks", default=2400, show_default=True, help="Number of notebooks in the homes of six users.")
@click.option(
    "--large", default=2048, show_default=True, help="Size in MB of the file for the memory test; 0 skips the test."
)
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def main(notebooks: int, large: int, as_json: bool) -> None:
    """Measure a backup; exit with status 1 if a goal is missed."""
    with EmulatorProcess() as emulator:
        users = create_notebooks(emulator, notebooks)
        folders = [
            f"/Users/{users[number % USER_COUNT]}/week {number}" for number in range(notebooks // NOTEBOOKS_PER_FOLDER)
        ]
        mine = sum(
            NOTEBOOKS_PER_FOLDER for number in range(notebooks // NOTEBOOKS_PER_FOLDER) if number % USER_COUNT == 0
        )
        found: dict[str, list[BackupMeasurement]] = {}
        for limited, name in ((True, "limits"), (False, "no limits")):
            set_faults(emulator, limited=limited)
            baselines = [measure_cli(emulator, users[0], mine), measure_loop(emulator, folders, limit=15)]
            found[name] = [
                measure_backup(emulator, users, notebooks),
                *(baseline for baseline in baselines if baseline),
            ]
        most = measure_memory(emulator, large) if large else None
    share = found["limits"][0].speed / MAX_EXPORTS_PER_SECOND
    ratios = {baseline.who: found["no limits"][0].speed / baseline.speed for baseline in found["no limits"][1:]}
    if as_json:
        rows = {name: [asdict(each) | {"speed": each.speed} for each in measured] for name, measured in found.items()}
        print(
            json.dumps({"measured": rows, "share_of_limit": share, "faster_than": ratios, "memory_mb": most}, indent=2)
        )
    else:
        print_report(found, share, ratios, most, large)
    missed = (
        share < MIN_SHARE_OF_LIMIT
        or ratios.get(CLI, MIN_SPEEDUP_OVER_CLI) < MIN_SPEEDUP_OVER_CLI
        or (most or 0) >= MAX_MEMORY_MB
    )
    sys.exit(1 if missed else 0)


def print_report(
    found: dict[str, list[BackupMeasurement]], share: float, ratios: dict[str, float], most: int | None, large: int
) -> None:
    for name, measured in found.items():
        print(f"{name}, {LATENCY_SECONDS * 1000:.0f} ms of latency:")
        for each in measured:
            refused = "" if each.refused is None else f", {each.refused:.1%} refused"
            print(f"  {each.who:32} {each.notebooks:6} in {each.seconds:6.1f} s: {each.speed:6.1f}/s{refused}")
    print(f"at {share:.3f} of the limit of {MAX_EXPORTS_PER_SECOND} exports/s (goal {MIN_SHARE_OF_LIMIT})")
    for who, ratio in ratios.items():
        goal = f" (goal {MIN_SPEEDUP_OVER_CLI:.0f})" if who == CLI else ""
        print(f"{ratio:.1f} times as fast as {who} without limits{goal}")
    if CLI not in ratios:
        print("databricks is not on the PATH, so there is no comparison with it")
    if most is not None:
        print(f"{most} MB of memory with a file of {large} MB in DBFS (goal {MAX_MEMORY_MB})")


if __name__ == "__main__":
    main()
