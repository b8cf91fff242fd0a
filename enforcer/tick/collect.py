"""Looking: what a poll reads from the workspace, and what it remembers of it in the ledger.

What it costs: one list of clusters, the course's folder and its allowances (contents only when changed), one query
of events for each cluster that can have changed, the members once a day and when somebody unknown started something.
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

from enforcer.domain.allowances import Allowance, AllowanceError, Revocation, in_force, parse_entry
from enforcer.domain.course import Course, CourseError, parse_course
from enforcer.domain.observations import FileInfo, SeenCluster, ToldEvent
from enforcer.domain.quota import Calendar
from enforcer.domain.snapshot import Picture, choose_course, group_of, lab_clusters
from enforcer.domain.uptime import Session, day_bounds
from enforcer.ledger import membership, queries, record
from enforcer.ledger.database import Ledger
from enforcer.ledger.record import Reading
from enforcer.settings import Settings, SettingsError
from enforcer.workspace.client import Gone, Workspace, WorkspaceError
from enforcer.workspace.tasks import in_turn
from labkit.course_file import ALLOWANCES, folder_of, path_of

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=15)
"""Events are read again from so long before the last time: some arrive late."""
LATEST = timedelta(days=1)
"""For so long after an estimate its events are asked for once more: what was missing may only be late."""
AT_ONCE = 30
"""The events of so many clusters are written down together, while those of others are still being read."""


class Reader(Protocol):
    """The part of the workspace that holds the course's files."""

    def files(self, folder: str) -> list[FileInfo]: ...

    def read(self, path: str) -> str: ...


@dataclass(frozen=True)
class Lab:
    """What stands in the workspace about a course, and the clusters that belong to it."""

    clusters: tuple[SeenCluster, ...]
    chosen: tuple[str, str] | None
    """Course and term; None: the clusters carry no tags and the settings do not name both."""
    course: Course
    entries: tuple[Allowance | Revocation, ...]
    """Whatever was ever allowed or revoked."""
    problems: tuple[str, ...]

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        """Those in force."""
        return in_force(self.entries)


def read_lab(ledger: Ledger, workspace: Workspace, settings: Settings, *, now: datetime) -> Lab:
    """Which course is meant, its clusters, its file and its allowances.

    Raises WorkspaceError where the clusters cannot be listed and SettingsError where it is not clear which course is
    meant.
    """
    everything = workspace.clusters(now=now)
    chosen, unclear = choose_course(everything, settings.course, settings.term)
    if unclear:
        raise SettingsError([unclear])
    problems: list[str] = []
    course, entries = _read_folder(ledger, workspace, settings, chosen, problems, now=now)
    return Lab(lab_clusters(everything, chosen), chosen, course, entries, tuple(problems))


def look(ledger: Ledger, workspace: Workspace, settings: Settings, *, now: datetime) -> Picture:
    """Read what may have changed, record it, and return the whole picture.

    What fails alone is a problem of the picture; raises as `read_lab` does.
    """
    lab = read_lab(ledger, workspace, settings, now=now)
    course, clusters = lab.course, lab.clusters
    today = now.astimezone(course.calendar.tz).date()
    is_first = is_first_poll(ledger, today)
    problems = [*lab.problems, *remember_uptime(ledger, workspace, clusters, is_first=is_first, now=now)]
    begins, _ = day_bounds(_first_that_matters(course, today), course.calendar.tz)
    sessions = queries.sessions(ledger, begins=begins, ends=now, cluster_ids=[cluster.id for cluster in clusters])
    members = _members(ledger, workspace, clusters, sessions, is_first=is_first, problems=problems, now=now)
    return Picture(now, course, settings.fallback, clusters, sessions, lab.allowances, members, tuple(problems))


def _first_that_matters(course: Course, today: date) -> date:
    """The first day whose sessions any limit counts; without a limit for the term, those of a term are left alone."""
    a_week_ago = today - timedelta(days=7)
    has_term = any(group.quota.term is not None for group in course.groups.values())
    return min(a_week_ago, course.calendar.first_day) if has_term else a_week_ago


