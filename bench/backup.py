"""How fast and in how much memory a backup is made, beside the Databricks CLI and a loop over one file at a time.

    python bench/backup.py [--notebooks 2400] [--large 2048] [--json]

The workspace is the emulator with 40 ms of latency: (a) with the limits of an Azure workspace, 60 exports a second, (b)
without limits. The CLI is `databricks workspace export-dir`, where `databricks` is on the PATH. The loop lists a
folder, exports its notebooks one after another as JSON, as the earlier script did. Both get a
part of the tree; what is compared is how many notebooks a second they save.
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

LATENCY = 0.04
EXPORTS = 60
"""A second, as an Azure workspace permits."""
CLI = "databricks workspace export-dir"
USERS, PER_FOLDER = 6, 20
GOAL_OF_LIMIT, GOAL_OF_CLI, GOAL_MEMORY = 0.95, 5.0, 200
LANGUAGES = ("PYTHON", "SQL", "SCALA", "R")


@dataclass(frozen=True)
class Measured:
    """One way to save notebooks."""

    who: str
    notebooks: int
    seconds: float
    refused: float | None = None
    """The share of the exports that were refused."""

    @property
    def speed(self) -> float:
        """Notebooks a second."""
        return self.notebooks / self.seconds


def furnish(emulator: EmulatorProcess, notebooks: int) -> list[str]:
    """So many notebooks in the homes of some users, twenty in a folder."""
    users = [f"u{number}@x.org" for number in range(USERS)]
    for user in users:
        emulator.control("POST", "users", {"user_name": user})
    folders = [f"/Users/{users[number % USERS]}/week {number}" for number in range(-(-notebooks // PER_FOLDER))]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: request_ok(emulator, "POST", "/api/2.0/workspace/mkdirs", {"path": path}), folders))
        list(pool.map(lambda number: notebook(emulator, folders, number), range(notebooks)))
    return users


def notebook(emulator: EmulatorProcess, folders: list[str], number: int) -> None:
    content = base64.b64encode(f"value = {number}\n".encode() * 200).decode()
    path = f"{folders[number // PER_FOLDER]}/nb {number}"
    body = {"path": path, "content": content, "format": "SOURCE", "language": LANGUAGES[number % 4]}
    request_ok(emulator, "POST", "/api/2.0/workspace/import", body)


def pace(emulator: EmulatorProcess, *, limited: bool) -> None:
    rule = {"match": "GET /api/2.0/*", "kind": "latency", "seconds": LATENCY}
    body: dict[str, Any] = {"rules": [rule]} | ({"profile": "azure"} if limited else {})
    emulator.control("POST", "faults", body)


def ours(emulator: EmulatorProcess, users: list[str], notebooks: int) -> Measured:
    """A backup of everybody from its first request to its manifest."""
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
    return Measured("this program", notebooks, seconds, outcome.rate_limited["export"] / outcome.requests["export"])


def loop(emulator: EmulatorProcess, folders: list[str], limit: float) -> Measured:
    """One notebook after another, as JSON, for some seconds; what is refused is asked for again after a second."""
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
    return Measured("a loop", done, time.perf_counter() - began, refused / (done + refused))


def cli(emulator: EmulatorProcess, user: str, notebooks: int) -> Measured | None:
    """`databricks workspace export-dir` of one home; None where there is no such program."""
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
    return Measured(CLI, notebooks, seconds)


def client_of(emulator: EmulatorProcess) -> Client:
    token = emulator.admin_token
    return Client(emulator.url, lambda: {"Authorization": f"Bearer {token}"})


def memory(emulator: EmulatorProcess, megabytes: int) -> int:
    """The most memory in MB that a backup of one large file in DBFS takes, as the program is started."""
    emulator.control("POST", "faults", {})
    write_large_file(emulator, "dbfs", "/Users/large@x.org/large.bin", megabytes)
    with tempfile.TemporaryDirectory() as folder:
        arguments = ("backup", "large@x.org", "--dbfs-only", "--output", "saved")
        return peak_memory_of(emulator, Path(folder), *arguments) // 2**20


@click.command()
@click.option("--notebooks", default=2400, show_default=True, help="In the homes of six users.")
@click.option("--large", default=2048, show_default=True, help="MB of the file by which memory is measured; 0: none.")
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def main(notebooks: int, large: int, as_json: bool) -> None:
    """Measure a backup; exit status 1 where a goal is missed."""
    with EmulatorProcess() as emulator:
        users = furnish(emulator, notebooks)
        folders = [f"/Users/{users[number % USERS]}/week {number}" for number in range(notebooks // PER_FOLDER)]
        mine = sum(PER_FOLDER for number in range(notebooks // PER_FOLDER) if number % USERS == 0)
        found: dict[str, list[Measured]] = {}
        for limited, name in ((True, "limits"), (False, "no limits")):
            pace(emulator, limited=limited)
            rivals = [cli(emulator, users[0], mine), loop(emulator, folders, limit=15)]
            found[name] = [ours(emulator, users, notebooks), *(rival for rival in rivals if rival)]
        most = memory(emulator, large) if large else None
    share = found["limits"][0].speed / EXPORTS
    ratios = {rival.who: found["no limits"][0].speed / rival.speed for rival in found["no limits"][1:]}
    if as_json:
        rows = {name: [asdict(each) | {"speed": each.speed} for each in measured] for name, measured in found.items()}
        print(
            json.dumps({"measured": rows, "share_of_limit": share, "faster_than": ratios, "memory_mb": most}, indent=2)
        )
    else:
        show(found, share, ratios, most, large)
    missed = share < GOAL_OF_LIMIT or ratios.get(CLI, GOAL_OF_CLI) < GOAL_OF_CLI or (most or 0) >= GOAL_MEMORY
    sys.exit(1 if missed else 0)


def show(
    found: dict[str, list[Measured]], share: float, ratios: dict[str, float], most: int | None, large: int
) -> None:
    for name, measured in found.items():
        print(f"{name}, {LATENCY * 1000:.0f} ms of latency:")
        for each in measured:
            refused = "" if each.refused is None else f", {each.refused:.1%} refused"
            print(f"  {each.who:32} {each.notebooks:6} in {each.seconds:6.1f} s: {each.speed:6.1f}/s{refused}")
    print(f"at {share:.3f} of the limit of {EXPORTS} exports/s (goal {GOAL_OF_LIMIT})")
    for who, ratio in ratios.items():
        goal = f" (goal {GOAL_OF_CLI:.0f})" if who == CLI else ""
        print(f"{ratio:.1f} times as fast as {who} without limits{goal}")
    if CLI not in ratios:
        print("databricks is not on the PATH, so nothing is compared with it")
    if most is not None:
        print(f"{most} MB of memory with a file of {large} MB in DBFS (goal {GOAL_MEMORY})")


if __name__ == "__main__":
    main()
