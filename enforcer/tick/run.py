"""Runs one tick: collects the state of the workspace, decides, carries out actions, sends messages."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime

from enforcer.domain.quota import Action, Level, Restrict, Stop, decide
from enforcer.domain.snapshot import Picture
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.mail.mail_service import MailService
from enforcer.mail.sender import send_due
from enforcer.settings import Settings
from enforcer.tick import hold
from enforcer.tick.carry_out import carry_out
from enforcer.tick.collect import collect, jobs_are_due, note_caller, note_jobs, read_levels, recall_caller
from enforcer.tick.course_reader import Source
from enforcer.tick.history import recall
from enforcer.tick.notify import queue_missing_letters, warned
from enforcer.tick.settle import Settlement, plan_days, settle_days
from enforcer.tick.totals_file import leave_gone
from enforcer.tick.undo import undo
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.server_time import doubt
from labkit.clock import Deadline


@dataclass(frozen=True)
class TickResult:
    """Result of a tick. Failures are sentences; what they name is still due."""

    picture: Picture | None = None
    """None: the workspace is unusable."""
    actions: tuple[Action, ...] = ()
    """Actions that were due."""
    days: tuple[date, ...] = ()
    """Days that were settled or, when planning, would be."""
    undone: tuple[str, ...] = ()
    """Sentences about what could not be read or carried out."""
    unsent: tuple[str, ...] = ()
    """Sentences about messages that could not be rendered or sent."""
    unsettled: tuple[str, ...] = ()
    """Sentences about what could not be settled."""
    unusable: WorkspaceError | None = None
    """Why the workspace is unusable."""
    held: str = ""
    """Sentence for the admin about stops held until the next poll; empty if there are none."""

    @property
    def failures(self) -> tuple[str, ...]:
        return (*self.undone, *self.unsent, *self.unsettled)


def run_tick(
    settings: Settings,
    ledger: Ledger,
    workspace: Workspace | WorkspaceError,
    mail: MailService,
    *,
    now: datetime,
    deadline: Deadline,
    settles: bool = False,
    up_to: date | None = None,
    is_confirmed: bool = True,
    stop_now: bool = False,
) -> TickResult:
    """Enforce the quota of every cluster of the course, and send the messages that are due.

    `workspace` may be the error of a failed connection. An unusable workspace is a result, not an exception: messages
    about earlier actions are still sent. With `settles`, every permission is read, and past days up to `up_to` or
    yesterday are settled before messages are sent. `is_confirmed`: the workspace's time agrees with `now`. With
    `stop_now` no stop is held. Raises SettingsError if the course is ambiguous.
    """
    if isinstance(workspace, WorkspaceError):
        return _only_send(settings, ledger, workspace, mail, now=now, deadline=deadline)
    before = Counter(workspace.calls)
    workspace.lists_jobs = jobs_are_due(ledger, now=now)
    recall_caller(ledger, workspace)
    try:
        with workspace.reading(deadline):
            due = _find_due(settings, ledger, workspace, now=now, everything=settles)
    except WorkspaceError as error:
        return _only_send(settings, ledger, error, mail, now=now, deadline=deadline)
    note_jobs(ledger, workspace, due.picture)
    note_caller(ledger, workspace)
    due, held = _remove_unsafe_stops(settings, ledger, workspace, due, is_confirmed=is_confirmed, stop_now=stop_now)
    done = carry_out(ledger, workspace, settings, due.picture, due.actions)
    settled = settle_days(settings, ledger, workspace, due.picture, up_to=up_to) if settles else Settlement()
    leave_problems = _leave_gone(settings, ledger, workspace, due.picture)
    unwritten = (*done.unwritten, *queue_missing_letters(ledger, settings, due.picture, due.actions))
    sent = send_due(ledger, mail, settings, now=now, deadline=deadline)
    undone, unsent = (*due.problems, *done.failures, *leave_problems), (*unwritten, *sent.failures)
    calls = dict(workspace.calls - before)
    failed = len(undone) + len(unsent)
    queries.record_poll(ledger, began=now, ended=now + deadline.elapsed, failed=failed, calls=calls)
    return TickResult(due.picture, due.actions, settled.days, undone, unsent, settled.failures, held=held)


def _remove_unsafe_stops(
    settings: Settings, ledger: Ledger, workspace: Workspace, due: "_Due", *, is_confirmed: bool, stop_now: bool
) -> tuple["_Due", str]:
    """Remove actions that the clock makes unsafe and stops that are held; return the rest and a sentence about
    holds."""
    picture, now = due.picture, due.picture.now
    newest = _newest_event(picture)
    if unsure := doubt(workspace.stamps, now=now, newest=newest, is_rehearsal=workspace.is_rehearsal):
        actions = tuple(action for action in due.actions if not isinstance(action, Restrict | Stop))
        return replace(due, actions=actions, problems=(*due.problems, unsure)), ""
    memory = hold.recall_memory(ledger, now=now)
    running = [cluster.id for cluster in picture.clusters if cluster.sighting.running]
    cap = settings.cap
    held = hold.held_clusters(due.actions, running, memory, cap, now=now, is_confirmed=is_confirmed)
    held = frozenset() if stop_now else held
    hold.remember(ledger, picture, memory, held)
    if not held:
        return due, ""
    notice = hold.sentence(picture, held)
    return replace(due, actions=hold.without(due.actions, held), problems=(*due.problems, notice)), notice


def _newest_event(picture: Picture) -> datetime | None:
    """Return the time of the newest event in the sessions of the clusters."""
    timestamps = (
        time
        for sessions in picture.sessions.values()
        for session in sessions[-1:]
        for time in (session.start, session.end, session.last_told)
    )
    return max((time for time in timestamps if time), default=None)


def _leave_gone(settings: Settings, ledger: Ledger, workspace: Workspace, picture: Picture) -> list[str]:
    """Update the usage of former clusters for `restricted`; return a sentence if it failed."""
    try:
        leave_gone(ledger, settings, workspace, picture)
    except WorkspaceError as error:
        return [f"{error}; `restricted` does not know the usage of former clusters"]
    return []


def _only_send(
    settings: Settings, ledger: Ledger, error: WorkspaceError, mail: MailService, *, now: datetime, deadline: Deadline
) -> TickResult:
    sent = send_due(ledger, mail, settings, now=now, deadline=deadline)
    return TickResult(undone=(str(error),), unsent=sent.failures, unusable=error)


def stop_by_events(
    settings: Settings,
    memory_ledger: Ledger,
    workspace: Workspace,
    *,
    now: datetime,
    deadline: Deadline,
    is_confirmed: bool = True,
) -> TickResult:
    """Stop and restrict groups past a limit on the basis of events, without the ledger; do nothing else.

    `memory_ledger` is a ledger in memory, with what was read from the workspace since it was created. Raises
    WorkspaceError if the clusters cannot be listed, SettingsError if the course is ambiguous.
    """
    with workspace.reading(deadline):
        due = _find_due(settings, memory_ledger, workspace, now=now, everything=False)
    due = replace(due, actions=tuple(action for action in due.actions if isinstance(action, Stop | Restrict)))
    due, held = _remove_unsafe_stops(settings, memory_ledger, workspace, due, is_confirmed=is_confirmed, stop_now=False)
    done = carry_out(memory_ledger, workspace, settings, due.picture, due.actions)
    queries.record_poll(memory_ledger, began=now, ended=now + deadline.elapsed, failed=len(done.failures), calls={})
    return TickResult(due.picture, due.actions, undone=(*due.problems, *done.failures), held=held)


def plan_tick(
    settings: Settings,
    ledger: Ledger,
    workspace: Source,
    *,
    now: datetime,
    settles: bool = False,
    up_to: date | None = None,
) -> TickResult:
    """Return what `run_tick` would do. Readings are written to `ledger`, so it has to be a copy.

    Raises WorkspaceError if the clusters cannot be listed, SettingsError if the course is ambiguous.
    """
    due = _find_due(settings, ledger, workspace, now=now, everything=settles)
    planned = TickResult(due.picture, due.actions, undone=due.problems)
    if not settles:
        return planned
    settlement = plan_days(ledger, recall(ledger, settings, now=now), due.picture, up_to=up_to)
    return replace(planned, days=settlement.days, unsettled=settlement.failures)


@dataclass(frozen=True)
class _Due:
    picture: Picture
    actions: tuple[Action, ...]
    problems: tuple[str, ...]


def _find_due(settings: Settings, ledger: Ledger, workspace: Source, *, now: datetime, everything: bool) -> _Due:
    """Collect and decide. Raises like `plan_tick`."""
    picture = collect(ledger, workspace, settings, now=now)
    undo(ledger, settings, picture)
    levels, unread = read_levels(ledger, workspace, picture, everything=everything)
    actions = decide(picture.standings(levels), warned(ledger, picture))
    lowering = {action.cluster_id for action in actions if isinstance(action, Restrict)}
    for id in queries.restricted_clusters(ledger) & levels.keys() - lowering:
        if levels[id] is not Level.ATTACH:
            # Restored by someone else: no longer restricted by the enforcer.
            queries.note_restored(ledger, id)
    return _Due(picture, actions, (*picture.problems, *unread, *workspace.take_problems()))
