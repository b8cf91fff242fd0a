"""For random sessions, allowances and calendars, also when the clocks change, the board has the figures of `usage`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.board.assemble import make_board
from enforcer.board.html import render_board
from enforcer.board.model import BoardFacts
from enforcer.domain.allowances import Allowance, LimitOverride, Window
from enforcer.domain.course import course_from_file
from enforcer.domain.day_records import PollRecord
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import Period, Quota
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import Observation, Role, Session
from enforcer.domain.usage import usage_of, with_group_totals, with_settled_total
from example_counts import exactly_examples
from labkit.course_file import CalendarEntry, CourseFile, GroupEntry, GroupLimits, Hours

pytestmark = pytest.mark.waits
M, DAY = timedelta(minutes=1), timedelta(days=1)
CLUSTERS = {"a": "group_01", "b": "group_01", "c": "group_02"}
BEGINS = (datetime(2026, 3, 22, 3, tzinfo=UTC), datetime(2026, 10, 20, 3, tzinfo=UTC), datetime(2026, 5, 4, tzinfo=UTC))
"""A week before the clocks change in one of the zones, and a usual week."""
ZONES = ("Asia/Jerusalem", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")
DAYS = 12

clocks = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
hours = st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1])
days = st.tuples(st.integers(0, DAYS), st.integers(0, 4))
changes = st.one_of(
    st.integers(-90, 90).map(lambda minutes: minutes * M),
    st.sampled_from(LimitOverride),
    hours.map(lambda pair: Window(None, *pair)),
)
groups = st.sampled_from([None, "group_01", "group_02"])
effects = st.sampled_from(["free", "unlimited", "blocked", "limits", "usual"])
pauses = st.tuples(st.integers(1, 900), st.integers(0, 600), st.sampled_from(Role))
"""Minutes without a session, minutes of the session, and the role of its starter."""


@st.composite
def facts_of_a_lab(draw: st.DrawFn) -> BoardFacts:
    zone, begins = ZoneInfo(draw(st.sampled_from(ZONES))), draw(st.sampled_from(BEGINS))
    now = begins + draw(st.integers(0, DAYS * 24 * 60)) * M
    first = begins.astimezone(zone).date()
    limits = GroupLimits(100, 120, draw(st.sampled_from([None, 400])), draw(st.sampled_from([None, 900])))
    calendar = tuple(
        CalendarEntry("class", "", first + a * DAY, first + (a + b) * DAY, effect, None, Hours(*clock), (), 50, 60)
        for (a, b), effect, clock in draw(st.lists(st.tuples(days, effects, hours), max_size=2))
    )
    file = CourseFile(
        "1",
        "t",
        "Lab",
        str(zone),
        first,
        first + 30 * DAY,
        "Sunday",
        draw(st.booleans()),
        tuple(GroupEntry(name, number, None, f"Team {number}", limits) for number, name in enumerate(
            dict.fromkeys(CLUSTERS.values()), 1
        )),
        calendar=calendar,
    )  # fmt: skip
    allowances = tuple(
        Allowance(f"x{n}", group, first + a * DAY, first + (a + b) * DAY, change, "why", "ta@x.org", begins)
        for n, ((a, b), group, change) in enumerate(
            draw(st.lists(st.tuples(days, groups, changes), min_size=1, max_size=4))
        )
    )
    sessions = {id: _sessions(draw(st.lists(pauses, min_size=2, max_size=20)), begins, now) for id in CLUSTERS}
    clusters = tuple(
        ObservedCluster(id, f"cluster_{id}", group, "1", "t", "terraform", _seen(sessions[id], now), "1")
        for id, group in CLUSTERS.items()
    )
    quota = Quota(100 * M, 120 * M)
    snapshot = Snapshot(now, course_from_file(file, zone), quota, clusters, sessions, allowances, {})
    settled = {}
    for day in (first + n * DAY for n in range(min(draw(st.integers(0, DAYS)), (snapshot.today - first).days))):
        for cluster in clusters:
            # A settled total may differ from what the sessions show now.
            settled[cluster.id, day] = usage_of(snapshot, cluster, day).used + draw(st.sampled_from([0 * M, 5 * M]))
    poll = PollRecord(now, now, 0)
    return BoardFacts(
        snapshot, now, poll, begins, settled, (), (poll,), frozenset(), frozenset(), (), 0, None, None
    )  # fmt: skip


def _sessions(pauses: list[tuple[int, int, Role]], begins: datetime, now: datetime) -> list[Session]:
    found: list[Session] = []
    at = begins
    for pause, length, role in pauses:
        start = at + pause * M
        end = start + length * M
        if start >= now:
            break
        found.append(Session(start, end if end <= now else None, "ana@x.org", role=role))
        at = end
    return found


def _seen(sessions: list[Session], now: datetime) -> Observation:
    return Observation(now, bool(sessions) and sessions[-1].end is None)


@exactly_examples(100, acceptance=2000)
@given(facts_of_a_lab())
def test_the_board_agrees_with_usage(facts: BoardFacts) -> None:
    snapshot = facts.snapshot
    board = make_board(facts)
    weeks = [week for week in board.weeks if week.has_begun]
    all_days = [weeks[0].first_day + number * DAY for number in range((snapshot.today - weeks[0].first_day).days + 1)]
    used: dict[tuple[str, date], timedelta] = {}
    for day in all_days:
        usages = [usage_of(snapshot, cluster, day) for cluster in snapshot.clusters]
        settled = [
            with_settled_total(usage, facts.settled[usage.cluster_id, day], None)
            if (usage.cluster_id, day) in facts.settled
            else usage
            for usage in usages
        ]
        used |= {(usage.group, day): usage.group_used for usage in with_group_totals(settled)}
        if day == snapshot.today:
            shown = {use.group.name: use for use in board.groups}
            for usage in usages:
                use = shown[usage.group]
                by_period = zip(Period, (use.day, use.week, use.term), strict=True)
                assert {period: one for period, one in by_period if one} == usage.limit_usages
    for row in board.heat:
        expected = [
            sum((used.get((row.use.group.name, week.first_day + n * DAY), timedelta()) for n in range(7)), timedelta())
            for week in weeks
        ]
        assert [cell.used for cell in row.cells] == expected
        assert row.use.used == used[row.use.group.name, snapshot.today]
    for one in board.running:
        if one.stops_at and one.tightest_usage:
            left = one.tightest_usage.left / snapshot.running_count(one.group.name)
            assert one.stops_at.astimezone(UTC) == snapshot.now + left
    counting = {
        c.id for c in snapshot.clusters if snapshot.is_counting(c) and not snapshot.is_in_window(group_of(c))
    }  # fmt: skip
    assert sum(one.is_counting for one in board.running) == len(counting)
    assert render_board(board).endswith("</html>")
