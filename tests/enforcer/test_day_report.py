"""The daily report: its figures, and hostile names in it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from enforcer.domain.allowances import Allowance, LimitOverride
from enforcer.domain.course import Course, CourseGroup
from enforcer.domain.day import cluster_day
from enforcer.domain.day_records import REPORT_COLUMNS, DayTotal, RecordedAction
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import Calendar, Quota
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import Observation, Role, Session
from enforcer.mail.messages import render
from enforcer.reports.day_report import DayReport, make_report
from enforcer.reports.formats import report_message, to_csv, to_email, values_of
from enforcer.settings import load_settings
from labkit.lazy_package import LazyModule

pytestmark = pytest.mark.xdist_group("matplotlib")
chart = LazyModule("enforcer.reports.chart")

TZ = ZoneInfo("Asia/Jerusalem")
DAY = date(2026, 11, 2)
M = timedelta(minutes=1)
QUOTA = Quota(150 * M, 180 * M, week=900 * M)
STUDENT, STAFF = "dana@example.ac.il", "ta@example.ac.il"


def at(clock: str, day: date = DAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), TZ).astimezone(UTC)


def ran(start: str, end: str | None, by: str = STUDENT, estimate: str | None = None) -> Session:
    role = Role.STAFF if by == STAFF else Role.STUDENT
    return Session(at(start), at(end) if end else None, by, estimate=estimate, role=role)


def allowance(change: timedelta | LimitOverride, given: str = "08:00", reason: str = "project") -> Allowance:
    return Allowance(f"a{given}", "group_01", DAY, DAY, change, reason, STAFF, at(given))


def snapshot(*sessions: Session, allowances: tuple[Allowance, ...] = (), title: str = "Whales") -> Snapshot:
    """One group on a past day."""
    group = CourseGroup("group_01", 1, title, QUOTA)
    course = Course("94290", "2026w", "Data Engineering", Calendar(TZ, DAY, DAY, 6), False, {"group_01": group})
    now = at("06:00", DAY + timedelta(days=1))
    cluster = ObservedCluster(
        "id-1", "cluster_01", "group_01", "94290", "2026w", "terraform", Observation(now, running=False), ""
    )
    return Snapshot(
        now, course, QUOTA, (cluster,), {"id-1": list(sessions)}, allowances, {"group_01": frozenset({STUDENT})}
    )


def report_values(
    *actions: RecordedAction, polls: int = 96, settled: dict[str, DayTotal] | None = None, of: Snapshot
) -> dict:
    seen = [at("00:00") + number * 15 * M for number in range(polls)]
    return values_of(make_report(of, DAY, settled=settled or {}, actions=actions, polls=seen), picture="cid:x")


def action(kind: str, clock: str, error: str | None = None) -> RecordedAction:
    return RecordedAction(kind, "id-1", "group_01", "", at(clock), None if error else at(clock), error)


def test_a_report_row_shows_the_usage_of_one_cluster() -> None:
    of = snapshot(ran("09:00", "10:30"), ran("11:00", "12:31"), ran("14:00", "14:20", by=STAFF))

    values = report_values(action("warn", "12:00"), action("stop", "12:30"), of=of)

    assert values["rows"] == [
        {
            "group": "group_01",
            "title": "Whales",
            "cluster": "cluster_01",
            "used": 181,
            "percent": 101,
            "hard": 180,
            "limit": "180 minutes",
            "sessions": 2,
            "first_start": "09:00",
            "last_stop": "12:31",
            "warned": "12:00",
            "stopped": "12:30",
            "overrun": "1.0",
            "uncounted": 20,
            "is_estimate": False,
            "state": "over",
        }
    ]
    assert (values["polls_seen"], values["polls_expected"], values["longest_gap"]) == (96, 96, 15)


def report_of_day(*sessions: Session, first_poll: datetime | None) -> DayReport:
    return make_report(snapshot(*sessions), DAY, settled={}, actions=(), polls=(), first_poll=first_poll)


def test_a_day_with_only_deployment_sessions_counts_as_unused() -> None:
    report = report_of_day(ran("09:00", "09:10", by=STAFF), first_poll=at("09:15"))

    values = values_of(report, picture="")
    subject, text, html = render("report", values)
    assert (report.is_of_deploy, values["ran"], values["ran_for_others"]) == (True, 0, 1)
    assert ": 0 of 1 clusters ran" in subject
    assert "No group ran its cluster; 1 cluster ran only for staff, a deployment or others." in text
    assert "<strong>No group ran its cluster</strong>; 1 cluster ran only for staff, a deployment or others." in html


def test_a_day_with_other_sessions_is_not_a_deployment_day() -> None:
    staff, student = ran("09:00", "09:10", by=STAFF), ran("10:00", "10:10")
    reports = [
        report_of_day(staff, first_poll=at("09:15", DAY - timedelta(days=1))),
        report_of_day(staff, student, first_poll=at("09:15")),
        report_of_day(first_poll=at("09:15")),
    ]

    assert [report.is_of_deploy for report in reports] == [False, False, False]


def test_a_day_without_records_is_unknown() -> None:
    tomorrow = at("09:15", DAY + timedelta(days=1))
    polled, unseen, counted = (
        report_of_day(first_poll=at("09:15")),
        report_of_day(first_poll=tomorrow),
        report_of_day(ran("10:00", "10:10"), first_poll=tomorrow),
    )

    assert [report.is_unknown for report in (polled, unseen, counted)] == [False, True, False]


def test_a_session_across_midnight_is_cut_and_marked_as_running() -> None:
    [row] = report_values(of=snapshot(replace(ran("23:00", None), end=at("01:00", DAY + timedelta(days=1)))))["rows"]

    assert (row["used"], row["first_start"], row["last_stop"]) == (60, "23:00", "after midnight")


@pytest.mark.parametrize(
    ("allowances", "past", "limit"),
    [
        ((), 20 * M, "180 minutes"),
        ((allowance(60 * M),), 0 * M, "180 + 60 minutes: project"),
        ((allowance(LimitOverride.UNLIMITED),), 0 * M, "unlimited"),
        ((allowance(-60 * M, "08:00"),), 80 * M, "180 - 60 minutes: project"),
        # Time that was within the limit when it was used is not an overrun.
        ((allowance(-60 * M, "12:10"),), 10 * M, "180 - 60 minutes: project"),
        ((allowance(LimitOverride.BLOCKED, "12:15"),), 5 * M, "0 instead of 180 minutes: project"),
    ],
)
def test_the_overrun_begins_when_the_limit_was_reached_and_known(
    allowances: tuple[Allowance, ...], past: timedelta, limit: str
) -> None:
    of = snapshot(ran("09:00", "12:20"), allowances=allowances)

    assert cluster_day(of, of.clusters[0], DAY).overrun == past
    assert report_values(of=of)["rows"][0]["limit"] == limit


def test_the_week_limit_is_shown_if_it_is_the_tightest() -> None:
    of = snapshot(Session(at("09:00", DAY - timedelta(days=1)), at("23:50", DAY - timedelta(days=1)), STUDENT))

    assert report_values(of=of)["rows"][0]["limit"] == "180 minutes; week 900 minutes, 890 used"


def test_settled_totals_are_shown_unchanged() -> None:
    settled_total = DayTotal("id-1", DAY, "group_01", 33 * M, 20 * M, 30 * M, 3 * M, 0 * M, 1, True)

    [row] = report_values(of=snapshot(ran("09:00", "10:00")), settled={"id-1": settled_total})["rows"]

    assert (row["used"], row["hard"], row["limit"], row["overrun"], row["is_estimate"]) == (
        33,
        30,
        "30 minutes",
        "3.0",
        True,
    )


def test_missing_polls_are_counted_after_the_first_poll() -> None:
    of, evening = snapshot(), [at("20:00"), at("20:15"), at("21:00"), *(at("21:00") + n * 15 * M for n in range(1, 12))]

    report = make_report(of, DAY, settled={}, actions=(), polls=evening, first_poll=evening[0])

    assert (report.polls_expected, len(report.polls), report.longest_gap) == (16, 14, 45 * M)
    assert make_report(of, DAY, settled={}, actions=(), polls=evening).longest_gap == timedelta(hours=20)


def test_actions_that_never_succeeded_are_reported() -> None:
    failed = action("restrict", "10:00", "Restrict of group_01: 503"), action("stop", "10:00", "503")

    values = report_values(*failed, action("stop", "10:15"), of=snapshot(ran("09:00", "10:15")))

    assert values["failures"] == ["restrict of group_01: Restrict of group_01: 503"]


HOSTILE = '<img src=x onerror=alert(1)> $\\frac{1}{2$ =HYPERLINK("http://x") \u202egnp.exe'


@pytest.mark.waits  # matplotlib's import takes a second
def test_names_are_escaped_in_html_tables_and_the_chart() -> None:
    of = snapshot(ran("09:00", "10:00"), title=HOSTILE)
    report = make_report(of, DAY, settled={}, actions=(), polls=())

    _, text, html = render("report", values_of(report, picture="cid:x"))

    assert "<img src=x" not in html
    assert "&lt;img src=x" in html
    assert "\u202e" not in html + text
    assert chart.draw(report).startswith(b"\x89PNG")


def test_the_csv_table_can_be_read_by_a_spreadsheet() -> None:
    of = snapshot(ran("09:00", "10:30"), title="=צוות")
    content = to_csv(make_report(of, DAY, settled={}, actions=(), polls=()))

    assert content.startswith(b"\xef\xbb\xbf")
    [heading, row] = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert tuple(heading) == REPORT_COLUMNS
    assert dict(zip(heading, row, strict=True)) == {
        "day": "2026-11-02",
        "group": "group_01",
        "name": "'=צוות",
        "cluster": "cluster_01",
        "used_minutes": "90.00",
        "soft_minutes": "150.00",
        "hard_minutes": "180.00",
        "limit": "180 minutes",
        "sessions": "1",
        "first_start": "2026-11-02 09:00:00+02:00",
        "last_stop": "2026-11-02 10:30:00+02:00",
        "warned": "",
        "stopped": "",
        "overrun_minutes": "0.00",
        "uncounted_minutes": "0.00",
        "estimate": "",
    }


def test_the_report_email_has_text_html_chart_and_table() -> None:
    settings = load_settings({"REPORT_RECIPIENT_EMAIL": "teacher@example.ac.il"})
    of = snapshot(ran("09:00", "10:30", estimate="its end was not reported"))
    message = report_message(make_report(of, DAY, settled={}, actions=(), polls=()), settings)

    email = to_email(message)

    assert message.to == ("teacher@example.ac.il",)
    assert [part.get_content_type() for part in email.walk() if not part.is_multipart()] == [
        "text/plain",
        "text/html",
        "image/png",
        "text/csv",
    ]
    image = next(part for part in email.walk() if part.get_content_type() == "image/png")
    assert image["Content-ID"] == "<day-picture>"
    assert 'src="cid:day-picture"' in message.html
    assert "≈ 90" in message.html
    assert "about 90 of" in message.text
