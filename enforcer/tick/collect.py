"""Reads the state of the workspace for a tick and records it in the ledger.

Requests: one list of clusters, the course's folder and its allowances (contents only if changed), one query of events
for each cluster that may have changed, the members once a day and while an unknown starter counts.
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
from enforcer.domain.observations import OVERLAP, DirectGrant, SeenCluster, ToldEvent
from enforcer.domain.ownership import legacy_clusters
from enforcer.domain.quota import Level, Standing, level_of
from enforcer.domain.roles import People, routes_around
from enforcer.domain.snapshot import Picture, group_of
from enforcer.domain.timestamps import to_instant, to_millis
from enforcer.domain.uptime import KNOWN_TYPES, Session, day_bounds
from enforcer.ledger import queries, record, starters
from enforcer.ledger.database import Ledger
from enforcer.ledger.record import EventBatch
from enforcer.settings import Settings, SettingsError
from enforcer.tick.course_reader import Source, without_file
from enforcer.tick.hold import held_now
from enforcer.tick.lab_reader import LabReader
from enforcer.tick.people import Directory, decide_starters
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import CutShort, WorkspaceError
from enforcer.workspace.tasks import in_parallel, in_turn
from labkit.course_file import path_of

log = logging.getLogger(__name__)

LATEST = timedelta(days=1)
"""How long the events of an estimated session are read again: missing ones may only be late."""
FUTURE = timedelta(days=2)
"""Maximum time by which an event may be later than now, as clocks differ."""
CALLER = "who we are, by credential"
JOBS_LISTED, JOBS_EVERY = "job clusters listed", timedelta(hours=3)
ALL_LEVELS, ALL_LEVELS_EVERY = "all permissions read", timedelta(hours=20)
LOWERED_LEVELS, LOWERED_EVERY = "permissions of lowered groups read", timedelta(hours=3)
UNKNOWN_TYPES = "unknown event types"
MOST_UNKNOWN_TYPES = 1000
ROUTES = "routes around the quota"
"""Note in the ledger: sentences about grants that let students start a cluster, by cluster id."""
AT_ONCE = 30
"""Batch size: events of this many clusters are stored together, while others are still being read."""


@dataclass(frozen=True)
class Lab:
    """The state of a course in the workspace, and the clusters that belong to it."""

    clusters: tuple[SeenCluster, ...]
    chosen: tuple[str, str] | None
    """Course and term. None: the clusters have no tags and the settings do not name both."""
    course: Course
    entries: tuple[Allowance | Revocation, ...]
    """All allowances and revocations."""
    problems: tuple[str, ...]
    directory: Directory
    """Members of the groups."""
    claims: frozenset[str] = frozenset()
    """Ids of clusters that only claim to belong to the course."""
    notices: tuple[str, ...] = ()
    """Those of the problems about an ambiguous course or an invalid course file."""

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        """Allowances that are not revoked."""
        return in_force(self.entries)


def read_lab(ledger: Ledger, workspace: Source, settings: Settings, *, now: datetime) -> Lab:
    """Determine the course and read its clusters, file and allowances.

    Raises WorkspaceError if the clusters cannot be listed, SettingsError if the course is ambiguous and none was
    managed before.
    """
    found = LabReader(ledger, workspace, settings, now=now)
    chosen, unclear = found.choose()
    if chosen is None:
        if unclear:
            raise SettingsError([unclear])
        course = without_file("", "", settings.default_zone, now)
        clusters = () if settings.course else legacy_clusters(found.everything)
        problems = (*workspace.take_problems(), *found.directory.problems, *found.foreign_claims(None))
        return Lab(clusters, None, course, (), problems, found.directory)
    file = found.file_of(chosen)
    own = found.own(chosen)
    queries.add_accepted(ledger, own.new, now=now)
    queries.delete_clusters(ledger, [cluster.id for cluster in own.claims])
    reader = found.reader_of(chosen)
    entries = reader.entries()
    told = [*([unclear] if unclear else []), *reader.problems]
    problems = (*workspace.take_problems(), *told, *own.problems, *found.foreign_claims(chosen))
    notices = tuple(problem for problem in told if problem == unclear or problem.startswith(path_of(*chosen)))
    course = file or without_file(*chosen, settings.default_zone, now)
    claims = frozenset(cluster.id for cluster in own.claims)
    return Lab(own.clusters, chosen, course, entries, problems, found.directory, claims, notices)


def collect(ledger: Ledger, workspace: Source, settings: Settings, *, now: datetime) -> Picture:
    """Read what may have changed, record it, and return the complete snapshot.

    Partial failures become problems of the snapshot; raises like `read_lab`.
    """
    lab = read_lab(ledger, workspace, settings, now=now)
    course, clusters = lab.course, lab.clusters
    today = now.astimezone(course.calendar.tz).date()
    is_first = is_first_poll(ledger, today)
    problems = [*lab.problems, *remember_uptime(ledger, workspace, clusters, is_first=is_first, now=now)]
    listed = {cluster.id: group_of(cluster) for cluster in clusters}
    groups = {**queries.cluster_groups(ledger, *(lab.chosen or ("", ""))), **listed}
    begins, _ = day_bounds(_first_that_matters(course, today), course.calendar.tz)
    sessions = queries.sessions(ledger, begins=begins, ends=now, cluster_ids=groups)
    if is_first:
        lab.directory.ask()
    cleared = _decide_starters(ledger, lab, groups, sessions, begins=begins, now=now)
    return Picture(
        now,
        course,
        settings.fallback,
        clusters,
        starters.with_roles(ledger, sessions),
        lab.allowances,
        lab.directory.members,
        tuple(dict.fromkeys([*problems, *lab.directory.problems, *workspace.take_problems()])),
        {id: group for id, group in groups.items() if id not in listed},
        lab.claims,
        cleared,
        lab.notices,
    )


def _decide_starters(
    ledger: Ledger,
    lab: Lab,
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
    return decide_starters(ledger, lab.directory, lab.course, clusters, since=since, now=now)


def _first_that_matters(course: Course, today: date) -> date:
    """Return the first day whose sessions any limit counts; the first day of the term only if there is a term limit."""
    a_week_ago = today - timedelta(days=7)
    has_term = any(group.quota.term is not None for group in course.groups.values())
    return min(a_week_ago, course.calendar.first_day) if has_term else a_week_ago


def remember_uptime(
    ledger: Ledger, workspace: Source, clusters: Iterable[SeenCluster], *, is_first: bool, now: datetime
) -> list[str]:
    """Record the list and update the sessions; return sentences about what could not be read.

    With `is_first`, also check whether clusters that are missing from the list exist.
    """
    problems: list[str] = []
    known = queries.clusters(ledger)
    record.observe(ledger, clusters, now=now)
    _read_events(ledger, workspace, clusters, known, problems, now=now)
    _look_for_gone(ledger, workspace, clusters, known, is_first=is_first, problems=problems, now=now)
    return [*problems, *workspace.take_problems()]


def recall_caller(ledger: Ledger, workspace: Workspace) -> None:
    """Load the caller from the ledger if it was requested with the same credential, to avoid a request."""
    credential, caller = json.loads(queries.note(ledger, CALLER) or '["", ""]')
    if credential and credential == workspace.credential and workspace.known_caller is None:
        workspace.remember_caller(caller)


def note_caller(ledger: Ledger, workspace: Workspace) -> None:
    """Store the caller in the ledger, if it was requested."""
    noted = json.dumps([workspace.credential, workspace.known_caller])
    if workspace.known_caller and workspace.credential and noted != queries.note(ledger, CALLER):
        queries.write_note(ledger, CALLER, noted)


def jobs_are_due(ledger: Ledger, *, now: datetime) -> bool:
    """Return whether to list clusters of jobs: every three hours, and always while one of them belongs to the lab."""
    at, of_lab = json.loads(queries.note(ledger, JOBS_LISTED) or "[0, false]")
    return bool(of_lab) or not timedelta() <= now - to_instant(at) < JOBS_EVERY


def note_jobs(ledger: Ledger, workspace: Workspace, picture: Picture) -> None:
    """Note that the clusters of jobs were listed, and whether one of them belongs to the lab."""
    if workspace.lists_jobs:
        of_lab = any(cluster.id in workspace.job_clusters for cluster in picture.clusters)
        queries.write_note(ledger, JOBS_LISTED, json.dumps([to_millis(picture.now), of_lab]))


def is_first_poll(ledger: Ledger, today: date) -> bool:
    """Return whether no poll of this local day has read everything yet."""
    return queries.note(ledger, "looked at everything") != today.isoformat()


def read_levels(
    ledger: Ledger, workspace: Source, picture: Picture, *, everything: bool = False
) -> tuple[dict[str, Level | None], list[str]]:
    """Read the permissions that may have to change: of groups at a limit or restricted; once a day of all groups.

    Returns levels by cluster id, and sentences: about permissions that could not be read, and about students who may
    start a cluster by another grant. The latter are repeated at each poll until the grant is gone.
    """
    lowered, now = queries.restricted_clusters(ledger), picture.now
    noted = int(queries.note(ledger, ALL_LEVELS) or 0)
    # A settlement at night may leave this to the first poll of the day.
    is_recent = everything and timedelta() <= now - to_instant(noted) < ALL_LEVELS_EVERY
    wants_all = not is_recent and (everything or is_first_poll(ledger, picture.today))
    confirmed: dict[str, int] = json.loads(queries.note(ledger, LOWERED_LEVELS) or "{}")
    groups = {standing.cluster_id: standing for standing in picture.standings({})}

    def is_due(standing: Standing) -> bool:
        id = standing.cluster_id
        is_over = any(use.is_over for use in standing.uses) and not standing.in_window
        if id not in lowered or not is_over or standing.is_running:
            return is_over or id in lowered
        # Restricted as expected, unless it was restored by hand; then it is noticed as soon as the cluster runs.
        return not timedelta() <= now - to_instant(confirmed.get(id, 0)) < LOWERED_EVERY

    due = [(id, standing.group) for id, standing in groups.items() if wants_all or is_due(standing)]

    def read(cluster_id: str) -> list[DirectGrant] | WorkspaceError:
        try:
            return workspace.grants(cluster_id)
        except WorkspaceError as error:
            return error

    found = in_parallel([partial(read, id) for id, _ in due])
    failures = [str(answer) for answer in found if isinstance(answer, WorkspaceError)]
    if wants_all and not failures:
        queries.write_note(ledger, "looked at everything", picture.today.isoformat())
        queries.write_note(ledger, ALL_LEVELS, str(to_millis(now)))
    grants = {id: answer for (id, _), answer in zip(due, found, strict=True) if not isinstance(answer, WorkspaceError)}
    levels = {id: level_of(group, grants[id]) for id, group in due if id in grants}
    for id, level in levels.items():
        if level is Level.ATTACH:
            queries.note_restricted(ledger, id, groups[id].group, now=picture.now)
    seen = {id: to_millis(now) for id, level in levels.items() if level is Level.ATTACH}
    if seen or confirmed:
        kept = {id: at for id, at in confirmed.items() if id in lowered and id not in levels}
        queries.write_note(ledger, LOWERED_LEVELS, json.dumps({**kept, **seen}))
    return levels, [*failures, *_routes_around(ledger, workspace, picture, grants)]


def _routes_around(
    ledger: Ledger, workspace: Source, picture: Picture, grants: Mapping[str, list[DirectGrant]]
) -> list[str]:
    """Call `quota_bypasses` for the permissions that were read now; for the others use the last result."""
    people = People(picture.course, picture.members or {}, workspace.caller)
    before: dict[str, list[str]] = json.loads(queries.note(ledger, ROUTES) or "{}")
    found: dict[str, list[str]] = {}
    for cluster in picture.clusters:
        routes = before.get(cluster.id, [])
        if cluster.id in grants:
            routes = list(routes_around(people, cluster.name, group_of(cluster), grants[cluster.id]))
        if routes:
            found[cluster.id] = routes
    if found != before:
        queries.write_note(ledger, ROUTES, json.dumps(found))
    return [route for routes in found.values() for route in routes]


def _read_events(
    ledger: Ledger,
    workspace: Source,
    clusters: Iterable[SeenCluster],
    known: Mapping[str, queries.KnownCluster],
    problems: list[str],
    *,
    now: datetime,
) -> None:
    """Read the new events of every cluster that may have changed since its events were last read."""

    doubtful, held = queries.clusters_with_estimates(ledger, LATEST), held_now(ledger)

    def changed(cluster: SeenCluster) -> bool:
        before = known.get(cluster.id)
        if before is None or cluster.id in doubtful or cluster.id in held:
            return True
        if before.is_running != cluster.sighting.running or before.list_fingerprint != cluster.moved:
            return True
        return cluster.sighting.running and not cluster.runs_on(before.events_read_to)

    def read(cluster: SeenCluster) -> Sequence[ToldEvent] | WorkspaceError:
        before = known.get(cluster.id)
        since = None
        if before and before.events_read_to:
            since = min(before.events_read_to, doubtful.get(cluster.id, before.events_read_to)) - OVERLAP
        try:
            return workspace.events(cluster.id, since)
        except WorkspaceError as error:
            return error

    def urgency(cluster: SeenCluster) -> tuple[bool, bool]:
        before = known.get(cluster.id)
        return not (before and before.list_fingerprint == record.CUT), not cluster.sighting.running

    # Most urgent first, because the time may not suffice for all.
    due = sorted((cluster for cluster in clusters if changed(cluster)), key=urgency)
    answers = zip(due, in_turn([partial(read, cluster) for cluster in due]), strict=True)
    while some := list(islice(answers, AT_ONCE)):
        readings = []
        for cluster, told in some:
            if isinstance(told, WorkspaceError):
                # Also if the error says that the cluster does not exist, because the list shows it.
                problems.append(f"{told}; its time is a lower bound from the cluster list")
            if isinstance(told, CutShort):
                readings.append(EventBatch(cluster.id, _until(now, cluster, told.told, problems), cluster.moved, True))
            elif isinstance(told, WorkspaceError):
                record.rebuild(ledger, cluster.id)
            else:
                readings.append(EventBatch(cluster.id, _until(now, cluster, told, problems), cluster.moved))
        record.add_events(ledger, readings, read_to=now)
        _log_unknown_types(ledger, readings)


def _until(now: datetime, cluster: SeenCluster, told: Sequence[ToldEvent], problems: list[str]) -> Sequence[ToldEvent]:
    """Drop events that are further in the future than a wrong clock explains."""
    kept = [one for one in told if one.event.at <= now + FUTURE]
    if len(kept) < len(told):
        problems.append(f"the events of cluster {cluster.id}: {len(told) - len(kept)} are in the future and ignored")
    return kept


def _log_unknown_types(ledger: Ledger, readings: Iterable[EventBatch]) -> None:
    """Log unknown event types, each once."""
    found = {told.event.type for reading in readings for told in reading.events} - KNOWN_TYPES
    if not found:
        return
    known = set(json.loads(queries.note(ledger, UNKNOWN_TYPES) or "[]"))
    if found - known:
        log.warning("events of unknown types are ignored: %s", ", ".join(sorted(found - known)))
        queries.write_note(ledger, UNKNOWN_TYPES, json.dumps(sorted(found | known)[:MOST_UNKNOWN_TYPES]))


def _look_for_gone(
    ledger: Ledger,
    workspace: Source,
    clusters: Iterable[SeenCluster],
    known: Mapping[str, queries.KnownCluster],
    *,
    is_first: bool,
    problems: list[str],
    now: datetime,
) -> None:
    """Check whether clusters missing from the list still exist, once a day or if they ran; mark those that do not."""
    listed = {cluster.id for cluster in clusters}
    for cluster in known.values():
        if cluster.id in listed or cluster.gone_at or not (cluster.is_running or is_first):
            continue
        try:
            if not workspace.exists(cluster.id):
                record.mark_gone(ledger, cluster.id, now=now)
        except WorkspaceError as error:
            problems.append(str(error))
