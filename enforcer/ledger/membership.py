"""Who is in which group, as it was last read from the workspace; of a group that is gone, who was in it last.

A lab that is destroyed takes its groups along, and its last day is settled afterwards.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from enforcer.domain.timestamps import from_millis, to_millis
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger

NOTE = "members"
Members = Mapping[str, frozenset[str]]
"""Addresses by group, lower case."""


@dataclass(frozen=True)
class KnownMembers:
    read: datetime
    groups: Members
    gone: Members = field(default_factory=dict)
    seen: Mapping[str, datetime] = field(default_factory=dict)
    """When the members of a group that is gone were last read."""

    @property
    def all(self) -> dict[str, frozenset[str]]:
        return {**self.gone, **self.groups}


def known_members(ledger: Ledger) -> KnownMembers | None:
    """What is noted; None: nothing was ever read."""
    noted = json.loads(queries.note(ledger, NOTE) or "null")
    if noted is None:
        return None
    gone = noted.get("gone", {})
    return KnownMembers(
        from_millis(noted["read"]),
        {group: frozenset(names) for group, names in noted["groups"].items()},
        {group: frozenset(told["names"]) for group, told in gone.items()},
        {group: from_millis(told["seen"]) for group, told in gone.items()},
    )


def store(ledger: Ledger, groups: Members, *, now: datetime) -> KnownMembers:
    """Note what was read, and keep what is known of groups that are no longer there."""
    before = known_members(ledger)
    gone, seen = {}, {}
    if before:
        gone = {group: names for group, names in before.all.items() if group not in groups}
        seen = {group: before.seen.get(group, before.read) for group in gone}
    after = KnownMembers(now, groups, gone, seen)
    _write(ledger, after)
    return after


def forget(ledger: Ledger, begins: datetime) -> int:
    """Forget who was in a group when that was last read before an instant; of how many groups."""
    noted = known_members(ledger)
    if noted is None:
        return 0
    nobody: frozenset[str] = frozenset()
    is_old = noted.read < begins
    after = KnownMembers(
        noted.read,
        {group: nobody if is_old else names for group, names in noted.groups.items()},
        {group: nobody if noted.seen[group] < begins else names for group, names in noted.gone.items()},
        noted.seen,
    )
    _write(ledger, after)
    return sum(after.all[group] != names for group, names in noted.all.items())


def _write(ledger: Ledger, known: KnownMembers) -> None:
    told = {
        "read": to_millis(known.read),
        "groups": {group: sorted(names) for group, names in known.groups.items()},
        "gone": {
            group: {"seen": to_millis(known.seen[group]), "names": sorted(names)} for group, names in known.gone.items()
        },
    }
    queries.write_note(ledger, NOTE, json.dumps(told))
