"""Shared by `requests`, `approve` and `deny`: the time requests as they are now, and how one is found."""

import sys
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from enforcer.commands.context import copy_of
from enforcer.commands.workspace_context import workspace_of
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.usage import iso
from enforcer.settings import Settings, SettingsError
from enforcer.tick.collect import LabState, read_lab_state
from enforcer.time_requests.model import TimeRequest
from enforcer.time_requests.read import read_requests
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped


@dataclass(frozen=True)
class CurrentRequests:
    """The time requests of a course, with the groups' files as they are now."""

    workspace: Workspace
    lab: LabState
    requests: tuple[TimeRequest, ...]
    problems: tuple[str, ...]


def current_requests(settings: Settings, *, now: datetime) -> CurrentRequests:
    """Return the time requests; exit if the course has none, or if it cannot be read. The ledger is not changed.

    What the course's rule would grant is still waiting: only a poll grants it.
    """
    workspace = workspace_of(settings)
    with copy_of(settings) as ledger:
        try:
            lab = read_lab_state(ledger, workspace, settings, now=now)
        except SettingsError as error:
            cli.fail(*error.problems)
        except WorkspaceError as error:
            print(escaped(error), file=sys.stderr)
            raise SystemExit(exit_status.PARTLY_FAILED) from None
        if lab.course.requests is None:
            cli.fail(_without_requests(lab))
        snapshot = Snapshot(
            now,
            lab.course,
            settings.fallback_quota,
            lab.clusters,
            {},
            lab.allowances,
            None,
            entries=lab.entries,
            request_files=lab.request_files,
            # So nothing is decided by the rule, which needs the sessions.
            knows_all_allowances=False,
        )
        asked = read_requests(ledger, workspace, snapshot)
    requests = tuple(sorted(asked.requests, key=lambda one: (one.asked_at, one.id)))
    return CurrentRequests(workspace, lab, requests, (*lab.problems, *asked.problems))


def _without_requests(lab: LabState) -> str:
    if lab.course_term is None:
        return "there is no course: no cluster has the tags of a lab; set LAB_COURSE and LAB_TERM, or deploy a course."
    return (
        f"the groups of {lab.course.folder} cannot ask for more time: add [requests] to lab.toml and deploy the course."
    )


def find(id: str, requests: tuple[TimeRequest, ...]) -> TimeRequest:
    """Return the time request with this id, or the only one whose id begins with it; print a message and exit if there
    is none.
    """
    by_id = {one.id: one for one in requests}
    if id in by_id:
        return by_id[id]
    found = [name for name in by_id if id and name.startswith(id)]
    if len(found) == 1:
        return by_id[found[0]]
    if found:
        cli.fail(f'several time requests begin with "{id}": {", ".join(sorted(found))}.')
    if not by_id:
        cli.fail(f'there is no time request "{id}": there are none yet.')
    near = get_close_matches(id, by_id, n=3)
    known = f"did you mean {', '.join(near)}?" if near else "`requests --all` lists them."
    cli.fail(f'there is no time request "{id}"; {known}')


def request_json(request: TimeRequest) -> dict[str, Any]:
    """Return the time request as the JSON object defined in docs/json.md."""
    return {
        "id": request.id,
        "group": request.group,
        "asked_at": iso(request.asked_at),
        "minutes": request.minutes,
        "reason": request.reason,
        "state": request.state.value,
        "answer": request.answer,
        "answered_at": iso(request.answered_at) if request.answered_at else None,
        "minutes_given": request.minutes_given,
    }
