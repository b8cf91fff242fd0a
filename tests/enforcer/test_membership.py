"""Who was in which group, also when the group is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enforcer.ledger import membership
from enforcer.ledger.database import open_ledger

T = datetime(2027, 1, 31, 8, tzinfo=UTC)
DAY = timedelta(days=1)
ANA, NOA, STAFF = (frozenset({f"{name}@x"}) for name in ("ana", "noa", "staff"))


@pytest.fixture(autouse=True)
def opened(tmp_path: Path) -> Iterator[None]:
    connection = open_ledger(str(tmp_path / "uptimes.db"))
    yield
    connection.close()


def everybody() -> dict[str, frozenset[str]]:
    known = membership.known()
    assert known is not None
    return known.all


def test_nothing_is_known_before_anything_was_read() -> None:
    assert (membership.known(), membership.forget(T)) == (None, 0)


def test_a_group_that_is_gone_keeps_whom_it_had_last_until_it_is_there_again() -> None:
    membership.remember({"group_01": ANA, "group_02": NOA, "admins": STAFF}, now=T)
    for number in (1, 2):
        membership.remember({"group_02": frozenset(), "admins": STAFF}, now=T + number * DAY)
    assert everybody() == {"group_01": ANA, "group_02": frozenset(), "admins": STAFF}

    membership.remember({"group_01": NOA, "admins": STAFF}, now=T + 3 * DAY)

    assert everybody() == {"group_01": NOA, "group_02": frozenset(), "admins": STAFF}


def test_only_what_was_last_read_before_is_forgotten() -> None:
    membership.remember({"group_01": ANA, "group_02": NOA}, now=T)
    membership.remember({"group_02": NOA}, now=T + DAY)

    assert membership.forget(T) == 0
    assert membership.forget(T + DAY) == 1
    assert everybody() == {"group_01": frozenset(), "group_02": NOA}
    assert membership.forget(T + 2 * DAY) == 1
    assert everybody() == {"group_01": frozenset(), "group_02": frozenset()}
