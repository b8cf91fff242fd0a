"""The requests of a day of polls, which give the same figures as reading everything."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from emulated_course import EmulatedCourse
from emulator.control.state_changes import KINDS
from emulator.metering.uptime import uptime
from emulator_process import EmulatorProcess
from enforcer.domain import timestamps
from enforcer.domain.uptime import day_bounds
from enforcer.domain.usage import MILLISECOND, usage_of
from enforcer.ledger.database import Ledger
from enforcer.tick.run import TickResult, run_tick
from fake_mail_service import FakeMailService
from in_process_course import SETTINGS, InProcessCourse
from labkit.clock import Deadline

pytestmark = pytest.mark.waits

M = timedelta(minutes=1)
MOST_OF_A_DAY = 350


def tick(ledger: Ledger, lab: InProcessCourse, counted: Counter[str], *, settles: bool = False) -> TickResult:
    """Poll with a new connection, as cron does."""
    workspace = lab.connect()
    result = run_tick(
        SETTINGS, ledger, workspace, FakeMailService(), now=lab.now(), deadline=Deadline(M), settles=settles
    )
    counted.update(workspace.calls)
    assert result.failures == ()
    return result


def test_a_polled_day_is_exact_with_few_requests(ledger: Ledger) -> None:
    lab, counted = InProcessCourse(30, soft=150 * M, hard=180 * M), Counter[str]()
    for number in range(63):
        for session in range(12):
            begins = 2 + 4 * session
            if number == begins:
                lab.start(lab.clusters[session])
            if number == begins + 4 + session % 4 * 4:
                lab.workspace.post("delete", lab.clusters[session])
        lab.workspace.advance(7)
        result = tick(ledger, lab, counted)
        lab.workspace.advance(893)
        assert result.snapshot
        for cluster in result.snapshot.clusters:
            begins_at, _ = day_bounds(result.snapshot.today, result.snapshot.course.calendar.tz)
            reported = usage_of(result.snapshot, cluster, result.snapshot.today)
            begins_ms, now_ms = timestamps.to_millis(begins_at), timestamps.to_millis(result.snapshot.now)
            ground_truth = uptime(lab.workspace.emulated.state.clusters, cluster.id, begins_ms, now_ms)[0]
            assert (reported.used // MILLISECOND, reported.estimates) == (ground_truth, ())
    tick(ledger, lab, counted, settles=True)

    assert counted.total() <= MOST_OF_A_DAY, counted


def test_ended_job_clusters_need_no_requests(ledger: Ledger) -> None:
    lab, without, beside = InProcessCourse(3, soft=150 * M, hard=180 * M), Counter[str](), Counter[str]()
    tick(ledger, lab, Counter())
    lab.workspace.advance(60)
    tick(ledger, lab, without)
    KINDS["job_clusters"](lab.workspace.emulated, "nightly", 2000)
    lab.workspace.advance(60)

    tick(ledger, lab, beside)

    assert beside == without


@pytest.mark.process
def test_an_idle_poll_only_requests_the_list_and_two_folders(frozen_emulator: EmulatorProcess, tmp_path) -> None:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path)
    for _ in range(2):
        lab.poll()
        lab.advance_minutes(15)
    before = len(frozen_emulator.request_log())

    lab.poll()

    asked = [line["path"] for line in frozen_emulator.request_log()[before:]]
    assert asked == ["/api/2.1/clusters/list", "/api/2.0/workspace/list", "/api/2.0/workspace/list"]
