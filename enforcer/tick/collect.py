"""Reads the state of the workspace for a tick and records it in the ledger.

Requests: one list of clusters, the course's folder and its allowances (contents only if changed), one query for the
events of each cluster that may have changed, and the members once a day and while an unknown starter counts. A course
with time requests needs the list of their folder; it shows whether the course's folder has to be listed.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice

from enforcer.domain.allowances import Allowance, Revocation, in_force
from enforcer.domain.course import Course
from enforcer.domain.observations import OVERLAP, DirectGrant, FileList, ObservedCluster, RawEvent
from enforcer.domain.ownership import legacy_clusters
from enforcer.domain.quota import Level, QuotaStatus, level_of
from enforcer.domain.roles import UserRoles, quota_bypasses
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.timestamps import from_millis, to_millis
from enforcer.domain.uptime import KNOWN_TYPES, Session, day_bounds
from enforcer.ledger import queries, record, starters
from enforcer.ledger.database import Ledger
from enforcer.ledger.record import EventBatch
from enforcer.settings import Settings, SettingsError
from enforcer.tick.course_reader import WorkspaceReader, without_file
from enforcer.tick.lab_reader import LabReader
from enforcer.tick.mass_stop import held_cluster_ids
from enforcer.tick.starter_roles import MembershipCache, decide_starters
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import PartialReadError, ReadTimeoutError, WorkspaceError
from enforcer.workspace.tasks import in_parallel, ordered
from labkit.course_file import path_of

log = logging.getLogger(__name__)

RECHECK_ESTIMATES_FOR = timedelta(days=1)
"""How long the events of a session with an estimate are read again, because missing events may only be late."""
MAX_CLOCK_SKEW = timedelta(days=2)
"""Maximum time by which an event may be in the future because of clock skew."""
CALLER = "who we are, by credential"
JOBS_LISTED, JOBS_EVERY = "job clusters listed", timedelta(hours=3)
ALL_LEVELS, ALL_LEVELS_EVERY = "all permissions read", timedelta(hours=20)
RESTRICTED_LEVELS, RESTRICTED_LEVELS_EVERY = "permissions of lowered groups read", timedelta(hours=3)
UNKNOWN_TYPES = "unknown event types"
MOST_UNKNOWN_TYPES = 1000
BYPASSES = "routes around the quota"
"""Name of the note with messages, by cluster id, about grants that let students start a cluster."""
EVENT_BATCH_SIZE = 30
"""Batch size: events of this many clusters are stored together, while others are still being read."""


@dataclass(frozen=True)
class LabState:
    """The state of a course in the workspace, and the clusters that belong to it."""

    clusters: tuple[ObservedCluster, ...]
    course_term: tuple[str, str] | None
    """Course and term; None if the clusters have no tags and the settings do not name both."""
    course: Course
    entries: tuple[Allowance | Revocation, ...]
    """All allowances and revocations."""
    problems: tuple[str, ...]
    memberships: MembershipCache
    """Members of the groups."""
    claims: frozenset[str] = frozenset()
    """Ids of clusters that only claim to belong to the course."""
    notices: tuple[str, ...] = ()
    """The problems about an ambiguous course or an invalid course file."""
    others: tuple[ObservedCluster, ...] = ()
    """Running clusters in the list that are not the course's."""
    request_files: FileList | None = None
    """The files in the folder of time requests; None if there is none or it cannot be listed."""
    knows_all_allowances: bool = True
    """False if some allowances or revocations could not be read."""

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        """Allowances that are not revoked."""
        return in_force(self.entries)


