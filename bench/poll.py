"""Measures requests and duration of a poll, compared with a simple loop over all clusters.

    python bench/poll.py [--sizes 10,100,1000] [--latency 0.05] [--json]

The workspace is the emulator with 50 ms of latency; three in ten clusters were started and stopped since the last poll.
The loop requests the events and permissions of one cluster after another, as a script would.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, timedelta
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
from labkit.course_file import (  # noqa: E402
    CourseFile,
    ExtensionSettings,
    GroupEntry,
    GroupLimits,
    PageOptions,
    TimeRequestSettings,
    cluster_tags,
    folder_of,
    format_course_file,
    path_of,
)
from labkit.workspace.access import choose_and_apply  # noqa: E402

CHANGED_SHARE = 0.3
TIME_REQUESTS = 6
"""Time requests in the measured day."""
MAX_REQUESTS_PER_DAY, MAX_EXTRA_REQUESTS_FOR_JOBS = 350, 2
PAGE_OR_FILE_WRITE = re.compile(
    r"POST /api/2.0/workspace/(import|mkdirs)$|PATCH /api/2.0/permissions/(files|directories)/"
    r"|GET /api/2.0/workspace/get-status"
)
"""Matches the requests that create and write pages and files, and those that write allowances."""
MAX_SECONDS, CLUSTERS_OF_MAX_SECONDS = 5.0, 1000


@dataclass(frozen=True)
class PollMeasurement:
    clusters: int
    changed: int
    calls: dict[str, int]
    expected: dict[str, int]
    """The expected number of calls in a poll."""
    seconds: float
    cpu_seconds: float
    """The poll's processor time; the rest of its duration is waiting."""
    loop_calls: int
    loop_seconds: float


