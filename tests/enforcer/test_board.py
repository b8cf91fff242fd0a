"""The staff's board from facts: what it shows, what it hides, and what it does not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from enforcer.board.assemble import make_board
from enforcer.board.chart import burn_down_chart, burn_down_sentence
from enforcer.board.demo import FIRST_DAY, LAST_DAY, NOW, demo_facts
from enforcer.board.html import render_board
from enforcer.board.model import Board, BoardFacts, GroupName, State
from enforcer.domain.allowances import Allowance, LimitOverride
from enforcer.domain.day_records import PollRecord
from enforcer.domain.quota import Period
from enforcer.domain.usage import usage_of

M, HOUR = timedelta(minutes=1), timedelta(hours=1)
LARGEST_PAGE = 500_000
"""Maximum size of the page for 100 groups and a whole term, in bytes."""
HOSTILE = (
    "<script>document.title='hit'</script>",
    '"><img src=x onerror=alert(1)>',
    "</table></section><h1>Stop</h1>",
    "{{ 7*7 }}{% raw %}",
    "\u202etxet\u2066 lanoitceridib",
    "<!--",
    "&lt;b&gt; &amp; ' \" `",
    "x" * 500,
    "\x00\x1b[31mred",
    "כותרת <b>ימנית</b>",
)


@pytest.fixture(scope="module")
def facts() -> BoardFacts:
    return demo_facts()


@pytest.fixture(scope="module")
def board(facts: BoardFacts) -> Board:
    return make_board(facts)


class Elements(HTMLParser):
    """Counts the elements of a page, and keeps its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_running_clusters_come_in_the_order_of_their_stops(board: Board) -> None:
    shown = [(one.group.name, one.is_counting, one.stops_at and f"{one.stops_at:%H:%M}") for one in board.running]
    assert shown == [
        ("group_02", True, "17:34"),
        ("group_08", True, "18:33"),
        ("group_01", True, "18:45"),
        ("group_04", True, "19:30"),
        ("group_05", False, None),
    ]


def test_a_limit_that_midnight_resets_does_not_stop_a_cluster(facts: BoardFacts) -> None:
    late = replace(facts.snapshot, now=datetime(2026, 12, 7, 21, 30, tzinfo=UTC))
    given = Allowance("a", "group_08", NOW.date(), NOW.date(), 600 * M, "more", "", NOW)
    more = replace(late, allowances=(*late.allowances, given))
    (one,) = [one for one in make_board(replace(facts, snapshot=more)).running if one.group.name == "group_08"]
    assert one.tightest_usage and (one.tightest_usage.left > HOUR, one.stops_at) == (True, None)


def test_every_figure_of_today_equals_that_of_usage(facts: BoardFacts, board: Board) -> None:
    snapshot = facts.snapshot
    usages = {usage.group: usage for usage in (usage_of(snapshot, c, snapshot.today) for c in snapshot.clusters)}
    for use in board.groups:
        usage = usages[use.group.name]
        found = {period: one for period, one in zip(Period, (use.day, use.week, use.term), strict=True) if one}
        assert (use.used, found) == (usage.used, usage.limit_usages)


def test_settled_and_computed_days_give_the_same_heat_map(facts: BoardFacts, board: Board) -> None:
    computed = make_board(replace(facts, settled={}))
    assert [row.cells for row in computed.heat] == [row.cells for row in board.heat]


def test_a_settled_total_is_shown_instead_of_the_sessions(facts: BoardFacts) -> None:
    cluster = facts.snapshot.clusters[0]
    monday = date(2026, 11, 30)
    settled = {key: timedelta() for key in facts.settled} | {(cluster.id, monday): 7 * HOUR}
    row = make_board(replace(facts, settled=settled)).heat[0]
    assert [cell.used for cell in row.cells][-2:] == [7 * HOUR, make_board(facts).groups[0].used]


def test_states_follow_the_limits_of_today(board: Board) -> None:
    states = {use.group.name: use.state for use in board.groups if use.state is not State.USUAL}
    assert states == {"group_07": State.OVER, "group_10": State.BLOCKED}
    assert [use.group.name for use in board.groups if use.is_restricted] == ["group_07", "group_10"]


def test_a_group_without_limits_is_unlimited(facts: BoardFacts) -> None:
    snapshot = facts.snapshot
    given = Allowance("a", "group_01", NOW.date(), NOW.date(), LimitOverride.UNLIMITED, "exam", "", NOW)
    use = make_board(replace(facts, snapshot=replace(snapshot, allowances=(given,)))).groups[0]
    assert (use.state, use.day, use.week is None, use.term is None) == (State.UNLIMITED, None, True, True)


