"""Runs without the ledger: clusters past a limit are stopped according to events; the ledger is updated later."""

import logging
from datetime import date, datetime
from typing import Any

from enforcer.domain.quota import Restrict, Stop
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.operations.markers import Marker
from enforcer.operations.supervise import Supervision
from enforcer.settings import Settings, SettingsError
from enforcer.tick.run import TickResult, stop_by_events
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
from labkit import exit_status
from labkit.clock import Deadline
from labkit.logs import print_problem

log = logging.getLogger(__name__)

KIND = "ledger"
"""Kind of marker for an unavailable ledger; it contains the actions since then."""


class LedgerOutage(WorkspaceError):
    """The ledger is temporarily unavailable; this is not a program error."""


def run_without_ledger(
    settings: Settings,
    ledger_error: BaseException,
    supervision: Supervision,
    workspace: Workspace | WorkspaceError,
    memory_ledger: Ledger,
    *,
    deadline: Deadline,
    is_rehearsal: bool,
) -> TickResult | None:
    """Stop and restrict groups past a limit, and notify the admin once that the ledger is unavailable.

    `memory_ledger` is a ledger in memory, which several runs may share. Returns None if the workspace is also unusable.
    """
    supervision.status = exit_status.PARTLY_FAILED
    print_problem(ledger_error)
    marker = Marker(settings.ledger_location, KIND)
    noted = marker.read()
    if noted is None:
        noted = {"since": supervision.now.isoformat(), "actions": []}
        marker.write(noted)
        # Clusters are stopped first, because sending may have to wait for the ledger or the mail service.
    workspace, time = supervision.prepare_workspace(workspace, is_rehearsal=is_rehearsal)
    result = None
    try:
        if isinstance(workspace, WorkspaceError):
            raise workspace
        result = stop_by_events(
            settings, memory_ledger, workspace, now=time.now, deadline=deadline, is_confirmed=time.is_confirmed
        )
    except (SettingsError, WorkspaceError) as error:
        print_problem(error)
    except Exception:  # noqa: BLE001 - the admin has to be notified anyway
        log.exception("the clusters could not be checked without the ledger")
    if result:
        for failure in result.failures:
            print_problem(failure)
        marker.write({**noted, "actions": [*_actions_in(noted), *_actions_of(result)]})
    if not noted.get("told"):
        supervision.notify_admin(LedgerOutage(str(ledger_error)))
        marker.write({**(marker.read() or noted), "told": True})
    return result


def note_recovery(settings: Settings, ledger: Ledger) -> None:
    """Record the actions of an outage in the ledger, which is available again. Idempotent."""
    marker = Marker(settings.ledger_location, KIND)
    noted = marker.read()
    if noted is None:
        return
    for action in _actions_in(noted):
        try:
            at = datetime.fromisoformat(action["at"])
            if action["kind"] == "restrict":
                queries.note_restricted(ledger, action["cluster"], action["group"], now=at)
            number = queries.note_intent(
                ledger,
                action["kind"],
                action["cluster"],
                action["group"],
                reason=action["reason"],
                day=date.fromisoformat(action["day"]),
                now=at,
            )
            queries.note_outcome(ledger, number, now=at, error=action["error"])
        except (KeyError, TypeError, ValueError) as error:
            log.warning("the record of an action without the ledger is malformed: %s", error)
    marker.clear()
    log.info("the ledger is available again; the actions during the outage are recorded in it")


def _actions_of(result: TickResult) -> list[dict[str, Any]]:
    assert result.snapshot
    failed = " ".join(result.problems)
    return [
        {
            "kind": type(action).__name__.lower(),
            "cluster": action.cluster_id,
            "group": action.group,
            "reason": f"{action.limit_usage.limit.period.value} {action.limit_usage.limit}",
            "day": result.snapshot.today.isoformat(),
            "at": result.snapshot.now.isoformat(),
            "error": "it failed; see the log" if f"{type(action).__name__} of {action.group}:" in failed else None,
        }
        for action in result.actions
        if isinstance(action, Stop | Restrict)
    ]


def _actions_in(noted: dict[str, Any]) -> list[dict[str, Any]]:
    actions = noted.get("actions")
    return [action for action in actions if isinstance(action, dict)] if isinstance(actions, list) else []
