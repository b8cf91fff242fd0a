"""Polls on an emulated workspace: warned, stopped, restored; windows and allowances; what others do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator_process import EmulatorProcess
from enforcer_lab import SUNDAY, EnforcerLab


@pytest.fixture(scope="module")
def still_emulator() -> Iterator[EmulatorProcess]:
    """One whose clock only the tests move."""
    with EmulatorProcess(["--speed", "0", "--transition-seconds", "0"]) as emulator:
        yield emulator


@pytest.fixture
def lab(still_emulator: EmulatorProcess, tmp_path: Path) -> EnforcerLab:
    still_emulator.control("POST", "reset")
    return EnforcerLab(still_emulator, tmp_path)


def test_a_group_over_its_limit_is_stopped_and_lowered_while_others_are_left_alone(lab: EnforcerLab) -> None:
    for group in lab.names:
        assert lab.start(group) == 200
    lab.poll()
    lab.wait(100)
    lab.stop("group_02")
    lab.wait(80)

    lab.poll()

    assert {group: (lab.state(group), lab.level(group)) for group in lab.names} == {
        "group_01": ("TERMINATED", "CAN_ATTACH_TO"),
        "group_02": ("TERMINATED", "CAN_RESTART"),
    }
    assert [lab.start(group) for group in lab.names] == [403, 200]
