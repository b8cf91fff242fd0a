"""Measures how many small GET requests per second the emulator serves on one core, compared with two other servers.

    python bench/emulator.py [--seconds 3] [--connections 16] [--json]

Server and load run on one core each, on the loopback interface with keep-alive; the load is a plain asyncio protocol,
so that it is never the bottleneck. The output has requests per second, and requests per second of the server's
processor time, which is the rate of an otherwise idle core; the threshold applies to the latter. Servers with a
constant response show the limit of the machine.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from emulator_process import EmulatorProcess  # noqa: E402

MIN_REQUESTS_PER_SECOND = 1500
"""Threshold: requests per second on one core with 16 keep-alive connections."""

LARGE_RESPONSE = "30 pinned clusters"
"""A large response: it is measured, but the threshold does not apply to it."""

LISTINGS = {
    "workspace/list, heavy": ("/api/2.0/workspace/list", "objects"),
    "dbfs/list, heavy": ("/api/2.0/dbfs/list", "files"),
}
"""Listings of two thousand folders with a quarter of a million files: name → path, and key in the response."""

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]

STARLETTE = """
import socket, sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def hello(request):
    return JSONResponse({"hello": "world"})

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(Starlette(routes=[Route("/hello", hello)]), log_level="error", access_log=False)
uvicorn.Server(config).run(sockets=[listener])
"""

STANDARD_LIBRARY = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        body = b'{"hello": "world"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
print(server.server_port, flush=True)
server.serve_forever()
"""


class Connection(asyncio.Protocol):
    """Sends one request after another, each when the previous response is complete."""

    def __init__(self, requests: Iterator[bytes], delays: list[float]) -> None:
        """Send requests from an endless iterator, which connections can share."""
        self._requests = requests
        self._delays = delays
        self._received = b""
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None
        self.failure = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.failure = self._received.decode(errors="replace")
            return
        self._delays.append(time.perf_counter() - self._sent)
        self._received = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self.failure = self.failure or f"the connection was closed: {error}"

    def _send(self) -> None:
        assert self._transport is not None
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))


def _content_length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


@dataclass(frozen=True)
class LoadMeasurement:
    delays: list[float]
    """Seconds per request."""
    seconds: float
    processor: float
    """Processor time of the server, in seconds."""