def remember_uptime(
    ledger: Ledger, workspace: Workspace, clusters: Iterable[SeenCluster], *, is_first: bool, now: datetime
) -> list[str]:
    """Record what the list showed and bring the sessions up to date; return sentences about what could not be read.

    `is_first`: clusters that are missing from the list are asked for, too.
    """
    problems: list[str] = []
    known = queries.clusters(ledger)
    record.observe(ledger, clusters, now=now)
    _read_events(ledger, workspace, clusters, known, problems, now=now)
    _look_for_gone(ledger, workspace, clusters, known, is_first=is_first, problems=problems, now=now)
    return problems


def is_first_poll(ledger: Ledger, today: date) -> bool:
    """Whether no poll of this local day has looked at everything yet."""
    return queries.note(ledger, "looked at everything") != today.isoformat()


def read_course(
    ledger: Ledger,
    workspace: Reader,
    settings: Settings,
    chosen: tuple[str, str] | None,
    problems: list[str],
    *,
    now: datetime,
) -> tuple[Course, tuple[Allowance, ...]]:
    """The course file and the allowances in force; where they cannot be read, as last seen."""
    course, entries = _read_folder(ledger, workspace, settings, chosen, problems, now=now)
    return course, in_force(entries)


def _read_folder(
    ledger: Ledger,
    workspace: Reader,
    settings: Settings,
    chosen: tuple[str, str] | None,
    problems: list[str],
    *,
    now: datetime,
) -> tuple[Course, tuple[Allowance | Revocation, ...]]:
    if chosen is None:
        return _without_file(settings, "", "", now), ()
    folder = folder_of(*chosen)
    path = path_of(*chosen)
    course = None
    try:
        listed = {file.path: file for file in workspace.files(folder)}
        if path in listed:
            course = _course(ledger, workspace, listed[path])
    except (WorkspaceError, CourseError) as error:
        problems.append(f"{error}; the last course file seen is used")
    if course is None and (remembered := queries.remembered_file(ledger, path)):
        try:
            course = parse_course(remembered[1], path)
        except CourseError as error:
            problems.append(f"{error}; the limits of the settings are used")
    return course or _without_file(settings, *chosen, now), tuple(_read_entries(ledger, workspace, folder, problems))


def _course(ledger: Ledger, workspace: Reader, file: FileInfo) -> Course:
    """The course file, which is remembered only once it was understood. Raises CourseError."""
    remembered = queries.remembered_file(ledger, file.path)
    if remembered and remembered[0] == file.version:
        return parse_course(remembered[1], file.path)
    text = workspace.read(file.path)
    course = parse_course(text, file.path)
    queries.remember_file(ledger, file.path, file.version, text)
    return course


def _read_entries(ledger: Ledger, workspace: Reader, folder: str, problems: list[str]) -> list[Allowance | Revocation]:
    """Every allowance and revocation, oldest first.

    A file that cannot be read counts as last seen, one that is no allowance not at all.
    """
    place = f"{folder}/{ALLOWANCES}"
    try:
        listed = workspace.files(place)
        queries.write_note(ledger, f"files of {place}", json.dumps([file.path for file in listed]))
    except WorkspaceError as error:
        problems.append(f"{error}; the allowances last seen are used")
        listed = [FileInfo(path, "") for path in json.loads(queries.note(ledger, f"files of {place}") or "[]")]
    entries: list[Allowance | Revocation] = []
    for file in listed:
        try:
            entries.append(parse_entry(_content(ledger, workspace, file), file.path))
        except (WorkspaceError, AllowanceError) as error:
            problems.append(str(error))
    return entries


