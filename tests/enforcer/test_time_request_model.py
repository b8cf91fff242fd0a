"""States of time requests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from enforcer.time_requests.model import GIVEN, State, TimeRequest, by_group

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
REQUEST = TimeRequest("r1", "group_01", NOW, 60, "deadline")


def test_only_a_waiting_request_expires():
    week = timedelta(days=7)
    approved = replace(REQUEST, state=State.APPROVED, answer="", answered_at=NOW + timedelta(hours=1), minutes_given=60)
    assert not REQUEST.is_expired(NOW + week - timedelta(seconds=1), week)
    assert REQUEST.is_expired(NOW + week, week)
    assert not approved.is_expired(NOW + week, week)
    assert {approved.state, State.GRANTED} == GIVEN


def test_a_groups_requests_are_listed_latest_first_without_withdrawn_ones():
    withdrawn = replace(REQUEST, id="r2", asked_at=NOW + timedelta(hours=1), state=State.WITHDRAWN)
    other, later = replace(REQUEST, id="r3", group="group_02"), replace(REQUEST, id="r4")
    assert by_group([withdrawn, other, later, REQUEST]) == {"group_01": (later, REQUEST), "group_02": (other,)}


def test_only_an_approved_or_granted_request_gives_minutes():
    denied = replace(REQUEST, state=State.DENIED, answer="not before the exam", answered_at=NOW)
    assert (denied.answered_at, denied.minutes_given) == (NOW, None)
    assert GIVEN.isdisjoint({State.WAITING, denied.state, State.REFUSED, State.EXPIRED, State.WITHDRAWN})
