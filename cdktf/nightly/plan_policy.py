"""Decides whether a saved Terraform plan is applied without a person. Pure.

`joins` permits the creation of accounts and memberships, `all` also the removal of students' memberships, up to a share
of them. A plan with any other action, or in an unknown format, is not applied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from labkit.course_file import ALL_STUDENT_GROUPS

Mode = Literal["nothing", "joins", "all"]

ACCOUNT, MEMBERSHIP = "databricks_user", "databricks_group_member"
_NO_CHANGE = (("no-op",), ("read",))
_VERBS = {
    ("create",): "create",
    ("update",): "change",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
}
_SHOWN = 12


@dataclass(frozen=True)
class PlannedChange:
    """A resource that a plan changes."""

    address: str
    type: str
    actions: tuple[str, ...]

    @property
    def is_join(self) -> bool:
        return self.type in (ACCOUNT, MEMBERSHIP) and self.actions == ("create",)

    @property
    def is_removal(self) -> bool:
        """Return whether a student leaves a group. A group's membership in another group does not count."""
        is_student = not self.address.startswith(f"{MEMBERSHIP}.{ALL_STUDENT_GROUPS}_")
        return self.type == MEMBERSHIP and self.actions == ("delete",) and is_student

    def __str__(self) -> str:
        return f"{_VERBS.get(self.actions, '+'.join(self.actions))} {self.address}"


@dataclass(frozen=True)
class Decision:
    """`obstacles` are the reasons why the plan is not applied; without any, it is."""

    changes: tuple[PlannedChange, ...]
    obstacles: tuple[str, ...]

    @property
    def is_applicable(self) -> bool:
        return bool(self.changes) and not self.obstacles


def decide(plan: Mapping[str, Any], mode: Mode, *, max_removed_percent: float) -> Decision:
    """Decide about a plan as `terraform show -json` prints it.

    `max_removed_percent` is the share of the memberships in the state that may be removed; one may always be.
    """
    try:
        changes = tuple(_changes(plan["resource_changes"]))
        memberships = _memberships(plan["resource_changes"])
    except (KeyError, TypeError, AttributeError):
        return Decision((), ("the plan has an unknown format",))
    obstacles = [*_format_obstacles(plan), *_mode_obstacles(changes, mode)]
    removed = sum(change.is_removal for change in changes)
    if mode == "all" and removed > 1 and 100 * removed > max_removed_percent * memberships:
        obstacles.append(
            f"{removed} of {memberships} memberships would be removed, more than {max_removed_percent:g} percent"
        )
    return Decision(changes, tuple(obstacles))


def _changes(entries: Sequence[Mapping[str, Any]]) -> Iterator[PlannedChange]:
    for entry in entries:
        actions = tuple(entry["change"]["actions"])
        # A resource that was imported or moved changes the state even if nothing else happens.
        is_adopted = bool(entry["change"].get("importing") or entry.get("previous_address"))
        if actions not in _NO_CHANGE or is_adopted:
            type_ = "adopted" if is_adopted else str(entry["type"])
            yield PlannedChange(str(entry["address"]), type_, actions)


def _memberships(entries: Sequence[Mapping[str, Any]]) -> int:
    """Return how many students' memberships the state has."""
    parents = f"{MEMBERSHIP}.{ALL_STUDENT_GROUPS}_"
    return sum(
        entry["type"] == MEMBERSHIP
        and entry["change"].get("before") is not None
        and not str(entry["address"]).startswith(parents)
        for entry in entries
    )


def _format_obstacles(plan: Mapping[str, Any]) -> Iterator[str]:
    if not str(plan.get("format_version", "")).startswith("1."):
        yield "the plan has an unknown format"
    if plan.get("errored"):
        yield "the plan is incomplete"
    if plan.get("deferred_changes"):
        yield "the plan defers changes"


def _mode_obstacles(changes: Sequence[PlannedChange], mode: Mode) -> Iterator[str]:
    if mode == "nothing":
        yield 'apply is "nothing" under [roster] in lab.toml'
        return
    other = [change for change in changes if not (change.is_join or (mode == "all" and change.is_removal))]
    if other:
        what = "creates accounts and memberships" if mode == "joins" else "creates accounts and changes memberships"
        kinds = Counter(f"{_VERBS.get(change.actions, '+'.join(change.actions))} {change.type}" for change in other)
        counts = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
        yield f'the plan does more than apply = "{mode}" permits, which {what}: {counts}'


def change_lines(changes: Sequence[PlannedChange]) -> Iterator[str]:
    """Yield the changes, one per line, the first ones if there are many."""
    yield from (f"  {change}" for change in changes[:_SHOWN])
    if len(changes) > _SHOWN:
        yield f"  … and {len(changes) - _SHOWN} more"