def read_lab_state(ledger: Ledger, workspace: WorkspaceReader, settings: Settings, *, now: datetime) -> LabState:
    """Determine the course and read its clusters, file and allowances.

    Raises WorkspaceError if the clusters cannot be listed, SettingsError if the course is ambiguous and none was
    managed before.
    """
    found = LabReader(ledger, workspace, settings, now=now)
    course_term, unclear = found.choose()
    if course_term is None:
        if unclear:
            raise SettingsError([unclear])
        course = without_file("", "", settings.default_zone, now)
        clusters = () if settings.course else legacy_clusters(found.clusters)
        problems = (*workspace.pop_problems(), *found.memberships.problems, *found.foreign_claims(None))
        others = _others(found.clusters, clusters)
        return LabState(clusters, None, course, (), problems, found.memberships, others=others)
    file = found.file_of(course_term)
    selection = found.selection(course_term)
    queries.add_accepted(ledger, selection.newly_accepted, now=now)
    queries.delete_clusters(ledger, [cluster.id for cluster in selection.claims])
    reader = found.reader_of(course_term)
    entries = reader.entries()
    request_files = reader.request_files() if file and file.requests else None
    course_problems = [*([unclear] if unclear else []), *reader.problems]
    problems = (*workspace.pop_problems(), *course_problems, *selection.problems, *found.foreign_claims(course_term))
    notices = tuple(
        problem for problem in course_problems if problem == unclear or problem.startswith(path_of(*course_term))
    )
    course = file or without_file(*course_term, settings.default_zone, now)
    claims = frozenset(cluster.id for cluster in selection.claims)
    return LabState(
        selection.clusters,
        course_term,
        course,
        entries,
        problems,
        found.memberships,
        claims,
        notices,
        _others(found.clusters, selection.clusters),
        request_files,
        reader.knows_all_allowances,
    )


def _others(listed: Iterable[ObservedCluster], own: Iterable[ObservedCluster]) -> tuple[ObservedCluster, ...]:
    """Return the running clusters in the list that are not among `own`."""
    ids = {cluster.id for cluster in own}
    return tuple(cluster for cluster in listed if cluster.observation.running and cluster.id not in ids)


def collect(ledger: Ledger, workspace: WorkspaceReader, settings: Settings, *, now: datetime) -> Snapshot:
    """Read what may have changed, record it, and return the complete snapshot.

    Partial failures become problems in the snapshot. Raises the same errors as `read_lab_state`.
    """
    lab = read_lab_state(ledger, workspace, settings, now=now)
    course, clusters = lab.course, lab.clusters
    today = now.astimezone(course.calendar.tz).date()
    is_first = is_first_poll(ledger, today)
    problems = [*lab.problems, *record_uptime(ledger, workspace, clusters, is_first=is_first, now=now)]
    listed = {cluster.id: group_of(cluster) for cluster in clusters}
    groups = {**queries.cluster_groups(ledger, *(lab.course_term or ("", ""))), **listed}
    begins, _ = day_bounds(_first_that_matters(course, today), course.calendar.tz)
    sessions = queries.sessions(ledger, begins=begins, ends=now, cluster_ids=groups)
    if is_first:
        lab.memberships.refresh()
    reclassified = _decide_starters(ledger, lab, groups, sessions, begins=begins, now=now)
    return Snapshot(
        now,
        course,
        settings.fallback_quota,
        clusters,
        starters.with_roles(ledger, sessions),
        lab.allowances,
        lab.memberships.members,
        tuple(dict.fromkeys([*problems, *lab.memberships.problems, *workspace.pop_problems()])),
        {id: group for id, group in groups.items() if id not in listed},
        lab.claims,
        reclassified,
        lab.notices,
        lab.others,
        lab.entries,
        lab.request_files,
        lab.knows_all_allowances,
    )


def _decide_starters(
    ledger: Ledger,
    lab: LabState,
    groups: Mapping[str, str],
    sessions: Mapping[str, list[Session]],
    *,
    begins: datetime,
    now: datetime,
) -> frozenset[tuple[str, datetime]]:
    """Call `decide_starters` for all sessions of current periods."""
    creators: dict[str, str | None] = {id: one.creator or None for id, one in queries.accepted_clusters(ledger).items()}
    creators |= {cluster.id: cluster.creator for cluster in lab.clusters if cluster.creator}
    clusters = {id: (group, creators.get(id)) for id, group in groups.items()}
    earliest = min([begins, *(one.start for found in sessions.values() for one in found)])
    since = earliest - starters.LONGEST_LAUNCH
    return decide_starters(ledger, lab.memberships, lab.course, clusters, since=since, now=now)


