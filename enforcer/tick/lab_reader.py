"""Determines the course and its clusters from the cluster list, course files, groups and ledger."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from enforcer.domain.course import Course
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.ownership import (
    ClusterSelection,
    CourseTerm,
    CreatorCheck,
    choose_course,
    course_term_of,
    foreign_claims,
    has_tags,
    select_clusters,
)
from enforcer.domain.roles import is_same
from enforcer.domain.timestamps import from_millis, to_millis
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.ledger.workspace_memory import WorkspaceMemory
from enforcer.settings import Settings
from enforcer.tick.course_reader import CourseReader, WorkspaceReader, without_file
from enforcer.tick.starter_roles import MembershipCache
from labkit.course_file import ADMINS, folder_of

CLAIMED = "claims"
"""Name of the note with the time at which each tagged cluster that is not accepted was first seen, by id."""

LISTED, LIST_EVERY = "course folder listed", timedelta(hours=20)
"""Name of the note with the time of the last list of a course's folder, and how often it is listed at least."""


class LabReader:
    """Lists the clusters, and reads course files and groups as far as needed to decide which clusters belong to the
    lab.

    The constructor raises WorkspaceError if the clusters cannot be listed.
    """

    def __init__(self, ledger: Ledger, workspace: WorkspaceReader, settings: Settings, *, now: datetime) -> None:
        self._ledger, self._workspace, self._settings, self._now = ledger, workspace, settings, now
        self._readers: dict[CourseTerm, tuple[CourseReader, Course | None]] = {}
        self.clusters = workspace.clusters(now=now)
        self.memberships = MembershipCache(ledger, workspace, now=now)
        self._accepted = queries.accepted_clusters(ledger)
        self._named: CourseTerm | None = (settings.course, settings.term) if settings.course and settings.term else None
        tagged = [cluster for cluster in self.clusters if has_tags(cluster)]
        # If the settings select the course, tags of other courses do not matter.
        self._tagged = [cluster for cluster in tagged if self._named in (None, course_term_of(cluster))]
        self._since = self._claimed_since([cluster for cluster in tagged if cluster.id not in self._accepted])

    def reader_of(self, course_term: CourseTerm) -> CourseReader:
        """Return the reader for a course's folder."""
        return self._read(course_term)[0]

    def file_of(self, course_term: CourseTerm) -> Course | None:
        """Return the course from the course file or the cached file; None if neither is valid."""
        return self._read(course_term)[1]

    def choose(self) -> tuple[CourseTerm | None, str | None]:
        """Call `choose_course` with the courses of clusters that are accepted or were created by staff."""
        fresh = [cluster for cluster in self._tagged if cluster.id not in self._accepted]
        untrusted = [cluster for cluster in fresh if not self._is_trusted(cluster)]
        if untrusted:
            self.memberships.refresh_for(max(self._since[cluster.id] for cluster in untrusted))
        listed = {cluster.id for cluster in self.clusters}
        found = {(one.course, one.term) for id, one in self._accepted.items() if id in listed}
        found |= {course_term_of(cluster) for cluster in fresh if self._is_trusted(cluster)}
        known = queries.last_course(self._ledger)
        if not found and not known:
            # Creators cannot be looked up and no course is known, so tags count if the course has a course file.
            doubtful = (cluster for cluster in fresh if not self._is_certain(cluster))
            found = {course_term_of(cluster) for cluster in doubtful if self.file_of(course_term_of(cluster))}
        return choose_course(found, self._settings.course, self._settings.term, known)

    def selection(self, course_term: CourseTerm) -> ClusterSelection:
        """Return the clusters of the course."""
        file = self.file_of(course_term)
        return select_clusters(
            self.clusters,
            course_term,
            groups=frozenset(file.groups) if file else None,
            is_named=self._named == course_term,
            accepted=self._accepted,
            creator_check=self._creator_check,
        )

    def foreign_claims(self, course_term: CourseTerm | None) -> list[str]:
        """Return messages about clusters with the tags of a different course, unless the settings select the course."""
        if self._named:
            return []
        others = [
            cluster
            for cluster in self._tagged
            if course_term_of(cluster) != course_term and cluster.id not in self._accepted
        ]
        return foreign_claims(others, course_term, self._creator_check)

    def _read(self, course_term: CourseTerm) -> tuple[CourseReader, Course | None]:
        if course_term not in self._readers:
            cache, folder = WorkspaceMemory(self._ledger, now=self._now), folder_of(*course_term)
            listed_at = from_millis(int(queries.note(self._ledger, f"{LISTED} {folder}") or 0))
            is_recent = timedelta() <= self._now - listed_at < LIST_EVERY
            reader = CourseReader(self._workspace, cache, folder, trusts_version=is_recent)
            self._readers[course_term] = reader, reader.course()
            if reader.has_listed_folder:
                queries.write_note(self._ledger, f"{LISTED} {folder}", str(to_millis(self._now)))
        return self._readers[course_term]

    def _stub(self, course_term: CourseTerm) -> Course:
        return without_file(*course_term, self._settings.default_zone, self._now)

    @property
    def _creator_check(self) -> CreatorCheck:
        return CreatorCheck(self._is_trusted, self._is_certain)

    def _is_trusted(self, cluster: ObservedCluster) -> bool:
        """Return whether the cluster's creator is staff now in the workspace or in the course that its tags name."""
        if not cluster.creator:
            return False
        course_term = course_term_of(cluster)
        people = self.memberships.user_roles(self._stub(course_term))
        if is_same(cluster.creator, people.enforcer_user):
            return True
        if people.is_trusted(cluster.creator) and self._is_certain(cluster):
            return True
        file = self.file_of(course_term)
        return file is not None and file.is_staff(cluster.creator)

    def _is_certain(self, cluster: ObservedCluster) -> bool:
        """Return whether the administrators were read after the cluster was first seen."""
        read, members = self.memberships.read_at, self.memberships.members or {}
        return read is not None and read >= self._since.get(cluster.id, self._now) and bool(members.get(ADMINS))

    def _claimed_since(self, fresh: Iterable[ObservedCluster]) -> dict[str, datetime]:
        """Return when each cluster that is not accepted was first seen."""
        noted: dict[str, int] = json.loads(queries.note(self._ledger, CLAIMED) or "{}")
        since = {cluster.id: noted.get(cluster.id, to_millis(self._now)) for cluster in fresh}
        if since != noted:
            queries.write_note(self._ledger, CLAIMED, json.dumps(since))
        return {id: from_millis(at) for id, at in since.items()}