def test_weeks_cover_the_term_and_only_begun_ones_have_cells(board: Board) -> None:
    assert (board.weeks[0].first_day, board.weeks[-1].last_day >= LAST_DAY) == (FIRST_DAY, True)
    begun = [week for week in board.weeks if week.has_begun]
    assert [week.is_current for week in begun] == [False] * 7 + [True]
    assert {len(row.cells) for row in board.heat} == {8}


def test_a_long_course_shows_the_weeks_around_today(facts: BoardFacts) -> None:
    course = facts.snapshot.course
    calendar = replace(course.calendar, first_day=date(2025, 10, 1), last_day=date(2027, 10, 1))
    snapshot = replace(facts.snapshot, course=replace(course, calendar=calendar))
    weeks = make_board(replace(facts, snapshot=snapshot)).weeks
    assert (len(weeks), sum(week.is_current for week in weeks)) == (26, 1)


def test_the_burn_down_ends_with_a_band_around_its_forecast(board: Board) -> None:
    burn_down = board.burn_down
    at_end = burn_down.forecast.at_end
    assert at_end and at_end.low < at_end.expected < at_end.high
    assert burn_down.used_by_day[-1] == (NOW.date(), sum((use.term_used for use in board.groups), timedelta()))
    chart = burn_down_chart(burn_down)
    numbers = [float(number) for point in f"{chart.used} {chart.band}".split() for number in point.split(",")]
    assert (min(numbers) >= 0, max(numbers) <= 100, chart.used.startswith("0,0 ")) == (True, True, True)
    assert burn_down_sentence(burn_down).startswith("772 h of 1,423 h used (54%). Forecast for 31 January: about ")


def test_without_limits_of_the_term_the_chart_shows_the_use(facts: BoardFacts) -> None:
    course = facts.snapshot.course
    groups = {
        name: replace(group, quota=replace(group.quota, term=None, week=None)) for name, group in course.groups.items()
    }
    snapshot = replace(facts.snapshot, course=replace(course, groups=groups))
    board = make_board(replace(facts, snapshot=snapshot))
    assert (board.burn_down.budget, board.burn_down.groups_over) == (None, None)
    assert "not every group has a limit for the term" in render_board(board)


def test_a_forecast_from_few_days_is_unknown(facts: BoardFacts) -> None:
    sessions = {
        id: [one for one in found if one.start > NOW - timedelta(days=5)]
        for id, found in facts.snapshot.sessions.items()
    }
    young = replace(facts, settled={}, first_poll=NOW - timedelta(days=5))
    board = make_board(replace(young, snapshot=replace(facts.snapshot, sessions=sessions)))
    assert (board.burn_down.forecast.at_end, board.burn_down.groups_over) == (None, None)
    assert burn_down_sentence(board.burn_down).endswith("The forecast needs two weeks of use.")
    assert burn_down_chart(board.burn_down).band == ""


def test_gaps_between_polls_are_counted_in_missed_polls(board: Board) -> None:
    assert [(f"{gap.begins:%a %H:%M}", f"{gap.ends:%H:%M}", gap.missed) for gap in board.gaps] == [
        ("Sun 20:16", "21:16", 3),
        ("Sat 12:16", "14:31", 8),
    ]


def test_a_silent_enforcer_has_an_open_gap_and_is_late(facts: BoardFacts) -> None:
    board = make_board(replace(facts, made_at=NOW + 3 * HOUR))
    gap = board.gaps[0]
    assert (gap.is_open, gap.missed, board.health.is_late) == (True, 11, True)
    assert board.alerts[0].text == "The last poll was 3:04 h ago; the figures are from then."


def test_a_ledger_without_polls_has_no_health(facts: BoardFacts) -> None:
    board = make_board(replace(facts, polls=(), last_poll=None, first_poll=None))
    assert (board.health.last_poll, board.health.lag, board.health.is_late, board.gaps) == (None, None, True, ())
    assert board.alerts[0].text == "No poll has run yet."
    assert "no poll yet" in render_board(board)


def test_a_failed_action_disappears_once_it_succeeds(facts: BoardFacts) -> None:
    (failed,) = [action for action in facts.actions if action.error]
    assert [entry.group.name for entry in make_board(facts).health.failed_actions] == ["group_10"]
    done = replace(failed, error=None, noted=NOW, done=NOW)
    assert make_board(replace(facts, actions=(*facts.actions, done))).health.failed_actions == ()


def test_a_held_stop_is_shown_while_the_cluster_runs_over_its_limit(facts: BoardFacts) -> None:
    snapshot = facts.snapshot
    cut = Allowance("a", "group_01", NOW.date(), NOW.date(), -200 * M, "typing error", "", NOW)
    held = frozenset(cluster.id for cluster in snapshot.clusters[:2])
    board = make_board(replace(facts, held=held, snapshot=replace(snapshot, allowances=(cut,))))
    assert board.health.held == (GroupName("group_01", "Data Pirates"),)