def _first_that_matters(course: Course, today: date) -> date:
    """Return the first day whose sessions count towards a limit: the first day of the term only if there is a term
    limit.
    """
    a_week_ago = today - timedelta(days=7)
    has_term = any(group.quota.term is not None for group in course.groups.values())
    return min(a_week_ago, course.calendar.first_day) if has_term else a_week_ago


def record_uptime(
    ledger: Ledger, workspace: WorkspaceReader, clusters: Iterable[ObservedCluster], *, is_first: bool, now: datetime
) -> list[str]:
    """Record the list and update the sessions; return messages about what could not be read.

    With `is_first`, also check whether clusters that are missing from the list still exist.
    """
    problems: list[str] = []
    known = queries.clusters(ledger)
    record.observe(ledger, clusters, now=now)
    _read_events(ledger, workspace, clusters, known, problems, now=now)
    _mark_missing_clusters(ledger, workspace, clusters, known, is_first=is_first, problems=problems, now=now)
    return [*problems, *workspace.pop_problems()]


def load_cached_caller(ledger: Ledger, workspace: Workspace) -> None:
    """Avoid a request by loading the caller from the ledger if it was stored for the same credential."""
    credential, caller = json.loads(queries.note(ledger, CALLER) or '["", ""]')
    if credential and credential == workspace.credential and workspace.known_caller is None:
        workspace.remember_caller(caller)


def cache_caller(ledger: Ledger, workspace: Workspace) -> None:
    """Store the caller in the ledger if this tick looked it up."""
    noted = json.dumps([workspace.credential, workspace.known_caller])
    if workspace.known_caller and workspace.credential and noted != queries.note(ledger, CALLER):
        queries.write_note(ledger, CALLER, noted)


def jobs_are_due(ledger: Ledger, *, now: datetime) -> bool:
    """Return whether to list job clusters: every three hours, and always while one of them belongs to the lab."""
    at, of_lab = json.loads(queries.note(ledger, JOBS_LISTED) or "[0, false]")
    return bool(of_lab) or not timedelta() <= now - from_millis(at) < JOBS_EVERY


def note_job_listing(ledger: Ledger, workspace: Workspace, snapshot: Snapshot) -> None:
    """Record that job clusters were listed, and whether one of them belongs to the lab."""
    if workspace.lists_job_clusters:
        of_lab = any(cluster.id in workspace.job_clusters for cluster in snapshot.clusters)
        queries.write_note(ledger, JOBS_LISTED, json.dumps([to_millis(snapshot.now), of_lab]))


def is_first_poll(ledger: Ledger, today: date) -> bool:
    """Return whether no poll on this local day has read everything yet."""
    return queries.note(ledger, "looked at everything") != today.isoformat()


