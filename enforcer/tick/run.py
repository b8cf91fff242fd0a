"""One tick: collect what the workspace says, decide what is due, carry it out, send the letters about it."""

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
    """What a tick found, did, and could not do. The failures are sentences; what they name is still due."""

    picture: Picture | None = None
    """None: the workspace could not be used."""
    actions: tuple[Action, ...] = ()
    """What was due."""
    days: tuple[date, ...] = ()
    """What was settled, or would be."""
    undone: tuple[str, ...] = ()
    """What could not be read or carried out."""
    unsent: tuple[str, ...] = ()
    """Letters that could not be written or sent."""
    unsettled: tuple[str, ...] = ()
    """What of the settlement could not be done."""
    unusable: WorkspaceError | None = None
    """Why the workspace could not be used."""
    held: str = ""
    """What is not stopped before the next poll, and why, for the admin; empty: nothing is held."""

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
    """Bring every cluster of the course inside its quota, and send the letters that are due.

    `workspace` may be the error that kept it from being connected. An unusable workspace is a result: letters about
    what was done before are sent all the same. With `settles` every permission is read, and the days that are over
    are settled, up to `up_to` or yesterday, before letters are sent. `is_confirmed`: the workspace's time agrees with
    `now`. With `stop_now` no stop is held back. Raises SettingsError where it is not clear which course is meant.
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
    due, held = _restrain(settings, ledger, workspace, due, is_confirmed=is_confirmed, stop_now=stop_now)
    done = carry_out(ledger, workspace, settings, due.picture, due.actions)
    settled = settle_days(settings, ledger, workspace, due.picture, up_to=up_to) if settles else Settlement()
    untold = _leave_gone(settings, ledger, workspace, due.picture)
    unwritten = (*done.unwritten, *queue_missing_letters(ledger, settings, due.picture, due.actions))
    sent = send_due(ledger, mail, settings, now=now, deadline=deadline)
    undone, unsent = (*due.problems, *done.failures, *untold), (*unwritten, *sent.failures)
    calls = dict(workspace.calls - before)
    failed = len(undone) + len(unsent)
    queries.record_poll(ledger, began=now, ended=now + deadline.elapsed, failed=failed, calls=calls)
    return TickResult(due.picture, due.actions, settled.days, undone, unsent, settled.failures, held=held)


def _restrain(
    settings: Settings, ledger: Ledger, workspace: Workspace, due: "_Due", *, is_confirmed: bool, stop_now: bool
) -> tuple["_Due", str]:
    """What is due without what may not be done by this time or is held, and what is held."""
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
    said = hold.sentence(picture, held)
    return replace(due, actions=hold.without(due.actions, held), problems=(*due.problems, said)), said


def _newest_event(picture: Picture) -> datetime | None:
    """The latest instant that an event of the clusters tells of."""
    told = (
        instant
        for sessions in picture.sessions.values()
        for session in sessions[-1:]
        for instant in (session.start, session.end, session.last_told)
    )
    return max((instant for instant in told if instant), default=None)


def _leave_gone(settings: Settings, ledger: Ledger, workspace: Workspace, picture: Picture) -> list[str]:
    """A sentence if the totals of clusters that are gone could not be left for `restricted`."""
    try:
        leave_gone(ledger, settings, workspace, picture)
    except WorkspaceError as error:
        return [f"{error}; what clusters used that are gone is not there for `restricted`"]
    return []


def _only_send(
    settings: Settings, ledger: Ledger, error: WorkspaceError, mail: MailService, *, now: datetime, deadline: Deadline
) -> TickResult:
    sent = send_due(ledger, mail, settings, now=now, deadline=deadline)
    return TickResult(undone=(str(error),), unsent=sent.failures, unusable=error)


def stop_by_events(
    settings: Settings,
    memory: Ledger,
    workspace: Workspace,
    *,
    now: datetime,
    deadline: Deadline,
    is_confirmed: bool = True,
) -> TickResult:
    """Without the ledger, stop and restrict who is over a limit by the events of the clusters, and do nothing else.

    `memory` is a ledger in memory: what it knows was read from the workspace since it was made. Raises WorkspaceError
    where the clusters cannot be listed, SettingsError where the course is not clear.
    """
    with workspace.reading(deadline):
        due = _find_due(settings, memory, workspace, now=now, everything=False)
    due = replace(due, actions=tuple(action for action in due.actions if isinstance(action, Stop | Restrict)))
    due, held = _restrain(settings, memory, workspace, due, is_confirmed=is_confirmed, stop_now=False)
    done = carry_out(memory, workspace, settings, due.picture, due.actions)
    queries.record_poll(memory, began=now, ended=now + deadline.elapsed, failed=len(done.failures), calls={})
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
    """What `run_tick` would do. What is read is written to the ledger, so that has to be a copy.

    Raises WorkspaceError where the clusters cannot be listed, SettingsError where the course is not clear.
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
    """Collect and decide. Raises as `plan_tick` does."""
    picture = collect(ledger, workspace, settings, now=now)
    undo(ledger, settings, picture)
    levels, unread = read_levels(ledger, workspace, picture, everything=everything)
    actions = decide(picture.standings(levels), warned(ledger, picture))
    lowering = {action.cluster_id for action in actions if isinstance(action, Restrict)}
    for id in queries.restricted_clusters(ledger) & levels.keys() - lowering:
        if levels[id] is not Level.ATTACH:
            # Somebody else gave it back: nothing is left to look after.
            queries.note_restored(ledger, id)
    return _Due(picture, actions, (*picture.problems, *unread, *workspace.take_problems()))
