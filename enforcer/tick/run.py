"""One tick: collect what the workspace says, decide what is due, carry it out, send the letters about it."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime

from enforcer.domain.quota import Action, Level, Restrict, decide
from enforcer.domain.snapshot import Picture
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.mail.mail_service import Carrier
from enforcer.mail.sender import send_due
from enforcer.settings import Settings
from enforcer.tick.carry_out import carry_out
from enforcer.tick.collect import collect, read_levels
from enforcer.tick.course_reader import Source
from enforcer.tick.history import recall
from enforcer.tick.notify import queue_missing_letters, warned
from enforcer.tick.settle import Settlement, plan_days, settle_days
from enforcer.tick.totals_file import leave_gone
from enforcer.tick.undo import undo
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
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

    @property
    def failures(self) -> tuple[str, ...]:
        return (*self.undone, *self.unsent, *self.unsettled)


def run_tick(
    settings: Settings,
    ledger: Ledger,
    workspace: Workspace | WorkspaceError,
    mail: Carrier,
    *,
    now: datetime,
    deadline: Deadline,
    settles: bool = False,
    up_to: date | None = None,
) -> TickResult:
    """Bring every cluster of the course inside its quota, and send the letters that are due.

    `workspace` may be the error that kept it from being connected. An unusable workspace is a result: letters about
    what was done before are sent all the same. With `settles` every permission is read, and the days that are over
    are settled, up to `up_to` or yesterday, before letters are sent. Raises SettingsError where it is not clear which
    course is meant.
    """
    if isinstance(workspace, WorkspaceError):
        return _only_send(settings, ledger, workspace, mail, now=now, deadline=deadline)
    before = Counter(workspace.calls)
    workspace.limit_reading(deadline)
    try:
        due = _find_due(settings, ledger, workspace, now=now, everything=settles)
    except WorkspaceError as error:
        return _only_send(settings, ledger, error, mail, now=now, deadline=deadline)
    done = carry_out(ledger, workspace, settings, due.picture, due.actions)
    settled = settle_days(settings, ledger, workspace, due.picture, up_to=up_to) if settles else Settlement()
    untold = _leave_gone(settings, ledger, workspace, due.picture)
    unwritten = (*done.unwritten, *queue_missing_letters(ledger, settings, due.picture, due.actions))
    sent = send_due(ledger, mail, settings, now=now, deadline=deadline)
    undone, unsent = (*due.problems, *done.failures, *untold), (*unwritten, *sent.failures)
    calls = dict(workspace.calls - before)
    failed = len(undone) + len(unsent)
    queries.record_poll(ledger, began=now, ended=now + deadline.elapsed, failed=failed, calls=calls)
    return TickResult(due.picture, due.actions, settled.days, undone, unsent, settled.failures)


def _leave_gone(settings: Settings, ledger: Ledger, workspace: Workspace, picture: Picture) -> list[str]:
    """A sentence if the totals of clusters that are gone could not be left for `restricted`."""
    try:
        leave_gone(ledger, settings, workspace, picture)
    except WorkspaceError as error:
        return [f"{error}; what clusters used that are gone is not there for `restricted`"]
    return []


def _only_send(
    settings: Settings, ledger: Ledger, error: WorkspaceError, mail: Carrier, *, now: datetime, deadline: Deadline
) -> TickResult:
    sent = send_due(ledger, mail, settings, now=now, deadline=deadline)
    return TickResult(undone=(str(error),), unsent=sent.failures, unusable=error)


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
    for id in queries.lowered(ledger) & levels.keys() - lowering:
        if levels[id] is not Level.ATTACH:
            # Somebody else gave it back: nothing is left to look after.
            queries.note_restored(ledger, id)
    return _Due(picture, actions, (*picture.problems, *unread, *workspace.take_problems()))
