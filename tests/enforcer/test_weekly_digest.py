"""When the weekly digest is sent: once for each week of the term with polls, after everything more urgent."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from emulated_course import SUNDAY, EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.domain.day_records import DayTotal
from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.observations import OtherCluster
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger, open_ledger
from enforcer.ledger.models import MessageRow
from enforcer.mail import outbox
from enforcer.mail.messages import Message
from enforcer.reports.recorded import week_report_of
from enforcer.reports.week_report import WeekRecords
from enforcer.settings import load_settings
from enforcer.tick.history import load_past_snapshot
from enforcer.tick.run import run_tick
from enforcer.tick.settle import DIGEST_PATIENCE, counts_of
from enforcer.time_requests import store
from enforcer.time_requests.model import State, TimeRequest
from fake_mail_service import FakeMailService
from in_process_course import InProcessCourse
from labkit.clock import Deadline
from outbox_sending import enqueue, send_once

pytestmark = pytest.mark.waits

M, H = timedelta(minutes=1), timedelta(hours=1)
SETTINGS = load_settings({"LAB_COURSE": "94290", "LAB_TERM": "2026w", "REPORT_RECIPIENT_EMAIL": "t@example.ac.il"})
SATURDAY = datetime(2026, 10, 24, 15, 0, tzinfo=UTC)
"""18:00 of the last day of the term's first week; the clocks are set back in the next night, on Sunday."""


def lab_at(start: datetime, **changes: object) -> InProcessCourse:
    lab = InProcessCourse(2, soft=150 * M, hard=180 * M, week=600 * M, start=start)
    if changes:
        lab.write_course(**changes)
    return lab


