"""The actual uptime of a warehouse: sessions from RUNNING to STOPPING."""

from emulator.base.clock import Millis
from emulator.models.clusters import ClusterRestart, UptimeSession
from emulator.models.warehouses import Warehouses


def open_session(warehouses: Warehouses, warehouse_id: str, at: Millis, started_by: str | None) -> None:
    """Begin a session at `at`, when the warehouse is RUNNING; do nothing during a session."""
    if _current(warehouses, warehouse_id) is None:
        warehouses.sessions.setdefault(warehouse_id, []).append(UptimeSession(at, None, started_by))


def record_restart(warehouses: Warehouses, warehouse_id: str, at: Millis, user: str) -> None:
    """Record that an edit restarts the warehouse; its session continues."""
    session = _current(warehouses, warehouse_id)
    if session is not None:
        session.restarts.append(ClusterRestart(at, user))


def close_session(warehouses: Warehouses, warehouse_id: str, at: Millis) -> None:
    """End the session at `at`, when the warehouse is STOPPING or deleted."""
    session = _current(warehouses, warehouse_id)
    if session is not None:
        session.end = at


def uptime(
    warehouses: Warehouses, warehouse_id: str, from_ms: Millis, to_ms: Millis
) -> tuple[Millis, list[UptimeSession]]:
    """Return the milliseconds of uptime in `[from_ms, to_ms)`, and the whole sessions that overlap it, oldest first.

    A session without an end counts up to `to_ms`, which must not be in the future. An unknown warehouse has none.
    """
    found = [
        session
        for session in warehouses.sessions.get(warehouse_id, ())
        if session.start < to_ms and (session.end is None or session.end > from_ms)
    ]
    ends = [to_ms if session.end is None else min(session.end, to_ms) for session in found]
    return sum(end - max(session.start, from_ms) for session, end in zip(found, ends, strict=True)), found


def _current(warehouses: Warehouses, warehouse_id: str) -> UptimeSession | None:
    sessions = warehouses.sessions.get(warehouse_id)
    return sessions[-1] if sessions and sessions[-1].end is None else None
