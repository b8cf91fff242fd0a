"""What one poll costs in calls and seconds, beside a straightforward loop over every cluster.

    python bench/poll.py [--sizes 10,100,1000] [--latency 0.05] [--json]

The workspace is the emulator with 50 ms of latency; three in ten clusters were started and stopped since the last
poll. The loop asks for the events and the permissions of each cluster, one after the other, as a script would.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from emulator_process import EmulatorProcess  # noqa: E402
from enforcer.ledger.database import Ledger, open_ledger  # noqa: E402
from enforcer.mail.azure import Mailer  # noqa: E402
from enforcer.settings import load_settings  # noqa: E402
from enforcer.tick.run import run_tick  # noqa: E402
from enforcer.workspace.client import Workspace, connect  # noqa: E402
from labkit import clock  # noqa: E402
from labkit.clock import Deadline  # noqa: E402
from labkit.course_file import cluster_tags  # noqa: E402
from labkit.workspace.access import enter  # noqa: E402

CHANGED = 0.3
GOAL_SECONDS, GOAL_CLUSTERS = 5.0, 1000


@dataclass(frozen=True)
class Measured:
    clusters: int
    changed: int
    calls: dict[str, int]
    expected: dict[str, int]
    """By the rule of what a poll costs."""
    seconds: float
    cpu_seconds: float
    """Of the poll's own process; the rest it waited."""
    loop_calls: int
    loop_seconds: float


def measure(number: int, latency: float) -> Measured:
    """A workspace of so many clusters, polled once, changed, and polled again: the second poll is measured."""
    with (
        EmulatorProcess(["--speed", "0", "--transition-seconds", "0"]) as emulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        student = emulator.control("POST", "users", {"user_name": "ana@lab.example"})
        ids = furnish(emulator, number, member=student["id"])
        settings = load_settings({"LAB_COURSE": "94290", "LAB_TERM": "2030w", "LAB_TIMEZONE": "UTC"})
        environ = {"LAB_CLOCK": f"{emulator.url}/_emulator/clock"}
        ledger = open_ledger(f"{folder}/uptimes.db")
        workspace = workspace_of(emulator)
        emulator.control("POST", "clock", {"advance_seconds": 60})
        tick(ledger, workspace, settings, environ)
        changed = ids[: round(number * CHANGED)]
        each(lambda id: ask(emulator, "start", id, student["token"]), changed)
        emulator.control("POST", "clock", {"advance_seconds": 600})
        each(lambda id: ask(emulator, "delete", id), changed)
        emulator.control("POST", "clock", {"advance_seconds": 60})
        rule = {"kind": "latency", "seconds": latency}
        emulator.control("POST", "faults", {"rules": [rule]})

        workspace.calls.clear()
        began, worked = time.perf_counter(), time.process_time()
        tick(ledger, workspace, settings, environ)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - worked
        calls = dict(workspace.calls)

        client = emulator.client()
        began = time.perf_counter()
        loop_calls = 0
        for cluster in client.clusters.list():
            list(client.clusters.events(str(cluster.cluster_id)))
            client.permissions.get("clusters", str(cluster.cluster_id))
            loop_calls += 2
        loop_seconds = time.perf_counter() - began
        ledger.close()
    # One list, 100 a page; the course's folder and its allowances; the events of what changed.
    expected = {"clusters/list": -(-number // 100), "workspace/list": 2, "clusters/events": len(changed)}
    loop_calls += -(-number // 100)
    return Measured(number, len(changed), calls, expected, seconds, cpu_seconds, loop_calls, loop_seconds)


def workspace_of(emulator: EmulatorProcess) -> Workspace:
    """As the enforcer connects, its own request limits included."""
    os.environ.update(emulator.environment())
    return connect(enter(os.environ))


def tick(ledger: Ledger, workspace: Workspace, settings: Any, environ: dict[str, str]) -> None:
    deadline = Deadline(timedelta(seconds=30))
    result = run_tick(settings, ledger, workspace, Mailer(""), now=clock.now(environ), deadline=deadline)
    if result.failures:
        raise SystemExit("\n".join(result.failures))


def furnish(emulator: EmulatorProcess, number: int, *, member: str) -> list[str]:
    """Stopped lab clusters, each with the permission of its group; their ids."""
    emulator.control("POST", "clock", {"now": "2030-11-03T08:00:00Z"})

    def make(position: int) -> str:
        group = f"group_{position:04}"
        emulator.request(
            "POST", "/api/2.0/preview/scim/v2/Groups", {"displayName": group, "members": [{"value": member}]}
        )
        tags = cluster_tags(course="94290", term="2030w", group=group)
        spec = {
            "cluster_name": f"cluster_{position:04}",
            "spark_version": "15.4.x-scala2.12",
            "node_type_id": "Standard_DS3_v2",
            "num_workers": 1,
            "custom_tags": tags,
        }
        id = str(emulator.request("POST", "/api/2.1/clusters/create", spec)[1]["cluster_id"])
        ask(emulator, "delete", id)
        entry = {"group_name": group, "permission_level": "CAN_RESTART"}
        emulator.request("PATCH", f"/api/2.0/permissions/clusters/{id}", {"access_control_list": [entry]})
        return id

    return each(make, range(1, number + 1))


def ask(emulator: EmulatorProcess, verb: str, id: str, token: str | None = None) -> None:
    status, answer = emulator.request("POST", f"/api/2.1/clusters/{verb}", {"cluster_id": id}, token=token)
    if status >= 400:
        raise SystemExit(f"{verb} {id}: {answer}")


def each(do: Any, what: Any) -> list[Any]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(do, what))


@click.command(help=__doc__)
@click.option("--sizes", default="10,100,1000", show_default=True, help="Numbers of clusters.")
@click.option("--latency", default=0.05, show_default=True, help="Seconds that each request takes.")
@click.option("--json", "as_json", is_flag=True)
def main(sizes: str, latency: float, as_json: bool) -> None:
    found = [measure(int(size), latency) for size in sizes.split(",")]
    if as_json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            show(one)
        if len(found) > 1:
            show_growth(found[0], found[-1])
    for one in found:
        if one.calls != one.expected:
            raise SystemExit(f"{one.clusters} clusters: {one.calls} calls instead of {one.expected}")


def show(one: Measured) -> None:
    print(f"{one.clusters} clusters, {one.changed} changed")
    calls = ", ".join(f"{number} {kind}" for kind, number in sorted(one.calls.items()))
    print(f"  a poll      {one.seconds:7.2f} s  {sum(one.calls.values()):5} calls: {calls}")
    print(f"              {one.cpu_seconds:7.2f} s of them it worked, the rest it waited")
    print(f"  simple loop {one.loop_seconds:7.2f} s  {one.loop_calls:5} calls")
    if one.clusters == GOAL_CLUSTERS:
        print(f"  goal: under {GOAL_SECONDS:g} s: {'met' if one.seconds < GOAL_SECONDS else 'missed'}")


def show_growth(least: Measured, most: Measured) -> None:
    """How much more the most clusters cost than the least."""
    calls = sum(most.calls.values()) / sum(least.calls.values())
    print(f"from {least.clusters} to {most.clusters} clusters, {most.clusters / least.clusters:.0f} times as many")
    print(f"  a poll      {most.seconds / least.seconds:5.0f} times the seconds, {calls:5.0f} times the calls")
    loop = most.loop_seconds / least.loop_seconds
    print(f"  simple loop {loop:5.0f} times the seconds, {most.loop_calls / least.loop_calls:5.0f} times the calls")


if __name__ == "__main__":
    main()
