"""A quota applies to the group: to all its clusters, including deleted ones, and equally in every command."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.commands.usage import usages_of
from enforcer.domain.quota import Period, Restrict, Stop, Warn
from enforcer.domain.settled_totals import parse_settled
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import day_bounds
from enforcer.ledger.database import Ledger
from enforcer.operations.watch import TickSummary, next_due
from enforcer.reports.recorded import report_of
from enforcer.tick.history import load_past_snapshot
from enforcer.tick.restricted import restricted
from enforcer.tick.run import TickResult, run_tick
from example_counts import exactly_examples
from fake_mail_service import FakeMailService
from in_process_course import FOLDER, SETTINGS, InProcessCourse
from labkit.clock import Deadline
from ledgers import clear

pytestmark = pytest.mark.waits

M, H, S = timedelta(minutes=1), timedelta(hours=1), timedelta(seconds=1)
HARD, WEEK = 180 * M, 300 * M


@pytest.fixture
def lab() -> InProcessCourse:
    return InProcessCourse(2, soft=150 * M, hard=HARD, week=WEEK)


def tick(ledger: Ledger, lab: InProcessCourse, mail: FakeMailService | None = None, **more: Any) -> TickResult:
    deadline = Deadline(M)
    return run_tick(
        SETTINGS, ledger, lab.connect(), mail or FakeMailService(), now=lab.now(), deadline=deadline, **more
    )


def kinds(result: TickResult) -> list[tuple[type, str]]:
    return [(type(action), action.cluster_id) for action in result.actions]


def test_two_running_clusters_share_the_limit_of_their_group(ledger: Ledger, lab: InProcessCourse) -> None:
    first, second = lab.clusters[0], lab.make_cluster("group_001")
    for id in (first, second):
        lab.start(id)
    lab.workspace.advance(76 * 60)
    near = tick(ledger, lab)
    assert kinds(near) == [(Warn, first)]
    assert near.snapshot and near.snapshot.limit_usages(near.snapshot.clusters[0])[0].used == 152 * M - 4 * S
    # Two running clusters use up the remaining time in half the time.
    assert next_due(TickSummary(near.snapshot)) == lab.now() + (HARD - 152 * M + 4 * S) / 2

    lab.workspace.advance(15 * 60)
    over = tick(ledger, lab)
    tick(ledger, lab)

    assert kinds(over) == [(Restrict, first), (Stop, first), (Restrict, second), (Stop, second)]
    assert {lab.workspace.state(first), lab.workspace.state(second)} == {"TERMINATING", "TERMINATED"} - (
        {"TERMINATED"} if lab.workspace.state(first) == "TERMINATING" else {"TERMINATING"}
    )
    messages = ledger.database.execute_sql("SELECT kind, COUNT(*) FROM message GROUP BY kind ORDER BY kind").fetchall()
    assert messages == [("stopped", 1), ("warning", 1)]


def test_usage_of_a_replaced_cluster_still_counts_for_its_group(ledger: Ledger, lab: InProcessCourse) -> None:
    old = lab.clusters[0]
    lab.start(old)
    lab.workspace.advance(160 * 60)
    tick(ledger, lab)
    lab.remove(old)
    new = lab.make_cluster("group_001")
    lab.start(new)
    lab.workspace.advance(25 * 60)
    result = tick(ledger, lab)

    assert kinds(result) == [(Restrict, new), (Stop, new)]
    rows = usages_of(ledger, load_past_snapshot(ledger, SETTINGS, now=lab.now()), lab.now().date(), lab.now().date())
    minutes = [(row.cluster_id, row.used // M, row.group_used // M) for row in rows if row.group == "group_001"]
    assert sorted(minutes) == sorted([(old, 159, 184), (new, 24, 184)])
    # The usage is stored in `settled.json`, so that it is known without the ledger.
    settled = parse_settled(lab.connect().read(f"{FOLDER}/settled.json"), "settled.json")
    assert [(id, gone.group) for id, gone in settled.gone.items()] == [(old, "group_001")]
    assert restricted(lab.connect(), "94290", "2026w", now=lab.now()) == ({"group_001": "day 180"}, [])


def test_only_time_past_the_groups_limit_is_shown_as_overrun(ledger: Ledger, lab: InProcessCourse) -> None:
    first, second = lab.clusters[0], lab.make_cluster("group_001")
    lab.start(first)
    lab.workspace.advance(170 * 60)
    lab.stop(first)
    lab.start(second)
    lab.workspace.advance(20 * 60)
    tick(ledger, lab)

    report = report_of(ledger, load_past_snapshot(ledger, SETTINGS, now=lab.now()), lab.now().date())
    past = {row.of.cluster_id: row.of.overrun // M for row in report.rows}
    assert (past[first], past[second]) == (0, 9)


# --- all commands compute the same usage


@dataclass
class Truth:
    """A model of a course, which records the usage that the test causes."""

    lab: InProcessCourse
    running: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    """When a running cluster started, and whether it counts."""
    ran: list[tuple[str, datetime, datetime, bool]] = field(default_factory=list)
    """Group, start, end, and whether it counts."""
    groups: dict[str, str] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.groups = dict(zip(self.lab.clusters, self.lab.names, strict=True))

    def ends(self, id: str) -> None:
        if id in self.running:
            begun, counts = self.running.pop(id)
            self.ran.append((self.groups[id], begun, self.lab.now(), counts))

    def used(self, group: str, begins: datetime, ends: datetime) -> timedelta:
        now = self.lab.now()
        open_ones = [(self.groups[id], begun, now, counts) for id, (begun, counts) in self.running.items()]
        return sum(
            (
                max(timedelta(), min(end, ends, now) - max(begun, begins))
                for of, begun, end, counts in [*self.ran, *open_ones]
                if counts and of == group
            ),
            timedelta(),
        )


STEPS = st.tuples(
    st.sampled_from(
        ["start", "start", "start", "stop", "wait", "wait", "again", "second", "hide", "show", "move", "staff", "night"]
    ),
    st.integers(0, 3),
    st.integers(3, 90),
)


def poll(truth: Truth, ledger: Ledger, *, settles: bool) -> Snapshot:
    result = tick(ledger, truth.lab, settles=settles)
    for action in result.actions:
        if isinstance(action, Stop):
            truth.ends(action.cluster_id)
    assert result.snapshot
    return result.snapshot


def take(truth: Truth, ledger: Ledger, step: tuple[str, int, int]) -> bool:
    """Perform a step; return whether a night passed."""
    lab, (verb, which, minutes) = truth.lab, step
    ids = list(truth.groups)
    present = [id for id in ids if id in lab.workspace.emulated.state.clusters.by_id]
    id = present[which % len(present)]
    group = truth.groups[id]
    if (verb == "staff" or (verb == "start" and lab.level(id) == "CAN_RESTART")) and id not in truth.running:
        # Permissions apply at once, even if a new member is not in the lists yet.
        student = lab.students[id]
        lab.workspace.grant(id, student, "CAN_RESTART")
        lab.workspace.post("start", id, student if verb == "start" else None)
        lab.workspace.grant(id, student, None)
        truth.running[id] = (lab.now() + 2 * S, verb == "start")
    elif verb == "stop" and id in truth.running:
        lab.stop(id)
        truth.ends(id)
    elif verb == "again":
        # Its events are deleted with the cluster, so it counts until it was last seen running.
        poll(truth, ledger, settles=False)
        truth.ends(id)
        lab.remove(id)
        truth.groups[lab.make_cluster(group)] = group
    elif verb == "second" and len(present) < 5:
        truth.groups[lab.make_cluster(group)] = group
    elif verb == "hide":
        truth.hidden += lab.members(group)
        lab.members(group).clear()
    elif verb == "show" and truth.hidden:
        lab.members(group).append(truth.hidden.pop())
    elif verb == "move" and lab.members(group):
        other = lab.names[1 - lab.names.index(group)]
        lab.members(other).append(lab.members(group).pop())
    lab.workspace.advance(minutes * 60)
    if verb == "night":
        lab.workspace.advance((24 * H).total_seconds())
    return verb == "night"


@exactly_examples(25)
@given(st.lists(STEPS, min_size=1, max_size=14))
def test_all_commands_compute_the_same_usage(module_ledger: Ledger, steps: list[tuple[str, int, int]]) -> None:
    ledger, lab = module_ledger, InProcessCourse(2, soft=150 * M, hard=HARD, week=WEEK)
    clear(ledger)
    truth = Truth(lab)
    poll(truth, ledger, settles=False)
    for step in steps:
        settles = take(truth, ledger, step)
        check(truth, ledger, lab, poll(truth, ledger, settles=settles))
        lab.workspace.advance(3)


def check(truth: Truth, ledger: Ledger, lab: InProcessCourse, polled: Snapshot) -> None:
    now, calendar = lab.now(), polled.course.calendar
    today = polled.today
    first = calendar.days(Period.WEEK, today)[0]
    for group in lab.names:
        day = truth.used(group, *day_bounds(today, calendar.tz))
        week = truth.used(group, day_bounds(first, calendar.tz)[0], now)
        limit_usages = {usage.limit.period: usage.used for usage in polled.limit_usages_of(group)}
        assert limit_usages == {Period.DAY: day, Period.WEEK: week}, group

        past = load_past_snapshot(ledger, SETTINGS, now=now)
        rows = [row for row in usages_of(ledger, past, today, today) if row.group == group]
        assert {(row.group_used, row.limit_usages[Period.WEEK].used) for row in rows} == {(day, week)}
        assert sum((row.used for row in rows), timedelta()) == day
        report = report_of(ledger, past, today)
        assert sum((row.of.used for row in report.rows if row.of.group == group), timedelta()) == day
    lowest = [id for id in truth.groups if id in lab.workspace.emulated.state.clusters.by_id]
    before = {id: lab.level(id) for id in lowest}
    for id in lowest:
        lab.grant(id, {"group_name": truth.groups[id]}, "CAN_ATTACH_TO")
    answer, problems = restricted(lab.connect(), "94290", "2026w", now=now)
    over = {group for group in lab.names if any(usage.is_over for usage in polled.limit_usages_of(group))}
    assert (set(answer), problems) == (over, [])
    for id, level in before.items():
        lab.grant(id, {"group_name": truth.groups[id]}, level)
    due = next_due(TickSummary(replace(polled, problems=())))
    for group in lab.names:
        count = sum(truth.groups[id] == group and counts for id, (_, counts) in truth.running.items())
        for usage in polled.limit_usages_of(group) if count else ():
            if not usage.is_over:
                assert due <= max(now + S, now + (usage.limit.hard - usage.used) / count)
