"""Shared by `requests`, `approve` and `deny`: the time requests as they are now, and how one is found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enforcer.commands._entries import find_by_id
from enforcer.commands.context import copy_of
from enforcer.commands.workspace_context import lab_in, workspace_of
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.usage import iso
from enforcer.settings import Settings
from enforcer.tick.collect import LabState
from enforcer.time_requests.model import TimeRequest
from enforcer.time_requests.read import read_requests
from enforcer.workspace.client import Workspace
from labkit.extras import cli


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
        lab = lab_in(ledger, workspace, settings, now=now)
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
    return find_by_id(id, {one.id: one for one in requests}, "time request", listed_by="requests --all")


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
