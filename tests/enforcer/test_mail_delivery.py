"""Messages after the service accepted or refused them, and messages that are no longer true."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.quota import Period
from enforcer.ledger import stored_messages
from enforcer.ledger.database import Ledger, open_copy
from enforcer.ledger.models import MessageRow
from enforcer.mail import outbox
from enforcer.mail.sender import SendSummary
from enforcer.settings import CUSTOM_DOMAIN, MANAGED_DOMAIN, MailBudget
from example_counts import at_most_examples
from fake_mail_service import HOUR, MINUTE, NOW, FakeMailService
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


# --- status of accepted messages


def names(ledger: Ledger, subject: str) -> list[str]:
    """Return the operation ids of the messages with this subject."""
    return [row.operation_id for row in ledger.select(MessageRow) if row.subject == subject]


def test_an_accepted_message_is_checked_every_hour_until_it_is_final(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "followed")
    (name,) = names(ledger, "followed")
    service.is_slow = True
    for quarter in range(14):
        send_once(ledger, service, quarter * 15 * MINUTE)
    assert [at - NOW for at in service.status_times(name)] == [1 * HOUR, 2 * HOUR, 3 * HOUR]
    service.is_slow = False
    for quarter in range(14, 200):
        send_once(ledger, service, quarter * 15 * MINUTE)
    assert [at - NOW for at in service.status_times(name)] == [1 * HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR]


def test_a_status_that_is_never_final_is_checked_for_a_day(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "followed")
    service.is_slow = True
    for quarter in range(200):
        assert send_once(ledger, service, quarter * 15 * MINUTE).failures == ()
    assert [at - NOW for at in service.status_times(*names(ledger, "followed"))] == [
        hour * HOUR for hour in range(1, 24)
    ]
    assert [row.error for row in ledger.select(MessageRow)] == [stored_messages.NEVER_FINAL]


def test_recipients_of_an_undelivered_message_are_reported(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "dropped", to=("dana@campus.example", "noa@campus.example"))
    enqueue(ledger, "arrives", to=("avi@campus.example",))
    service.suppressed = {"dana@campus.example", "noa@campus.example"}
    assert send_once(ledger, service).failures == ()
    lost = 'the message "dropped" was given up: accepted, but not delivered: all recipients were suppressed'
    assert send_once(ledger, service, HOUR).failures == (lost,)
    assert send_once(ledger, service, HOUR + MINUTE) == SendSummary(accepted=1)
    (note,) = (json.loads(each) for each in service.accepted.values() if "could not be sent" in each)
    assert note["recipients"]["to"] == [{"address": ADMIN}]
    assert "to dana@campus.example, noa@campus.example, written" in note["content"]["plainText"]
    assert "avi@campus.example" not in note["content"]["plainText"]
    assert send_once(ledger, service, 3 * HOUR) == SendSummary()


def test_an_undelivered_message_to_the_admin_is_not_reported(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "dropped")
    service.suppressed = {"dana@campus.example", ADMIN}
    for hour in range(30):
        send_once(ledger, service, hour * HOUR)
    assert service.subjects == ["dropped", "1 message could not be sent"]


@pytest.mark.parametrize("what", ["breaks before", "busy"])
def test_a_failed_status_check_is_repeated(ledger: Ledger, service: FakeMailService, what: str) -> None:
    enqueue(ledger, "followed")
    send_once(ledger, service)
    service.plan = [what]
    assert send_once(ledger, service, HOUR) == SendSummary()
    send_once(ledger, service, 3 * HOUR)
    assert call_kinds(service) == ["send", "status", "status"]


def test_one_refused_address_does_not_affect_the_others(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "warning", to=("bad@campus", "dana@campus.example", "noa@campus.example"), cc=(ADMIN,))
    service.refused = {"bad@campus"}
    given_up = 'the message "warning" was given up: Invalid recipient'
    assert send_once(ledger, service) == SendSummary(accepted=3, failures=(given_up,), waiting=1)
    assert service.recipients_of("warning") == [ADMIN, "dana@campus.example", "noa@campus.example"]
    assert call_kinds(service) == ["send", "status"] + ["send", "status"] + ["send"] * 3
    send_once(ledger, service, MINUTE)
    (note,) = (json.loads(each) for each in service.accepted.values() if "could not be sent" in each)
    assert "to bad@campus, written" in note["content"]["plainText"]
    assert "dana" not in note["content"]["plainText"]
    for hour in range(1, 30):
        assert send_once(ledger, service, hour * HOUR).failures == ()
    assert call_kinds(service).count("send") == 6


def test_a_split_message_is_not_stored_again(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "warning", to=("bad@campus", "dana@campus.example"))
    service.refused = {"bad@campus"}
    send_once(ledger, service)
    assert not enqueue(ledger, "warning", to=("bad@campus", "dana@campus.example"))
    assert stored_messages.notified_limits(ledger, MessageKind.WARNING, since=SUNDAY) == {
        ("warning", Period.DAY, SUNDAY, 3 * HOUR)
    }


def test_messages_are_retried_for_a_day_while_all_are_refused(ledger: Ledger, service: FakeMailService) -> None:
    enqueue(ledger, "warning", to=("dana@campus.example", "noa@campus.example"))
    service.refused = {"dana@campus.example", "noa@campus.example"}
    for hour in range(20):
        send_once(ledger, service, hour * HOUR)
    service.refused = set()
    send_once(ledger, service, 20 * HOUR)
    assert service.recipients_of("warning") == ["dana@campus.example", "noa@campus.example"]


# --- superseded messages


def notice(
    ledger: Ledger, kind: MessageKind, first: date, at: timedelta, period: str = "day", about: str = "c1"
) -> None:
    subject = f"{kind.value} {period} {first.day}"
    outbox.queue(
        ledger,
        kind,
        about,
        message(subject),
        now=NOW + at,
        period=period,
        period_start=first,
        hard_limit=(at + HOUR) * 2,
    )


def test_superseded_messages_are_dropped(ledger: Ledger, service: FakeMailService) -> None:
    notice(ledger, MessageKind.WARNING, SUNDAY, timedelta())
    notice(ledger, MessageKind.WARNING, SUNDAY, timedelta(), about="c2")
    notice(ledger, MessageKind.STOPPED, SUNDAY + DAY, DAY)
    assert send_once(ledger, service, DAY) == SendSummary(accepted=2, dropped=1)
    assert service.subjects == ["stopped day 2", "warning day 1"]
    assert send_once(ledger, service, 2 * DAY) == SendSummary()
    assert stored_messages.dropped(ledger, since=NOW) == 1
    assert len(stored_messages.notified_limits(ledger, MessageKind.WARNING, since=SUNDAY)) == 2


def test_an_unknown_status_is_checked_before_a_message_is_dropped(ledger: Ledger, service: FakeMailService) -> None:
    notice(ledger, MessageKind.WARNING, SUNDAY, timedelta())
    service.plan = ["breaks before"]
    send_once(ledger, service)
    notice(ledger, MessageKind.STOPPED, SUNDAY + DAY, DAY)
    assert send_once(ledger, service, DAY) == SendSummary(accepted=1, dropped=1)
    assert service.subjects == ["stopped day 2"]
    assert call_kinds(service) == ["send", "send", "status"]


PEOPLE = [f"s{number}@campus.example" for number in range(6)]


@given(
    to=st.lists(st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True), min_size=1, max_size=4),
    refused=st.sets(st.sampled_from(PEOPLE), max_size=3),
    suppressed=st.sets(st.sampled_from(PEOPLE), max_size=3),
    pauses=st.lists(st.integers(1, 90), max_size=8),
    budget=st.sampled_from([LARGE_BUDGET, CUSTOM_DOMAIN, MANAGED_DOMAIN]),
    is_slow=st.booleans(),
)
@at_most_examples(15)
def test_refused_and_suppressed_recipients_do_not_affect_the_others(
    to: list[list[str]],
    refused: set[str],
    suppressed: set[str],
    pauses: list[int],
    budget: MailBudget,
    is_slow: bool,
) -> None:
    ledger = open_copy(":memory:")
    service, reported, at = (
        FakeMailService(refused=refused, suppressed=suppressed - refused, is_slow=is_slow),
        mail_settings(budget),
        0,
    )
    for number, people in enumerate(to):
        enqueue(ledger, f"message {number}", to=tuple(people), cc=(ADMIN,))
    for pause in [*pauses, *[60] * 28]:
        send_once(ledger, service, at * MINUTE, reported)
        at += pause
    assert stored_messages.waiting_count(ledger) == 0
    for number, people in enumerate(to):
        assert service.recipients_of(f"message {number}") == sorted({*people, ADMIN} - refused - suppressed)
    notes = "".join(payload for payload in service.accepted.values() if "could not be sent" in payload)
    told_of = refused | (set() if is_slow else suppressed)
    alone = {one for people in to for one in people if set(people) & refused or one in refused}
    assert all((one in notes) == (one in told_of) for one in alone & (refused | suppressed))
    for name in service.accepted:
        asked = service.status_times(name)
        assert all(later - sooner >= HOUR for sooner, later in zip(asked, asked[1:], strict=False))
        assert len(asked) <= 24
    for span, sends, statuses in (
        (MINUTE, budget.sends_per_minute, budget.status_per_minute),
        (HOUR, budget.sends_per_hour, budget.status_per_hour),
    ):
        assert (
            most_calls_within(service, "send", span) <= sends and most_calls_within(service, "status", span) <= statuses
        )
    ledger.close()
