"""`watch` as a process stops groups past a limit, tolerates polls by cron, and exits on request."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulated_course import SUNDAY, EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.ledger.lock import ledger_lock

pytestmark = [pytest.mark.process, pytest.mark.timed_lock]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path) -> EmulatedCourse:
    frozen_emulator.control("POST", "reset")
    return EmulatedCourse(frozen_emulator, tmp_path, groups=1)


@contextmanager
def watching(lab: EmulatedCourse) -> Iterator[subprocess.Popen[bytes]]:
    log = lab.folder / "watch.log"
    environment = {**os.environ, **lab.environment, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as stream:
        service = subprocess.Popen(
            [sys.executable, "-m", "enforcer", "watch"], cwd=lab.folder, env=environment, stderr=stream
        )
    try:
        yield service
    finally:
        service.kill()
        service.wait()


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.1)


def test_the_service_stops_a_group_at_its_limit_and_exits_cleanly(lab: EmulatedCourse) -> None:
    with watching(lab) as service:
        until(lambda: "checked 1 clusters" in (lab.folder / "watch.log").read_text())
        assert lab.start("group_01") == 200
        lab.advance_minutes(1)
        until(lambda: (lab.folder / "watch.log").read_text().count("checked") == 2)
        with ledger_lock(lab.environment["CLUSTER_UPTIMES_DB"]) as alone:
            assert alone, "the lock is held for a tick and not for the service's life"
        lab.poll()
        lab.set_time(SUNDAY, "11:00:01")
        until(lambda: (lab.state("group_01"), lab.level("group_01")) == ("TERMINATED", "CAN_ATTACH_TO"))

        service.send_signal(signal.SIGTERM)

        assert service.wait(timeout=PATIENCE_SECONDS) == 0
    assert "Traceback" not in (lab.folder / "watch.log").read_text()


def test_a_service_waits_until_a_running_one_exits(lab: EmulatedCourse) -> None:
    with ledger_lock(lab.environment["CLUSTER_UPTIMES_DB"]) as alone:
        assert alone
        with watching(lab) as service:
            until(lambda: "another run holds the lock" in (lab.folder / "watch.log").read_text())
            service.send_signal(signal.SIGTERM)

            assert service.wait(timeout=PATIENCE_SECONDS) == 0
    assert "checked" not in (lab.folder / "watch.log").read_text()


def test_the_service_keeps_the_board_up_to_date(lab: EmulatedCourse) -> None:
    board = lab.folder / "lab.html"
    lab.environment["LAB_BOARD"] = "~/lab.html"
    lab.environment["HOME"] = str(lab.folder)
    with watching(lab):
        until(board.exists)
        before = board.read_text()
        assert lab.start("group_01") == 200
        lab.advance_minutes(2)
        until(lambda: board.read_text() != before)
    assert ("No cluster of the lab is running." in before, board.stat().st_mode & 0o777) == (True, 0o600)
    assert "No cluster of the lab is running." not in board.read_text()
