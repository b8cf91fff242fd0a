"""The weekly digest: its figures, what is unusual, and hostile names in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from enforcer.domain.allowances import Allowance, LimitOverride
from enforcer.domain.course import Course, CourseGroup
from enforcer.domain.day_records import RecordedAction
from enforcer.domain.observations import OtherCluster
from enforcer.domain.quota import Calendar, Quota
from enforcer.domain.snapshot import Snapshot
from enforcer.reports.forecast import Band
from enforcer.reports.week_format import MOST_LINES, values_of, week_message
from enforcer.reports.week_report import (
    GroupWeek,
    TimeRequestCounts,
    WeekRecords,
    WeekReport,
    last_complete_week,
    make_week_report,
)
from enforcer.settings import load_settings
from labkit.course_file import CalendarEntry

TZ = ZoneInfo("Asia/Jerusalem")
H, M, ZERO = timedelta(hours=1), timedelta(minutes=1), timedelta()
TERM_BEGINS, TERM_ENDS = date(2026, 10, 18), date(2026, 11, 14)
WEEK = (date(2026, 11, 1), date(2026, 11, 7))
NOW = datetime(2026, 11, 8, 0, 20, tzinfo=TZ).astimezone(UTC)
QUOTA = Quota(150 * M, 180 * M, 10 * H, 30 * H)
SETTINGS = load_settings({"REPORT_RECIPIENT_EMAIL": "teacher@example.ac.il"})
HOSTILE = "<script>alert(1)</script> & \u202eabc"


def snapshot_of(*, entries: tuple[CalendarEntry, ...] = (), allowances: tuple[Allowance, ...] = ()) -> Snapshot:
    groups = {f"group_{n:02}": CourseGroup(f"group_{n:02}", n, f"Team {n}", QUOTA) for n in (1, 2, 3)}
    calendar = Calendar(TZ, TERM_BEGINS, TERM_ENDS, 6)
    course = Course("94290", "2026w", "Data Engineering", calendar, False, groups, entries=entries)
    return Snapshot(NOW, course, QUOTA, (), {}, allowances, {})


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def totals(**by_week: tuple[timedelta, timedelta, timedelta]) -> dict[str, dict[date, timedelta]]:
    """Return daily usage: the same on each day of each of the three weeks."""
    return {
        group: {day: weeks[number // 7] for number, day in enumerate(days(TERM_BEGINS, WEEK[1]))}
        for group, weeks in by_week.items()
    }


USUAL = totals(group_01=(H, H, H), group_02=(30 * M, 30 * M, 2 * H), group_03=(H, H, ZERO))


def report_of(records: WeekRecords | None = None, snapshot: Snapshot | None = None) -> WeekReport:
    return make_week_report(snapshot or snapshot_of(), WEEK, USUAL, records or WeekRecords())


def action(kind: str, group: str, *, error: str | None = None) -> RecordedAction:
    return RecordedAction(kind, f"c-{group}", group, "", NOW, None if error else NOW, error)


def test_a_report_has_used_left_usual_and_the_expected_end_of_each_group() -> None:
    records = WeekRecords((action("warn", "group_02"), action("stop", "group_02"), action("stop", "group_02")))
    report = report_of(records)
    assert report == WeekReport(
        "Data Engineering",
        NOW.astimezone(TZ),
        *WEEK,
        (
            GroupWeek("group_02", "Team 2", 14 * H, 3.5 * H, 2, 1, 10 * H, 21 * H, 30 * H, None, False),
            GroupWeek("group_01", "Team 1", 7 * H, 7 * H, 0, 0, 10 * H, 21 * H, 30 * H, None, False),
            GroupWeek("group_03", "Team 3", ZERO, 7 * H, 0, 0, 10 * H, 14 * H, 30 * H, None, False),
        ),
        17.5 * H,
        False,
        TERM_ENDS,
        report.forecast,
        records,
    )
    assert (report.used, [one.left for one in report.groups]) == (21 * H, [9 * H, 9 * H, 16 * H])
    assert [one.group for one in report.far_above] == ["group_02"]
    assert [one.group for one in report.idle] == ["group_03"]
    assert (report.forecast.used, len(report.forecast.days)) == (56 * H, 7)
    assert report.forecast.at_end == Band(56 * H + 7 * 2.5 * H, 56 * H + 7 * H * 8 / 3, 56 * H + 7 * 2.75 * H)


def test_groups_that_reach_or_have_reached_their_term_limit_are_listed() -> None:
    usage = totals(group_01=(85 * M, 85 * M, 85 * M), group_02=(2 * H, 2 * H, H), group_03=(ZERO, ZERO, ZERO))
    report = make_week_report(snapshot_of(), WEEK, usage, WeekRecords())
    assert [(one.group, one.runs_out) for one in report.running_out] == [("group_01", date(2026, 11, 8))]
    assert [one.group for one in report.used_up] == ["group_02"]


def test_a_first_week_has_no_usual_and_no_forecast() -> None:
    usage = {group: {day: H for day in days(TERM_BEGINS, date(2026, 10, 24))} for group in USUAL}
    report = make_week_report(snapshot_of(), (TERM_BEGINS, date(2026, 10, 24)), usage, WeekRecords())
    assert (report.usual, report.far_above, report.forecast.at_end) == (None, (), None)
    assert "needs two weeks of use" in week_message(report, SETTINGS).text


def test_a_week_of_holidays_has_no_idle_groups() -> None:
    holiday = CalendarEntry("holiday", "Holidays", *WEEK)
    report = report_of(snapshot=snapshot_of(entries=(holiday,)))
    assert (report.is_off, report.idle) == (True, ())
    assert "All days of the week were holidays or blocked." in week_message(report, SETTINGS).text


def test_a_blocked_group_is_not_idle() -> None:
    block = Allowance("a", "group_03", *WEEK, LimitOverride.BLOCKED, "exam", "staff", NOW)
    report = report_of(snapshot=snapshot_of(allowances=(block,)))
    assert (report.is_off, report.idle) == (False, ())


def test_an_unlimited_last_day_leaves_the_time_left_for_the_term() -> None:
    last = Allowance("a", None, WEEK[1], WEEK[1], LimitOverride.UNLIMITED, "project", "staff", NOW)
    assert [one.left for one in report_of(snapshot=snapshot_of(allowances=(last,))).groups] == [9 * H, 9 * H, 16 * H]


def test_a_former_group_is_in_the_sums_and_not_idle() -> None:
    usage = USUAL | totals(group_09=(H, ZERO, ZERO))
    report = make_week_report(snapshot_of(), WEEK, usage, WeekRecords())
    assert ([one.group for one in report.groups], report.forecast.used) == (
        ["group_02", "group_01", "group_03"],
        63 * H,
    )


def test_a_failure_followed_by_success_is_not_reported() -> None:
    failed, other = action("stop", "group_01", error="503"), action("stop", "group_02", error="503")
    report = report_of(WeekRecords((failed, failed, other, action("stop", "group_01"))))
    assert report.failed_actions == (other,)
    assert [one.stops for one in report.groups] == [0, 1, 0]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-10-18T00:01", None),
        ("2026-10-24T23:59", None),
        ("2026-10-25T00:00", (date(2026, 10, 18), date(2026, 10, 24))),
        ("2026-11-01T00:00", (date(2026, 10, 25), date(2026, 10, 31))),
        ("2026-11-15T00:00", (date(2026, 11, 8), date(2026, 11, 14))),
        ("2026-11-22T00:00", None),
    ],
)
def test_the_last_complete_week_is_in_the_term(now: str, expected: tuple[date, date] | None) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=TZ).astimezone(UTC)
    assert last_complete_week(replace(snapshot_of(), now=moment)) == expected


EVERYTHING = WeekRecords(
    (action("stop", "group_02"), action("stop", "group_01", error="the workspace does not respond: 503")),
    missed_polls=5,
    longest_gap=95 * M,
    failed_messages=1,
    estimated_groups=frozenset({"group_03"}),
    requests=TimeRequestCounts(7, 4, 1, 1, 2),
    others=(OtherCluster("x", "bigdata", "", NOW - 3 * H), OtherCluster("y", "nightly", "", None, is_job=True)),
)


def test_the_mail_names_everything_unusual() -> None:
    message = week_message(report_of(EVERYTHING), SETTINGS)
    assert (message.to, message.subject) == (
        ("teacher@example.ac.il",),
        "Data Engineering, 01 Nov to 07 Nov 2026: 21 hours, 2 of 3 groups, 1 stop, 2 time requests wait",
    )
    plain = message.text.replace("\u2068", "").replace("\u2069", "")
    assert plain == (
        """Data Engineering: Sunday, 01 November to Saturday, 07 November 2026

