"""The totals that `end-of-day` leaves beside the course file."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest

from enforcer.domain.quota import Calendar, Period
from enforcer.domain.settled_totals import GroupTotals, SettledTotals, SettledTotalsError, format_settled, parse_settled

H = timedelta(hours=1)
CALENDAR = Calendar(UTC, date(2026, 10, 18), date(2027, 1, 31), first_weekday=6)
SATURDAY, SUNDAY = date(2026, 10, 24), date(2026, 10, 25)
SETTLED = SettledTotals(SATURDAY, {"group_01": GroupTotals(3 * H, 5 * H), "קבוצה": GroupTotals(0 * H, 0 * H)})


def test_what_is_written_is_read_again() -> None:
    assert parse_settled(format_settled(SETTLED), "settled.json") == SETTLED


@pytest.mark.parametrize(
    ("period", "day", "expected"),
    [
        (Period.DAY, SATURDAY, 0 * H),
        (Period.WEEK, SATURDAY, 3 * H),
        (Period.WEEK, SUNDAY, 0 * H),
        (Period.TERM, SUNDAY, 5 * H),
        # Beyond its last day the term is longer than when it was settled, and still the same term.
        (Period.TERM, date(2027, 2, 3), 5 * H),
    ],
)
def test_only_the_period_that_still_lasts_goes_on(period: Period, day: date, expected: timedelta) -> None:
    assert SETTLED.used_before("group_01", period, day, CALENDAR) == expected
    assert SETTLED.used_before("group_99", period, day, CALENDAR) == 0 * H


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"version": 2}', "has version 2, this program knows 1"),
        ('{"version": 1, "groups": {}}', "up_to is missing"),
        ('{"version": 1, "up_to": "soon", "groups": {}}', "no file of settled totals"),
        ('{"version": 1, "up_to": "2026-10-24", "groups": []}', "no file of settled totals"),
        ("[]", "no file of settled totals"),
        ("{", "no file of settled totals"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(SettledTotalsError, match=f"^/lab/settled.json.*{sentence}"):
        parse_settled(text, "/lab/settled.json")