def tick(ledger: Ledger, lab: InProcessCourse, local: str | None = None, *, settles: bool = False) -> tuple[str, ...]:
    """Run a tick, at a time in the course's zone if one is given; return what failed."""
    if local is not None:
        until = datetime.fromisoformat(local)
        lab.workspace.advance((until - lab.now()) // timedelta(seconds=1))
    now, mail = lab.now(), FakeMailService()
    return run_tick(SETTINGS, ledger, lab.connect(), mail, now=now, deadline=Deadline(M), settles=settles).failures


def digests(ledger: Ledger) -> list[tuple[str, str, str]]:
    """Return topic, first day and subject of each queued digest."""
    rows = ledger.select(MessageRow).where(MessageRow.kind == "weekly").order_by(MessageRow.period_start)
    return [(row.topic, row.period_start, row.subject) for row in rows]


FIRST = ("94290 2026w 2026-10-18", "2026-10-18", "Lab, 18 Oct to 24 Oct 2026: 1 hour, 1 of 2 groups")
SECOND = ("94290 2026w 2026-10-25", "2026-10-25", "Lab, 25 Oct to 31 Oct 2026: 0 hours, 0 of 2 groups")


def use_an_hour(ledger: Ledger, lab: InProcessCourse) -> None:
    lab.start(lab.clusters[0])
    lab.workspace.advance(60 * 60)
    lab.stop(lab.clusters[0])
    lab.workspace.advance(60)
    tick(ledger, lab)


def test_each_week_has_one_digest_even_if_the_clocks_change(ledger: Ledger) -> None:
    lab = lab_at(SATURDAY)
    use_an_hour(ledger, lab)
    tick(ledger, lab, "2026-10-24T23:59:58+03:00", settles=True)
    assert digests(ledger) == []
    tick(ledger, lab, "2026-10-25T00:00:02+03:00")
    assert digests(ledger) == [], "the last day is not settled yet"
    tick(ledger, lab, "2026-10-25T00:20:00+03:00", settles=True)
    assert digests(ledger) == [FIRST]
    for local in ("2026-10-25T01:30:00+03:00", "2026-10-25T01:30:00+02:00", "2026-10-31T23:59:58+02:00"):
        tick(ledger, lab, local, settles=True)
        assert digests(ledger) == [FIRST]
    for local in ("2026-11-01T00:00:00+02:00", "2026-11-01T00:00:02+02:00", "2026-11-04T12:00:00+02:00"):
        tick(ledger, lab, local, settles=True)
        assert digests(ledger) == [FIRST, SECOND]


def test_without_end_of_day_the_digest_comes_six_hours_later(ledger: Ledger) -> None:
    lab = lab_at(SATURDAY)
    use_an_hour(ledger, lab)
    tick(ledger, lab, "2026-10-25T04:59:00+02:00")
    assert digests(ledger) == []
    tick(ledger, lab, "2026-10-25T05:00:00+02:00")
    assert (digests(ledger), DIGEST_PATIENCE) == ([FIRST], 6 * H)


def test_a_restart_and_a_late_tick_send_the_digest_once(tmp_path: Path) -> None:
    lab, location = lab_at(SATURDAY), str(tmp_path / "uptimes.db")
    with closing(open_ledger(location)) as ledger:
        use_an_hour(ledger, lab)
    for local in ("2026-10-28T09:00:00+02:00", "2026-10-28T09:01:00+02:00"):
        with closing(open_ledger(location)) as ledger:
            tick(ledger, lab, local)
            assert digests(ledger) == [FIRST]


@pytest.mark.parametrize(
    ("start", "changes"),
    [
        pytest.param(SATURDAY, {"weekly_digest": False}, id="opted out"),
        pytest.param(SATURDAY, {"first_day": "2026-10-25"}, id="the term begins after the week"),
        pytest.param(SATURDAY, {"last_day": "2026-10-17"}, id="the term ended before the week"),
        pytest.param(datetime(2026, 10, 24, 21, 0, tzinfo=UTC), {}, id="no poll in the week"),
    ],
)
def test_some_weeks_have_no_digest(ledger: Ledger, start: datetime, changes: dict[str, object]) -> None:
    lab = lab_at(start, **changes)
    for local in (None, "2026-10-25T12:00:00+02:00", "2026-10-25T13:00:00+02:00"):
        tick(ledger, lab, local, settles=True)
    assert digests(ledger) == []


def test_without_recipients_there_is_no_digest(ledger: Ledger) -> None:
    lab = lab_at(SATURDAY)
    tick(ledger, lab)
    lab.workspace.advance(24 * 60 * 60)
    nobody = replace(SETTINGS, report_recipients=())
    run_tick(nobody, ledger, lab.connect(), FakeMailService(), now=lab.now(), deadline=Deadline(M))
    assert digests(ledger) == []


def test_a_digest_has_the_time_requests_and_foreign_clusters(ledger: Ledger) -> None:
    lab = lab_at(SATURDAY, requests={"expire_days": 7})
    lab.workspace.create(None, cluster_name="<b>spare</b>", autotermination_minutes=0)
    lab.workspace.create(None, cluster_name="other lab", autotermination_minutes=0, custom_tags={"lab_course": "1"})
    lab.workspace.advance(60)
    snapshot = run_tick(
        SETTINGS, ledger, lab.connect(), FakeMailService(), now=lab.now(), deadline=Deadline(M)
    ).snapshot
    assert snapshot
    request = TimeRequest("r1", "group_001", lab.now(), 60, "exam")
    store.save(ledger, snapshot.course, [request])

    tick(ledger, lab, "2026-10-25T12:00:00+02:00")

    (row,) = ledger.select(MessageRow).where(MessageRow.kind == "weekly")
    content = json.loads(row.request_body)["content"]
    assert content["subject"].endswith(", 1 time request waits")
    assert "1 asked, 0 granted, 0 refused. 1 waits for an answer" in content["plainText"]
    assert (
        "Running clusters that are not the lab's: \u2068<b>spare</b>\u2069 (since 24 Oct 18:00)\n"
        in content["plainText"]
    )
    assert "<bdi>&lt;b&gt;spare&lt;/b&gt;</bdi>" in content["html"]


def test_the_records_of_a_week_are_those_within_it(ledger: Ledger) -> None:
    lab = lab_at(SATURDAY)
    week = (date(2026, 10, 18), date(2026, 10, 24))
    to_nobody = Message("s", "t", "<p>t</p>", ())
    outbox.queue(ledger, MessageKind.REPORT, "in the week", to_nobody, now=lab.now())
    tick(ledger, lab)
    tick(ledger, lab, "2026-10-24T19:00:00+03:00")
    estimate = DayTotal(
        lab.clusters[1], week[1], "group_002", H, None, None, timedelta(), timedelta(), 1, estimate=True
    )
    queries.settle(ledger, [estimate], now=lab.now())
    tick(ledger, lab, "2026-10-25T12:00:00+02:00")
    outbox.queue(ledger, MessageKind.REPORT, "later", to_nobody, now=lab.now())

    report = week_report_of(ledger, load_past_snapshot(ledger, SETTINGS, now=lab.now()), week)

    assert report.records == WeekRecords(
        missed_polls=3 + 19, longest_gap=5 * H, failed_messages=1, estimated_groups=frozenset({"group_002"})
    )
    assert [(one.group, one.used) for one in report.groups] == [("group_002", H), ("group_001", timedelta())]


def test_time_requests_are_counted_in_the_week_in_which_they_were_made() -> None:
    begins, ends = SATURDAY, SATURDAY + 168 * H
    asked = [
        (State.WAITING, begins - H),
        (State.WAITING, begins),
        (State.APPROVED, begins + H),
        (State.GRANTED, ends - H),
        (State.DENIED, begins + H),
        (State.REFUSED, begins + H),
        (State.EXPIRED, begins + H),
        (State.WITHDRAWN, begins + H),
        (State.GRANTED, ends),
    ]
    found = counts_of(
        [TimeRequest(str(n), "group_01", at, 60, "", state) for n, (state, at) in enumerate(asked)], begins, ends
    )
    assert (found.asked, found.given, found.refused, found.expired, found.waiting) == (6, 2, 2, 1, 2)


def test_a_digest_that_cannot_be_made_is_a_failure_and_is_retried(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = lab_at(SATURDAY)
    use_an_hour(ledger, lab)

    def broken(_: Ledger) -> tuple[OtherCluster, ...]:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("enforcer.tick.settle.other_clusters", broken)
        failures = tick(ledger, lab, "2026-10-25T12:00:00+02:00")
    assert failures == ("the digest of the week from 2026-10-18 cannot be made: the disk is full",)
    assert digests(ledger) == []
    assert (tick(ledger, lab), digests(ledger)) == ((), [FIRST])


def test_a_digest_is_sent_after_every_other_message(ledger: Ledger) -> None:
    service = FakeMailService()
    for kind in reversed(MessageKind):
        if kind is not MessageKind.CRASH:
            enqueue(ledger, kind.value, kind)
    enqueue(ledger, "weekly", MessageKind.WEEKLY)
    send_once(ledger, service)
    assert (service.subjects[0], service.subjects[-1]) == ("stopped", "weekly")
    assert [*MessageKind][-1] is MessageKind.WEEKLY


@pytest.mark.process
def test_end_of_day_queues_the_digest_once(frozen_emulator: EmulatorProcess, tmp_path: Path) -> None:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path)
    lab.environment["REPORT_RECIPIENT_EMAIL"] = "teacher@example.ac.il"
    assert lab.start("group_01") == 200
    lab.advance_minutes(90)
    lab.stop("group_01")
    lab.poll()
    lab.set_time(SUNDAY + timedelta(days=7), "00:20")
    for command in ("end-of-day", "end-of-day", "poll"):
        assert lab.run(command).status == 0
    with closing(open_ledger(lab.environment["CLUSTER_UPTIMES_DB"])) as ledger:
        ((_, first, subject),) = digests(ledger)
        assert queries.last_settled_day(ledger) == SUNDAY + timedelta(days=6)
    assert (first, ": 2 hours, 1 of 2 groups" in subject) == (SUNDAY.isoformat(), True), subject
