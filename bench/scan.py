"""Measures a scan: speed with the API's rate limit and without, compared with baselines; growth; memory.

    python bench/scan.py [--full] [--only race|growth|memory] [--json]

The workspace is the emulator, with 40 ms of latency. Case (a): DBFS permits 30 requests per second, as published, and
the Workspace 100, as we assume. Case (b): no limit. All methods list the same homes, each in a separate emulator. The
tree has 2,000 directories; `--full` uses the size of a real workspace (27 users, 23,143 directories, 258,824 files).
The baselines would take hours on that tree, so they are measured on the small tree and scaled by the number of
requests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from bench.baselines import BASELINES, LIST_PATHS, ListingTarget  # noqa: E402
from emulator_process import EmulatorProcess  # noqa: E402
from inventory.scan.run import ScanRequest, prepare_scan  # noqa: E402
from inventory.transport.client import Client  # noqa: E402

LATENCY_SECONDS = 0.04
REQUESTS_PER_SECOND = {"dbfs": 30, "workspace": 100}
SMALL, HEAVY = "users=27,files=22000", "heavy"
CASES = {"a": "DBFS 30/s, Workspace 100/s", "b": "no limit"}
OURS = "scan"
GROWTH = (1_000, 10_000, 100_000, 1_000_000)
MAX_TIMES_BEST, MAX_REFUSED_SHARE, MIN_SPEEDUP_OVER_FIRST, MIN_SPEEDUP_OVER_LAST, MAX_MEGABYTES = 1.05, 0.01, 20, 2, 300
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


@dataclass(frozen=True)
class ScanMeasurement:
    """The result of one method in one case."""

    case: str
    who: str
    seconds: float
    requests: dict[str, int]
    """Number of requests per file system, including refused ones."""
    refused: dict[str, int]
    files: int
    there: int
    """Files in the workspace."""
    scaled_by: float = 1.0
    """The scale factor of a measurement on a smaller tree."""

    @property
    def share_refused(self) -> float:
        return sum(self.refused.values()) / max(1, sum(self.requests.values()))

    @property
    def at_best(self) -> float:
        """Minimum duration of the requests at the permitted rates, in seconds; both file systems are listed in
        parallel.
        """
        return max(
            (self.requests[source] - self.refused[source]) / rate for source, rate in REQUESTS_PER_SECOND.items()
        )


@dataclass(frozen=True)
class GrowthMeasurement:
    """The result of one run of the scan command."""

    files: int
    directories: int
    rows: str
    """The format of per-file rows, or `none`."""
    seconds: float
    megabytes: float
    """Peak memory in MB."""


@contextmanager
def workspace(shape: str, case: str = "") -> Iterator[EmulatorProcess]:
    with EmulatorProcess(["--files", shape, "--seed", "bench"]) as emulator:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(emulator.pid, {CORES[0]})
        if case:
            slow = {"rules": [{"kind": "latency", "seconds": LATENCY_SECONDS}]}
            emulator.control("POST", "faults", slow | ({"profile": "azure"} if case == "a" else {}))
        yield emulator


def measure_method(case: str, who: str, shape: str) -> ScanMeasurement:
    """List the tree with one method. Raises ClickException if our scan does not find all files."""
    with workspace(shape, case) as emulator:
        truth = emulator.control("GET", "files/truth")
        there = sum(amount["files"] for amount in truth["total"].values())
        target = ListingTarget(emulator.url, emulator.admin_token, [user["user_name"] for user in truth["users"]])
        began = time.perf_counter()
        files = run_scan(target) if who == OURS else BASELINES[who](target)
        seconds = time.perf_counter() - began
        if who == OURS and files != there:
            raise click.ClickException(f"{who} found {files} of {there} files")
        asked: dict[str, Counter[str]] = {"all": Counter(), "refused": Counter()}
        for entry in emulator.request_log():
            for source, path in LIST_PATHS.items():
                asked["all"][source] += entry["path"] == path
                asked["refused"][source] += entry["path"] == path and entry["status"] == 429
    return ScanMeasurement(case, who, seconds, dict(asked["all"]), dict(asked["refused"]), files, there)


def run_scan(target: ListingTarget) -> int:
    """Run our scan from the first request to the written result; return the number of files."""
    with tempfile.TemporaryDirectory() as folder:
        client = Client(target.url, lambda: {"Authorization": f"Bearer {target.token}"})
        request = ScanRequest(Path(folder) / "inventory.csv", users=tuple(target.users))
        run = prepare_scan(client, request, resume=False, fresh=False, now=datetime.now(UTC))
        outcome = run.scan(threading.Event(), lambda _: None)
        run.close(complete=True)
    return sum(home.file_count for home in outcome.homes)


def measure_growth(files: int, rows: str = "none", users: int = 100) -> GrowthMeasurement:
    """Run the command on a tree of this many files, without rate limit and latency."""
    with workspace(f"users={users},files={files}") as emulator, tempfile.TemporaryDirectory() as folder:
        truth = emulator.control("GET", "files/truth")["total"]
        command = [sys.executable, "-m", "inventory", "scan", "--json", "--output", f"{folder}/inventory.csv"]
        command += [] if rows == "none" else ["--files", f"{folder}/files.{rows}"]
        environment = {**os.environ, **emulator.environment()}
        began = time.perf_counter()
        with (Path(folder) / "stdout").open("w+") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - began
            output.seek(0)
            found = sum(user["file_count"] for user in json.load(output)["users"])
        there = sum(amount["files"] for amount in truth.values())
        if process.returncode or found != there:
            raise click.ClickException(f"the scan exited with {process.returncode} and found {found} of {there} files")
        directories = sum(amount["directories"] for amount in truth.values())
        return GrowthMeasurement(files, directories, rows, seconds, usage.ru_maxrss / 1024)


def measure_methods(full: bool) -> Iterator[ScanMeasurement]:
    """Measure all methods in both cases, ours first."""
    for case in CASES:
        ours = measure_method(case, OURS, HEAVY if full else SMALL)
        yield ours
        for who in BASELINES:
            theirs = measure_method(case, who, SMALL)
            more = max(1.0, _answered(ours) / _answered(theirs))
            yield replace(theirs, seconds=theirs.seconds * more, scaled_by=more)


def _answered(one: ScanMeasurement) -> int:
    return sum(one.requests.values()) - sum(one.refused.values())


def missed(found: list[ScanMeasurement]) -> list[str]:
    """Print all goals, and return the missed ones."""
    by = {(one.case, one.who): one for one in found}
    first, *_, last = BASELINES
    ours, free = by["a", OURS], by["b", OURS]
    goals = {
        f"(a) takes {ours.seconds / ours.at_best:.3f} × requests ÷ rate, at most {MAX_TIMES_BEST}": (
            ours.seconds <= MAX_TIMES_BEST * ours.at_best
        ),
        f"(a) {ours.share_refused:.2%} were refused, under {MAX_REFUSED_SHARE:.0%}": ours.share_refused
        < MAX_REFUSED_SHARE,
        f"(b) {by['b', first].seconds / free.seconds:.1f} × the first, at least {MIN_SPEEDUP_OVER_FIRST}": (
            by["b", first].seconds >= MIN_SPEEDUP_OVER_FIRST * free.seconds
        ),
        f"(b) {by['b', last].seconds / free.seconds:.1f} × the last, at least {MIN_SPEEDUP_OVER_LAST}": (
            by["b", last].seconds >= MIN_SPEEDUP_OVER_LAST * free.seconds
        ),
    }
    for goal, met in goals.items():
        click.echo(f"  {'met   ' if met else 'MISSED'} {goal}")
    return [goal for goal, met in goals.items() if not met]


def print_method(one: ScanMeasurement, ours: ScanMeasurement) -> None:
    asked = ", ".join(f"{one.requests[source]:6} {source}" for source in LIST_PATHS)
    notes = [f"scaled by {one.scaled_by:.1f}"] if one.scaled_by > 1 else []
    notes += [f"found {one.files:,} of {one.there:,} files"] if one.files != one.there else []
    click.echo(
        f"  ({one.case}) {one.who:29} {one.seconds:8.1f} s  {one.seconds / ours.seconds:6.1f} ×  {asked},"
        f"  {one.share_refused:6.2%} refused  {'; '.join(notes)}".rstrip()
    )


def print_growth(one: GrowthMeasurement) -> None:
    click.echo(
        f"  {one.files:10,} files  {one.directories:8,} directories  rows: {one.rows:8} {one.seconds:7.1f} s"
        f"  {one.directories / one.seconds:6.0f} directories per second  {one.megabytes:5.0f} MB"
    )


@click.command(help=__doc__)
@click.option("--full", is_flag=True, help="Use the tree with 23,143 directories.")
@click.option("--only", type=click.Choice(["race", "growth", "memory"]), multiple=True, help="Run only these parts.")
@click.option("--memory-files", default=10_000_000, show_default=True, help="Number of files in the memory test.")
@click.option(
    "--memory-rows",
    default="parquet",
    show_default=True,
    help="Per-file row formats in the memory test, separated by commas.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON after the table.")
def main(full: bool, only: tuple[str, ...], memory_files: int, memory_rows: str, as_json: bool) -> None:
    parts = only or ("race", "growth", "memory")
    failures: list[str] = []
    found: dict[str, list[Any]] = {"races": [], "growth": [], "memory": []}
    if "race" in parts:
        click.echo(
            "; ".join(f"({case}) {limits}" for case, limits in CASES.items())
            + f"; {LATENCY_SECONDS * 1000:.0f} ms latency"
        )
        for one in measure_methods(full):
            found["races"].append(one)
            print_method(one, next(each for each in found["races"] if each.case == one.case))
        failures += missed(found["races"])
    if "growth" in parts:
        click.echo("Growth, without limit and latency, including the program's start")
        for files in GROWTH:
            found["growth"].append(measure_growth(files))
            print_growth(found["growth"][-1])
    if "memory" in parts:
        click.echo("Memory")
        for rows in memory_rows.split(","):
            found["memory"].append(measure_growth(memory_files, rows))
            print_growth(found["memory"][-1])
        failures += [
            f"{one.megabytes:.0f} MB with {one.rows}" for one in found["memory"] if one.megabytes > MAX_MEGABYTES
        ]
    if as_json:
        click.echo(json.dumps({name: [asdict(one) for one in rows] for name, rows in found.items()}, indent=1))
    if failures:
        raise click.ClickException("; ".join(failures))


if __name__ == "__main__":
    main()
