"""Random histories of time requests on two machines with two ledgers and one workspace: both find the same limits."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.board.assemble import make_board
from enforcer.board.facts import gather
from enforcer.domain.allowances import Allowance, LimitOverride, Revocation
from enforcer.domain.quota import Limit, Period
from enforcer.domain.snapshot import Snapshot
from enforcer.ledger.database import Ledger, empty_copy
from enforcer.operations.allowance_files import new_id
from enforcer.pages.content import page_content
from enforcer.tick.history import load_past_snapshot
from enforcer.time_requests import store
from enforcer.time_requests.answers import EXTENSION_PREFIX, approval, denial
from enforcer.time_requests.model import GIVEN, State, TimeRequest, by_group
from enforcer.time_requests.read import create_entry
from enforcer.workspace.errors import AlreadyExistsError
from example_counts import exactly_examples
from in_process_course import FOLDER, SETTINGS
from labkit.course_file import PageOptions
from request_lab import M, RequestLab

pytestmark = pytest.mark.waits

PER_WEEK = 2
EXAM = date(2026, 10, 26)
# The clocks go back on Sunday, 25 October, which is also the first day of a week.
BEGINS = datetime(2026, 10, 24, 18, 0, tzinfo=UTC)
KEYS: dict[str, Any] = {
    "extensions": {"minutes": 30, "per_week": PER_WEEK, "not_in": ["exam"]},
    "calendar": [
        {"kind": "exam", "title": "", "first_day": str(EXAM), "last_day": str(EXAM), "effect": "usual"},
        {"kind": "class", "title": "", "first_day": "2026-10-18", "last_day": "2027-01-31", "weekday": "Monday",
         "effect": "free", "hours": "22:00-01:00"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    verb: str
    group: int = 0
    machine: int = 0
    minutes: int = 0


GROUPS, MACHINES = st.integers(0, 1), st.integers(0, 1)
STEPS = st.one_of(
    st.builds(Step, st.just("write"), GROUPS, minutes=st.sampled_from([10, 20, 30, 31, 60, 0])),
    st.builds(Step, st.just("poll"), machine=MACHINES),
    st.builds(Step, st.sampled_from(["approve", "deny"]), GROUPS, MACHINES, st.sampled_from([15, 60])),
    st.builds(Step, st.sampled_from(["block", "revoke", "start", "stop"]), GROUPS),
    st.builds(Step, st.just("wait"), minutes=st.sampled_from([1, 7, 45, 170, 361, 24 * 60, 8 * 24 * 60])),
    st.builds(Step, st.just("stale poll"), machine=MACHINES),
)


class History:
    """Two machines that poll one workspace."""

    def __init__(self) -> None:
        self.lab = RequestLab(hard=120 * M, week=300 * M, start=BEGINS, **KEYS)
        self.ledgers = (empty_copy(), empty_copy())
        self.workspaces = (self.lab.connect(), self.lab.connect())

    def run(self, step: Step) -> None:
        lab, name = self.lab, self.lab.names[step.group]
        match step.verb:
            case "write":
                lab.write_request(name, f"{step.minutes} minutes: {step.minutes} more" if step.minutes else "# nothing")
            case "poll":
                self.poll(step.machine)
            case "stale poll":
                # Both machines list the allowances before either writes one.
                stale, files = self.lab.connect(), self.lab.connect().files
                listed = files(f"{FOLDER}/allowances")
                self.poll(1 - step.machine)
                stale.files = lambda folder: listed if folder.endswith("/allowances") else files(folder)  # type: ignore[method-assign]
                lab.poll(self.ledgers[step.machine], workspace=stale)
            case "wait":
                lab.workspace.advance(step.minutes * 60)
            case "start" | "stop":
                cluster = lab.clusters[step.group]
                is_off = lab.workspace.state(cluster) == "TERMINATED"
                if is_off == (step.verb == "start") and (step.verb == "stop" or lab.level(cluster) == "CAN_RESTART"):
                    (lab.start if is_off else lab.stop)(cluster)
                    lab.workspace.advance(2)
            case "approve" | "deny":
                self.answer(step, name)
            case "block":
                today = lab.now().date()
                block = Allowance(new_id(lab.now()), name, today, today, LimitOverride.BLOCKED, "x", "t", lab.now())
                create_entry(self.workspaces[0], FOLDER, block)
            case "revoke":
                for one in self.snapshot(0).allowances[-1:]:
                    entry = Revocation(new_id(lab.now()), one.id, "mistake", "t", lab.now())
                    create_entry(self.workspaces[0], FOLDER, entry)

    def answer(self, step: Step, name: str) -> None:
        """Answer the latest time request, as the commands do, which read the groups' files first."""
        self.poll(step.machine)
        snapshot = self.snapshot(step.machine)
        latest = by_group(store.load(self.ledgers[step.machine], snapshot.course)).get(name, ())[:1]
        for request in latest:
            if request.state in GIVEN or request.state is State.DENIED or request.minutes is None:
                continue
            today, now = snapshot.today, self.lab.now()
            entry = (
                approval(request, step.minutes, first_day=today, last_day=today, given_by="t", now=now)
                if step.verb == "approve"
                else denial(request, "no", given_by="t", now=now)
            )
            with suppress(AlreadyExistsError):
                create_entry(self.workspaces[step.machine], FOLDER, entry)

    def poll(self, machine: int) -> Snapshot:
        result = self.lab.poll(self.ledgers[machine], workspace=self.workspaces[machine])
        assert result.failures == ()
        assert result.snapshot
        return result.snapshot

    def snapshot(self, machine: int) -> Snapshot:
        """Return the snapshot of commands that read only the ledger."""
        return load_past_snapshot(self.ledgers[machine], SETTINGS, now=self.lab.now())

    def requests(self, machine: int, snapshot: Snapshot) -> tuple[TimeRequest, ...]:
        return store.load(self.ledgers[machine], snapshot.course)


