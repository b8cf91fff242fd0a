"""Mass-stop protection: holds stops for one poll if most of the running clusters are due to be stopped at once.

A mistyped limit or clock skew may be the cause, so people get time to check. The next poll reads the events of these
clusters again and stops those that are still due.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from enforcer.domain.quota import Action, Restrict, Stop
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.timestamps import from_millis, to_millis
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.settings import MassStopThreshold

HELD, NEAR = "held", "near their limits"
"""Names of the notes with held clusters and with clusters past a soft limit, each with a time."""
POLL_INTERVAL = timedelta(minutes=15)
"""Interval between polls by cron."""
RETRY_HELD_AFTER = timedelta(minutes=2)
"""When `watch` runs the next poll, which stops the held clusters."""
MIN_HOLD = RETRY_HELD_AFTER - timedelta(seconds=10)
"""Minimum time for which clusters are held."""
HOLD_EXPIRY = timedelta(hours=2)
"""Maximum age of a hold; older holds no longer count."""


@dataclass(frozen=True)
class PollHistory:
    """What earlier polls recorded about held stops."""

    last_poll: datetime | None = None
    held: frozenset[str] = frozenset()
    """Clusters held for long enough that the next poll may stop them."""
    is_holding: bool = False
    """Whether a poll held clusters recently."""
    near: frozenset[str] = frozenset()
    """Clusters past a soft limit at a poll in the last two intervals."""


def clusters_to_hold(
    actions: Iterable[Action],
    running: Iterable[str],
    history: PollHistory,
    cap: MassStopThreshold,
    *,
    now: datetime,
    is_confirmed: bool,
) -> frozenset[str]:
    """Return the clusters that are neither stopped nor restricted for now. Pure.

    `running` are the running clusters of the lab; `is_confirmed` means that the workspace's clock agrees with this
    machine's.
    """
    due = {action.cluster_id for action in actions if isinstance(action, Stop)} - history.held
    is_mass = len(due) >= cap.clusters and len(due) > cap.share * len(set(running))
    has_gap = history.last_poll is None or now - history.last_poll > 2 * POLL_INTERVAL
    if not is_mass or due & history.near or (has_gap and is_confirmed and not history.is_holding):
        return frozenset()
    return frozenset(due)


def without_held(actions: Iterable[Action], held: frozenset[str]) -> tuple[Action, ...]:
    """Return the actions except stops and restrictions of held clusters."""
    return tuple(one for one in actions if not (isinstance(one, Stop | Restrict) and one.cluster_id in held))


def hold_notice(snapshot: Snapshot, held: frozenset[str]) -> str:
    """Return a message about the held stops, with advice."""
    names = cluster_names(snapshot, held)
    return (
        f"{len(held)} clusters are due to be stopped at once, and none was near its limit before: {names}. This poll"
        " stops none of them; the next one stops those that are still due. Correct the limits, or run poll --stop-now"
    )


def cluster_names(snapshot: Snapshot, held: frozenset[str]) -> str:
    """Return the names of the first ten held clusters and the number of other ones."""
    shown = sorted(cluster.name for cluster in snapshot.clusters if cluster.id in held)
    return ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "")


def read_poll_history(ledger: Ledger, *, now: datetime) -> PollHistory:
    """Read what earlier polls recorded."""
    held, near = _noted(ledger, HELD), _noted(ledger, NEAR)
    recent = {id: at for id, at in held.items() if now - HOLD_EXPIRY < at <= now}
    return PollHistory(
        queries.last_poll(ledger),
        frozenset(id for id, at in recent.items() if at <= now - MIN_HOLD),
        any(at > now - MIN_HOLD for at in recent.values()),
        frozenset(id for id, at in near.items() if now - 2 * POLL_INTERVAL <= at < now),
    )


def write_poll_history(ledger: Ledger, snapshot: Snapshot, history: PollHistory, held: frozenset[str]) -> None:
    """Record the held clusters and the clusters past a soft limit for the next polls."""
    now = snapshot.now
    before = _noted(ledger, HELD)
    kept = {id: before[id] if id in before and history.is_holding else now for id in held}
    kept |= {id: before[id] for id in history.held if id in before}
    if kept or before:
        _note(ledger, HELD, kept)
    near = {id: at for id, at in _noted(ledger, NEAR).items() if id in history.near}
    near |= {
        c.id: now
        for c in snapshot.clusters
        if any(usage.is_near for usage in snapshot.limit_usages(c)) and c.id not in held
    }
    if near or history.near:
        _note(ledger, NEAR, near)


def held_cluster_ids(ledger: Ledger) -> frozenset[str]:
    """Return the held clusters, whose events are read again before they are stopped."""
    return frozenset(_noted(ledger, HELD))


def _noted(ledger: Ledger, name: str) -> dict[str, datetime]:
    return {id: from_millis(at) for id, at in json.loads(queries.note(ledger, name) or "{}").items()}


def _note(ledger: Ledger, name: str, timestamps: dict[str, datetime]) -> None:
    queries.write_note(ledger, name, json.dumps({id: to_millis(at) for id, at in timestamps.items()}))
