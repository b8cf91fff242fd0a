"""Clusters and events as a poll observes them, for tests of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime

from enforcer.domain.observations import SeenCluster, ToldEvent
from enforcer.domain.uptime import Event, Sighting

T = datetime(2030, 11, 3, 8, tzinfo=UTC)


def observed_cluster(id: str = "1103-1", *, at: datetime = T, running: bool = True, moved: str = "1") -> SeenCluster:
    sighting = Sighting(at, running, since=T, terminated=None if running else at)
    return SeenCluster(id, f"cluster {id}", "group_01", "94290", "2030w", "terraform", sighting, moved)


def raw_events(*events: Event) -> list[ToldEvent]:
    return [ToldEvent(event, "{}") for event in events]