def read_levels(
    ledger: Ledger, workspace: WorkspaceReader, snapshot: Snapshot, *, everything: bool = False
) -> tuple[dict[str, Level | None], list[str]]:
    """Read the permissions that may have to change: for groups that are restricted or at a limit, and once a day for
    all groups.

    Returns levels by cluster id, and messages about permissions that could not be read and students who can start a
    cluster through another grant. The latter are repeated at each poll until the grant is gone.
    """
    restricted, now = queries.restricted_clusters(ledger), snapshot.now
    noted = int(queries.note(ledger, ALL_LEVELS) or 0)
    # If a settlement runs first at night, it leaves this to the first poll of the day.
    is_recent = everything and timedelta() <= now - from_millis(noted) < ALL_LEVELS_EVERY
    wants_all = not is_recent and (everything or is_first_poll(ledger, snapshot.today))
    confirmed: dict[str, int] = json.loads(queries.note(ledger, RESTRICTED_LEVELS) or "{}")
    groups = {status.cluster_id: status for status in snapshot.quota_statuses({})}

    def is_due(status: QuotaStatus) -> bool:
        id = status.cluster_id
        is_over = any(usage.is_over for usage in status.limit_usages) and not status.in_window
        if id not in restricted or not is_over or status.is_running:
            return is_over or id in restricted
        # The group is assumed to be still restricted. If it was restored by hand, this shows as soon as its cluster
        # runs.
        return not timedelta() <= now - from_millis(confirmed.get(id, 0)) < RESTRICTED_LEVELS_EVERY

    # The groups whose permission may have to change come first, because there may not be enough time for all.
    due = {id: status.group for id, status in groups.items() if is_due(status)}
    if wants_all:
        due |= {id: status.group for id, status in groups.items()}

    def read(cluster_id: str) -> list[DirectGrant] | WorkspaceError:
        try:
            return workspace.grants(cluster_id)
        except WorkspaceError as error:
            return error

    found = in_parallel([partial(read, id) for id in due])
    failures = _read_failures(found)
    if wants_all and not failures:
        queries.write_note(ledger, "looked at everything", snapshot.today.isoformat())
        queries.write_note(ledger, ALL_LEVELS, str(to_millis(now)))
    grants = {id: answer for id, answer in zip(due, found, strict=True) if not isinstance(answer, WorkspaceError)}
    principal_of = snapshot.course.principal_of
    levels = {id: level_of(principal_of(group), grants[id]) for id, group in due.items() if id in grants}
    for id, level in levels.items():
        if level is Level.ATTACH:
            queries.note_restricted(ledger, id, groups[id].group, now=snapshot.now)
    seen = {id: to_millis(now) for id, level in levels.items() if level is Level.ATTACH}
    if seen or confirmed:
        kept = {id: at for id, at in confirmed.items() if id in restricted and id not in levels}
        queries.write_note(ledger, RESTRICTED_LEVELS, json.dumps({**kept, **seen}))
    return levels, [*failures, *_quota_bypasses(ledger, workspace, snapshot, grants)]


def _read_failures(found: Sequence[object]) -> list[str]:
    """Return a message for each permission that could not be read, and one for all that there was no time for."""
    failures = [str(one) for one in found if isinstance(one, WorkspaceError) and not isinstance(one, ReadTimeoutError)]
    if late := sum(isinstance(one, ReadTimeoutError) for one in found):
        clusters = "1 cluster" if late == 1 else f"{late} of {len(found)} clusters"
        failures.append(f"there was no time to read the permissions of {clusters}; they are read at the next poll")
    return failures


def _quota_bypasses(
    ledger: Ledger, workspace: WorkspaceReader, snapshot: Snapshot, grants: Mapping[str, list[DirectGrant]]
) -> list[str]:
    """Call `quota_bypasses` for the permissions that were just read; use the last result for the others."""
    people = UserRoles(snapshot.course, snapshot.members or {}, workspace.caller)
    before: dict[str, list[str]] = json.loads(queries.note(ledger, BYPASSES) or "{}")
    found: dict[str, list[str]] = {}
    for cluster in snapshot.clusters:
        routes = before.get(cluster.id, [])
        if cluster.id in grants:
            routes = list(quota_bypasses(people, cluster.name, group_of(cluster), grants[cluster.id]))
        if routes:
            found[cluster.id] = routes
    if found != before:
        queries.write_note(ledger, BYPASSES, json.dumps(found))
    return [route for routes in found.values() for route in routes]


