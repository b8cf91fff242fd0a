"""The service over hours with a hundred students who start clusters at random, by the emulator's clock."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from emulator.api.errors import ApiError
from emulator.metering.uptime import uptime
from enforcer.domain import timestamps
from enforcer.domain.observations import ObservedCluster
from enforcer.ledger.database import Ledger, open_ledger
from enforcer.operations.watch import LIST_INTERVAL, TICK_INTERVAL, TickSummary, watch
from enforcer.tick.run import run_tick
from enforcer.workspace.client import Workspace
from fake_mail_service import FakeMailService
from in_process_course import SETTINGS, InProcessCourse
from labkit.clock import Deadline

pytestmark = pytest.mark.waits

M, S, MS = timedelta(minutes=1), timedelta(seconds=1), timedelta(milliseconds=1)
SOFT, HARD = 2 * M, 3 * M


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(open_ledger(str(tmp_path / "uptimes.db"))) as ledger:
        ledger.database.execute_sql("PRAGMA synchronous = off")
        yield ledger


class Hours:
    """A workspace with stopped clusters, planned starts by students, and a service whose waits perform them."""

    def __init__(self, ledger: Ledger, clusters: int) -> None:
        self.ledger = ledger
        self.lab = InProcessCourse(clusters, soft=SOFT, hard=HARD)
        self.in_process, self.students, self.clusters = self.lab.workspace, self.lab.students, self.lab.clusters
        self.plans: list[tuple[datetime, int, str, str]] = []
        self.refused: Counter[str] = Counter()
        self.ticks: list[datetime] = []
        self.lists: list[datetime] = []
        self.begins = self.now()
        self.ends = self.begins
        self.watch_workspace, self.cron_workspace = self.lab.connect(), self.lab.connect()

    def now(self) -> datetime:
        return self.lab.now()

    def plan(self, at: datetime, deed: str, cluster_id: str = "") -> None:
        heapq.heappush(self.plans, (at, len(self.plans), deed, cluster_id))

    def wait_until(self, instant: datetime) -> bool:
        """Advance the clock and perform the starts planned until then."""
        while self.plans and self.plans[0][0] <= instant:
            at, _, deed, cluster_id = heapq.heappop(self.plans)
            self._go(at)
            if deed == "cron":
                self._poll(self.cron_workspace)
                continue
            try:
                self.in_process.post(deed, cluster_id, self.students[cluster_id] if deed == "start" else None)
            except ApiError as error:
                if "permission" in error.message:
                    self.refused[cluster_id] += 1
        self._go(instant)
        return self.now() < self.ends

    def _go(self, instant: datetime) -> None:
        seconds = (instant - self.now()).total_seconds()
        if seconds > 0:
            self.in_process.advance(seconds)

    def list_clusters(self, moment: datetime) -> tuple[ObservedCluster, ...]:
        self.lists.append(moment)
        return tuple(self.watch_workspace.clusters(now=moment))

    def tick(self) -> TickSummary:
        self.ticks.append(self.now())
        return self._poll(self.watch_workspace)

    def _poll(self, workspace: Workspace) -> TickSummary:
        deadline = Deadline(timedelta(minutes=1))
        result = run_tick(SETTINGS, self.ledger, workspace, FakeMailService(), now=self.now(), deadline=deadline)
        assert result.failures == () and result.snapshot
        return TickSummary(result.snapshot)

    def run(self, length: timedelta) -> None:
        self.ends = self.begins + length
        watch(now=self.now, wait_until=self.wait_until, clusters=self.list_clusters, tick=self.tick)

    def used(self, cluster_id: str) -> timedelta:
        """Return the usage since the deployment according to the workspace."""
        state = self.in_process.emulated.state
        return uptime(state.clusters, cluster_id, timestamps.to_millis(self.begins), self.in_process.now)[0] * MS


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.acceptance) for seed in range(2, 12))])
def test_no_cluster_runs_over_a_minute_past_its_limit(ledger: Ledger, seed: int, acceptance: bool) -> None:
    number = 100 if acceptance else 10
    hours, chance = Hours(ledger, number), random.Random(seed)
    for id in hours.clusters:
        start = hours.begins + chance.uniform(1, 2000) * S
        hours.plan(start, "start", id)
        if chance.random() < 0.5:
            # The cluster is stopped for a while, then started again, sometimes with almost no time left.
            off = start + chance.choice([chance.uniform(30, 170), 178]) * S
            hours.plan(off, "delete", id)
            hours.plan(off + chance.uniform(5, 200) * S, "start", id)
        for _ in range(2):
            hours.plan(hours.begins + chance.uniform(2500, 2690) * S, "start", id)
    for quarter in range(3):
        hours.plan(hours.begins + quarter * 15 * M + 7 * S, "cron")

    hours.run(45 * M)

    over = {id: hours.used(id) - HARD for id in hours.clusters}
    assert min(over.values()) >= timedelta(), "everybody had time to reach the limit"
    assert max(over.values()) <= 60 * S
    assert min(hours.refused[id] for id in hours.clusters) >= 1
    looked = sorted([*hours.lists, *hours.ticks])
    assert max(b - a for a, b in zip(looked, looked[1:], strict=False)) <= LIST_INTERVAL
    assert max(b - a for a, b in zip(hours.ticks, hours.ticks[1:], strict=False)) <= TICK_INTERVAL
    # There is one list per minute and one per tick; up to a hundred clusters fit on one page.
    assert len(hours.lists) <= 45
    assert hours.watch_workspace.calls["clusters/list"] == len(hours.lists) + len(hours.ticks)
    # A tick is caused by each of a session's two limits, a changed list, or 15 minutes without a tick.
    assert len(hours.ticks) <= 2 * 1.5 * number + len(hours.lists) + 3


def test_a_start_right_after_a_tick_is_stopped_in_time(ledger: Ledger) -> None:
    hours = Hours(ledger, 1)
    [id] = hours.clusters
    hours.plan(hours.begins + 10 * S, "start", id)
    hours.plan(hours.begins + 72 * S, "delete", id)
    # Nothing changes from the third minute on: the next tick is 15 minutes after the one that saw the stop.
    hours.plan(hours.begins + 17 * M + S, "start", id)

    hours.run(30 * M)

    assert hours.begins + 17 * M in hours.ticks
    assert timedelta() <= hours.used(id) - HARD <= 2 * S
    with pytest.raises(ApiError, match="permission"):
        hours.in_process.post("start", id, hours.students[id])
