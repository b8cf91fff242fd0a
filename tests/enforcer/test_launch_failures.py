"""Launches that fail or are called off cost a group nothing, before a day is settled and after it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from desk_lab import SETTINGS, DeskLab
from emulator.faults.profiles import PROFILES, disturb
from emulator.models.clusters import LaunchFailure
from enforcer.domain.quota import Restrict
from enforcer.domain.usage import usage_of
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.tick.run import run_tick
from labkit.clock import Deadline
from unreliable_mail import Service

M = timedelta(minutes=1)


@pytest.fixture
def lab() -> DeskLab:
    return DeskLab(1, soft=5 * M, hard=7 * M)


def tick(ledger: Ledger, lab: DeskLab, *, settles: bool = False):
    deadline = Deadline(M)
    return run_tick(SETTINGS, ledger, lab.connect(), Service(), now=lab.now(), deadline=deadline, settles=settles)


def figures(ledger: Ledger, lab: DeskLab) -> tuple[timedelta, tuple[str, ...], timedelta, bool]:
    """Used and why that is not exact: of today so far, and of today once it is settled."""
    picture, day = tick(ledger, lab).picture, lab.now().date()
    assert picture
    live = usage_of(picture, picture.clusters[0], day)
    lab.desk.advance(24 * 3600)
    tick(ledger, lab, settles=True)
    (fixed,) = queries.settled(ledger, day).values()
    return live.used, live.estimates, fixed.used, fixed.estimate


@pytest.mark.parametrize("profile", ["launch-failure", "launch-trouble"])
def test_a_launch_that_failed_costs_nothing(ledger: Ledger, lab: DeskLab, profile: str) -> None:
    disturb(lab.desk.workspace.state, PROFILES[profile].disturbances)
    lab.start(lab.clusters[0])
    lab.desk.advance(14 * 60)
    during = tick(ledger, lab)
    lab.desk.advance(120)

    assert figures(ledger, lab) == (timedelta(), (), timedelta(), False)
    assert [action for action in during.actions if isinstance(action, Restrict)] == []


def test_a_launch_whose_trouble_is_of_an_unknown_type_costs_nothing(ledger: Ledger, lab: DeskLab) -> None:
    failure = LaunchFailure(troubles=["A_TYPE_OF_TOMORROW"], seconds=5580)
    lab.desk.workspace.state.clusters.fail_launches([failure])
    lab.start(lab.clusters[0])
    lab.desk.advance(93 * 60)

    assert figures(ledger, lab) == (timedelta(), (), timedelta(), False)


def test_a_start_that_is_called_off_at_once_costs_nothing_and_is_no_estimate(ledger: Ledger, lab: DeskLab) -> None:
    lab.start(lab.clusters[0])
    lab.desk.advance(1)
    lab.desk.post("delete", lab.clusters[0])
    lab.desk.advance(60)

    assert figures(ledger, lab) == (timedelta(), (), timedelta(), False)
