"""Loads snapshots of the past from the ledger, without requests to the workspace."""

from datetime import datetime

from enforcer.domain.allowances import in_force
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.timestamps import from_millis
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.ledger.workspace_memory import WorkspaceMemory
from enforcer.settings import Settings
from enforcer.tick.course_reader import read_folder


def load_past_snapshot(ledger: Ledger, settings: Settings, *, now: datetime) -> Snapshot:
    """Return a snapshot of the course of the last poll with all its clusters, including former ones, which ran on past
    days.
    """
    clusters = queries.clusters_of_last_course(ledger, settings.course, settings.term)
    course_term = (clusters[0].course, clusters[0].term) if clusters and clusters[0].course else None
    cache = WorkspaceMemory(ledger, now=now)
    course, entries, problems = read_folder(None, cache, course_term, settings.default_zone, now=now)
    ids = [cluster.id for cluster in clusters]
    sessions = queries.sessions(ledger, begins=from_millis(0), ends=now, cluster_ids=ids)
    return Snapshot(
        now, course, settings.fallback_quota, clusters, sessions, in_force(entries), cache.members(), tuple(problems)
    )