def _read_events(
    ledger: Ledger,
    workspace: WorkspaceReader,
    clusters: Iterable[ObservedCluster],
    known: Mapping[str, queries.KnownCluster],
    problems: list[str],
    *,
    now: datetime,
) -> None:
    """Read the new events of every cluster that may have changed since its events were last read."""

    doubtful, held = queries.clusters_with_estimates(ledger, RECHECK_ESTIMATES_FOR), held_cluster_ids(ledger)

    def changed(cluster: ObservedCluster) -> bool:
        before = known.get(cluster.id)
        if before is None or cluster.id in doubtful or cluster.id in held:
            return True
        if before.is_running != cluster.observation.running or before.list_fingerprint != cluster.list_fingerprint:
            return True
        return cluster.observation.running and not cluster.runs_unchanged_since(before.events_read_to)

    def read(cluster: ObservedCluster) -> Sequence[RawEvent] | WorkspaceError:
        before = known.get(cluster.id)
        since = None
        if before and before.events_read_to:
            since = min(before.events_read_to, doubtful.get(cluster.id, before.events_read_to)) - OVERLAP
        try:
            return workspace.events(cluster.id, since)
        except WorkspaceError as error:
            return error

    def urgency(cluster: ObservedCluster) -> tuple[bool, bool]:
        before = known.get(cluster.id)
        return not (before and before.list_fingerprint == record.CUT), not cluster.observation.running

    # The most urgent clusters come first, because there may not be enough time for all.
    due = sorted((cluster for cluster in clusters if changed(cluster)), key=urgency)
    answers = zip(due, ordered([partial(read, cluster) for cluster in due]), strict=True)
    while answered := list(islice(answers, EVENT_BATCH_SIZE)):
        batches = []
        for cluster, result in answered:
            if isinstance(result, WorkspaceError):
                # This includes errors that the cluster does not exist, because the list contains it.
                problems.append(f"{result}; its uptime is a lower bound from the cluster list")
            if isinstance(result, PartialReadError):
                batches.append(
                    EventBatch(
                        cluster.id,
                        _without_future_events(now, cluster, result.events, problems),
                        cluster.list_fingerprint,
                        True,
                    )
                )
            elif isinstance(result, WorkspaceError):
                record.rebuild(ledger, cluster.id)
            else:
                batches.append(
                    EventBatch(
                        cluster.id, _without_future_events(now, cluster, result, problems), cluster.list_fingerprint
                    )
                )
        record.add_events(ledger, batches, read_to=now)
        _log_unknown_types(ledger, batches)


def _without_future_events(
    now: datetime, cluster: ObservedCluster, events: Sequence[RawEvent], problems: list[str]
) -> Sequence[RawEvent]:
    """Drop events that are further in the future than clock skew explains."""
    kept = [one for one in events if one.event.at <= now + MAX_CLOCK_SKEW]
    if len(kept) < len(events):
        problems.append(f"the events of cluster {cluster.id}: {len(events) - len(kept)} are in the future and ignored")
    return kept


def _log_unknown_types(ledger: Ledger, batches: Iterable[EventBatch]) -> None:
    """Log unknown event types, each once."""
    found = {one.event.type for batch in batches for one in batch.events} - KNOWN_TYPES
    if not found:
        return
    known = set(json.loads(queries.note(ledger, UNKNOWN_TYPES) or "[]"))
    if found - known:
        log.warning("events of unknown types are ignored: %s", ", ".join(sorted(found - known)))
        queries.write_note(ledger, UNKNOWN_TYPES, json.dumps(sorted(found | known)[:MOST_UNKNOWN_TYPES]))


def _mark_missing_clusters(
    ledger: Ledger,
    workspace: WorkspaceReader,
    clusters: Iterable[ObservedCluster],
    known: Mapping[str, queries.KnownCluster],
    *,
    is_first: bool,
    problems: list[str],
    now: datetime,
) -> None:
    """Once a day, or if they ran, check whether clusters missing from the list still exist; mark those that do not."""
    listed = {cluster.id for cluster in clusters}
    for cluster in known.values():
        if cluster.id in listed or cluster.gone_at or not (cluster.is_running or is_first):
            continue
        try:
            if not workspace.exists(cluster.id):
                record.mark_gone(ledger, cluster.id, now=now)
        except WorkspaceError as error:
            problems.append(str(error))
