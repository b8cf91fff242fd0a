"""Roles of the users who started or restarted clusters. A role is decided once for each launch; later group changes do
not matter.

A session begins some time after its launch, and later events can move its start. So the role of a session is taken from
the last launch by the same user before it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from enforcer.domain.timestamps import from_millis, from_millis_or_none, to_millis
from enforcer.domain.uptime import MEMBER, OTHER, Role, Session
from enforcer.ledger.database import Ledger
from enforcer.ledger.models import StarterRow

LONGEST_LAUNCH = timedelta(days=1)
"""Nearly every launch takes less time than this; a longer one is looked up separately."""
ADD = """
    INSERT INTO starter (cluster_id, at, user_name, role) VALUES (?, ?, ?, 'unknown') ON CONFLICT DO NOTHING"""
DECIDE = """
    UPDATE starter SET role = ?, first_asked_at = COALESCE(first_asked_at, ?)
    WHERE cluster_id = ? AND at = ? AND user_name = ? AND role = 'unknown'"""
KNOWN = "SELECT cluster_id, at, user_name, role FROM starter WHERE at >= ? ORDER BY at"
LAST = "SELECT role FROM starter WHERE cluster_id = ? AND user_name = ? AND at <= ? ORDER BY at DESC LIMIT 1"
NAMELESS = {MEMBER: Role.STUDENT, OTHER: Role.STAFF}


@dataclass(frozen=True)
class Starter:
    """A launch or restart by an account that is not known to be a student or staff."""

    cluster_id: str
    at: datetime
    user: str
    asked: datetime | None
    """When the account was first looked up; None if never."""


def add(ledger: Ledger, starts: Iterable[tuple[str, int, str]]) -> None:
    """Store launches and restarts: cluster, milliseconds, user. Rows that are already stored do not change."""
    ledger.each(ADD, starts)


def unknown(ledger: Ledger, cluster_ids: Iterable[str], *, since: datetime) -> list[Starter]:
    """Return unknown starters that were never looked up or started a cluster at `since` or later, oldest first."""
    is_due = StarterRow.first_asked_at.is_null() | (StarterRow.at >= to_millis(since))
    rows = ledger.select(StarterRow).where((StarterRow.role == Role.UNKNOWN.value) & is_due).order_by(StarterRow.at)
    wanted = frozenset(cluster_ids)
    return [
        Starter(row.cluster_id, from_millis(row.at), row.user_name, from_millis_or_none(row.first_asked_at))
        for row in rows
        if row.cluster_id in wanted
    ]


def decide(ledger: Ledger, roles: Mapping[Starter, Role], *, now: datetime) -> None:
    """Store the roles that were found. Known roles do not change."""
    asked = to_millis(now)
    ledger.each(DECIDE, [(role.value, asked, s.cluster_id, to_millis(s.at), s.user) for s, role in roles.items()])


def with_roles(ledger: Ledger, sessions: Mapping[str, list[Session]]) -> dict[str, list[Session]]:
    """Return the same sessions by cluster, with the roles of their starters."""
    first = min((one.start for found in sessions.values() for one in found), default=None)
    if first is None:
        return dict(sessions)
    known: dict[tuple[str, str], tuple[list[int], list[Role]]] = {}
    for cluster_id, at, user, role in ledger.rows(KNOWN, to_millis(first - LONGEST_LAUNCH)):
        instants, roles = known.setdefault((cluster_id, user), ([], []))
        instants.append(at)
        roles.append(Role(role))

    def role_of(cluster_id: str, user: str | None, at: datetime) -> Role:
        if user in NAMELESS:
            return NAMELESS[user]
        if user is None:
            return Role.UNKNOWN
        instants, roles = known.get((cluster_id, user), ([], []))
        if index := bisect_right(instants, to_millis(at)):
            return roles[index - 1]
        before = ledger.rows(LAST, cluster_id, user, to_millis(at))
        return Role(before[0][0]) if before else Role.UNKNOWN

    def one(cluster_id: str, session: Session) -> Session:
        restarts = tuple(replace(r, role=role_of(cluster_id, r.user, r.at)) for r in session.restarts)
        role = role_of(cluster_id, session.started_by, session.start)
        return replace(session, role=role, restarts=restarts)

    return {id: [one(id, session) for session in found] for id, found in sessions.items()}


def named_before(ledger: Ledger, cluster_id: str, before: datetime) -> list[tuple[int, str, Role]]:
    """Return the starters of a cluster before an instant: milliseconds, user, role."""
    is_old = (StarterRow.cluster_id == cluster_id) & (StarterRow.at < to_millis(before))
    return [(row.at, row.user_name, Role(row.role)) for row in ledger.select(StarterRow).where(is_old)]


def forget(ledger: Ledger, before: datetime) -> None:
    """Delete the starters before an instant, because they name people."""
    is_old: Any = StarterRow.at < to_millis(before)
    ledger.delete(StarterRow).where(is_old).execute()
