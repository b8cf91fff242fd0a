"""Mass-stop protection: holds stops for one poll if most of the running clusters are due to be stopped at once.

A mistyped limit or a wrong clock may be the cause, so people get time to check. The next poll reads the events of these
clusters again and stops those that are still due.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from enforcer.domain.quota import Action, Restrict, Stop
from enforcer.domain.snapshot import Picture
from enforcer.domain.timestamps import to_instant, to_millis
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.settings import Cap

HELD, NEAR = "held", "near their limits"
"""Notes in the ledger: held clusters, and clusters past a soft limit, each with a time."""
POLL_INTERVAL = timedelta(minutes=15)
"""Interval of polls."""
AGAIN_AFTER = timedelta(minutes=2)
"""When `watch` runs the next poll, which stops the held clusters."""
MIN_HOLD = AGAIN_AFTER - timedelta(seconds=10)
"""Minimum time for which clusters are held."""
HOLD_EXPIRY = timedelta(hours=2)
"""Holds that are older no longer count."""


@dataclass(frozen=True)
class Memory:
    """What earlier polls noted about held stops."""

    last_poll: datetime | None = None
    held: frozenset[str] = frozenset()
    """Clusters held for long enough that the next poll may stop them."""
    is_holding: bool = False
    """Whether clusters were held a moment ago."""
    near: frozenset[str] = frozenset()
    """Clusters past a soft limit at a poll in the last two intervals."""


def held_clusters(
    actions: Iterable[Action], running: Iterable[str], memory: Memory, cap: Cap, *, now: datetime, is_confirmed: bool
) -> frozenset[str]:
    """Return the clusters that are neither stopped nor restricted for now. Pure.

    `running` are the running clusters of the lab; `is_confirmed`: the workspace's time agrees with this machine's.
    """
    due = {action.cluster_id for action in actions if isinstance(action, Stop)} - memory.held
    is_mass = len(due) >= cap.clusters and len(due) > cap.share * len(set(running))
    has_gap = memory.last_poll is None or now - memory.last_poll > 2 * POLL_INTERVAL
    if not is_mass or due & memory.near or (has_gap and is_confirmed and not memory.is_holding):
        return frozenset()
    return frozenset(due)


def without(actions: Iterable[Action], held: frozenset[str]) -> tuple[Action, ...]:
    """Return the actions without those that stop or restrict a held cluster."""
    return tuple(one for one in actions if not (isinstance(one, Stop | Restrict) and one.cluster_id in held))


def sentence(picture: Picture, held: frozenset[str]) -> str:
    """Return a sentence about the held stops and what to do."""
    names = picture_names(picture, held)
    return (
        f"{len(held)} clusters are due to be stopped at once, and none was near its limit before: {names}. This poll"
        " stops none of them; the next one stops those still due. Correct the limits, or poll with --stop-now"
    )


def picture_names(picture: Picture, held: frozenset[str]) -> str:
    """Return the names of the first ten held clusters, and the number of the others."""
    shown = sorted(cluster.name for cluster in picture.clusters if cluster.id in held)
    return ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "")


def recall_memory(ledger: Ledger, *, now: datetime) -> Memory:
    """Read what earlier polls noted."""
    held, near = _noted(ledger, HELD), _noted(ledger, NEAR)
    recent = {id: at for id, at in held.items() if now - HOLD_EXPIRY < at <= now}
    return Memory(
        queries.last_poll(ledger),
        frozenset(id for id, at in recent.items() if at <= now - MIN_HOLD),
        any(at > now - MIN_HOLD for at in recent.values()),
        frozenset(id for id, at in near.items() if now - 2 * POLL_INTERVAL <= at < now),
    )


def remember(ledger: Ledger, picture: Picture, memory: Memory, held: frozenset[str]) -> None:
    """Note the held clusters and those past a soft limit, for the next polls."""
    now = picture.now
    before = _noted(ledger, HELD)
    kept = {id: before[id] if id in before and memory.is_holding else now for id in held}
    kept |= {id: before[id] for id in memory.held if id in before}
    if kept or before:
        _note(ledger, HELD, kept)
    near = {id: at for id, at in _noted(ledger, NEAR).items() if id in memory.near}
    near |= {c.id: now for c in picture.clusters if any(use.is_near for use in picture.uses(c)) and c.id not in held}
    if near or memory.near:
        _note(ledger, NEAR, near)


def held_now(ledger: Ledger) -> frozenset[str]:
    """Return the held clusters, whose events are read again before they are stopped."""
    return frozenset(_noted(ledger, HELD))


def _noted(ledger: Ledger, name: str) -> dict[str, datetime]:
    return {id: to_instant(at) for id, at in json.loads(queries.note(ledger, name) or "{}").items()}


def _note(ledger: Ledger, name: str, timestamps: dict[str, datetime]) -> None:
    queries.write_note(ledger, name, json.dumps({id: to_millis(at) for id, at in timestamps.items()}))
