"""Determines the course and its clusters from the cluster list, course files, groups and ledger."""

import json
from collections.abc import Iterable
from datetime import datetime

from enforcer.domain.course import Course
from enforcer.domain.observations import SeenCluster
from enforcer.domain.ownership import Own, Pair, Trust, choose_course, foreign_claims, has_tags, own_clusters, pair_of
from enforcer.domain.roles import is_same
from enforcer.domain.timestamps import to_instant, to_millis
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.ledger.workspace_memory import WorkspaceMemory
from enforcer.settings import Settings
from enforcer.tick.course_reader import CourseReader, Source, without_file
from enforcer.tick.people import Directory
from labkit.course_file import ADMINS, folder_of

CLAIMED = "claims"
"""Note in the ledger: when each cluster with tags that is not accepted was first seen, by id."""


class LabReader:
    """Lists the clusters, and reads course files and groups as far as needed to decide which clusters belong to the
    lab.

    The constructor raises WorkspaceError if the clusters cannot be listed.
    """

    def __init__(self, ledger: Ledger, workspace: Source, settings: Settings, *, now: datetime) -> None:
        self._ledger, self._workspace, self._settings, self._now = ledger, workspace, settings, now
        self._readers: dict[Pair, tuple[CourseReader, Course | None]] = {}
        self.everything = workspace.clusters(now=now)
        self.directory = Directory(ledger, workspace, now=now)
        self._accepted = queries.accepted_clusters(ledger)
        self._named: Pair | None = (settings.course, settings.term) if settings.course and settings.term else None
        tagged = [cluster for cluster in self.everything if has_tags(cluster)]
        # If the settings name the course, tags of other courses do not matter.
        self._tagged = [cluster for cluster in tagged if self._named in (None, pair_of(cluster))]
        self._since = self._claimed_since([cluster for cluster in tagged if cluster.id not in self._accepted])

    def reader_of(self, pair: Pair) -> CourseReader:
        """Return the reader of a course's folder."""
        return self._read(pair)[0]

    def file_of(self, pair: Pair) -> Course | None:
        """Return the course of the course file or of the cached one; None if there is no valid one."""
        return self._read(pair)[1]

    def choose(self) -> tuple[Pair | None, str | None]:
        """Call `choose_course` with the courses of clusters that are accepted or created by staff."""
        fresh = [cluster for cluster in self._tagged if cluster.id not in self._accepted]
        untrusted = [cluster for cluster in fresh if not self._is_trusted(cluster)]
        if untrusted:
            self.directory.ask_about(max(self._since[cluster.id] for cluster in untrusted))
        listed = {cluster.id for cluster in self.everything}
        found = {(one.course, one.term) for id, one in self._accepted.items() if id in listed}
        found |= {pair_of(cluster) for cluster in fresh if self._is_trusted(cluster)}
        known = queries.last_course(self._ledger)
        if not found and not known:
            # Creators cannot be looked up and no course is known: use tags if the course has a course file.
            doubtful = (cluster for cluster in fresh if not self._is_certain(cluster))
            found = {pair_of(cluster) for cluster in doubtful if self.file_of(pair_of(cluster))}
        return choose_course(found, self._settings.course, self._settings.term, known)

    def own(self, pair: Pair) -> Own:
        """Return the clusters of the course."""
        file = self.file_of(pair)
        return own_clusters(
            self.everything,
            pair,
            groups=frozenset(file.groups) if file else None,
            is_named=self._named == pair,
            accepted=self._accepted,
            trust=self._trust,
        )

    def foreign_claims(self, pair: Pair | None) -> list[str]:
        """Return sentences about clusters with the tags of another course, if the settings do not name the course."""
        if self._named:
            return []
        others = [cluster for cluster in self._tagged if pair_of(cluster) != pair and cluster.id not in self._accepted]
        return foreign_claims(others, pair, self._trust)

    def _read(self, pair: Pair) -> tuple[CourseReader, Course | None]:
        if pair not in self._readers:
            memory = WorkspaceMemory(self._ledger, now=self._now)
            reader = CourseReader(self._workspace, memory, folder_of(*pair))
            self._readers[pair] = reader, reader.course()
        return self._readers[pair]

    def _stub(self, pair: Pair) -> Course:
        return without_file(*pair, self._settings.default_zone, self._now)

    @property
    def _trust(self) -> Trust:
        return Trust(self._is_trusted, self._is_certain)

    def _is_trusted(self, cluster: SeenCluster) -> bool:
        """Return whether the cluster's creator is staff: now in the workspace, or in the course that its tags name."""
        if not cluster.creator:
            return False
        pair = pair_of(cluster)
        people = self.directory.people(self._stub(pair))
        if is_same(cluster.creator, people.enforcer):
            return True
        if people.is_trusted(cluster.creator) and self._is_certain(cluster):
            return True
        file = self.file_of(pair)
        return file is not None and file.is_staff(cluster.creator)

    def _is_certain(self, cluster: SeenCluster) -> bool:
        """Return whether the administrators were read after the cluster was first seen."""
        read, members = self.directory.read, self.directory.members or {}
        return read is not None and read >= self._since.get(cluster.id, self._now) and bool(members.get(ADMINS))

    def _claimed_since(self, fresh: Iterable[SeenCluster]) -> dict[str, datetime]:
        """Return when each cluster that is not accepted was first seen."""
        noted: dict[str, int] = json.loads(queries.note(self._ledger, CLAIMED) or "{}")
        since = {cluster.id: noted.get(cluster.id, to_millis(self._now)) for cluster in fresh}
        if since != noted:
            queries.write_note(self._ledger, CLAIMED, json.dumps(since))
        return {id: to_instant(at) for id, at in since.items()}
