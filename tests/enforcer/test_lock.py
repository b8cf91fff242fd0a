"""One tick at a time, on one machine and across machines."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from emulated_course import EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.ledger.lock import ledger_lock
from postgresql_server import PostgreSQL

ROOT = Path(__file__).resolve().parents[2]
POLLERS = 50
# Prints how long it waited for the lock, and holds the lock until its standard input is closed.
POLLER = """
import sys, time
from enforcer.ledger.lock import ledger_lock
if sys.argv[1].startswith("postgresql"):
    import psycopg
print("ready", flush=True)
sys.stdin.readline()
began = time.monotonic()
with ledger_lock(sys.argv[1]) as alone:
    print("works" if alone else "yields", time.monotonic() - began, flush=True)
    if alone:
        sys.stdin.readline()
"""


@pytest.fixture(params=["file", pytest.param("postgresql", marks=pytest.mark.process)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return str(tmp_path / "ledger" / "uptimes.db")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.database("locks")


def start(place: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", POLLER, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def say(poller: subprocess.Popen[str]) -> None:
    assert poller.stdin
    poller.stdin.write("go\n")
    poller.stdin.flush()


def hear(poller: subprocess.Popen[str]) -> list[str]:
    assert poller.stdout
    return poller.stdout.readline().split()


def test_the_lock_is_free_only_after_its_holder_releases_it(place: str) -> None:
    with ledger_lock(place) as first, ledger_lock(place) as second:
        assert (first, second) == (True, False)
    with ledger_lock(place) as third:
        assert third


def test_a_released_lock_is_free_at_once(place: str) -> None:
    def is_free() -> bool:
        with ledger_lock(place) as is_alone:
            return is_alone

    assert [is_free() for _ in range(100)] == [True] * 100


@pytest.mark.process
def test_the_lock_ends_with_its_process(place: str) -> None:
    poller = start(place)
    hear(poller)
    say(poller)
    assert hear(poller)[0] == "works"
    with ledger_lock(place) as alone:
        assert not alone

    poller.kill()
    poller.wait()

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with ledger_lock(place) as alone:
            if alone:
                return
        time.sleep(0.05)
    raise AssertionError("the lock outlived its process")


@pytest.mark.process
def test_of_many_polls_all_but_one_end_within_a_second(place: str, acceptance: bool) -> None:
    number = POLLERS if acceptance else 10
    pollers = [start(place) for _ in range(number)]
    try:
        assert [hear(poller) for poller in pollers] == [["ready"]] * number
        for poller in pollers:
            say(poller)
        said = [hear(poller) for poller in pollers]
    finally:
        for poller in pollers:
            poller.kill()
            poller.wait()
    assert Counter(word for word, _ in said) == {"works": 1, "yields": number - 1}
    assert max(float(seconds) for _, seconds in said) < 1


@pytest.mark.process
def test_a_second_poll_exits_before_importing_the_sdk(place: str, tmp_path: Path) -> None:
    workspace = {"DATABRICKS_HOST": "https://lab.example", "DATABRICKS_TOKEN": "dapi-any"}
    environment = {**os.environ, **workspace, "PYTHONPATH": str(ROOT), "CLUSTER_UPTIMES_DB": place}
    command = [sys.executable, "-X", "importtime", "-m", "enforcer", "poll"]
    with ledger_lock(place) as alone:
        assert alone
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    imported = {line.split("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    said = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]

    assert (done.returncode, said) == (0, ["another poll is already running"])
    assert "enforcer.ledger.lock" in imported
    slow = ("databricks", "azure", "matplotlib", "requests")
    assert {name for name in imported if name.partition(".")[0] in slow} == set()
    assert not Path(place).exists()


def test_simultaneous_polls_carry_out_every_action_once(
    start_emulator: Callable[..., EmulatorProcess], tmp_path: Path, acceptance: bool
) -> None:
    emulator = start_emulator("--speed", 0, "--transition-seconds", 0)
    lab = EmulatedCourse(emulator, tmp_path, groups=2)
    environment = {
        **os.environ,
        **lab.environment,
        "PYTHONPATH": str(ROOT),
        "AZURE_EMAIL_CONNECTION_STRING": emulator.mail_connection_string,
        "AZURE_EMAIL_SENDER": "lab@lab.example",
        "REQUESTS_CA_BUNDLE": emulator.mail_ca,
    }
    lab.start("group_01")
    lab.advance_minutes(200)
    command = [sys.executable, "-m", "enforcer", "poll"]
    polls = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(POLLERS if acceptance else 4)
    ]
    done = [(poll.communicate(timeout=300)[1], poll.returncode) for poll in polls]

    assert {status for _, status in done} == {0}
    asked = Counter((entry["method"], entry["path"].partition("?")[0]) for entry in emulator.request_log())
    assert asked["PATCH", f"/api/2.0/permissions/clusters/{lab.clusters['group_01']}"] == 2  # with the lab's own
    assert lab.level("group_01") == "CAN_ATTACH_TO"
    assert len(emulator.control("GET", "mail")) == 1
