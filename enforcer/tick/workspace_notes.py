"""Notes for staff about the rest of the workspace: running clusters that are not the course's, and the number of users
in no group.

The notes are in the ledger, so that the board needs no request. They contain no names of people.
"""

import json
import re
from collections.abc import Iterable

from enforcer.domain.observations import ObservedCluster, OtherCluster
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.timestamps import from_millis_or_none, to_millis_or_none
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.workspace.client import Workspace
from labkit.text import one_line

OTHER_CLUSTERS = "running clusters of others"
WITHOUT_GROUP = "users in no group"
MOST_CLUSTERS, LABEL_LENGTH = 500, 80
PERSONAL = re.compile(r"@|['’]s\b", re.IGNORECASE)
"""Matches what the workspace proposes as the name of a person's own cluster: name or address, and `'s Cluster`."""
OF_A_PERSON = "a person's cluster"


def note_workspace(ledger: Ledger, workspace: Workspace, snapshot: Snapshot) -> None:
    """Record the running clusters of others and, if this tick read the users, how many are in no group.

    The course's staff are not counted. The job clusters of the last complete list are kept while a tick does not list
    them.
    """
    jobs = workspace.job_clusters
    found = [_noted(cluster, is_job=cluster.id in jobs) for cluster in snapshot.others]
    if not workspace.lists_job_clusters:
        ids = {cluster.id for cluster in found}
        found += [one for one in other_clusters(ledger) or () if one.is_job and one.id not in ids]
    _write(ledger, OTHER_CLUSTERS, _document(found[:MOST_CLUSTERS]))
    if workspace.ungrouped_users is not None:
        others = [user for user in workspace.ungrouped_users if not snapshot.course.is_staff(user)]
        _write(ledger, WITHOUT_GROUP, str(len(others)))


def other_clusters(ledger: Ledger) -> tuple[OtherCluster, ...] | None:
    """Return the running clusters that are not the course's, as of the last tick; None if no tick recorded them."""
    noted = queries.note(ledger, OTHER_CLUSTERS)
    if noted is None:
        return None
    return tuple(
        OtherCluster(id, label, course, from_millis_or_none(started), is_job)
        for id, label, course, started, is_job in json.loads(noted)
    )


def users_without_group(ledger: Ledger) -> int | None:
    """Return the number of users in no group when the users were last read; None if no tick recorded it."""
    noted = queries.note(ledger, WITHOUT_GROUP)
    return None if noted is None else int(noted)


def _noted(cluster: ObservedCluster, *, is_job: bool) -> OtherCluster:
    name = one_line(cluster.name, LABEL_LENGTH)
    label = OF_A_PERSON if PERSONAL.search(name) else name
    course = one_line(" ".join(filter(None, (cluster.course, cluster.term))), LABEL_LENGTH)
    return OtherCluster(cluster.id, label, course, cluster.observation.started, is_job)


def _document(clusters: Iterable[OtherCluster]) -> str:
    rows = [[one.id, one.label, one.course, to_millis_or_none(one.started), one.is_job] for one in clusters]
    return json.dumps(sorted(rows, key=lambda row: str(row[0])))


def _write(ledger: Ledger, name: str, value: str) -> None:
    if queries.note(ledger, name) != value:
        queries.write_note(ledger, name, value)
