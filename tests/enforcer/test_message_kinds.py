"""Pending messages that later ones supersede."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from enforcer.domain.message_kinds import LimitMessage, MessageKind, is_outdated

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)
WARNING, STOPPED = MessageKind.WARNING, MessageKind.STOPPED


def notice(kind: MessageKind, period: str, first: str, minutes: int, about: str = "c1") -> LimitMessage:
    return LimitMessage(kind, about, period, first, NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("waiting", "later", "expected"),
    [
        ((WARNING, "day", "03", 0), (STOPPED, "day", "03", 5), True),
        ((WARNING, "day", "03", 0), (STOPPED, "week", "01", 5), True),
        ((WARNING, "day", "03", 0), (STOPPED, "day", "04", 5), True),
        ((WARNING, "day", "03", 0), (WARNING, "day", "03", 5), True),
        ((WARNING, "day", "03", 0), (WARNING, "day", "04", 5), True),
        ((WARNING, "day", "03", 0), (WARNING, "week", "01", 5), False),
        ((STOPPED, "day", "03", 0), (STOPPED, "day", "04", 5), True),
        ((STOPPED, "day", "03", 0), (STOPPED, "week", "01", 5), True),
        ((STOPPED, "day", "03", 0), (WARNING, "day", "04", 5), True),
        ((STOPPED, "day", "03", 0), (WARNING, "day", "03", 5), False),
        ((STOPPED, "week", "01", 0), (WARNING, "day", "04", 5), False),
        ((WARNING, "day", "03", 5), (STOPPED, "day", "03", 5), False),
        ((WARNING, "day", "03", 5), (STOPPED, "day", "03", 0), False),
        ((WARNING, "day", "03", 0, "c2"), (STOPPED, "day", "03", 5), False),
    ],
)
def test_a_pending_message_is_superseded_by_a_contradicting_one(
    waiting: tuple[MessageKind, str, str, int], later: tuple[MessageKind, str, str, int], expected: bool
) -> None:
    assert is_outdated(notice(*waiting), notice(*later)) is expected