USED
21.0 hours by 2 of 3 groups; usually 17.5 hours. 1 stop at a limit, 0 warnings.
Requests for more time: 7 asked, 4 granted, 1 refused, 1 expired without an answer. 2 wait for an answer: """
        """python -m enforcer requests.

UNTIL THE END OF THE TERM (14 November 2026)
56 hours are used so far. 75 hours are expected in total, 74 if the coming days are quiet and 75 if they are busy.

UNUSUAL
- group_02 (Team 2) used 14:00, far above its usual 3:30
- 1 group did not use the cluster: group_03 (Team 3)
- Running clusters that are not the lab's: bigdata (since 07 Nov 21:20), nightly
- 5 polls were missed; the longest time without one was 95 minutes
- 1 mail was not delivered
- Failed: stop of group_01: the workspace does not respond: 503
- Estimates, because events were missing: group_03

GROUPS, in hours:minutes
group_02 (Team 2): 14:00 of 10:00; usually 3:30; 9:00 left for the term; stopped 1 ×
group_01 (Team 1): 7:00 of 10:00; usually 7:00; 9:00 left for the term
"""
    )


def test_a_quiet_week_has_nothing_unusual() -> None:
    usage = totals(group_01=(H, H, H), group_02=(H, H, H), group_03=(H, H, H))
    text = week_message(make_week_report(snapshot_of(), WEEK, usage, WeekRecords()), SETTINGS).text
    assert "UNUSUAL\nNothing.\n" in text
    assert "Requests for more time" not in text


def test_long_lists_are_cut() -> None:
    others = tuple(OtherCluster(str(n), f"c{n}", "", None) for n in range(MOST_LINES + 3))
    failed = tuple(replace(action("stop", "group_01", error="503"), cluster_id=str(n)) for n in range(MOST_LINES + 4))
    values = values_of(report_of(WeekRecords(failed, others=others)))
    shown = {name: len(values[name]) for name in ("others", "failures")}
    assert shown == {"others": MOST_LINES, "failures": MOST_LINES}
    assert (values["more_others"], values["more_failures"]) == (3, 4)


def test_hostile_names_are_escaped_and_isolated() -> None:
    snapshot = snapshot_of()
    group = replace(snapshot.course.groups["group_03"], title=HOSTILE)
    course = replace(snapshot.course, title=HOSTILE, groups=snapshot.course.groups | {"group_03": group})
    records = replace(
        EVERYTHING,
        actions=(action("stop", "group_01", error=HOSTILE),),
        estimated_groups=frozenset({HOSTILE}),
        others=(OtherCluster("x", HOSTILE, "", None),),
    )
    message = week_message(report_of(records, replace(snapshot, course=course)), SETTINGS)
    escaped = "&lt;script&gt;alert(1)&lt;/script&gt; &amp; "
    assert "<script" not in message.html and "\u202e" not in message.html + message.text + message.subject
    body = message.html.partition("<body")[2]
    for place in ("<h1", "did not use the cluster", "Running clusters", "Failed: ", "Estimates, "):
        line = next(line for line in body.splitlines() if place in line)
        before = line.partition(escaped)[0]
        assert escaped in line and before.rfind("<bdi") > before.rfind("</bdi>"), place
    assert "\n" not in message.subject
