"""One tick at a time, on one machine and across machines."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from enforcer.lock import only_one
from postgresql_server import PostgreSQL

ROOT = Path(__file__).resolve().parents[1]
POLLERS = 50
# What `python -m enforcer poll` does up to the point where it imports the SDK; says how long it waited for the lock,
# which of the slow modules it has imported by then, and holds the lock for as long as its standard input is open.
POLLER = """
import sys, time
import enforcer.commands.poll
from enforcer.lock import only_one
print("ready", flush=True)
sys.stdin.readline()
began = time.monotonic()
with only_one(sys.argv[1]) as alone:
    waited = time.monotonic() - began
    slow = sorted({"databricks", "azure", "matplotlib"} & set(sys.modules))
    print("works" if alone else "yields", f"{waited:.3f}", *slow, flush=True)
    if alone:
        sys.stdin.readline()
"""


@pytest.fixture(params=["file", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return str(tmp_path / "ledger" / "uptimes.db")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.database("locks")


def start(place: str, code: str = POLLER) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def say(poller: subprocess.Popen[str]) -> None:
    assert poller.stdin
    poller.stdin.write("go\n")
    poller.stdin.flush()


def hear(poller: subprocess.Popen[str]) -> list[str]:
    assert poller.stdout
    return poller.stdout.readline().split()


def test_who_comes_second_is_told_so_and_the_third_works_again(place: str) -> None:
    with only_one(place) as first, only_one(place) as second:
        assert (first, second) == (True, False)
    with only_one(place) as third:
        assert third


def test_the_lock_dies_with_its_process(place: str) -> None:
    poller = start(place)
    hear(poller)
    say(poller)
    assert hear(poller)[0] == "works"
    with only_one(place) as alone:
        assert not alone

    poller.kill()
    poller.wait()

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with only_one(place) as alone:
            if alone:
                return
        time.sleep(0.05)
    raise AssertionError("the lock outlived its process")


# A second and the server's fork for each connection, on two busy cores.
@pytest.mark.parametrize("code", [POLLER])
def test_of_fifty_pollers_one_works_and_the_others_wait_for_nothing(place: str, code: str) -> None:
    pollers = [start(place, code) for _ in range(POLLERS)]
    try:
        assert [hear(poller) for poller in pollers] == [["ready"]] * POLLERS
        for poller in pollers:
            say(poller)
        said = [hear(poller) for poller in pollers]
    finally:
        for poller in pollers:
            poller.kill()
            poller.wait()
    assert Counter(words[0] for words in said) == {"works": 1, "yields": POLLERS - 1}
    assert {tuple(words[2:]) for words in said} == {()}
    if not place.startswith("postgresql"):
        assert max(float(words[1]) for words in said) < 1