def limits(snapshot: Snapshot, group: str) -> dict[Period, tuple[Limit, timedelta]]:
    return {usage.limit.period: (usage.limit, usage.used) for usage in snapshot.limit_usages_of(group)}


def on_the_board(ledger: Ledger, now: datetime) -> dict[str, object]:
    """Return the usage of the groups' limits on the staff's board."""
    board = make_board(gather(ledger, SETTINGS, now=now))
    return {one.group.name: (one.used, one.day, one.week) for one in board.groups}


@exactly_examples(25, acceptance=1000)
@given(st.lists(STEPS, min_size=3, max_size=25))
def test_two_machines_find_the_same_limits_and_give_nothing_twice(steps: list[Step]) -> None:
    history = History()
    with closing(history.ledgers[0]), closing(history.ledgers[1]):
        for machine in (0, 1):
            history.poll(machine)
        for step in steps:
            history.run(step)
        # After a minute every file is read, and after a poll each what one machine gave is known to both.
        history.lab.workspace.advance(60)
        for machine in (0, 1):
            history.poll(machine)
        polled = [history.poll(machine) for machine in (0, 1)]

        one, other = polled
        assert set(one.allowances) == set(other.allowances)
        answered = [allowance.time_request for allowance in one.allowances if allowance.time_request]
        assert len(answered) == len(set(answered))
        extensions = [entry for entry in one.entries if entry.id.startswith(EXTENSION_PREFIX)]
        weeks = [
            (entry.group, entry.id.rpartition("-")[0].rpartition("-")[0])
            for entry in extensions
            if isinstance(entry, Allowance)
        ]
        assert all(weeks.count(week) <= PER_WEEK for week in weeks)
        assert not [entry for entry in extensions if isinstance(entry, Allowance) and entry.first_day == EXAM]

        boards = [on_the_board(ledger, history.lab.now()) for ledger in history.ledgers]
        assert boards[0] == boards[1]
        for group in history.lab.names:
            expected = limits(one, group)
            assert limits(other, group) == expected
            assert [limits(history.snapshot(machine), group) for machine in (0, 1)] == [expected] * 2
            weekly = [a for a in one.allowances if a.covers(group, one.today) and isinstance(a.change, timedelta)]
            raised = sum((a.change for a in weekly if isinstance(a.change, timedelta) and not a.only_day), timedelta())
            if not one.in_force or Period.WEEK in expected:
                assert expected[Period.WEEK][0].hard >= 300 * M
                assert all(not a.only_day for a in expected[Period.WEEK][0].allowances)
                assert raised <= expected[Period.WEEK][0].hard - 300 * M
            pages = [
                page_content(
                    snapshot, group, PageOptions("en"), requests=given_of(history.requests(machine, snapshot), group)
                )
                for machine, snapshot in enumerate(polled)
            ]
            assert pages[0] == pages[1]
        for machine, snapshot in enumerate(polled):
            requests = history.requests(machine, snapshot)
            assert {request.id for request in requests if request.state in GIVEN} == set(answered)
            board = make_board(gather(history.ledgers[machine], SETTINGS, now=history.lab.now()))
            assert {entry.id for entry in board.time_requests or () if entry.is_waiting} == {
                request.id for request in requests if request.state is State.WAITING
            }


def given_of(requests: tuple[TimeRequest, ...], group: str) -> list[TimeRequest]:
    """Return the time requests of a group that gave it time: another machine may not know the others, and may know only
    how many minutes were given.
    """
    return [replace(request, minutes=None) for request in requests if request.group == group and request.state in GIVEN]
