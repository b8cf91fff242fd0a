"""Clusters and events as a poll observes them, for tests of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime

from enforcer.domain.observations import ObservedCluster, RawEvent
from enforcer.domain.uptime import Event, Observation

T = datetime(2030, 11, 3, 8, tzinfo=UTC)


def observed_cluster(
    id: str = "1103-1", *, at: datetime = T, running: bool = True, moved: str = "1"
) -> ObservedCluster:
    observation = Observation(at, running, started=T, terminated=None if running else at)
    return ObservedCluster(id, f"cluster {id}", "group_01", "94290", "2030w", "terraform", observation, moved)


def raw_events(*events: Event) -> list[RawEvent]:
    return [RawEvent(event, "{}") for event in events]
