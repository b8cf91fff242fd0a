"""Members of groups as last read from the workspace, and the last members of deleted groups.

A destroyed lab deletes its groups, and its last day is settled afterwards.
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
"""Lower-case addresses by group."""


@dataclass(frozen=True)
class KnownMembers:
    read: datetime
    groups: Members
    gone: Members = field(default_factory=dict)
    seen: Mapping[str, datetime] = field(default_factory=dict)
    """When the members of each deleted group were last read."""

    @property
    def all(self) -> dict[str, frozenset[str]]:
        return {**self.gone, **self.groups}


def known_members(ledger: Ledger) -> KnownMembers | None:
    """Return the stored members; None if members were never read."""
    stored = json.loads(queries.note(ledger, NOTE) or "null")
    if stored is None:
        return None
    gone = stored.get("gone", {})
    return KnownMembers(
        from_millis(stored["read"]),
        {group: frozenset(names) for group, names in stored["groups"].items()},
        {group: frozenset(entry["names"]) for group, entry in gone.items()},
        {group: from_millis(entry["seen"]) for group, entry in gone.items()},
    )


def store(ledger: Ledger, groups: Members, *, now: datetime) -> KnownMembers:
    """Store the members that were read, and keep the members of deleted groups. Return both."""
    before = known_members(ledger)
    gone, seen = {}, {}
    if before:
        gone = {group: names for group, names in before.all.items() if group not in groups}
        seen = {group: before.seen.get(group, before.read) for group in gone}
    after = KnownMembers(now, groups, gone, seen)
    _write(ledger, after)
    return after


def forget(ledger: Ledger, begins: datetime) -> int:
    """Delete the members of groups that were last read before an instant. Return the number of groups."""
    stored = known_members(ledger)
    if stored is None:
        return 0
    no_members: frozenset[str] = frozenset()
    is_old = stored.read < begins
    after = KnownMembers(
        stored.read,
        {group: no_members if is_old else names for group, names in stored.groups.items()},
        {group: no_members if stored.seen[group] < begins else names for group, names in stored.gone.items()},
        stored.seen,
    )
    _write(ledger, after)
    return sum(after.all[group] != names for group, names in stored.all.items())


def _write(ledger: Ledger, known: KnownMembers) -> None:
    document = {
        "read": to_millis(known.read),
        "groups": {group: sorted(names) for group, names in known.groups.items()},
        "gone": {
            group: {"seen": to_millis(known.seen[group]), "names": sorted(names)} for group, names in known.gone.items()
        },
    }
    queries.write_note(ledger, NOTE, json.dumps(document))
