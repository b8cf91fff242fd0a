"""The outbox with a mail service that fails in every way, and with runs that are killed."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.quota import Period
from enforcer.ledger import stored_messages
from enforcer.ledger.database import Ledger, open_ledger
from enforcer.ledger.models import MessageRow
from enforcer.mail import outbox
from enforcer.mail.messages import Attachment
from enforcer.mail.sender import COPIES_PER_HOUR, SendSummary, next_try, send_due
from enforcer.settings import CUSTOM_DOMAIN, MANAGED_DOMAIN, MailBudget, Settings
from example_counts import at_most_examples
from fake_mail_service import HOUR, MINUTE, NOW, FakeMailService, SimulatedKill
from labkit.clock import Deadline
from ledgers import clear
from outbox_sending import (
    ADMIN,
    DAY,
    LARGE_BUDGET,
    SUNDAY,
    call_kinds,
    enqueue,
    mail_settings,
    message,
    most_calls_within,
    send_once,
)

pytestmark = pytest.mark.waits


@pytest.fixture
def service() -> FakeMailService:
    return FakeMailService()


# --- queueing


def test_a_message_is_stored_once_per_kind_cluster_period_and_limit(ledger: Ledger, service: FakeMailService) -> None:
    def again(**changes: Any) -> bool:
        key: dict[str, Any] = {
            "kind": MessageKind.WARNING,
            "topic": "c1",
            "period": "day",
            "period_start": SUNDAY,
            "hard_limit": HOUR,
        } | changes
        return outbox.queue(ledger, message=message(str(changes)), now=NOW, **(key | changes))

    changes: list[dict[str, Any]] = [
        {},
        {"kind": MessageKind.STOPPED},
        {"topic": "c2"},
        {"period": "week"},
        {"period_start": SUNDAY + DAY},
        {"hard_limit": 2 * HOUR},
    ]
    assert [again(**one) for one in changes] == [True] * len(changes)
    assert [again(**one) for one in changes] == [False] * len(changes)
    send_once(ledger, service)
    assert len(service.accepted) == len(changes)


def test_limits_with_a_message_are_returned(ledger: Ledger) -> None:
    keys = [
        ("c1", Period.DAY, SUNDAY - 3 * DAY, HOUR),
        ("c1", Period.DAY, SUNDAY, HOUR),
        ("c2", Period.WEEK, SUNDAY - 5 * DAY, 9 * HOUR),
    ]
    for about, period, first, limit in keys:
        outbox.queue(
            ledger,
            MessageKind.WARNING,
            about,
            message(),
            now=NOW,
            period=period.value,
            period_start=first,
            hard_limit=limit,
        )
    assert stored_messages.notified_limits(ledger, MessageKind.WARNING, since=SUNDAY - DAY) == frozenset(keys[1:])
    assert stored_messages.notified_limits(ledger, MessageKind.STOPPED, since=SUNDAY - DAY) == frozenset()
    assert stored_messages.is_queued(
        ledger, MessageKind.WARNING, "c1", period="day", period_start=str(SUNDAY), hard_limit=HOUR
    )
    assert not stored_messages.is_queued(
        ledger, MessageKind.WARNING, "c1", period="day", period_start=str(SUNDAY), hard_limit=2 * HOUR
    )


def test_a_message_without_recipients_is_stored_and_not_sent(ledger: Ledger, service: FakeMailService) -> None:
    assert enqueue(ledger, "nobody", to=())
    assert not enqueue(ledger, "nobody", to=())
    assert send_once(ledger, service) == SendSummary()
    assert service.calls == []


def test_a_message_to_many_recipients_is_sent_in_parts(ledger: Ledger, service: FakeMailService) -> None:
    people = tuple(f"s{number}@campus.example" for number in range(120))
    enqueue(ledger, "all", to=people, cc=(ADMIN,))
    assert send_once(ledger, service).accepted == 3
    recipients = [json.loads(payload)["recipients"] for payload in service.accepted.values()]
    assert [person["address"] for one in recipients for person in one["to"]] == [*people]
    assert [len(one["to"]) + len(one["cc"]) <= 50 for one in recipients] == [True] * 3
    assert [len(one["cc"]) for one in recipients] == [1, 0, 0]


def test_operation_ids_are_the_same_in_a_restored_ledger(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "first")
    backup = [*ledger.select(MessageRow).dicts()]
    enqueue(ledger, "second")
    send_once(ledger, service)
    ledger.delete(MessageRow).execute()
    MessageRow.insert_many(backup).execute(ledger.database)
    enqueue(ledger, "second", now=NOW + HOUR, to=("noa@campus.example",))
    service.used_elsewhere = set(service.accepted)
    assert send_once(ledger, service, HOUR).failures == ()
    assert (service.subjects, stored_messages.waiting_count(ledger)) == (["first", "second"], 0)


def test_operation_ids_differ_between_two_ledgers(ledger: Ledger, service: FakeMailService, tmp_path: Path) -> None:
    enqueue(ledger, "report", MessageKind.REPORT)
    send_once(ledger, service)
    with closing(open_ledger(str(tmp_path / "other.db"))) as other:
        enqueue(other, "report", MessageKind.REPORT)
        send_once(other, service)
    assert service.subjects == ["report", "report"]


# --- sending


def test_a_message_is_sent_as_queued(ledger: Ledger, service: FakeMailService) -> None:
    snapshot = Attachment("day.png", "image/png", b"\x89PNG", "day")
    table = Attachment("day.csv", "text/csv", b"a,b")
    whole = replace(message("דו״ח", cc=(ADMIN,)), reply_to=(ADMIN,), attachments=(snapshot, table))
    outbox.queue(ledger, MessageKind.REPORT, "day", whole, now=NOW)
    send_once(ledger, service)
    (payload,) = service.accepted.values()
    assert json.loads(payload) == {
        "senderAddress": "lab@campus.example",
        "content": {"subject": "דו״ח", "plainText": "דו״ח as text", "html": "<p>דו״ח</p>"},
        "recipients": {"to": [{"address": "dana@campus.example"}], "cc": [{"address": ADMIN}]},
        "replyTo": [{"address": ADMIN}],
        "attachments": [
            {"name": "day.png", "contentType": "image/png", "contentInBase64": "iVBORw==", "contentId": "day"},
            {"name": "day.csv", "contentType": "text/csv", "contentInBase64": "YSxi"},
        ],
        "userEngagementTrackingDisabled": True,
    }


def test_stops_are_sent_before_warnings_and_warnings_before_reports(ledger: Ledger, service: FakeMailService) -> None:
    order = [MessageKind.REPORT, MessageKind.WARNING, MessageKind.STOPPED, MessageKind.WARNING, MessageKind.STOPPED]
    for number, kind in enumerate(order):
        enqueue(ledger, f"{kind.value} {number}", kind)
    send_once(ledger, service)
    assert service.subjects == ["stopped 2", "stopped 4", "warning 1", "warning 3", "report 0"]


def test_messages_stay_in_the_outbox_without_mail_settings(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "later")
    assert send_once(ledger, service, settings=replace(mail_settings(), mail=None)) == SendSummary(waiting=1)
    assert send_once(ledger, service, HOUR) == SendSummary(accepted=1)


def test_an_accepted_message_is_never_sent_again(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "once")
    for minutes in range(5):
        send_once(ledger, service, minutes * MINUTE)
    assert call_kinds(service) == ["send"]


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("breaks before", ["send", "status", "send"]),
        ("breaks after", ["send", "status"]),
        ("killed before", ["send", "status", "send"]),
        ("killed after", ["send", "status"]),
    ],
)
def test_after_an_unknown_result_the_status_is_checked_first(
    ledger: Ledger, service: FakeMailService, what: str, expected: list[str]
) -> None:
    enqueue(ledger, "once", cc=(ADMIN,))
    service.plan = [what]
    if what.startswith("killed"):
        with pytest.raises(SimulatedKill):
            send_once(ledger, service)
    else:
        assert send_once(ledger, service).failures == ('the message "once" was not sent: no answer',)
    assert send_once(ledger, service, 2 * MINUTE).accepted == 1
    assert (call_kinds(service), service.subjects) == (expected, ["once"])


def test_the_bytes_of_a_sealed_message_never_change(ledger: Ledger, service: FakeMailService) -> None:
    for number in range(21):
        enqueue(ledger, f"{number}", cc=(ADMIN,))
    service.plan = ["breaks before"]
    send_once(ledger, service)
    reported = mail_settings()
    assert reported.mail
    send_once(
        ledger, service, 2 * MINUTE, replace(reported, mail=replace(reported.mail, sender="other@campus.example"))
    )
    assert len(service.accepted) == 21 and service.accepted == service.first_payloads


def test_a_conflict_with_an_accepted_message_is_success(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "once")
    name = ledger.select(MessageRow).get().operation_id
    service.accepted[name] = "other bytes"
    service.used_elsewhere.add(name)
    assert send_once(ledger, service) == SendSummary(accepted=1)
    assert call_kinds(service) == ["send", "status"]


def test_an_invalid_message_fails_and_is_retried(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "wrong")
    service.plan = ["conflict"]
    service.accepted = _Forgetful()
    assert send_once(ledger, service) == SendSummary(
        failures=('the message "wrong" was not sent: another message',), waiting=1
    )
    service.accepted = {}
    assert send_once(ledger, service, 2 * MINUTE).accepted == 1
    assert call_kinds(service) == ["send", "status", "send"]


class _Forgetful(dict[str, str]):
    """The accepted operations of a service that forgets each of them."""

    def setdefault(self, key: str, default: str = "") -> str:
        return default


def test_a_bounced_message_is_given_up_at_once(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "bounces")
    service.plan = ["breaks after"]
    send_once(ledger, service)
    service.failed = set(service.accepted)
    assert send_once(ledger, service, 2 * MINUTE).failures == (
        'the message "bounces" was given up: accepted, but not delivered: bounced',
    )
    send_once(ledger, service, 4 * MINUTE)
    assert service.subjects == ["bounces", "1 message could not be sent"]


def test_retry_after_pauses_all_messages_without_counting_as_failure(ledger: Ledger, service: FakeMailService) -> None:
    for name in ("a", "b"):
        enqueue(ledger, name)
    service.plan = ["busy"]
    assert send_once(ledger, service) == SendSummary(waiting=2)
    assert send_once(ledger, service, timedelta(seconds=89)) == SendSummary(waiting=2)
    assert call_kinds(service) == ["send"]
    assert send_once(ledger, service, timedelta(seconds=90)) == SendSummary(accepted=2)
    assert service.subjects == ["a", "b"]


def test_a_failing_message_is_retried_after_longer_and_longer_pauses(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "bad", MessageKind.STOPPED)
    enqueue(ledger, "good")
    service.plan = ["refused"]
    assert send_once(ledger, service).accepted == 1
    assert service.subjects == ["good"]
    tried = []
    for minute in range(1, 200):
        service.plan, before = ["refused"], call_kinds(service).count("send")
        send_once(ledger, service, minute * MINUTE)
        tried += [minute] * (call_kinds(service).count("send") - before)
    assert tried == [1, 3, 7, 15, 31, 63, 123, 183]


def test_an_unresponsive_service_is_not_called_again_in_the_run(ledger: Ledger, service: FakeMailService) -> None:
    for number in range(10):
        enqueue(ledger, f"{number}")
    service.plan = ["breaks before"] * 10
    assert len(send_once(ledger, service).failures) == 3
    assert len(service.calls) == 3


def test_no_call_starts_without_enough_time(ledger: Ledger, service: FakeMailService) -> None:
    for number in range(10):
        enqueue(ledger, f"{number}")
    seconds = iter(range(0, 1000, 4))
    deadline = Deadline(timedelta(seconds=30), timer=lambda: float(next(seconds)))
    sent = send_due(ledger, service, mail_settings(), now=NOW, deadline=deadline)
    assert 0 < sent.accepted < 4
    assert sent.waiting == 10 - sent.accepted
    assert send_once(ledger, service, MINUTE, seconds=1).accepted == 0


def test_a_message_is_given_up_after_a_day_of_failed_attempts(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "hopeless", to=("dana@campus.example", "noa@campus.example"))
    failures: list[str] = []
    for hour in range(30):
        service.plan = ["refused"]
        failures += send_once(ledger, service, hour * HOUR).failures
        if failures and "given up" in failures[-1]:
            break
    assert hour == 24
    service.plan = []
    assert send_once(ledger, service, 25 * HOUR) == SendSummary(accepted=1)
    assert service.subjects == ["1 message could not be sent"]
    (note,) = (json.loads(payload) for payload in service.accepted.values())
    assert note["recipients"]["to"] == [{"address": ADMIN}]
    for said in ("hopeless", "dana@campus.example, noa@campus.example", "2026-11-01 10:00 UTC", "no"):
        assert said in note["content"]["plainText"]


def test_many_given_up_messages_are_reported_in_one_message(ledger: Ledger, service: FakeMailService) -> None:
    for number in range(4):
        enqueue(ledger, f"hopeless {number}")
    for hour in range(26):
        service.plan = ["refused"] * 4
        send_once(ledger, service, hour * HOUR)
    service.plan = []
    send_once(ledger, service, 27 * HOUR)
    assert service.subjects == ["4 messages could not be sent"]


def test_an_unsent_message_about_failures_is_not_reported(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "hopeless")
    for hour in range(100):
        service.plan = ["refused"] * 5
        send_once(ledger, service, hour * HOUR)
    assert (stored_messages.waiting_count(ledger), ledger.select(MessageRow).count(), service.accepted) == (0, 2, {})


def test_waiting_time_does_not_count_as_failing(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "waits")
    service.plan = ["refused"]
    send_once(ledger, service)
    for day in range(1, 6):
        service.plan = ["busy"]
        send_once(ledger, service, day * DAY)
    service.plan = ["refused"]
    send_once(ledger, service, 6 * DAY)
    assert (stored_messages.waiting_count(ledger), service.accepted) == (1, {})
    send_once(ledger, service, 7 * DAY)
    assert service.subjects == ["waits"]


@pytest.mark.parametrize("ahead", [2 * HOUR, 5 * DAY, 4000 * DAY])
def test_a_clock_set_back_does_not_delay_messages_for_long(
    ledger: Ledger, service: FakeMailService, ahead: timedelta
) -> None:
    for number in range(4):
        enqueue(ledger, f"{number}", now=NOW + ahead)
    service.plan = ["well", "refused", "busy"]
    reported = mail_settings(replace(LARGE_BUDGET, sends_per_minute=3, sends_per_hour=3))
    send_once(ledger, service, ahead, reported)
    accepted = [send_once(ledger, service, minute * MINUTE, reported).accepted for minute in range(0, 26 * 60, 15)]
    assert sum(accepted) == 3 and len(service.accepted) == 4


def test_the_next_try_depends_on_due_time_service_and_budget(ledger: Ledger, service: FakeMailService) -> None:
    def tried(at: timedelta, reported: Settings) -> timedelta | None:
        then = next_try(ledger, reported, now=NOW + at)
        return None if then is None else then - NOW

    few, many = mail_settings(MANAGED_DOMAIN), mail_settings()
    assert tried(timedelta(), few) is None
    for number in range(12):
        enqueue(ledger, f"{number}")
    assert tried(timedelta(), few) == timedelta()
    assert tried(timedelta(), replace(few, mail=None)) is None
    send_once(ledger, service, settings=few)
    assert tried(timedelta(), few) == MINUTE
    send_once(ledger, service, MINUTE, few)
    assert tried(MINUTE, few) == HOUR
    assert tried(MINUTE, many) == timedelta()
    service.plan = ["busy"]
    send_once(ledger, service, 2 * MINUTE, many)
    assert tried(2 * MINUTE, many) == timedelta(seconds=210)
    service.plan = ["breaks before", "refused"]
    send_once(ledger, service, 4 * MINUTE, many)
    assert tried(4 * MINUTE, many) == 5 * MINUTE
    send_once(ledger, service, 5 * MINUTE, many)
    assert tried(5 * MINUTE, many) is None or stored_messages.waiting_count(ledger)


# --- copies


def addressed(service: FakeMailService) -> list[bool]:
    return [bool(json.loads(payload)["recipients"]["cc"]) for payload in service.accepted.values()]


def test_copies_beyond_twenty_per_hour_become_one_digest(ledger: Ledger, service: FakeMailService) -> None:
    for number in range(25):
        enqueue(ledger, f"message {number:02}", cc=(ADMIN,))
    send_once(ledger, service)
    assert addressed(service) == [True] * COPIES_PER_HOUR + [False] * 5
    send_once(ledger, service, 59 * MINUTE)
    assert len(service.accepted) == 25
    enqueue(ledger, "next hour", cc=(ADMIN,))
    send_once(ledger, service, 61 * MINUTE)
    assert service.subjects[25:] == ["next hour", "5 more messages from 01 November, 10:00 UTC"]
    assert addressed(service)[25:] == [True, False]
    digest = json.loads([*service.accepted.values()][26])
    assert [f"message {n:02}" in digest["content"]["plainText"] for n in range(25)] == [False] * 20 + [True] * 5
    assert digest["recipients"]["to"] == [{"address": ADMIN}]
    send_once(ledger, service, 200 * MINUTE)
    assert len(service.accepted) == 27


def test_copies_are_counted_when_messages_are_sent(ledger: Ledger, service: FakeMailService) -> None:
    for number in range(25):
        enqueue(ledger, f"{number}", cc=(ADMIN,))
    reported = mail_settings(MANAGED_DOMAIN)
    for quarter in range(20):
        send_once(ledger, service, quarter * 15 * MINUTE, reported)
    assert addressed(service) == [True] * 25


# --- budgets, and random operations in any order


@pytest.mark.parametrize(("budget", "waiting"), [(CUSTOM_DOMAIN, 120), (MANAGED_DOMAIN, 25)])
def test_a_send_budget_is_used_up_but_never_exceeded(
    ledger: Ledger, service: FakeMailService, budget: MailBudget, waiting: int
) -> None:
    for number in range(waiting):
        enqueue(ledger, f"{number:03}")
    service.budget = budget
    hours = 0
    while stored_messages.waiting_count(ledger):
        for minute in range(0, 60, 5):
            assert send_once(ledger, service, hours * HOUR + minute * MINUTE, mail_settings(budget)).failures == ()
        hours += 1
    assert service.subjects == [f"{number:03}" for number in range(waiting)]
    assert most_calls_within(service, "send", MINUTE) == budget.sends_per_minute
    assert most_calls_within(service, "send", HOUR) == budget.sends_per_hour
    assert hours == -(-waiting // budget.sends_per_hour)


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("queue"),
            st.sampled_from([MessageKind.STOPPED, MessageKind.WARNING, MessageKind.REPORT]),
            st.integers(0, 6),
        ),
        st.tuples(
            st.just("run"),
            st.lists(
                st.sampled_from(
                    "well busy refused conflict breaks-before breaks-after killed-before killed-after".split()
                ),
                max_size=6,
            ),
            st.integers(0, 200),
        ),
    ),
    max_size=25,
)


@given(steps=STEPS, budget=st.sampled_from([LARGE_BUDGET, CUSTOM_DOMAIN, MANAGED_DOMAIN]))
@at_most_examples(60)
def test_every_message_is_accepted_once_with_unchanged_bytes(
    module_ledger: Ledger, steps: list[Any], budget: MailBudget
) -> None:
    ledger = module_ledger
    clear(ledger)
    service, reported, at, queued = FakeMailService(), mail_settings(budget), timedelta(), set()
    sent: dict[str, str] = {}
    for what, first, second in steps:
        if what == "queue":
            enqueue(ledger, f"{first.value} {second}", first, now=NOW + at, cc=(ADMIN,))
            queued.add(f"{first.value} {second}")
            continue
        at += second * MINUTE
        service.plan = [one.replace("-", " ") for one in first]
        try:
            send_once(ledger, service, at, reported)
        except SimulatedKill:
            # Interrupted transactions are not tested here, because SQLite's own tests cover them.
            assert not ledger.database.in_transaction()
        sent |= dict(service.accepted)
        assert sent == service.accepted
    service.plan = []
    for _ in range(40):
        if not stored_messages.waiting_count(ledger):
            break
        at += HOUR
        send_once(ledger, service, at, reported)
    assert stored_messages.waiting_count(ledger) == 0
    told_people = [subject for subject in service.subjects if subject in queued]
    assert sorted(told_people) == sorted(queued)
    for span, sends, statuses in (
        (MINUTE, budget.sends_per_minute, budget.status_per_minute),
        (HOUR, budget.sends_per_hour, budget.status_per_hour),
    ):
        assert (
            most_calls_within(service, "send", span) <= sends and most_calls_within(service, "status", span) <= statuses
        )
