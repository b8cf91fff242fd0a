"""A ledger with the facts of the board's invented lab, as the polls of a term would have left it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from enforcer.board.demo import GROUPS, NOW, TITLES, demo_course_file, demo_facts
from enforcer.board.model import BoardFacts
from enforcer.domain.allowances import format_entry
from enforcer.domain.observations import FileInfo
from enforcer.domain.timestamps import to_millis, to_millis_or_none
from enforcer.ledger.database import Ledger
from enforcer.ledger.models import ActionRow, ClusterRow, DayRow, PollRow, RestrictedRow, SessionRow, StarterRow
from enforcer.ledger.workspace_memory import WorkspaceMemory
from enforcer.time_requests import store
from labkit.course_file import ALLOWANCES, folder_of, format_course_file, path_of


def fill(ledger: Ledger, groups: int = GROUPS, *, titles: tuple[str, ...] = TITLES, now: datetime = NOW) -> BoardFacts:
    """Store the facts of the invented lab in an empty ledger, and return them."""
    facts = demo_facts(groups, titles=titles, now=now)
    file, snapshot = demo_course_file(groups, titles), facts.snapshot
    memory = WorkspaceMemory(ledger, now=now)
    memory.store_file(FileInfo(path_of(file.course, file.term), "1"), format_course_file(file))
    folder = f"{folder_of(file.course, file.term)}/{ALLOWANCES}"
    paths = [f"{folder}/{number}.json" for number, _ in enumerate(snapshot.allowances)]
    for path, allowance in zip(paths, snapshot.allowances, strict=True):
        memory.store_file(FileInfo(path, "1"), format_entry(allowance))
    memory.store_paths(folder, paths)
    memory.store_members(snapshot.members or {})
    store.save(ledger, snapshot.course, facts.time_requests)
    with ledger.atomic():
        _fill_tables(ledger, facts)
    return facts


def _fill_tables(ledger: Ledger, facts: BoardFacts) -> None:
    snapshot = facts.snapshot
    at = to_millis(snapshot.now)
    groups = snapshot.group_by_cluster
    for cluster in snapshot.clusters:
        place = dict(name=cluster.name, group_name=cluster.group, course=cluster.course, term=cluster.term)
        seen = dict(first_seen=at, last_seen=at, is_running=cluster.observation.running, list_fingerprint="1")
        ledger.insert(ClusterRow, cluster_id=cluster.id, **place, **seen).execute()
    sessions = [(id, session) for id, found in snapshot.sessions.items() for session in found]
    _insert(
        ledger,
        SessionRow,
        ("cluster_id", "start", "end", "started_by", "restarts", "workers"),
        ((id, to_millis(s.start), to_millis_or_none(s.end), s.started_by, "[]", "[]") for id, s in sessions),
    )
    _insert(
        ledger,
        StarterRow,
        ("cluster_id", "at", "user_name", "role"),
        ((id, to_millis(s.start), s.started_by, s.role.value) for id, s in sessions),
    )
    _insert(
        ledger,
        DayRow,
        (
            "cluster_id",
            "day",
            "group_name",
            "used",
            "overrun",
            "uncounted",
            "sessions",
            "estimate",
            "imported",
            "settled_at",
        ),
        (
            (id, day.isoformat(), groups[id], round(used.total_seconds() * 1000), 0, 0, 1, False, False, at)
            for (id, day), used in facts.settled.items()
        ),
    )
    _insert(
        ledger,
        PollRow,
        ("began", "ended", "failed", "calls"),
        ((to_millis(poll.began), to_millis(poll.ended), poll.failed, "{}") for poll in facts.polls),
    )
    for action in facts.actions:
        day = action.noted.astimezone(snapshot.course.calendar.tz).date().isoformat()
        row = dict(kind=action.kind, cluster_id=action.cluster_id, group_name=action.group, reason=action.reason)
        times = dict(noted_at=to_millis(action.noted), done_at=to_millis_or_none(action.done))
        ledger.insert(ActionRow, **row, day=day, **times, error=action.error).execute()
    for id in facts.restricted:
        ledger.insert(RestrictedRow, cluster_id=id, group_name=groups[id], restricted_at=at).execute()


def _insert(ledger: Ledger, table: type, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Insert many rows."""
    names = ", ".join(f'"{column}"' for column in columns)
    name = table._meta.table_name  # type: ignore[attr-defined]
    ledger.each(f'INSERT INTO "{name}" ({names}) VALUES ({", ".join("?" * len(columns))})', rows)
