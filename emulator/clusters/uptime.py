"""Actual uptime: sessions from RUNNING to TERMINATING, stored separately from the event list.

Event faults (dropped, delayed or late events) and permanent deletion do not change it.
"""

from emulator.base.clock import Millis
from emulator.models.clusters import ClusterRestart, Clusters, UptimeSession
from emulator.state.state import WorkspaceState


def open_session(clusters: Clusters, cluster_id: str, at: Millis, started_by: str | None) -> None:
    """Open a session at `at`, when the cluster becomes RUNNING. Does nothing if a session is open."""
    if current_session(clusters, cluster_id) is None:
        clusters.sessions.setdefault(cluster_id, []).append(UptimeSession(at, None, started_by))


def record_restart(clusters: Clusters, cluster_id: str, at: Millis, user: str | None) -> None:
    """Record a restart in the open session, which continues."""
    session = current_session(clusters, cluster_id)
    if session is not None:
        session.restarts.append(ClusterRestart(at, user))


def close_session(clusters: Clusters, cluster_id: str, at: Millis) -> None:
    """Close the open session at `at`, when the cluster becomes TERMINATING or is deleted."""
    session = current_session(clusters, cluster_id)
    if session is not None:
        session.end = at


def current_session(clusters: Clusters, cluster_id: str) -> UptimeSession | None:
    """Return the open session, or None."""
    sessions = clusters.sessions.get(cluster_id)
    return sessions[-1] if sessions and sessions[-1].end is None else None


def uptime(state: WorkspaceState, cluster_id: str, from_ms: Millis, to_ms: Millis) -> tuple[int, list[UptimeSession]]:
    """Return the uptime in `[from_ms, to_ms)` in milliseconds, and all sessions that overlap this interval, oldest
    first.

    An open session is counted up to `to_ms`, so `to_ms` must not be in the future. An unknown cluster has no uptime.
    """
    sessions = [
        session
        for session in state.clusters.sessions.get(cluster_id, ())
        if session.start < to_ms and (session.end is None or session.end > from_ms)
    ]
    return sum(min(_end(session, to_ms), to_ms) - max(session.start, from_ms) for session in sessions), sessions


def _end(session: UptimeSession, to_ms: Millis) -> Millis:
    return to_ms if session.end is None else session.end