def _content(ledger: Ledger, workspace: Reader, file: FileInfo) -> str:
    """Asked for only when the listing shows a change; an empty version means as last seen."""
    remembered = queries.remembered_file(ledger, file.path)
    if remembered and file.version in ("", remembered[0]):
        return remembered[1]
    text = workspace.read(file.path)
    queries.remember_file(ledger, file.path, file.version, text)
    return text


def _without_file(settings: Settings, course: str, term: str, now: datetime) -> Course:
    zone = ZoneInfo(settings.zone) if settings.zone else UTC
    today = now.astimezone(zone).date()
    return Course(course, term, "", Calendar(zone, today, today, 6), count_all_sessions=False)


def _read_events(
    ledger: Ledger,
    workspace: Workspace,
    clusters: Iterable[SeenCluster],
    known: dict[str, queries.KnownCluster],
    problems: list[str],
    *,
    now: datetime,
) -> None:
    """Bring the events of every cluster up to date that can have changed since they were last read."""

    doubtful = queries.doubtful(ledger, LATEST)

    def changed(cluster: SeenCluster) -> bool:
        before = known.get(cluster.id)
        if before is None or cluster.sighting.running or cluster.id in doubtful:
            return True
        return before.is_running or before.moved != cluster.moved

    def read(cluster: SeenCluster) -> list[ToldEvent] | WorkspaceError:
        before = known.get(cluster.id)
        since = None
        if before and before.events_read_to:
            since = min(before.events_read_to, doubtful.get(cluster.id, before.events_read_to)) - OVERLAP
        try:
            return workspace.events(cluster.id, since)
        except WorkspaceError as error:
            return error

    due = [cluster for cluster in clusters if changed(cluster)]
    answers = zip(due, in_turn([partial(read, cluster) for cluster in due]), strict=True)
    while some := list(islice(answers, AT_ONCE)):
        readings = []
        for cluster, told in some:
            if isinstance(told, Gone):
                record.mark_gone(ledger, cluster.id, now=now)
            elif isinstance(told, WorkspaceError):
                problems.append(f"{told}; its time is a lower bound from the cluster list")
                record.rebuild(ledger, cluster.id)
            else:
                readings.append(Reading(cluster.id, told, cluster.moved))
        record.add_events(ledger, readings, read_to=now)


def _look_for_gone(
    ledger: Ledger,
    workspace: Workspace,
    clusters: Iterable[SeenCluster],
    known: dict[str, queries.KnownCluster],
    *,
    is_first: bool,
    problems: list[str],
    now: datetime,
) -> None:
    """A cluster that is missing from the list may be gone, or only stopped for long: ask, once a day or if it ran."""
    listed = {cluster.id for cluster in clusters}
    for cluster in known.values():
        if cluster.id in listed or cluster.gone or not (cluster.is_running or is_first):
            continue
        try:
            if not workspace.exists(cluster.id):
                record.mark_gone(ledger, cluster.id, now=now)
        except WorkspaceError as error:
            problems.append(str(error))


def _members(
    ledger: Ledger,
    workspace: Workspace,
    clusters: Iterable[SeenCluster],
    sessions: dict[str, list[Session]],
    *,
    is_first: bool,
    problems: list[str],
    now: datetime,
) -> dict[str, frozenset[str]] | None:
    """Read at the first poll of a day, and when somebody started a cluster since who is no member as far as we know."""
    noted = membership.known(ledger)
    members = noted.all if noted else None
    read_at = noted.read if noted else None

    def is_unknown(cluster: SeenCluster) -> bool:
        own = (members or {}).get(group_of(cluster), frozenset())
        return any(
            user and user.casefold() not in own and read_at is not None and at >= read_at
            for session in sessions.get(cluster.id, [])
            for at, user in [(session.start, session.started_by), *((r.at, r.user) for r in session.restarts)]
        )

    if members is not None and not is_first and not any(is_unknown(cluster) for cluster in clusters):
        return members
    try:
        return membership.remember(ledger, workspace.members(), now=now).all
    except WorkspaceError as error:
        problems.append(f"{error}; members as last seen")
        return members
