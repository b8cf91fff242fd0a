"""Failed and cancelled launches do not count, neither before nor after a day is settled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emulator.faults.profiles import PROFILES, inject
from emulator.models.clusters import LaunchFailure
from enforcer.domain.quota import Restrict
from enforcer.domain.usage import usage_of
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.tick.run import run_tick
from fake_mail_service import FakeMailService
from in_process_course import SETTINGS, InProcessCourse
from labkit.clock import Deadline

M = timedelta(minutes=1)


@pytest.fixture
def lab() -> InProcessCourse:
    return InProcessCourse(1, soft=5 * M, hard=7 * M)


def tick(ledger: Ledger, lab: InProcessCourse, *, settles: bool = False):
    deadline = Deadline(M)
    return run_tick(
        SETTINGS, ledger, lab.connect(), FakeMailService(), now=lab.now(), deadline=deadline, settles=settles
    )


def figures(ledger: Ledger, lab: InProcessCourse) -> tuple[timedelta, tuple[str, ...], timedelta, bool]:
    """Return usage and reason for an estimate, for today so far and for today after settling."""
    snapshot, day = tick(ledger, lab).snapshot, lab.now().date()
    assert snapshot
    live = usage_of(snapshot, snapshot.clusters[0], day)
    lab.workspace.advance(24 * 3600)
    tick(ledger, lab, settles=True)
    (with_settled_total,) = queries.settled(ledger, day).values()
    return live.used, live.estimates, with_settled_total.used, with_settled_total.estimate


@pytest.mark.parametrize("profile", ["launch-failure", "launch-trouble"])
def test_a_failed_launch_does_not_count(ledger: Ledger, lab: InProcessCourse, profile: str) -> None:
    inject(lab.workspace.emulated.state, PROFILES[profile].service_faults)
    lab.start(lab.clusters[0])
    lab.workspace.advance(14 * 60)
    during = tick(ledger, lab)
    lab.workspace.advance(120)

    assert figures(ledger, lab) == (timedelta(), (), timedelta(), False)
    assert [action for action in during.actions if isinstance(action, Restrict)] == []


def test_a_launch_with_an_unknown_failure_does_not_count(ledger: Ledger, lab: InProcessCourse) -> None:
    failure = LaunchFailure(troubles=["A_TYPE_OF_TOMORROW"], seconds=5580)
    lab.workspace.emulated.state.clusters.set_launch_failures([failure])
    lab.start(lab.clusters[0])
    lab.workspace.advance(93 * 60)

    assert figures(ledger, lab) == (timedelta(), (), timedelta(), False)


def test_a_start_cancelled_at_once_counts_exactly_zero(ledger: Ledger, lab: InProcessCourse) -> None:
    lab.start(lab.clusters[0])
    lab.workspace.advance(1)
    lab.workspace.post("delete", lab.clusters[0])
    lab.workspace.advance(60)

    assert figures(ledger, lab) == (timedelta(), (), timedelta(), False)
