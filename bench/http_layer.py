"""Compares three HTTP layers: the SDK in threads, aiohttp with the SDK's credentials, and http.client in threads.

    python bench/http_layer.py [--requests 4000] [--workers 64] [--latency 0.04] [--json]

Each lists the same folders in the emulator, which runs on a separate core. The output has requests per second, and the
client's processor time per request, which matters when the API's limits are not reached.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import click
from databricks.sdk.config import Config

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from bench.baselines import ListingTarget  # noqa: E402
from bench.scan import SMALL, workspace  # noqa: E402
from inventory.transport.client import Client  # noqa: E402

LIST = "/api/2.0/workspace/list"


@dataclass(frozen=True)
class RequestCost:
    """The result of one HTTP layer."""

    way: str
    a_second: float
    """Requests per second."""
    processor_ms: float
    """The client's processor time per request and response, in milliseconds."""


def sdk_threads(url: str, token: str, paths: Sequence[str], workers: int) -> None:
    client = ListingTarget(url, token, ()).client()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda path: list(client.workspace.list(path)), paths))


def aiohttp_requests(url: str, token: str, paths: Sequence[str], workers: int) -> None:
    config = Config(host=url, token=token, auth_type="pat")

    async def work(session: aiohttp.ClientSession, waiting: list[str]) -> None:
        while waiting:
            query = {"path": waiting.pop()}
            async with session.get(url + LIST, params=query, headers=config.authenticate()) as answer:
                json.loads(await answer.read())

    async def all_of_it() -> None:
        waiting = list(paths)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=workers)) as session:
            await asyncio.gather(*(work(session, waiting) for _ in range(workers)))

    asyncio.run(all_of_it())


def http_client_threads(url: str, token: str, paths: Sequence[str], workers: int) -> None:
    config = Config(host=url, token=token, auth_type="pat")
    client = Client(url, config.authenticate)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda path: client.get(LIST, {"path": path}), paths))


METHODS: dict[str, Callable[[str, str, Sequence[str], int], None]] = {
    "the SDK in threads": sdk_threads,
    "aiohttp": aiohttp_requests,
    "http.client in threads": http_client_threads,
}


def measure(way: str, url: str, token: str, paths: Sequence[str], workers: int) -> RequestCost:
    began, computed = time.perf_counter(), time.process_time()
    METHODS[way](url, token, paths, workers)
    seconds, computed = time.perf_counter() - began, time.process_time() - computed
    return RequestCost(way, len(paths) / seconds, computed / len(paths) * 1000)


def folders(url: str, token: str, users: Sequence[str], number: int) -> list[str]:
    """Return this many folders in the homes, repeated if there are not enough."""
    client = Client(url, lambda: {"Authorization": f"Bearer {token}"})
    found = [f"/Users/{user}" for user in users]
    for path in found:
        if len(found) >= number:
            break
        document = client.get(LIST, {"path": path}).document
        entries = document.get("objects", []) if isinstance(document, dict) else []
        found += [entry["path"] for entry in entries if entry["object_type"] == "DIRECTORY"]
    return list(itertools.islice(itertools.cycle(found), number))


@click.command(help=__doc__)
@click.option("--requests", "number", default=4000, show_default=True)
@click.option("--workers", default=64, show_default=True, help="Number of threads, or of connections with aiohttp.")
@click.option("--latency", default=0.04, show_default=True, help="Latency of a request in the second round.")
@click.option("--json", "as_json", is_flag=True)
def main(number: int, workers: int, latency: float, as_json: bool) -> None:
    found: dict[str, list[RequestCost]] = {}
    with workspace(SMALL) as emulator:
        users = [user["user_name"] for user in emulator.control("GET", "files/truth")["users"]]
        paths = folders(emulator.url, emulator.admin_token, users, number)
        for seconds in (0.0, latency):
            emulator.control("POST", "faults", {"rules": [{"kind": "latency", "seconds": seconds}] if seconds else []})
            name = f"{seconds * 1000:.0f} ms latency"
            found[name] = [measure(way, emulator.url, emulator.admin_token, paths, workers) for way in METHODS]
            if not as_json:
                click.echo(name)
            for cost in [] if as_json else found[name]:
                click.echo(
                    f"  {cost.way:24} {cost.a_second:6.0f} requests/s  {cost.processor_ms:5.2f} ms of processor time"
                )
    if as_json:
        click.echo(json.dumps({name: [asdict(cost) for cost in costs] for name, costs in found.items()}, indent=1))


if __name__ == "__main__":
    main()
