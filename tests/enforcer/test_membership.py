"""Who was in which group, also when the group is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from enforcer.ledger import membership
from enforcer.ledger.database import Ledger

T = datetime(2027, 1, 31, 8, tzinfo=UTC)
DAY = timedelta(days=1)
ANA, NOA, STAFF = (frozenset({f"{name}@x"}) for name in ("ana", "noa", "staff"))


def everybody(ledger: Ledger) -> dict[str, frozenset[str]]:
    known = membership.known_members(ledger)
    assert known is not None
    return known.all


def test_nothing_is_known_before_anything_was_read(ledger: Ledger) -> None:
    assert (membership.known_members(ledger), membership.forget(ledger, T)) == (None, 0)


def test_a_group_that_is_gone_keeps_whom_it_had_last_until_it_is_there_again(ledger: Ledger) -> None:
    membership.store(ledger, {"group_01": ANA, "group_02": NOA, "admins": STAFF}, now=T)
    for number in (1, 2):
        membership.store(ledger, {"group_02": frozenset(), "admins": STAFF}, now=T + number * DAY)
    assert everybody(ledger) == {"group_01": ANA, "group_02": frozenset(), "admins": STAFF}

    membership.store(ledger, {"group_01": NOA, "admins": STAFF}, now=T + 3 * DAY)

    assert everybody(ledger) == {"group_01": NOA, "group_02": frozenset(), "admins": STAFF}


def test_only_what_was_last_read_before_is_forgotten(ledger: Ledger) -> None:
    membership.store(ledger, {"group_01": ANA, "group_02": NOA}, now=T)
    membership.store(ledger, {"group_02": NOA}, now=T + DAY)

    assert membership.forget(ledger, T) == 0
    assert membership.forget(ledger, T + DAY) == 1
    assert everybody(ledger) == {"group_01": frozenset(), "group_02": NOA}
    assert membership.forget(ledger, T + 2 * DAY) == 1
    assert everybody(ledger) == {"group_01": frozenset(), "group_02": frozenset()}
