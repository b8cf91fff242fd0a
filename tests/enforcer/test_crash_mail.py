"""One healthy poll restores the correct state after any fault and after polls killed at any point."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulated_course import SUNDAY, EmulatedCourse
from emulator_process import ROOT, EmulatorProcess

pytestmark = pytest.mark.process

KINDS = ("429", "500", "503", "reset", "hang", "truncate")
GROUPS = 4
NEAR, OVER = 160, 190
"""Minutes of usage: past the soft limit of 150, and past the hard limit of 180."""


class Polls:
    """Polls of one lab, each in its own process."""

    def __init__(self, lab: EmulatedCourse, log: Path) -> None:
        environment = {**os.environ, **lab.environment, "PYTHONPATH": str(ROOT)}
        self._log = log.open("ab")
        self.log = log
        self._server = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/support/enforcer_fork_server.py")],
            cwd=lab.folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._server.stdout and self._server.stdout.readline() == "ready\n"

    def run(self, kill_after: float | None = None) -> dict[str, Any]:
        assert self._server.stdin and self._server.stdout
        self._server.stdin.write(json.dumps({"arguments": ["poll"], "kill_after": kill_after}) + "\n")
        self._server.stdin.flush()
        done: dict[str, Any] = json.loads(self._server.stdout.readline())
        return done

    def healthy(self) -> float:
        """Run one poll without faults; return its duration in seconds."""
        done = self.run()
        assert done["status"] == 0, self.log.read_text(encoding="utf-8")[-3000:]
        return float(done["seconds"])

    def stop(self) -> None:
        assert self._server.stdin
        self._server.stdin.close()
        self._server.wait(timeout=60)
        self._log.close()


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path) -> EmulatedCourse:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path, groups=GROUPS)
    lab.write_course(last_day="2040-01-01")
    lab.environment |= {
        "AZURE_EMAIL_CONNECTION_STRING": frozen_emulator.mail_connection_string,
        "AZURE_EMAIL_SENDER": "lab@lab.example",
        "ADMIN_EMAIL": "admin@lab.example",
        "REQUESTS_CA_BUNDLE": frozen_emulator.mail_ca,
    }
    return lab


def test_one_healthy_poll_repairs_the_effects_of_kills_and_faults(
    lab: EmulatedCourse, tmp_path: Path, acceptance: bool
) -> None:
    generator = random.Random(20261018)
    wanted = 1000 if acceptance else 8
    polls = Polls(lab, tmp_path / "polls.log")
    kills, day = 0, SUNDAY
    try:
        while kills < wanted:
            day += timedelta(days=1)
            lab.set_time(day, "07:00")
            usual = polls.healthy()
            heard = len(messages(lab))
            minutes = {group: generator.choice([0, NEAR, OVER, OVER]) for group in lab.names}
            live_a_day(lab, minutes)

            for _ in range(2):
                inject_faults(lab, generator)
                # The kill sometimes comes after the end: a poll killed after its work must do no harm either.
                kills += polls.run(kill_after=generator.uniform(0, 1.2) * usual)["signal"] == signal.SIGKILL
            lab.emulator.control("POST", "faults", {})
            for group in lab.names:
                if minutes[group] == NEAR:
                    lab.stop(group)
            # This is the longest pause before the next attempt to send a message.
            lab.advance_minutes(120)
            polls.healthy()

            over = {group for group in lab.names if minutes[group] == OVER}
            assert {group for group in lab.names if lab.state(group) == "RUNNING"} == set()
            assert {group: lab.level(group) for group in lab.names} == {
                group: "CAN_ATTACH_TO" if group in over else "CAN_RESTART" for group in lab.names
            }
            reported = messages(lab)[heard:]
            due = Counter(group for group in lab.names if minutes[group])
            assert Counter(group for group, _ in reported) == due, polls.log.read_text(encoding="utf-8")[-3000:]
            assert len({operation for _, operation in messages(lab)}) == len(messages(lab))
    finally:
        polls.stop()


def live_a_day(lab: EmulatedCourse, minutes: dict[str, int]) -> None:
    """Let each group use its minutes until now, with its cluster still running unless it has no usage."""
    left = max(minutes.values())
    for spent in sorted({*minutes.values(), 0} - {max(minutes.values())}, reverse=True) + [0]:
        for group in lab.names:
            if minutes[group] == left and left:
                assert lab.start(group) == 200
        lab.advance_minutes(left - spent)
        left = spent


def inject_faults(lab: EmulatedCourse, generator: random.Random) -> None:
    """Enable a few random faults of the workspace and the mail service."""
    places = ("*", "* /api/2.1/clusters/*", "* /api/2.0/permissions/*", "* /emails*")
    rules = [
        {
            "kind": generator.choice(KINDS),
            "match": generator.choice(places),
            "rate": generator.choice([0.1, 0.4, 1.0]),
            "after": generator.randrange(6),
            "seconds": 0.5,
        }
        for _ in range(generator.randrange(4))
    ]
    for rule in rules:
        if rule["kind"] != "hang":
            del rule["seconds"]
    lab.emulator.control("POST", "faults", {"rules": rules})


def messages(lab: EmulatedCourse) -> list[tuple[str, str]]:
    """Return group and operation id of every message to students, in the order of acceptance."""
    groups = {address: group for group in lab.names for address in addresses(lab, group)}
    found = []
    for message in lab.emulator.control("GET", "mail"):
        to = {groups[address] for address in map(_address, message["to"]) if address in groups}
        found += [(group, message["operation_id"]) for group in to]
    return found


def addresses(lab: EmulatedCourse, group: str) -> list[str]:
    number = lab.names.index(group) + 1
    return [f"student{number}{message}@campus.example.ac.il" for message in "ab"]


def _address(reported: Any) -> str:
    return str(reported["address"] if isinstance(reported, dict) else reported)