def test_unknown_is_never_shown_as_nothing(facts: BoardFacts) -> None:
    unknown = " ".join(Elements(render_board(make_board(replace(facts, others=None, users_without_group=None)))).text)
    assert "Unknown: no poll has recorded it yet." in unknown and "Users in no group unknown" in " ".join(
        unknown.split()
    )
    none = " ".join(Elements(render_board(make_board(replace(facts, others=(), users_without_group=0)))).text)
    assert "Every running cluster is the lab's." in none and "Users in no group none" in " ".join(none.split())


def test_people_appear_only_with_names(facts: BoardFacts) -> None:
    mail = replace(facts.failed_messages[0], error="cannot deliver to dana@campus.example")
    facts = replace(facts, failed_messages=(mail,))
    without, names = (render_board(make_board(facts, with_names=with_names)) for with_names in (False, True))
    assert ("campus.example" in without, "(address)" in without) == (False, True)
    for person in ("ana@campus.example", "dana@campus.example", "student3@campus.example"):
        assert person in names


def test_the_calendar_shows_each_day_of_a_weekly_entry(board: Board) -> None:
    assert [(str(entry.first_day), entry.effect, entry.is_today) for entry in board.calendar] == [
        ("2026-12-07", "10:00-12:00 does not count", True),
        ("2026-12-11", "usual limits", False),
        ("2026-12-14", "10:00-12:00 does not count", False),
        ("2026-12-14", "unlimited", False),
        ("2026-12-18", "blocked", False),
    ]


def test_waiting_time_requests_come_first_and_are_an_alert(facts: BoardFacts, board: Board) -> None:
    shown = [(one.group.name, one.minutes, one.is_waiting, one.outcome) for one in board.time_requests or ()]
    assert shown == [
        ("group_07", 60, True, "waiting"),
        ("group_03", 45, True, "waiting"),
        ("group_06", 30, False, "granted 30 minutes"),
    ]
    assert "2 time requests waiting for an answer." in [alert.text for alert in board.alerts]
    later = make_board(replace(facts, made_at=NOW + timedelta(days=7))).time_requests or ()
    assert [(one.group.name, one.outcome) for one in later] == [("group_03", "expired"), ("group_07", "expired")]
    assert make_board(replace(facts, made_at=NOW + timedelta(days=20))).time_requests == ()


def test_a_course_without_time_requests_has_no_section_for_them(facts: BoardFacts) -> None:
    course = replace(facts.snapshot.course, requests=None)
    board = make_board(replace(facts, time_requests=(), snapshot=replace(facts.snapshot, course=course)))
    assert (board.time_requests, "Requests for more time" in render_board(board)) == (None, False)


def test_hostile_titles_create_no_element(facts: BoardFacts, board: Board) -> None:
    hostile = demo_facts(titles=HOSTILE)
    action = replace(hostile.actions[0], reason=HOSTILE[0])
    hostile = replace(hostile, actions=(*hostile.actions[1:], action))
    page = render_board(make_board(hostile))
    before, after = Elements(render_board(board)), Elements(page)
    assert after.tags == before.tags
    text = "".join(after.text)
    assert "<script>document.title='hit'</script>" in text and "{{ 7*7 }}{% raw %}" in text
    assert not set("\u202e\u2066\x00\x1b") & set(page)


def test_the_page_loads_nothing_and_allows_no_script(board: Board) -> None:
    page = render_board(board)
    tags = Elements(page).tags
    assert not {"script", "link", "img", "iframe", "form", "object", "embed"} & tags.keys()
    assert "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'" in page.replace(
        "&#39;", "'"
    )
    assert "url(" not in page and "@import" not in page and "http" not in page.replace("http-equiv", "")


def test_the_page_of_100_groups_and_a_term_is_small(facts: BoardFacts) -> None:
    hundred = demo_facts(100, titles=("קבוצה ארוכה במיוחד <&> " * 3,))
    shown = (*hundred.actions, *(replace(hundred.actions[0], noted=NOW - n * M) for n in range(2000)))
    page = render_board(make_board(replace(hundred, actions=shown), with_names=True))
    assert len(page.encode()) < LARGEST_PAGE
    assert page.count("<tr>") < 1000


def test_the_demo_is_the_same_every_time() -> None:
    assert render_board(make_board(demo_facts(), is_demo=True)) == render_board(make_board(demo_facts(), is_demo=True))


def test_polls_of_a_watch_leave_no_gap(facts: BoardFacts) -> None:
    polls = tuple(PollRecord(NOW - n * 14 * M, NOW - n * 14 * M, 0) for n in range(800, -1, -1))
    assert make_board(replace(facts, polls=polls, last_poll=polls[-1])).gaps == ()


def test_the_budget_is_the_sum_of_the_limits_of_the_term(board: Board) -> None:
    assert board.burn_down.budget == sum((use.term.limit.hard for use in board.groups if use.term), timedelta())
