"""What a poll knows after looking, and where that leaves each cluster. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

from enforcer.domain.allowances import Allowance, windows_between
from enforcer.domain.course import Course
from enforcer.domain.observations import SeenCluster
from enforcer.domain.quota import Level, Quota, Standing, Use, uses_on
from enforcer.domain.uptime import Session, counted_from
from labkit.course_file import ORIGIN, legacy_group_of


@dataclass(frozen=True)
class Picture:
    """One course at one moment."""

    now: datetime
    course: Course
    fallback: Quota
    """For a cluster whose group is not in the course file."""
    clusters: tuple[SeenCluster, ...]
    sessions: Mapping[str, list[Session]]
    """By cluster id; at least those that a limit of today counts."""
    allowances: tuple[Allowance, ...]
    members: Mapping[str, frozenset[str]] | None
    """Addresses by group, to whom mail goes; None: could not be read."""
    problems: tuple[str, ...] = field(default=())
    """What could not be read, in sentences; the poll goes on without it and says so."""
    former: Mapping[str, str] = field(default_factory=dict)
    """The group of each cluster that the workspace no longer shows, by id: its time counts on."""
    claims: frozenset[str] = frozenset()
    """Ids of clusters that only claim to be of the course."""
    cleared: frozenset[tuple[str, datetime]] = frozenset()
    """Cluster and instant of each start that counted until now, and is of staff."""
    notices: tuple[str, ...] = ()
    """Those of the problems that the admin gets a mail about: which course is meant, and its file."""

    @property
    def today(self) -> date:
        return self.now.astimezone(self.course.calendar.tz).date()

    @property
    def count_all(self) -> bool:
        """Whether sessions of staff count, too."""
        return self.course.count_all_sessions

    def quota(self, group: str) -> Quota:
        known = self.course.groups.get(group)
        return known.quota if known else self.fallback

    @cached_property
    def group_by_cluster(self) -> Mapping[str, str]:
        """Of every cluster of the course, those included that are gone."""
        return {**self.former, **{cluster.id: group_of(cluster) for cluster in self.clusters}}

    @cached_property
    def _sessions_by_group(self) -> Mapping[str, list[Session]]:
        found: dict[str, list[Session]] = {}
        for id, group in self.group_by_cluster.items():
            found.setdefault(group, []).extend(self.sessions.get(id, []))
        return found

    def sessions_of(self, group: str) -> list[Session]:
        """The sessions of all clusters of a group, cluster by cluster."""
        return self._sessions_by_group.get(group, [])

    def uses(self, cluster: SeenCluster, day: date | None = None) -> tuple[Use, ...]:
        """How much of the limits of `day` (today) the cluster's group has used, the tightest first."""
        return self.uses_of(group_of(cluster), day)

    def uses_of(self, group: str, day: date | None = None) -> tuple[Use, ...]:
        """How much of the limits of `day` (today) a group has used on all its clusters, the tightest first."""
        return uses_on(
            day or self.today,
            self.sessions_of(group),
            group=group,
            quota=self.quota(group),
            calendar=self.course.calendar,
            allowances=self.allowances,
            count_all=self.count_all,
            now=self.now,
        )

    def is_in_window(self, group: str) -> bool:
        moment = timedelta(milliseconds=1)
        return bool(windows_between(self.now, self.now + moment, group, self.allowances, self.course.calendar.tz))

    def is_counting(self, cluster: SeenCluster) -> bool:
        """Whether it runs in a session that counts against its group."""
        sessions = self.sessions.get(cluster.id, [])
        if not cluster.sighting.running or not sessions or sessions[-1].end is not None:
            return False
        return counted_from(sessions[-1], count_all=self.count_all) is not None

    def own_of(self, listed: Iterable[SeenCluster]) -> tuple[SeenCluster, ...]:
        """Those of a newer list that are of the course, or may be: whose they are a tick finds out."""
        own = {cluster.id for cluster in self.clusters}
        pair = self.course.id, self.course.term
        return tuple(
            cluster
            for cluster in listed
            if cluster.id in own
            or (cluster.id not in self.claims and (cluster.course, cluster.term) == pair and is_of_a_lab(cluster))
        )

    def running_in(self, group: str) -> int:
        """How many clusters of the group run in a session that counts: its time passes so many times as fast."""
        return self._running_by_group[group]

    @cached_property
    def _running_by_group(self) -> Counter[str]:
        return Counter(group_of(cluster) for cluster in self.clusters if self.is_counting(cluster))

    def standings(self, levels: Mapping[str, Level | None]) -> tuple[Standing, ...]:
        """Where every cluster stands; `levels` are the permissions that were read, by cluster id."""
        uses = {group: self.uses_of(group) for group in {group_of(cluster) for cluster in self.clusters}}
        return tuple(
            Standing(
                cluster.id,
                group_of(cluster),
                self.is_counting(cluster),
                levels.get(cluster.id),
                uses[group_of(cluster)],
                self.is_in_window(group_of(cluster)),
            )
            for cluster in self.clusters
        )


def is_of_a_lab(cluster: SeenCluster) -> bool:
    """Whether its tags, or without tags its name, say that it is of a lab."""
    return cluster.origin == ORIGIN if cluster.course else bool(legacy_group_of(cluster.name))


def group_of(cluster: SeenCluster) -> str:
    """The display name of the group it belongs to: its tag, or what the earlier system's names say."""
    return cluster.group or group_named(cluster.name)


def group_named(cluster_name: str) -> str:
    """The display name of the group of a cluster without a tag, by the earlier system's names."""
    return legacy_group_of(cluster_name) or cluster_name
