"""The checklist of a term's end as lines for people, and as the object that docs/json.md defines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from labkit.workspace.expected import Identity
from teardown.close_request import Wanted
from teardown.steps import ByHand, Inventory, Managed, Step, by_hand, is_closed, leaves, removes
from teardown.steps import as_json as step_json

SHOWN = 12
"""The number of names of one kind that are listed; --json has all."""


def checklist(
    wanted: Wanted, identity: Identity, steps: Sequence[Step], managed: Sequence[Managed], inventory: Inventory
) -> Iterator[str]:
    """The steps, what is removed, what stays, and what is done by hand, line by line."""
    yield (
        f"Closing {wanted.stack} in workspace {identity.workspace_id or 'of unknown id'} at {identity.host}, "
        f"as {identity.caller}"
    )
    yield ""
    yield from step_lines(steps)
    if managed:
        yield ""
        yield "It removes:"
    for kind, names in removes(managed).items():
        yield f"  {kind}: {shortened(names)}"
    yield ""
    yield "It leaves, because it is not the lab's:"
    for step in leaves(inventory):
        yield f"  {step.name}: {shortened(step.items) or step.says}"
    yield ""
    yield "What only an administrator does, by hand:"
    for one in manual_steps(wanted, identity, inventory):
        yield f"  {one.says}:"
        yield f"      {one.command}"


def step_lines(steps: Sequence[Step]) -> Iterator[str]:
    """Each step with its status, and below it what it is about."""
    for step in steps:
        yield f"{step.status.value:<13} {step.name}: {step.says}"
        if step.items:
            yield f"{'':<13} {shortened(step.items)}"


def shortened(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def manual_steps(wanted: Wanted, identity: Identity, inventory: Inventory) -> list[ByHand]:
    """What remains for an administrator."""
    backend = wanted.target.backend
    command = (
        f"az storage blob delete --account-name {backend.storage_account_name} "
        f"--container-name {backend.container_name} --name {backend.key}"
    )
    return by_hand(
        workspace_id=identity.workspace_id,
        host=identity.host,
        inventory=inventory,
        target=wanted.target_name,
        backend=command if wanted.is_remote else "",
    )


def report(
    wanted: Wanted, identity: Identity, steps: Sequence[Step], managed: Sequence[Managed], inventory: Inventory
) -> dict[str, Any]:
    """The object that docs/json.md defines. `managed` is what the state held at first."""
    return {
        "stack": wanted.stack,
        "target": wanted.target_name,
        "host": identity.host,
        "workspace_id": identity.workspace_id,
        "closed": is_closed(steps),
        "steps": [step_json(step) for step in steps],
        "removes": {kind: list(names) for kind, names in removes(managed).items()},
        "leaves": {step.name: list(step.items) for step in leaves(inventory) if step.items},
        "unread": list(inventory.unread),
        "by_hand": [{"says": one.says, "command": one.command} for one in manual_steps(wanted, identity, inventory)],
    }
