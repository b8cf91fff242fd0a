"""The state of a course at one poll, and the usage and quota status computed from it. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

from enforcer.domain.allowances import Allowance, Revocation, windows_between
from enforcer.domain.course import Course
from enforcer.domain.observations import FileList, ObservedCluster
from enforcer.domain.quota import Action, Level, LimitUsage, Period, Quota, QuotaStatus, Warn, limit_on, limit_usages_on
from enforcer.domain.uptime import Session, counted_from
from labkit.course_file import ORIGIN, legacy_group_of


@dataclass(frozen=True)
class Snapshot:
    """The state of one course at one moment."""

    now: datetime
    course: Course
    fallback_quota: Quota
    """Quota for groups that are not in the course file."""
    clusters: tuple[ObservedCluster, ...]
    sessions: Mapping[str, list[Session]]
    """Sessions by cluster id; at least all sessions that count towards a limit of today."""
    allowances: tuple[Allowance, ...]
    """Allowances by staff; `in_force` also contains those of the course's calendar."""
    members: Mapping[str, frozenset[str]] | None
    """Addresses by group, the recipients of messages. None means that members could not be read."""
    problems: tuple[str, ...] = field(default=())
    """Messages about what could not be read; the poll continues without it and reports it."""
    former_groups: Mapping[str, str] = field(default_factory=dict)
    """Group of each cluster that the workspace no longer shows, by cluster id; their usage still counts."""
    claims: frozenset[str] = frozenset()
    """Ids of clusters that only claim to belong to the course."""
    reclassified: frozenset[tuple[str, datetime]] = frozenset()
    """Cluster and time of each start that counted because the role was unknown, and is now known to be by staff."""
    notices: tuple[str, ...] = ()
    """The problems that are mailed to the admin: an ambiguous course, or an invalid course file."""
    others: tuple[ObservedCluster, ...] = ()
    """Running clusters in the list that are not the course's; empty in a snapshot of the past."""
    entries: tuple[Allowance | Revocation, ...] = ()
    """All allowances and revocations by staff."""
    request_files: FileList | None = None
    """The files in the folder of time requests; None if there is none or it could not be listed."""
    knows_all_allowances: bool = True
    """False if some allowances or revocations could not be read."""

    @property
    def today(self) -> date:
        return self.now.astimezone(self.course.calendar.tz).date()

    @cached_property
    def in_force(self) -> tuple[Allowance, ...]:
        """The allowances of the course's calendar and those by staff."""
        return (*self.course.scheduled, *self.allowances)

    @property
    def count_all(self) -> bool:
        """Whether sessions of staff count, too."""
        return self.course.count_all_sessions

    def quota(self, group: str) -> Quota:
        known = self.course.groups.get(group)
        return known.quota if known else self.fallback_quota

    @cached_property
    def group_by_cluster(self) -> Mapping[str, str]:
        """Group of each cluster of the course, including former clusters, by cluster id."""
        return {**self.former_groups, **{cluster.id: group_of(cluster) for cluster in self.clusters}}

    @cached_property
    def _sessions_by_group(self) -> Mapping[str, list[Session]]:
        found: dict[str, list[Session]] = {}
        for id, group in self.group_by_cluster.items():
            found.setdefault(group, []).extend(self.sessions.get(id, []))
        return found

    def sessions_of(self, group: str) -> list[Session]:
        """Return the sessions of all clusters of a group, cluster by cluster."""
        return self._sessions_by_group.get(group, [])

    def limit_usages(self, cluster: ObservedCluster, day: date | None = None) -> tuple[LimitUsage, ...]:
        """Return the usage of each limit of the cluster's group on `day` (default: today), the tightest first."""
        return self.limit_usages_of(group_of(cluster), day)

    def limit_usages_of(self, group: str, day: date | None = None) -> tuple[LimitUsage, ...]:
        """Return the usage of each limit of a group, by all its clusters, on `day` (default: today), the tightest
        first.
        """
        return limit_usages_on(
            day or self.today,
            self.sessions_of(group),
            group=group,
            quota=self.quota(group),
            calendar=self.course.calendar,
            allowances=self.in_force,
            count_all=self.count_all,
            now=self.now,
        )

    def is_in_window(self, group: str) -> bool:
        moment = timedelta(milliseconds=1)
        return bool(windows_between(self.now, self.now + moment, group, self.in_force, self.course.calendar.tz))

    def is_counting(self, cluster: ObservedCluster) -> bool:
        """Return whether the cluster runs in a session that counts towards its group's limits."""
        sessions = self.sessions.get(cluster.id, [])
        if not cluster.observation.running or not sessions or sessions[-1].end is not None:
            return False
        return counted_from(sessions[-1], count_all=self.count_all) is not None

    def course_clusters_in(self, listed: Iterable[ObservedCluster]) -> tuple[ObservedCluster, ...]:
        """Return the clusters in a newer list that belong or may belong to the course; a tick decides which do."""
        own = {cluster.id for cluster in self.clusters}
        pair = self.course.id, self.course.term
        return tuple(
            cluster
            for cluster in listed
            if cluster.id in own
            or (cluster.id not in self.claims and (cluster.course, cluster.term) == pair and is_lab_cluster(cluster))
        )

    def running_count(self, group: str) -> int:
        """Return how many clusters of the group run in sessions that count."""
        return self._running_by_group[group]

    def first_usable_day(self, group: str, day: date) -> date:
        """Return the first day from `day` on whose own limit permits the group to run its cluster; `day` if there is
        none within a year.
        """
        quota, calendar = self.quota(group), self.course.calendar
        for candidate in (day + timedelta(days=number) for number in range(366)):
            limit = limit_on(candidate, Period.DAY, group, quota, calendar, self.in_force)
            if limit is None or limit.hard > timedelta():
                return candidate
        return day

    def next_working_moment(self, group: str) -> datetime:
        """Return when a message to the group that is not urgent may be sent; `now` if there is no reason to wait."""
        working_time = self.course.working_time
        return working_time.next_moment(group, self.now) if working_time else self.now

    def without_waiting(self, actions: Iterable[Action]) -> tuple[Action, ...]:
        """Return the actions without the warnings that wait for the next working hour.

        A warning does not wait if the group's running clusters can reach the limit before.
        """
        return tuple(action for action in actions if not (isinstance(action, Warn) and self._waits(action)))

    def _waits(self, warning: Warn) -> bool:
        running, until = self.running_count(warning.group), self.next_working_moment(warning.group) - self.now
        return until > timedelta() and not (running and warning.limit_usage.left / running <= until)

    @cached_property
    def _running_by_group(self) -> Counter[str]:
        return Counter(group_of(cluster) for cluster in self.clusters if self.is_counting(cluster))

    def quota_statuses(self, levels: Mapping[str, Level | None]) -> tuple[QuotaStatus, ...]:
        """Return the quota status of every cluster; `levels` are the groups' permission levels, by cluster id, as far
        as they were read.
        """
        limit_usages = {
            group: self.limit_usages_of(group) for group in {group_of(cluster) for cluster in self.clusters}
        }
        return tuple(
            QuotaStatus(
                cluster.id,
                group_of(cluster),
                self.is_counting(cluster),
                levels.get(cluster.id),
                limit_usages[group_of(cluster)],
                self.is_in_window(group_of(cluster)),
            )
            for cluster in self.clusters
        )


def is_lab_cluster(cluster: ObservedCluster) -> bool:
    """Return whether a cluster belongs to a lab by its tags or, without tags, by its name."""
    return cluster.origin == ORIGIN if cluster.course else bool(legacy_group_of(cluster.name))


def group_of(cluster: ObservedCluster) -> str:
    """Return the display name of the cluster's group: from its tag, or else from a name of the legacy system."""
    return cluster.group or group_from_name(cluster.name)


def group_from_name(cluster_name: str) -> str:
    """Return the display name of the group for a cluster name of the legacy system; else the name itself."""
    return legacy_group_of(cluster_name) or cluster_name
