"""The picture as the ledger has it: for days that are over, without asking the workspace."""

import json
from datetime import datetime

from enforcer import ledger
from enforcer.look import COURSE_FILE, read_course
from enforcer.picture import Picture
from enforcer.seen import FileInfo
from enforcer.settings import Settings


class RememberedFiles:
    """The workspace's files as they were last read."""

    def files(self, folder: str) -> list[FileInfo]:
        noted = ledger.note(f"files of {folder}")
        paths = json.loads(noted) if noted else [f"{folder}/{COURSE_FILE}"]
        return [FileInfo(path, row[0]) for path in paths if (row := ledger.remembered_file(path))]

    def read(self, path: str) -> str:
        row = ledger.remembered_file(path)
        return row[1] if row else ""


def recall(settings: Settings, *, now: datetime) -> Picture:
    """The course that was looked at last, with every cluster it ever had: those that are gone ran on some day, too."""
    clusters = ledger.last_looked_at()
    chosen = (clusters[0].course, clusters[0].term) if clusters and clusters[0].course else None
    problems: list[str] = []
    course, allowances = read_course(RememberedFiles(), settings, chosen, problems, now=now)
    ids = [cluster.id for cluster in clusters]
    sessions = ledger.sessions(begins=ledger.to_instant(0), ends=now, cluster_ids=ids)
    noted = json.loads(ledger.note("members") or "null")
    members = {group: frozenset(names) for group, names in noted["groups"].items()} if noted else None
    return Picture(now, course, settings.fallback, clusters, sessions, allowances, members, tuple(problems))