def measure(number: int, latency: float) -> PollMeasurement:
    """Measure the second poll in a workspace with this many clusters, after three in ten have changed."""
    with (
        EmulatorProcess(["--speed", "0", "--transition-seconds", "0"]) as emulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        student = emulator.control("POST", "users", {"user_name": "ana@lab.example"})
        ids = create_clusters(emulator, number, member=student["id"])
        settings = load_settings({"LAB_COURSE": "94290", "LAB_TERM": "2030w", "LAB_TIMEZONE": "UTC"})
        environ = {"LAB_CLOCK": f"{emulator.url}/_emulator/clock"}
        ledger = open_ledger(f"{folder}/uptimes.db")
        workspace = workspace_of(emulator)
        emulator.control("POST", "clock", {"advance_seconds": 60})
        # The first poll reads all events of all clusters.
        tick(ledger, workspace, settings, environ, seconds=600)
        changed = ids[: round(number * CHANGED_SHARE)]
        map_in_threads(lambda id: post_cluster(emulator, "start", id, student["token"]), changed)
        emulator.control("POST", "clock", {"advance_seconds": 600})
        map_in_threads(lambda id: post_cluster(emulator, "delete", id), changed)
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
    # The cluster list, 100 per page; the course's folder and its allowances; the events of changed clusters.
    expected = {"clusters/list": -(-number // 100), "workspace/list": 2, "clusters/events": len(changed)}
    loop_calls += -(-number // 100)
    return PollMeasurement(number, len(changed), calls, expected, seconds, cpu_seconds, loop_calls, loop_seconds)


@dataclass(frozen=True)
class DayMeasurement:
    """Requests in a course's day under cron, where each poll is a new process with a new connection."""

    groups: int
    polls: int
    sessions: int
    requests: int
    """Without `writes`."""
    by_path: dict[str, int]
    time_requests: int = 0
    """Number of time requests; 0: the course has neither pages nor time requests."""
    writes: int = 0
    """Requests that make and write the groups' pages and files."""


def measure_day(groups: int = 30, polls: int = 63, sessions: int = 12, time_requests: int = 0) -> DayMeasurement:
    """Measure a day: a new ledger, polls every 15 minutes from 7:30, sessions of one to four hours, an `end-of-day`.

    With `time_requests`, the course has pages and time requests, and as many groups ask for more time.
    """
    with (
        EmulatorProcess(["--speed", "0", "--transition-seconds", "0"]) as emulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        student = emulator.control("POST", "users", {"user_name": "ana@lab.example"})
        ids = create_clusters(emulator, groups, member=student["id"])
        write_course(emulator, groups, has_requests=time_requests > 0)
        settings = load_settings({"LAB_COURSE": "94290", "LAB_TERM": "2030w", "LAB_TIMEZONE": "UTC"})
        environ = {"LAB_CLOCK": f"{emulator.url}/_emulator/clock"}
        ledger = open_ledger(f"{folder}/uptimes.db")
        emulator.control("POST", "clock", {"now": "2030-11-04T07:30:00Z"})
        counted: Counter[str] = Counter()
        writes = 0

        def poll(*, settles: bool = False) -> None:
            nonlocal writes
            before = len(request_log(emulator))
            tick(ledger, workspace_of(emulator), settings, environ, settles=settles)
            sent = [f"{line['method']} {line['path']}" for line in request_log(emulator)[before:]]
            needed = [line for line in sent if not PAGE_OR_FILE_WRITE.match(line)]
            counted.update(needed)
            writes += len(sent) - len(needed)

        for number in range(polls):
            for session in range(sessions):
                begins = 2 + 4 * session
                # Sessions take one to four hours; the longest are stopped at their limit.
                if number == begins:
                    post_cluster(emulator, "start", ids[session], student["token"])
                if number == begins + 4 + session % 4 * 4:
                    post_cluster(emulator, "delete", ids[session])
            if 5 <= number < 5 + time_requests:
                write_request(emulator, number - 4, student["token"])
            emulator.control("POST", "clock", {"advance_seconds": 7})
            poll()
            emulator.control("POST", "clock", {"advance_seconds": 893})
        emulator.control("POST", "clock", {"now": "2030-11-05T00:20:00Z"})
        poll(settles=True)
        ledger.close()
    paths: Counter[str] = Counter()
    for line, number in counted.items():
        paths[re.sub(r"/[0-9a-f]{4,}-[^/]+$|/lab-.*$", "/…", line)] += number
    total = sum(counted.values())
    return DayMeasurement(groups, polls, sessions, total, dict(paths.most_common()), time_requests, writes)


def request_log(emulator: EmulatorProcess) -> list[dict[str, Any]]:
    text = urllib.request.urlopen(f"{emulator.url}/_emulator/journal", timeout=30).read().decode()
    return [json.loads(line) for line in text.splitlines()]


def write_request(emulator: EmulatorProcess, group: int, token: str) -> None:
    """Write a group's file: every other time request is small enough for the course's rule."""
    text = f"{30 if group % 2 else 60} minutes: project deadline"
    path = f"{folder_of('94290', '2030w')}/requests/group_{group:04}.txt"
    content = base64.b64encode(text.encode()).decode()
    body = {"path": path, "content": content, "format": "AUTO", "overwrite": True}
    status, answer = emulator.request("POST", "/api/2.0/workspace/import", body, token=token)
    if status >= 400:
        raise SystemExit(f"{path}: {answer}")


def write_course(emulator: EmulatorProcess, groups: int, *, has_requests: bool = False) -> None:
    entries = tuple(
        GroupEntry(f"group_{n:04}", n, None, f"Team {n}", GroupLimits(150, 180)) for n in range(1, groups + 1)
    )
    course = CourseFile(
        "94290", "2030w", "Lab", "UTC", date(2030, 10, 20), date(2031, 1, 31), "Sunday", False, groups=entries,
        pages=PageOptions("en") if has_requests else None,
        requests=TimeRequestSettings() if has_requests else None,
        extensions=ExtensionSettings(30, 1) if has_requests else None,
    )  # fmt: skip
    path = path_of("94290", "2030w")
    emulator.request("POST", "/api/2.0/workspace/mkdirs", {"path": f"{folder_of('94290', '2030w')}/allowances"})
    content = base64.b64encode(format_course_file(course).encode()).decode()
    emulator.request("POST", "/api/2.0/workspace/import", {"path": path, "content": content, "format": "RAW"})
    if has_requests:
        folder = folder_of("94290", "2030w")
        for name in ("requests", "groups"):
            emulator.request("POST", "/api/2.0/workspace/mkdirs", {"path": f"{folder}/{name}"})
        body = {"path": f"{folder}/requests/course-version.txt", "content": "MQ==", "format": "RAW"}
        emulator.request("POST", "/api/2.0/workspace/import", body)


@dataclass(frozen=True)
class JobClusterMeasurement:
    """Requests in a poll, without and with terminated job clusters in the workspace."""

    lab: int
    jobs: int
    calls_without: int
    calls_with: int


def measure_jobs(lab: int = 100, jobs: int = 8000) -> JobClusterMeasurement:
    calls = []
    for number in (0, jobs):
        with (
            EmulatorProcess(["--speed", "0", "--transition-seconds", "0"]) as emulator,
            tempfile.TemporaryDirectory() as folder,
        ):
            student = emulator.control("POST", "users", {"user_name": "ana@lab.example"})
            create_clusters(emulator, lab, member=student["id"])
            if number:
                emulator.control("POST", "drift", {"kind": "job_clusters", "target": "nightly", "value": number})
            settings = load_settings({"LAB_COURSE": "94290", "LAB_TERM": "2030w", "LAB_TIMEZONE": "UTC"})
            environ = {"LAB_CLOCK": f"{emulator.url}/_emulator/clock"}
            ledger = open_ledger(f"{folder}/uptimes.db")
            tick(ledger, workspace_of(emulator), settings, environ)
            emulator.control("POST", "clock", {"advance_seconds": 3600})
            before = len(request_log(emulator))
            tick(ledger, workspace_of(emulator), settings, environ)
            calls.append(len(request_log(emulator)) - before)
            ledger.close()
    return JobClusterMeasurement(lab, jobs, *calls)


def workspace_of(emulator: EmulatorProcess) -> Workspace:
    """Connect as the enforcer does, with its request limits."""
    os.environ.update(emulator.environment())
    return connect(choose_and_apply(os.environ))


def tick(
    ledger: Ledger,
    workspace: Workspace,
    settings: Any,
    environ: dict[str, str],
    *,
    settles: bool = False,
    seconds: float = 30,
) -> None:
    deadline, now = Deadline(timedelta(seconds=seconds)), clock.now(environ)
    workspace.is_rehearsal = True
    workspace.begin_tick()
    result = run_tick(settings, ledger, workspace, Mailer(""), now=now, deadline=deadline, settles=settles)
    if result.failures:
        raise SystemExit("\n".join(result.failures))


def create_clusters(emulator: EmulatorProcess, number: int, *, member: str) -> list[str]:
    """Create stopped lab clusters, each with its group's permission; return their ids."""
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
        post_cluster(emulator, "delete", id)
        entry = {"group_name": group, "permission_level": "CAN_RESTART"}
        emulator.request("PATCH", f"/api/2.0/permissions/clusters/{id}", {"access_control_list": [entry]})
        return id

    return map_in_threads(make, range(1, number + 1))


def post_cluster(emulator: EmulatorProcess, verb: str, id: str, token: str | None = None) -> None:
    status, answer = emulator.request("POST", f"/api/2.1/clusters/{verb}", {"cluster_id": id}, token=token)
    if status >= 400:
        raise SystemExit(f"{verb} {id}: {answer}")


def map_in_threads(do: Any, what: Any) -> list[Any]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(do, what))


@click.command(help=__doc__)
@click.option("--sizes", default="10,100,1000", show_default=True, help="Numbers of clusters to measure.")
@click.option("--latency", default=0.05, show_default=True, help="Latency of each request, in seconds.")
@click.option("--json", "as_json", is_flag=True)
def main(sizes: str, latency: float, as_json: bool) -> None:
    day, busy, jobs = measure_day(), measure_day(time_requests=TIME_REQUESTS), measure_jobs()
    found = [measure(int(size), latency) for size in sizes.split(",")]
    if as_json:
        print(
            json.dumps(
                {
                    "polls": [asdict(one) for one in found],
                    "day": asdict(day),
                    "day_with_requests": asdict(busy),
                    "jobs": asdict(jobs),
                },
                indent=2,
            )
        )
    else:
        print_day(day)
        print_day(busy)
        print_jobs(jobs)
        for one in found:
            print_poll(one)
        if len(found) > 1:
            print_growth(found[0], found[-1])
    for one in found:
        if one.calls != one.expected:
            raise SystemExit(f"{one.clusters} clusters: {one.calls} calls instead of {one.expected}")
    if (
        max(day.requests, busy.requests) > MAX_REQUESTS_PER_DAY
        or jobs.calls_with > jobs.calls_without + MAX_EXTRA_REQUESTS_FOR_JOBS
    ):
        raise SystemExit("a day, or a poll with job clusters, takes more requests than its goal")


def print_day(day: DayMeasurement) -> None:
    print(f"a day of {day.groups} groups, {day.polls} polls, {day.sessions} sessions, one end of day")
    if day.time_requests:
        print(f"  with pages, and {day.time_requests} time requests; {day.writes} requests write pages and files")
    print(f"  {day.requests} requests; goal: at most {MAX_REQUESTS_PER_DAY}")
    for path, number in day.by_path.items():
        print(f"  {number:5} {path}")


def print_jobs(jobs: JobClusterMeasurement) -> None:
    print(f"a poll of {jobs.lab} clusters")
    print(f"  {jobs.calls_without} requests; {jobs.calls_with} if there are {jobs.jobs} terminated job clusters")


def print_poll(one: PollMeasurement) -> None:
    print(f"{one.clusters} clusters, {one.changed} changed")
    calls = ", ".join(f"{number} {kind}" for kind, number in sorted(one.calls.items()))
    print(f"  a poll      {one.seconds:7.2f} s  {sum(one.calls.values()):5} calls: {calls}")
    print(f"              {one.cpu_seconds:7.2f} s of processor time; the rest is waiting")
    print(f"  simple loop {one.loop_seconds:7.2f} s  {one.loop_calls:5} calls")
    if one.clusters == CLUSTERS_OF_MAX_SECONDS:
        print(f"  goal: under {MAX_SECONDS:g} s: {'met' if one.seconds < MAX_SECONDS else 'missed'}")


def print_growth(least: PollMeasurement, most: PollMeasurement) -> None:
    """Print the ratios between the largest and the smallest number of clusters."""
    calls = sum(most.calls.values()) / sum(least.calls.values())
    print(f"from {least.clusters} to {most.clusters} clusters, {most.clusters / least.clusters:.0f} times as many")
    print(f"  a poll      {most.seconds / least.seconds:5.0f} times the seconds, {calls:5.0f} times the calls")
    loop = most.loop_seconds / least.loop_seconds
    print(f"  simple loop {loop:5.0f} times the seconds, {most.loop_calls / least.loop_calls:5.0f} times the calls")


if __name__ == "__main__":
    main()
