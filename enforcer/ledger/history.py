"""The picture as the ledger has it: for days that are over, without asking the workspace."""

import json
from datetime import datetime

from enforcer.domain.observations import FileInfo, SeenCluster
from enforcer.domain.snapshot import Picture
from enforcer.domain.timestamps import to_instant
from enforcer.domain.uptime import Sighting
from enforcer.ledger import membership, queries
from enforcer.ledger.database import Ledger
from enforcer.ledger.models import ClusterRow
from enforcer.settings import Settings
from enforcer.tick.collect import read_course
from labkit.course_file import FILE_NAME, ORIGIN


class RememberedFiles:
    """The workspace's files as they were last read."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def files(self, folder: str) -> list[FileInfo]:
        noted = queries.note(self._ledger, f"files of {folder}")
        paths = json.loads(noted) if noted else [f"{folder}/{FILE_NAME}"]
        return [FileInfo(path, row[0]) for path in paths if (row := queries.remembered_file(self._ledger, path))]

    def read(self, path: str) -> str:
        row = queries.remembered_file(self._ledger, path)
        return row[1] if row else ""


def recall(ledger: Ledger, settings: Settings, *, now: datetime) -> Picture:
    """The course that was looked at last, with every cluster it ever had: those that are gone ran on some day, too."""
    clusters = _last_looked_at(ledger, settings)
    chosen = (clusters[0].course, clusters[0].term) if clusters and clusters[0].course else None
    problems: list[str] = []
    course, allowances = read_course(ledger, RememberedFiles(ledger), settings, chosen, problems, now=now)
    ids = [cluster.id for cluster in clusters]
    sessions = queries.sessions(ledger, begins=to_instant(0), ends=now, cluster_ids=ids)
    noted = membership.known(ledger)
    members = noted.all if noted else None
    return Picture(now, course, settings.fallback, clusters, sessions, allowances, members, tuple(problems))


def _last_looked_at(ledger: Ledger, settings: Settings) -> tuple[SeenCluster, ...]:
    """Every cluster ever seen of the course that was looked at last, as it was seen last, by name.

    Where the settings name a course that was looked at, of that one.
    """
    looked_at = ledger.select(ClusterRow).order_by(ClusterRow.last_seen.desc())
    meant = looked_at
    if settings.course:
        meant = meant.where(ClusterRow.course == settings.course)
    if settings.term:
        meant = meant.where(ClusterRow.term == settings.term)
    latest = meant.first() or looked_at.first()
    if latest is None:
        return ()
    query = ledger.select(ClusterRow).where(ClusterRow.course == latest.course, ClusterRow.term == latest.term)
    return tuple(
        SeenCluster(
            id=row.cluster_id,
            name=row.name,
            group=row.group_name,
            course=row.course,
            term=row.term,
            origin=ORIGIN if row.course else "",
            sighting=Sighting(to_instant(row.last_seen), row.is_running),
            moved=row.moved,
        )
        for row in query.order_by(ClusterRow.name, ClusterRow.first_seen)
    )
