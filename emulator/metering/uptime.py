"""Actual uptime of clusters and SQL warehouses: sessions from RUNNING until they stop, stored separately from events.

Event faults (dropped, delayed or late events) and permanent deletion do not change it.
"""

from typing import Protocol

from emulator.base.clock import Millis
from emulator.models.clusters import ClusterRestart, UptimeSession


class Compute(Protocol):
    """Clusters or SQL warehouses."""

    sessions: dict[str, list[UptimeSession]]
    """Sessions by id, oldest first."""


def open_session(compute: Compute, id: str, at: Millis, started_by: str | None) -> None:
    """Open a session at `at`, when the cluster or warehouse becomes RUNNING. Does nothing if a session is open."""
    if current_session(compute, id) is None:
        compute.sessions.setdefault(id, []).append(UptimeSession(at, None, started_by))


def record_restart(compute: Compute, id: str, at: Millis, user: str | None) -> None:
    """Record a restart in the open session, which continues."""
    session = current_session(compute, id)
    if session is not None:
        session.restarts.append(ClusterRestart(at, user))


def close_session(compute: Compute, id: str, at: Millis) -> None:
    """Close the open session at `at`, when the cluster or warehouse begins to stop or is deleted."""
    session = current_session(compute, id)
    if session is not None:
        session.end = at


def current_session(compute: Compute, id: str) -> UptimeSession | None:
    """Return the open session, or None."""
    sessions = compute.sessions.get(id)
    return sessions[-1] if sessions and sessions[-1].end is None else None


def uptime(compute: Compute, id: str, from_ms: Millis, to_ms: Millis) -> tuple[int, list[UptimeSession]]:
    """Return the uptime in `[from_ms, to_ms)` in milliseconds, and all sessions that overlap this interval, oldest
    first.

    An open session is counted up to `to_ms`, so `to_ms` must not be in the future. An unknown id has no uptime.
    """
    sessions = [
        session
        for session in compute.sessions.get(id, ())
        if session.start < to_ms and (session.end is None or session.end > from_ms)
    ]
    return sum(min(_end(session, to_ms), to_ms) - max(session.start, from_ms) for session in sessions), sessions


def _end(session: UptimeSession, to_ms: Millis) -> Millis:
    return to_ms if session.end is None else session.end
