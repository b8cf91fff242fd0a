"""Measures `watch --labs`: processor time, memory and lag with 50 workspaces of 100 clusters.

    python bench/fleet.py [--minutes 30] [--labs 50] [--clusters 100] [--latency 0.05] [--json]

The workspaces are emulated, with 50 ms of latency. In each of them a cluster starts and another one stops every minute,
so that the watch ticks every minute in each lab, and not only every 15 minutes as in idle labs. Afterwards, separate
`poll` processes are measured in the same workspaces, as cron would start them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
FARM = ROOT / "tests/support/workspace_farm.py"
WORKSPACES_PER_FARM = 25
READY_SECONDS = 300.0
MAX_CPU_SHARE, MAX_MEMORY_MB, MAX_LAG_SECONDS = 0.5, 400.0, 90.0
CRON_MINUTES, LIST_MINUTES = 15, 1
PEER_SAMPLE = 10
"""Number of labs whose poll is measured; the result is extrapolated to all labs."""


@dataclass(frozen=True)
class WatchMeasurement:
    labs: int
    clusters: int
    wall_seconds: float
    cpu_seconds: float
    startup_cpu_seconds: float
    """Processor time until every lab had its first tick, which reads all events."""
    memory_mb: float
    """Peak of the resident memory."""
    lag_seconds: float
    """Longest time by which a due turn began late."""
    turns: int
    ticks: tuple[int, float, int]
    """Fewest, mean and most ticks of a lab."""
    failures: int
    requests: int

    @property
    def cpu_share(self) -> float:
        return self.cpu_seconds / self.wall_seconds


@dataclass(frozen=True)
class PeerMeasurement:
    """A `poll` process in a lab whose clusters change as in the measurement of the watch."""

    polls: int
    cpu_seconds: float
    """Mean processor time of a poll."""
    memory_mb: float
    """Peak of the resident memory of one process."""


def measure(workspaces: list[dict[str, str]], folder: Path, clusters: int, minutes: float) -> WatchMeasurement:
    """Run the watch for some minutes."""
    labs_file = write_labs(workspaces, folder)
    log = folder / "watch.log"
    requests_before = count_requests(workspaces)
    began = time.monotonic()
    with log.open("wb") as stream:
        watch = subprocess.Popen(
            [sys.executable, "-m", "enforcer", "watch", "--labs", str(labs_file)],
            cwd=folder,
            env=clean_environment(),
            stderr=stream,
        )
    startup = 0.0
    try:
        while time.monotonic() < began + minutes * 60:
            time.sleep(0.5)
            if watch.poll() is not None:
                raise SystemExit(f"the watch ended with status {watch.returncode}:\n{log.read_text()[-3000:]}")
            if not startup and len(ticks_in(log.read_text())) == len(workspaces):
                startup = cpu_of(watch.pid)
        memory = peak_memory_mb(watch.pid)
        wall = time.monotonic() - began
        watch.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(watch.pid, 0)
        watch.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if watch.returncode is None:
            watch.kill()
            watch.wait()
    text = log.read_text()
    if watch.returncode:
        raise SystemExit(f"the watch ended with status {watch.returncode}:\n{text[-3000:]}")
    ended = re.search(r"ends after (\d+) turns; the latest began ([\d.]+) seconds late", text)
    if ended is None:
        raise SystemExit(f"the watch did not report its turns:\n{text[-3000:]}")
    ticks = ticks_in(text)
    numbers = [ticks[lab_of(one)] for one in workspaces]
    expected = " INFO |written at the next tick|read at the next poll"
    other = [line for line in text.splitlines() if not re.search(expected, line)]
    for line in other[:20]:
        print(line, file=sys.stderr)
    return WatchMeasurement(
        len(workspaces),
        clusters,
        wall,
        usage.ru_utime + usage.ru_stime,
        startup,
        memory,
        float(ended[2]),
        int(ended[1]),
        (min(numbers), statistics.mean(numbers), max(numbers)),
        len(other),
        count_requests(workspaces) - requests_before,
    )


def measure_peer(workspaces: list[dict[str, str]], folder: Path) -> PeerMeasurement:
    """Run `poll` twice in each lab, with ledgers of its own, and measure the second run."""
    seconds, memory = [], []
    for repeat in range(2):
        for one in workspaces:
            place = folder / f"poll-{one['course']}"
            place.mkdir(exist_ok=True)
            (place / ".env").write_text(dotenv_of(one, place))
            poll = subprocess.Popen([sys.executable, "-m", "enforcer", "poll"], cwd=place, env=clean_environment())
            _, status, usage = os.wait4(poll.pid, 0)
            poll.returncode = os.waitstatus_to_exitcode(status)
            if poll.returncode:
                raise SystemExit(f"poll ended with status {poll.returncode}")
            if repeat:
                seconds.append(usage.ru_utime + usage.ru_stime)
                memory.append(usage.ru_maxrss / 1024)
    return PeerMeasurement(len(seconds), statistics.mean(seconds), max(memory))


def write_labs(workspaces: list[dict[str, str]], folder: Path) -> Path:
    """Write `labs.toml` and the labs' `.env` files."""
    tables = []
    for one in workspaces:
        place = folder / one["course"]
        place.mkdir()
        (place / ".env").write_text(dotenv_of(one, place))
        tables.append(f'[[lab]]\nname = "{lab_of(one)}"\nenv = "{one["course"]}/.env"\n')
    path = folder / "labs.toml"
    path.write_text("\n".join(tables))
    return path


