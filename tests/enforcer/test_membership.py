"""Members of groups, including deleted groups."""

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


def test_no_members_are_known_before_the_first_read(ledger: Ledger) -> None:
    assert (membership.known_members(ledger), membership.forget(ledger, T)) == (None, 0)


def test_the_last_members_of_a_deleted_group_are_kept(ledger: Ledger) -> None:
    membership.store(ledger, {"group_01": ANA, "group_02": NOA, "admins": STAFF}, now=T)
    for number in (1, 2):
        membership.store(ledger, {"group_02": frozenset(), "admins": STAFF}, now=T + number * DAY)
    assert everybody(ledger) == {"group_01": ANA, "group_02": frozenset(), "admins": STAFF}

    membership.store(ledger, {"group_01": NOA, "admins": STAFF}, now=T + 3 * DAY)

    assert everybody(ledger) == {"group_01": NOA, "group_02": frozenset(), "admins": STAFF}


def test_only_members_read_before_a_time_are_deleted(ledger: Ledger) -> None:
    membership.store(ledger, {"group_01": ANA, "group_02": NOA}, now=T)
    membership.store(ledger, {"group_02": NOA}, now=T + DAY)

    assert membership.forget(ledger, T) == 0
    assert membership.forget(ledger, T + DAY) == 1
    assert everybody(ledger) == {"group_01": frozenset(), "group_02": NOA}
    assert membership.forget(ledger, T + 2 * DAY) == 1
    assert everybody(ledger) == {"group_01": frozenset(), "group_02": frozenset()}
