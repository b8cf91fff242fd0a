"""The cap that holds and does not cancel: when most of what runs is to be stopped at once, people look first.

A limit that was mistyped, or a clock that is wrong, looks like that. What is held at one poll is stopped at the next,
if it is still due by events that were read again.
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
"""Notes of the ledger: clusters that were held, and clusters that were past a soft limit, each with an instant."""
INTERVAL = timedelta(minutes=15)
"""Of polls."""
AGAIN_AFTER = timedelta(minutes=2)
"""The next poll, in which what was held is stopped, is no sooner."""
NOT_SOONER = AGAIN_AFTER - timedelta(seconds=10)
FORGOTTEN = timedelta(hours=2)
"""What was held longer ago was not held at the last polls."""


@dataclass(frozen=True)
class Memory:
    """What earlier polls left behind."""

    last_poll: datetime | None = None
    held: frozenset[str] = frozenset()
    """Clusters that were held, long enough ago for the next poll to stop them."""
    is_holding: bool = False
    """Something was held a moment ago."""
    near: frozenset[str] = frozenset()
    """Clusters that were past a soft limit at a poll in the last two intervals."""


def held_clusters(
    actions: Iterable[Action], running: Iterable[str], memory: Memory, cap: Cap, *, now: datetime, is_confirmed: bool
) -> frozenset[str]:
    """The clusters that are neither stopped nor restricted now. Pure.

    `running` are those of the lab that run; with `is_confirmed` the workspace's time agrees with this machine's.
    """
    due = {action.cluster_id for action in actions if isinstance(action, Stop)} - memory.held
    is_mass = len(due) >= cap.clusters and len(due) > cap.share * len(set(running))
    was_gap = memory.last_poll is None or now - memory.last_poll > 2 * INTERVAL
    if not is_mass or due & memory.near or (was_gap and is_confirmed and not memory.is_holding):
        return frozenset()
    return frozenset(due)


def without(actions: Iterable[Action], held: frozenset[str]) -> tuple[Action, ...]:
    """The actions without those that stop or restrict a cluster that is held."""
    return tuple(one for one in actions if not (isinstance(one, Stop | Restrict) and one.cluster_id in held))


def sentence(picture: Picture, held: frozenset[str]) -> str:
    """What is held, and what to do."""
    names = picture_names(picture, held)
    return (
        f"{len(held)} clusters would be stopped at once, and none was near its limit a moment ago: {names}. Nothing is"
        " stopped at this poll; the next one stops what is still due. Correct the limits, or poll with --stop-now"
    )


def picture_names(picture: Picture, held: frozenset[str]) -> str:
    shown = sorted(cluster.name for cluster in picture.clusters if cluster.id in held)
    return ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "")


def recall_memory(ledger: Ledger, *, now: datetime) -> Memory:
    """What earlier polls noted."""
    held, near = _noted(ledger, HELD), _noted(ledger, NEAR)
    recent = {id: at for id, at in held.items() if now - FORGOTTEN < at <= now}
    return Memory(
        queries.last_poll(ledger),
        frozenset(id for id, at in recent.items() if at <= now - NOT_SOONER),
        any(at > now - NOT_SOONER for at in recent.values()),
        frozenset(id for id, at in near.items() if now - 2 * INTERVAL <= at < now),
    )


def remember(ledger: Ledger, picture: Picture, memory: Memory, held: frozenset[str]) -> None:
    """Note what is held and who is near a limit, for the next polls."""
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
    """Clusters whose events are to be read again before they are stopped."""
    return frozenset(_noted(ledger, HELD))


def _noted(ledger: Ledger, name: str) -> dict[str, datetime]:
    return {id: to_instant(at) for id, at in json.loads(queries.note(ledger, name) or "{}").items()}


def _note(ledger: Ledger, name: str, instants: dict[str, datetime]) -> None:
    queries.write_note(ledger, name, json.dumps({id: to_millis(at) for id, at in instants.items()}))