def dotenv_of(one: dict[str, str], place: Path) -> str:
    variables = {
        "DATABRICKS_HOST": one["url"],
        "DATABRICKS_TOKEN": one["token"],
        "LAB_EXPECTED_WORKSPACE_ID": one["workspace_id"],
        "LAB_COURSE": one["course"],
        "LAB_TERM": one["term"],
        "CLUSTER_UPTIMES_DB": str(place / "uptimes.db"),
    }
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def lab_of(one: dict[str, str]) -> str:
    return f"course-{one['course']}"


def clean_environment() -> dict[str, str]:
    secretive = ("DATABRICKS_", "ARM_", "AZURE_", "LAB_", "CLUSTER_UPTIMES_DB")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(secretive)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPATH": str(ROOT)}


def ticks_in(log: str) -> Counter[str]:
    """Return the number of completed ticks by lab."""
    return Counter(re.findall(r": (course-\d+): checked \d+ clusters", log))


def count_requests(workspaces: list[dict[str, str]]) -> int:
    """Return the number of API requests to all workspaces."""
    number = 0
    for one in workspaces:
        with urllib.request.urlopen(f"{one['url']}/_emulator/journal", timeout=60) as response:
            number += sum(1 for line in response.read().splitlines() if line.strip())
    return number


def cpu_of(pid: int) -> float:
    """Return the processor time of a running process in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_memory_mb(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def farms(labs: int, clusters: int, latency: float, *, has_pages: bool) -> Iterator[list[dict[str, str]]]:
    """Start the emulated workspaces in a few processes; yield their descriptions."""
    processes = []
    for first in range(1, labs + 1, WORKSPACES_PER_FARM):
        count = min(WORKSPACES_PER_FARM, labs + 1 - first)
        options = {
            "--workspaces": count,
            "--first": first,
            "--clusters": clusters,
            "--latency": latency,
            "--changes-per-minute": 1,
        }
        words = [str(word) for pair in options.items() for word in pair] + (["--pages"] if has_pages else [])
        command = [sys.executable, str(FARM), *words]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean_environment()))
    try:
        found: list[dict[str, str]] = []
        for process in processes:
            assert process.stdout
            found += json.loads(process.stdout.readline())
        yield found
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


@click.command(help=__doc__)
@click.option("--minutes", default=30.0, show_default=True, help="Duration of the watch.")
@click.option("--labs", default=50, show_default=True)
@click.option("--clusters", default=100, show_default=True, help="Clusters in each workspace.")
@click.option("--latency", default=0.05, show_default=True, help="Latency of each request, in seconds.")
@click.option("--pages", is_flag=True, help="The groups have pages and files for time requests.")
@click.option("--only-watch", is_flag=True, help="Do not measure the separate polls.")
@click.option("--json", "as_json", is_flag=True)
def main(
    minutes: float, labs: int, clusters: int, latency: float, pages: bool, only_watch: bool, as_json: bool
) -> None:
    with tempfile.TemporaryDirectory() as name, farms(labs, clusters, latency, has_pages=pages) as workspaces:
        watch = measure(workspaces, Path(name), clusters, minutes)
        peer = None if only_watch else measure_peer(workspaces[:PEER_SAMPLE], Path(name))
    if as_json:
        print(json.dumps({"watch": asdict(watch), "peer": asdict(peer) if peer else None}, indent=2))
    else:
        print_watch(watch)
        if peer:
            print_peer(watch, peer)
    missed = [
        f"{what} is {value:.2f}, more than {limit:g}"
        for what, value, limit in (
            ("processor time ÷ wall", watch.cpu_share, MAX_CPU_SHARE),
            ("the peak memory in MB", watch.memory_mb, MAX_MEMORY_MB),
            ("the lag in seconds", watch.lag_seconds, MAX_LAG_SECONDS),
            ("the number of lines about problems", watch.failures, 0),
        )
        if value > limit
    ]
    if missed:
        raise SystemExit("\n".join(missed))


def print_watch(watch: WatchMeasurement) -> None:
    print(f"a watch of {watch.labs} labs with {watch.clusters} clusters each, {watch.wall_seconds / 60:.1f} minutes")
    print(f"  processor time ÷ wall  {watch.cpu_share:8.3f}   goal: at most {MAX_CPU_SHARE:g}")
    print(f"  processor time, s      {watch.cpu_seconds:8.1f}   first ticks: {watch.startup_cpu_seconds:.1f}")
    print(f"  peak memory, MB        {watch.memory_mb:8.0f}   goal: at most {MAX_MEMORY_MB:g}")
    print(f"  longest lag, s         {watch.lag_seconds:8.1f}   goal: at most {MAX_LAG_SECONDS:g}")
    fewest, mean, most = watch.ticks
    print(f"  turns                  {watch.turns:8}   ticks per lab: {fewest} to {most}, mean {mean:.1f}")
    print(f"  requests               {watch.requests:8}   lines about problems: {watch.failures}")


def print_peer(watch: WatchMeasurement, peer: PeerMeasurement) -> None:
    """Print the polls' load if cron started one per lab every 15 minutes, and every minute as the watch does."""
    print(
        f"{watch.labs} separate polls, extrapolated from {peer.polls}: {peer.cpu_seconds:.2f} s of processor time each"
    )
    steady = (watch.cpu_seconds - watch.startup_cpu_seconds) / watch.wall_seconds
    for minutes in (CRON_MINUTES, LIST_MINUTES):
        share = peer.cpu_seconds * watch.labs / (minutes * 60)
        print(f"  every {minutes:2} minutes: processor time ÷ wall {share:.3f}, {share / steady:.1f} times the watch's")
    print(f"  peak memory of one process: {peer.memory_mb:.0f} MB")


if __name__ == "__main__":
    main()
