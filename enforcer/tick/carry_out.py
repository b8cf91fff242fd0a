"""Carries out actions: records the intent in the ledger, acts on the workspace, records the result, queues messages."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from enforcer.domain.quota import Action, Level, Restore, Restrict, Stop, Warn
from enforcer.domain.snapshot import Snapshot
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings
from enforcer.tick.notify import queue_message_about
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.tasks import in_parallel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CarriedOut:
    failures: tuple[str, ...]
    """A message for each failed action, which is still due."""
    unwritten: tuple[str, ...]
    """An error for each message that could not be rendered."""


def carry_out(
    ledger: Ledger, workspace: Workspace, settings: Settings, snapshot: Snapshot, actions: Iterable[Action]
) -> CarriedOut:
    """Carry out the actions and queue the messages about them.

    First all groups are restricted, then all clusters stopped, then the other actions carried out; each intent is
    recorded beforehand. A failure does not affect other actions: if a group could not be restricted, its cluster is
    still stopped.
    """

    principal_of = snapshot.course.principal_of

    def attempt(action: Action) -> str | None:
        """Carry out one action; return an error message if it failed."""
        try:
            match action:
                case Restrict():
                    workspace.set_level(action.cluster_id, principal_of(action.group), Level.ATTACH)
                case Stop():
                    workspace.terminate(action.cluster_id)
                case Restore():
                    workspace.set_level(action.cluster_id, principal_of(action.group), Level.RESTART)
                case Warn():
                    pass
        except WorkspaceError as error:
            return f"{type(action).__name__} of {action.group}: {error}"
        log.info("%s %s (%s)", type(action).__name__.lower(), action.group, action.cluster_id)
        return None

    failures: list[str] = []
    unwritten: list[str] = []
    actions = list(actions)
    for kind in (Restrict, Stop, Restore, Warn):
        batch = [action for action in actions if isinstance(action, kind)]
        noted = [_note(ledger, snapshot, action) for action in batch]
        errors = in_parallel([partial(attempt, action) for action in batch])
        for action, number, error in zip(batch, noted, errors, strict=True):
            queries.note_outcome(ledger, number, now=snapshot.now, error=error)
            if error:
                failures.append(error)
                continue
            if isinstance(action, Restore):
                queries.note_restored(ledger, action.cluster_id)
            unwritten += queue_message_about(ledger, settings, snapshot, action)
    return CarriedOut(tuple(failures), tuple(unwritten))


def _note(ledger: Ledger, snapshot: Snapshot, action: Action) -> int:
    """Record the intent. A restriction is recorded separately, too, so that the next poll finds it after a crash."""
    if isinstance(action, Restrict):
        queries.note_restricted(ledger, action.cluster_id, action.group, now=snapshot.now)
    reason = (
        "" if isinstance(action, Restore) else f"{action.limit_usage.limit.period.value} {action.limit_usage.limit}"
    )
    reason = reason.replace("\x00", "")  # may come from an allowance; PostgreSQL cannot store it
    name = type(action).__name__.lower()
    return queries.note_intent(
        ledger, name, action.cluster_id, action.group, reason=reason, day=snapshot.today, now=snapshot.now
    )
