"""The truth of uptime: sessions from RUNNING to TERMINATING, kept apart from the event list.

What is asked of the event list (dropped, delayed, late events) and a permanent delete leave it as it is.
"""

from emulator.base.clock import Millis
from emulator.models.clusters import ClusterRestart, Clusters, UptimeSession
from emulator.state.state import WorkspaceState


def open_session(clusters: Clusters, cluster_id: str, at: Millis, started_by: str | None) -> None:
    """The cluster is RUNNING from `at` on; does nothing while a session lasts."""
    if current_session(clusters, cluster_id) is None:
        clusters.sessions.setdefault(cluster_id, []).append(UptimeSession(at, None, started_by))


def record_restart(clusters: Clusters, cluster_id: str, at: Millis, user: str | None) -> None:
    """Somebody restarted the cluster: its session lasts on."""
    session = current_session(clusters, cluster_id)
    if session is not None:
        session.restarts.append(ClusterRestart(at, user))


def close_session(clusters: Clusters, cluster_id: str, at: Millis) -> None:
    """The cluster is TERMINATING, or gone, from `at` on."""
    session = current_session(clusters, cluster_id)
    if session is not None:
        session.end = at


def current_session(clusters: Clusters, cluster_id: str) -> UptimeSession | None:
    """The session that has no end yet."""
    sessions = clusters.sessions.get(cluster_id)
    return sessions[-1] if sessions and sessions[-1].end is None else None


def uptime(state: WorkspaceState, cluster_id: str, from_ms: Millis, to_ms: Millis) -> tuple[int, list[UptimeSession]]:
    """Milliseconds of uptime in `[from_ms, to_ms)`, and the sessions that overlap it, whole and oldest first.

    A session that lasts is counted up to `to_ms`, so `to_ms` must not lie in the future. An unknown cluster has none.
    """
    sessions = [
        session
        for session in state.clusters.sessions.get(cluster_id, ())
        if session.start < to_ms and (session.end is None or session.end > from_ms)
    ]
    return sum(min(_end(session, to_ms), to_ms) - max(session.start, from_ms) for session in sessions), sessions


def _end(session: UptimeSession, to_ms: Millis) -> Millis:
    return to_ms if session.end is None else session.end
