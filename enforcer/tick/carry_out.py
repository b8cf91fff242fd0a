"""One tick: look, decide, carry out, send what is due. What was not done is still due at the next."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from enforcer.domain.quota import Action, Level, Restore, Restrict, Stop, Warn, WarningKey, decide
from enforcer.domain.snapshot import Picture
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings
from enforcer.tick.collect import is_first_poll, look
from enforcer.workspace.client import Workspace, WorkspaceError
from enforcer.workspace.tasks import in_parallel

log = logging.getLogger(__name__)

Tell = Callable[[Picture, Action], None]
"""Queues the letter about an action that was carried out."""


@dataclass(frozen=True)
class Outcome:
    picture: Picture
    actions: tuple[Action, ...]
    """What was due."""
    failures: tuple[str, ...] = field(default=())
    """What could not be read or done, in sentences; all of it is still due."""


def poll(
    ledger: Ledger,
    workspace: Workspace,
    settings: Settings,
    *,
    now: datetime,
    warned: Callable[[], frozenset[WarningKey]],
    tell: Tell,
    dry_run: bool = False,
    everything: bool = False,
) -> Outcome:
    """Bring every cluster of the course inside its quota. With `everything` all permissions are read.

    With `dry_run` nothing is changed in the workspace, and the actions are those that would be carried out; what was
    seen is written to the ledger all the same, so that has to be a copy.
    Raises WorkspaceError where the clusters cannot be listed, SettingsError where the course is not clear.
    """
    due = _due(ledger, workspace, settings, now=now, warned=warned, everything=everything)
    if dry_run:
        return due
    failures = carry_out(ledger, workspace, due.picture, due.actions, tell)
    return Outcome(due.picture, due.actions, (*due.failures, *failures))


def _due(
    ledger: Ledger,
    workspace: Workspace,
    settings: Settings,
    *,
    now: datetime,
    warned: Callable[[], frozenset[WarningKey]],
    everything: bool,
) -> Outcome:
    picture = look(ledger, workspace, settings, now=now)
    levels, unread = read_levels(ledger, workspace, picture, everything=everything)
    actions = decide(picture.standings(levels), warned())
    lowering = {action.cluster_id for action in actions if isinstance(action, Restrict)}
    for id in queries.lowered(ledger) & levels.keys() - lowering:
        if levels[id] is not Level.ATTACH:
            # Somebody else gave it back: nothing is left to look after.
            queries.note_restored(ledger, id)
    return Outcome(picture, actions, (*picture.problems, *unread))


def read_levels(
    ledger: Ledger, workspace: Workspace, picture: Picture, *, everything: bool = False
) -> tuple[dict[str, Level | None], list[str]]:
    """The permission of every group that may have to change: at a limit, or lowered; of all once a day.

    Returns them by cluster id, and sentences about those that could not be read.
    """
    lowered = queries.lowered(ledger)
    is_first = everything or is_first_poll(ledger, picture.today)
    groups = {standing.cluster_id: standing for standing in picture.standings({})}
    due = [
        (id, standing.group)
        for id, standing in groups.items()
        if is_first or id in lowered or any(use.is_over for use in standing.uses)
    ]

    def read(cluster_id: str, group: str) -> Level | WorkspaceError | None:
        try:
            return workspace.level(cluster_id, group)
        except WorkspaceError as error:
            return error

    found = in_parallel([partial(read, *pair) for pair in due])
    failures = [str(answer) for answer in found if isinstance(answer, WorkspaceError)]
    if is_first and not failures:
        queries.write_note(ledger, "looked at everything", picture.today.isoformat())
    levels = {id: answer for (id, _), answer in zip(due, found, strict=True) if not isinstance(answer, WorkspaceError)}
    for id, level in levels.items():
        if level is Level.ATTACH:
            queries.note_lowered(ledger, id, groups[id].group, now=picture.now)
    return levels, failures


def carry_out(
    ledger: Ledger, workspace: Workspace, picture: Picture, actions: Iterable[Action], tell: Tell
) -> list[str]:
    """Do what is due; return a sentence for each thing that failed.

    Intents are noted first, then all groups are lowered, then all clusters stopped, then the rest. A failure neither
    spares nor stops the others, and a group that could not be lowered has its cluster stopped all the same.
    """
    failures: list[str] = []
    actions = list(actions)
    for kind in (Restrict, Stop, Restore, Warn):
        batch = [action for action in actions if isinstance(action, kind)]
        noted = [_note(ledger, picture, action) for action in batch]
        errors = in_parallel([partial(_attempt, workspace, action) for action in batch])
        for action, number, error in zip(batch, noted, errors, strict=True):
            queries.note_outcome(ledger, number, now=picture.now, error=error)
            if error:
                failures.append(error)
                continue
            if isinstance(action, Restore):
                queries.note_restored(ledger, action.cluster_id)
            tell(picture, action)
    return failures


def _note(ledger: Ledger, picture: Picture, action: Action) -> int:
    """Note the intent. A lowering is remembered before the deed, so that a crash in between is looked after."""
    if isinstance(action, Restrict):
        queries.note_lowered(ledger, action.cluster_id, action.group, now=picture.now)
    reason = "" if isinstance(action, Restore) else f"{action.use.limit.period.value} {action.use.limit}"
    name = type(action).__name__.lower()
    return queries.note_intent(
        ledger, name, action.cluster_id, action.group, reason=reason, day=picture.today, now=picture.now
    )


def _attempt(workspace: Workspace, action: Action) -> str | None:
    """Carry one action out on the workspace; the sentence of what went wrong."""
    try:
        match action:
            case Restrict():
                workspace.set_level(action.cluster_id, action.group, Level.ATTACH)
            case Stop():
                workspace.terminate(action.cluster_id)
            case Restore():
                workspace.set_level(action.cluster_id, action.group, Level.RESTART)
            case Warn():
                pass
    except WorkspaceError as error:
        return f"{type(action).__name__} of {action.group}: {error}"
    log.info("%s %s (%s)", type(action).__name__.lower(), action.group, action.cluster_id)
    return None
