"""What a poll knows after looking, and where that leaves each cluster. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

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
    """Addresses by group; None: could not be read, so everything counts."""
    problems: tuple[str, ...] = field(default=())
    """What could not be read, in sentences; the poll goes on without it and says so."""

    @property
    def today(self) -> date:
        return self.now.astimezone(self.course.calendar.tz).date()

    def quota(self, group: str) -> Quota:
        known = self.course.groups.get(group)
        return known.quota if known else self.fallback

    def members_of(self, group: str) -> frozenset[str] | None:
        """Whose sessions count against the group; None: everybody's."""
        if self.course.count_all_sessions or self.members is None:
            return None
        return self.members.get(group, frozenset())

    def uses(self, cluster: SeenCluster, day: date | None = None) -> tuple[Use, ...]:
        """How much of the limits of `day` (today) the cluster's group has used, the tightest first."""
        group = group_of(cluster)
        return uses_on(
            day or self.today,
            self.sessions.get(cluster.id, []),
            group=group,
            quota=self.quota(group),
            calendar=self.course.calendar,
            allowances=self.allowances,
            members=self.members_of(group),
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
        return counted_from(sessions[-1], self.members_of(group_of(cluster))) is not None

    def standings(self, levels: Mapping[str, Level | None]) -> tuple[Standing, ...]:
        """Where every cluster stands; `levels` are the permissions that were read, by cluster id."""
        return tuple(
            Standing(
                cluster.id,
                group_of(cluster),
                self.is_counting(cluster),
                levels.get(cluster.id),
                self.uses(cluster),
                self.is_in_window(group_of(cluster)),
            )
            for cluster in self.clusters
        )


def group_of(cluster: SeenCluster) -> str:
    """The display name of the group it belongs to: its tag, or what the earlier system's names say."""
    return cluster.group or group_named(cluster.name)


def group_named(cluster_name: str) -> str:
    """The display name of the group of a cluster without a tag, by the earlier system's names."""
    return legacy_group_of(cluster_name) or cluster_name


def choose_course(
    clusters: Iterable[SeenCluster], course: str | None, term: str | None
) -> tuple[tuple[str, str] | None, str | None]:
    """Which course and term the clusters belong to; and a sentence where that cannot be told.

    Settings name it, or there is only one; None where no cluster carries tags.
    """
    found = sorted({(c.course, c.term) for c in clusters if c.origin == ORIGIN and c.course and c.term})
    wanted = [pair for pair in found if course in (None, pair[0]) and term in (None, pair[1])]
    if len(wanted) > 1:
        shown = ", ".join(f"{c} {t}" for c, t in wanted)
        return None, f"the workspace has several courses ({shown}); set LAB_COURSE and LAB_TERM to one of them"
    if wanted:
        return wanted[0], None
    return ((course, term) if course and term else None), None


def lab_clusters(clusters: Iterable[SeenCluster], chosen: tuple[str, str] | None) -> tuple[SeenCluster, ...]:
    """The clusters of the course; where none has a lab's tags those that are named as the earlier system named them."""
    clusters = tuple(clusters)
    tagged = [c for c in clusters if c.origin == ORIGIN and c.course and c.term]
    if tagged:
        return tuple(c for c in tagged if (c.course, c.term) == chosen)
    return tuple(c for c in clusters if legacy_group_of(c.name))
