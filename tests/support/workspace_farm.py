"""Serves many emulated workspaces in one process, for tests and benchmarks of several labs.

    python tests/support/workspace_farm.py --workspaces 25 --clusters 100 --latency 0.05 --changes-per-minute 2

When ready, it prints one line of JSON: a list with url, token, workspace_id, course and term of each workspace. SIGTERM
ends it. The clocks show the machine's time.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import uvicorn
from uvicorn.server import ServerState

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))

from emulator.faults.rules import FaultRule  # noqa: E402
from emulator.server.app import Application  # noqa: E402
from emulator.server.http_server import BACKLOG, Protocol, listen, server_config  # noqa: E402
from emulator.server.services import open_workspace  # noqa: E402
from emulator.state.options import Options  # noqa: E402
from labkit.course_file import (  # noqa: E402
    COURSE_VERSION_FILE,
    REQUESTS,
    CourseFile,
    GroupEntry,
    GroupLimits,
    PageOptions,
    TimeRequestSettings,
    cluster_tags,
    folder_of,
    format_course_file,
    path_of,
)

TERM = "2030w"
RUNNING_SHARE = 0.1
"""Share of the clusters that run at the start."""


class FarmedWorkspace:
    """One workspace with a lab: a group, a student and a cluster for each number, and a course file."""

    def __init__(self, number: int, clusters: int, *, has_pages: bool = False) -> None:
        self.course = str(90_000 + number)
        self.listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.workspace = open_workspace(Options(seed=f"farm {number}", transition_seconds=2.0, url=self.url))
        self.token = self.workspace.issue_startup_token()
        self.application = Application(self.workspace)
        self.stopped: list[str] = []
        self.running: list[str] = []
        self._fill(clusters, has_pages=has_pages)

    def _fill(self, clusters: int, *, has_pages: bool) -> None:
        for number in range(1, clusters + 1):
            group = f"group_{number:03}"
            student = self.send(
                "POST", "/api/2.0/preview/scim/v2/Users", {"userName": f"student{number}@campus.example.ac.il"}
            )
            members = [{"value": student["id"]}]
            self.send("POST", "/api/2.0/preview/scim/v2/Groups", {"displayName": group, "members": members})
            spec = {
                "cluster_name": f"cluster_{number:03}",
                "spark_version": "15.4.x-scala2.12",
                "node_type_id": "Standard_DS3_v2",
                "num_workers": 1,
                "autotermination_minutes": 0,
                "custom_tags": cluster_tags(course=self.course, term=TERM, group=group),
            }
            id = str(self.send("POST", "/api/2.1/clusters/create", spec)["cluster_id"])
            entry = {"group_name": group, "permission_level": "CAN_RESTART"}
            self.send("PATCH", f"/api/2.0/permissions/clusters/{id}", {"access_control_list": [entry]})
            if number > clusters * RUNNING_SHARE:
                self.send("POST", "/api/2.1/clusters/delete", {"cluster_id": id})
                self.stopped.append(id)
            else:
                self.running.append(id)
        today = datetime.now(UTC).date()
        entries = tuple(
            GroupEntry(f"group_{n:03}", n, None, f"Team {n}", GroupLimits(150, 180)) for n in range(1, clusters + 1)
        )
        course = CourseFile(
            self.course,
            TERM,
            "Lab",
            "UTC",
            today - timedelta(days=30),
            today + timedelta(days=60),
            "Sunday",
            False,
            groups=entries,
            pages=PageOptions("en") if has_pages else None,
            requests=TimeRequestSettings() if has_pages else None,
        )
        folder, text = folder_of(self.course, TERM), format_course_file(course)
        self.send("POST", "/api/2.0/workspace/mkdirs", {"path": f"{folder}/allowances"})
        self._put(path_of(self.course, TERM), text)
        if has_pages:
            self.send("POST", "/api/2.0/workspace/mkdirs", {"path": f"{folder}/{REQUESTS}"})
            self._put(f"{folder}/{REQUESTS}/{COURSE_VERSION_FILE}", text)

    def _put(self, path: str, text: str) -> None:
        content = base64.b64encode(text.encode()).decode()
        self.send("POST", "/api/2.0/workspace/import", {"path": path, "content": content, "format": "RAW"})

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request as the administrator and return the response's JSON."""
        return self.application.send_as_administrator(method, path, body)

    def change(self, chance: random.Random) -> None:
        """Start a random cluster and stop another one."""
        self.workspace.catch_up()
        if self.stopped:
            id = self.stopped.pop(chance.randrange(len(self.stopped)))
            self.send("POST", "/api/2.1/clusters/start", {"cluster_id": id})
            self.running.append(id)
        if len(self.running) > 1:
            id = self.running.pop(0)
            self.send("POST", "/api/2.1/clusters/delete", {"cluster_id": id})
            self.stopped.append(id)

    def set_latency(self, seconds: float) -> None:
        self.application.set_faults(None, [FaultRule(kind="latency", seconds=seconds)] if seconds else [])

    @property
    def description(self) -> dict[str, str]:
        state = self.workspace.state
        return {
            "url": self.url,
            "token": self.token,
            "workspace_id": state.workspace_id,
            "course": self.course,
            "term": TERM,
        }


async def serve(workspaces: list[FarmedWorkspace], *, changes_per_minute: float) -> None:
    """Serve until SIGTERM or SIGINT. In each workspace, clusters change this often, at different times."""
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    shared, tasks = ServerState(), []
    for position, one in enumerate(workspaces):
        config = server_config(one.application)

        def protocol(config: uvicorn.Config = config, one: FarmedWorkspace = one) -> Protocol:
            return Protocol(config, shared, {}, one.workspace.state.workspace_id)

        await loop.create_server(protocol, sock=one.listener, backlog=BACKLOG)
        if changes_per_minute:
            tasks.append(asyncio.create_task(_change(one, 60 / changes_per_minute, random.Random(position))))
    print(json.dumps([one.description for one in workspaces]), flush=True)
    await ending.wait()
    for task in [*tasks, *shared.tasks]:
        task.cancel()
    for connection in list(shared.connections):
        connection.transport.abort()


async def _change(one: FarmedWorkspace, interval: float, chance: random.Random) -> None:
    await asyncio.sleep(chance.random() * interval)
    while True:
        one.change(chance)
        await asyncio.sleep(interval)


@click.command(help=__doc__)
@click.option("--workspaces", "count", default=2, show_default=True)
@click.option("--first", default=1, show_default=True, help="Number of the first workspace.")
@click.option("--clusters", default=2, show_default=True)
@click.option("--latency", default=0.0, show_default=True, help="Seconds that each request takes longer.")
@click.option("--changes-per-minute", default=0.0, show_default=True)
@click.option("--pages", is_flag=True, help="The groups have pages and files for time requests.")
def main(count: int, first: int, clusters: int, latency: float, changes_per_minute: float, pages: bool) -> None:
    workspaces = [FarmedWorkspace(number, clusters, has_pages=pages) for number in range(first, first + count)]
    for one in workspaces:
        one.set_latency(latency)
    asyncio.run(serve(workspaces, changes_per_minute=changes_per_minute))


if __name__ == "__main__":
    main()
