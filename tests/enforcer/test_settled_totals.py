"""The file of totals that `end-of-day` writes beside the course file."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest

from enforcer.domain.quota import Calendar, Period
from enforcer.domain.settled_totals import GroupTotals, SettledTotals, SettledTotalsError, format_settled, parse_settled

H = timedelta(hours=1)
CALENDAR = Calendar(UTC, date(2026, 10, 18), date(2027, 1, 31), first_weekday=6)
SATURDAY, SUNDAY = date(2026, 10, 24), date(2026, 10, 25)
SETTLED = SettledTotals(SATURDAY, {"group_01": GroupTotals(3 * H, 5 * H), "קבוצה": GroupTotals(0 * H, 0 * H)})


def test_written_totals_are_read_back_unchanged() -> None:
    assert parse_settled(format_settled(SETTLED), "settled.json") == SETTLED


@pytest.mark.parametrize(
    ("period", "day", "expected"),
    [
        (Period.DAY, SATURDAY, 0 * H),
        (Period.WEEK, SATURDAY, 3 * H),
        (Period.WEEK, SUNDAY, 0 * H),
        (Period.TERM, SUNDAY, 5 * H),
        # After its last day, the term is longer than when the day was settled, but still the same term.
        (Period.TERM, date(2027, 2, 3), 5 * H),
    ],
)
def test_settled_totals_of_an_earlier_period_do_not_count(period: Period, day: date, expected: timedelta) -> None:
    assert SETTLED.used_before("group_01", period, day, CALENDAR) == expected
    assert SETTLED.used_before("group_99", period, day, CALENDAR) == 0 * H


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"version": 2}', "has version 2, but this program supports only 1"),
        ('{"version": 1, "groups": {}}', "up_to is missing"),
        ('{"version": 1, "up_to": "soon", "groups": {}}', "not a file of settled totals"),
        ('{"version": 1, "up_to": "2026-10-24", "groups": []}', "not a file of settled totals"),
        ("[]", "not a file of settled totals"),
        ("{", "not a file of settled totals"),
    ],
)
def test_an_invalid_totals_file_is_rejected_with_its_path(text: str, sentence: str) -> None:
    with pytest.raises(SettledTotalsError, match=f"^/lab/settled.json.*{sentence}"):
        parse_settled(text, "/lab/settled.json")
