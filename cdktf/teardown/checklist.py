"""The checklist for closing a term, as lines and as the JSON object that docs/json.md defines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from labkit.workspace.expected import WorkspaceIdentity
from teardown.close_request import CloseRequest
from teardown.steps import (
    ManagedObject,
    ManualStep,
    Step,
    WorkspaceContents,
    by_hand,
    is_closed,
    kept_objects,
    removed_objects,
)
from teardown.steps import as_json as step_json

MAX_NAMES = 12
"""The maximum number of names listed per kind; --json has all."""


def checklist(
    request: CloseRequest,
    identity: WorkspaceIdentity,
    steps: Sequence[Step],
    managed: Sequence[ManagedObject],
    contents: WorkspaceContents,
) -> Iterator[str]:
    """Yield the lines of the checklist: steps, removed objects, kept objects, and manual steps."""
    yield (
        f"Closing {request.stack} in workspace {identity.workspace_id or 'with unknown id'} at {identity.host}, "
        f"as {identity.caller}"
    )
    yield ""
    yield from step_lines(steps)
    if managed:
        yield ""
        yield "It removes:"
    for kind, names in removed_objects(managed).items():
        yield f"  {kind}: {shorten(names)}"
    yield ""
    yield "It keeps these objects, which do not belong to the lab:"
    for step in kept_objects(contents):
        yield f"  {step.name}: {shorten(step.items) or step.message}"
    yield ""
    yield "Manual steps for an administrator:"
    for one in manual_steps(request, identity, contents):
        yield f"  {one.message}:"
        yield f"      {one.command}"


def step_lines(steps: Sequence[Step]) -> Iterator[str]:
    """Yield each step with its status, and its items on the next line."""
    for step in steps:
        yield f"{step.status.value:<13} {step.name}: {step.message}"
        if step.items:
            yield f"{'':<13} {shorten(step.items)}"


def shorten(names: Sequence[str]) -> str:
    """Return the first names and the number of further ones."""
    hidden = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {hidden} more" if hidden > 0 else "")


def manual_steps(request: CloseRequest, identity: WorkspaceIdentity, contents: WorkspaceContents) -> list[ManualStep]:
    """Return the manual steps for an administrator."""
    backend = request.target.backend
    command = (
        f"az storage blob delete --account-name {backend.storage_account_name} "
        f"--container-name {backend.container_name} --name {backend.key}"
    )
    return by_hand(
        workspace_id=identity.workspace_id,
        host=identity.host,
        contents=contents,
        target=request.target_name,
        backend=command if request.is_remote else "",
    )


def report(
    request: CloseRequest,
    identity: WorkspaceIdentity,
    steps: Sequence[Step],
    managed: Sequence[ManagedObject],
    contents: WorkspaceContents,
) -> dict[str, Any]:
    """Return the JSON object that docs/json.md defines. `managed` is the content of the state before the first step."""
    return {
        "stack": request.stack,
        "target": request.target_name,
        "host": identity.host,
        "workspace_id": identity.workspace_id,
        "closed": is_closed(steps),
        "steps": [step_json(step) for step in steps],
        "removes": {kind: list(names) for kind, names in removed_objects(managed).items()},
        "leaves": {step.name: list(step.items) for step in kept_objects(contents) if step.items},
        "unread": list(contents.unread),
        "manual_steps": [
            {"message": one.message, "command": one.command} for one in manual_steps(request, identity, contents)
        ],
    }