async def run_load(
    pid: int, port: int, paths: list[str], token: str, connections: int, seconds: float
) -> LoadMeasurement:
    """Request these paths in turn for `seconds`. Raises click.ClickException for a status other than 200."""
    lines = [f"Host: 127.0.0.1:{port}", "User-Agent: bench", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    requests = itertools.cycle(["\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode() for path in paths])
    delays: list[float] = []
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Connection(requests, delays), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.sleep(min(1.0, seconds / 3))  # warm-up
    delays.clear()
    began, computed = time.perf_counter(), processor_seconds(pid)
    await asyncio.sleep(seconds)
    measured = LoadMeasurement(list(delays), time.perf_counter() - began, processor_seconds(pid) - computed)
    failures = [connection.failure for _, connection in opened if connection.failure]
    for transport, _ in opened:
        transport.abort()
    if failures:
        raise click.ClickException(f"{paths[0]}: {failures[0]}")
    return measured


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used, in seconds; 0 if the system does not provide it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def run_peer(source: str) -> Iterator[tuple[int, int]]:
    """Run this program, which prints its port; yield its process id and the port."""
    process = subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        pin(process.pid, CORES[0])
        port = int(process.stdout.readline())
        time.sleep(1.0)
        yield process.pid, port
    finally:
        process.kill()
        process.wait()


@contextmanager
def run_emulator(*arguments: str) -> Iterator[EmulatorProcess]:
    with EmulatorProcess(["--seed", "bench", "--transition-seconds", "0", *arguments]) as process:
        pin(process.pid, CORES[0])
        yield process


def pin(pid: int, core: int) -> None:
    """Pin a process to one core, if the system supports it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {core})


def create_objects(process: EmulatorProcess) -> dict[str, str]:
    """Create 30 groups, 100 users and 30 clusters; return the paths to measure, keyed by name."""
    scim = "/api/2.0/preview/scim/v2"

    def made(path: str, identity: str, body: dict[str, Any]) -> str:
        status, answer = process.request("POST", path, body)
        if status not in (200, 201):
            raise click.ClickException(f"POST {path} answered {status}: {answer}")
        return str(answer[identity])

    users = [made(f"{scim}/Users", "id", {"userName": f"student{number}@lab.example"}) for number in range(100)]
    groups = []
    for number in range(30):
        members = [{"value": user} for user in users[number * 3 : number * 3 + 3]]
        groups.append(made(f"{scim}/Groups", "id", {"displayName": f"group_{number:02}", "members": members}))
    version = process.request("GET", "/api/2.1/clusters/spark-versions")[1]["versions"][0]["key"]
    clusters = []
    for number in range(30):
        body = {"cluster_name": f"cluster_{number:02}", "spark_version": version, "num_workers": 1}
        body["node_type_id"] = "Standard_DS3_v2"
        clusters.append(made("/api/2.1/clusters/create", "cluster_id", body))
        process.request("POST", "/api/2.1/clusters/pin", {"cluster_id": clusters[-1]})
    return {
        "one user": f"{scim}/Users/{users[50]}",
        "one group": f"{scim}/Groups/{groups[15]}",
        "one cluster": f"/api/2.1/clusters/get?cluster_id={clusters[15]}",
        "its permissions": f"/api/2.0/permissions/clusters/{clusters[15]}",
        LARGE_RESPONSE: "/api/2.1/clusters/list?filter_by.is_pinned=true&page_size=100",
        "Me": f"{scim}/Me",
    }


def folders(process: EmulatorProcess, api: str, key: str, most: int = 2000) -> list[str]:
    """Return the paths that list the first folders of all homes, breadth first."""
    users = process.control("GET", "files/truth")["users"]
    found = [f"/Users/{user['user_name']}" for user in users if user["dbfs"]["directories"]]
    for folder in found:
        if len(found) >= most:
            break
        entries = process.request("GET", f"{api}?path={quote(folder)}")[1].get(key, [])
        below = (entry for entry in entries if entry.get("is_dir") or entry.get("object_type") == "DIRECTORY")
        found.extend(entry["path"] for entry in below)
    return [f"{api}?path={quote(folder)}" for folder in found[:most]]


@click.command()
@click.option("--seconds", default=3.0, show_default=True, help="Duration of each measurement.")
@click.option("--connections", default=16, show_default=True, help="Number of keep-alive connections.")
@click.option("--json", "as_json", is_flag=True, help="Print data instead of a table.")
def main(seconds: float, connections: int, as_json: bool) -> None:
    """Measure the emulator and the other servers; exit with status 1 if the emulator misses its threshold."""
    pin(0, CORES[-1])
    rows: list[dict[str, Any]] = []

    def measure(server: str, what: str, pid: int, port: int, paths: list[str], token: str = "") -> None:
        measured = asyncio.run(run_load(pid, port, paths, token, connections, seconds))
        ordered = sorted(measured.delays)
        rows.append(
            {
                "server": server,
                "answer": what,
                "per second": round(len(ordered) / measured.seconds),
                "per processor second": round(len(ordered) / (measured.processor or measured.seconds)),
                "median ms": round(statistics.median(ordered) * 1000, 2),
                "p99 ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 2),
            }
        )

    with run_peer(STARLETTE) as (pid, port):
        measure("uvicorn + starlette", "hello", pid, port, ["/hello"])
    with run_peer(STANDARD_LIBRARY) as (pid, port):
        measure("http.server", "hello", pid, port, ["/hello"])
    with run_emulator() as process:
        port = int(process.url.rpartition(":")[2])
        for what, path in create_objects(process).items():
            measure("emulator", what, process.pid, port, [path], process.admin_token)
    with run_emulator("--files", "heavy") as process:
        port = int(process.url.rpartition(":")[2])
        for what, (api, key) in LISTINGS.items():
            measure("emulator", what, process.pid, port, folders(process, api, key), process.admin_token)

    print_report(rows, as_json)
    small = [row for row in rows if row["server"] == "emulator" and row["answer"] != LARGE_RESPONSE]
    slowest = min(int(row["per processor second"]) for row in small)
    if slowest < MIN_REQUESTS_PER_SECOND:
        raise click.ClickException(
            f"{slowest} requests per second are below the threshold of {MIN_REQUESTS_PER_SECOND}"
        )


def print_report(rows: list[dict[str, Any]], as_json: bool) -> None:
    for row in rows:
        row["of the first"] = round(row["per processor second"] / rows[0]["per processor second"], 2)
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    widths = {name: max(len(name), *(len(str(row[name])) for row in rows)) for name in rows[0]}
    for line in ({name: name for name in widths}, *rows):
        cells = (
            str(line[name]).ljust(width) if name in ("server", "answer") else str(line[name]).rjust(width)
            for name, width in widths.items()
        )
        click.echo("  ".join(cells))


if __name__ == "__main__":
    main()
