"""The allowances of a course as files in the workspace: for which group, written once, in effect at once.

A file is never changed, so that whoever gives allowances from another machine sees the same.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from enforcer.domain.allowances import Allowance, Freedom, Revocation, Window, format_entry
from enforcer.domain.snapshot import group_of
from enforcer.domain.usage import iso, minutes
from enforcer.tick.collect import Lab
from enforcer.workspace.client import Workspace
from labkit.course_file import ALLOWANCES


class UnknownGroup(ValueError):
    """A sentence that names the groups that come near."""


def find_group(told: str, lab: Lab) -> str | None:
    """The display name of the group that is meant by its name, its number or `all`, which is None.

    Raises UnknownGroup.
    """
    if told.casefold() == "all":
        return None
    numbers = {group.number: group.name for group in lab.course.groups.values()}
    names = list(lab.course.groups) or sorted({group_of(cluster) for cluster in lab.clusters})
    if told in names:
        return told
    if told.isascii() and told.isdigit() and int(told) in numbers:
        return numbers[int(told)]
    alike = {name.casefold(): name for name in names}
    if told.casefold() in alike:
        return alike[told.casefold()]
    near = [alike[name] for name in get_close_matches(told.casefold(), alike, n=5, cutoff=0.5)]
    known = f"did you mean {', '.join(near)}?" if near else _range_of(names, sorted(numbers))
    raise UnknownGroup(f'there is no group "{told}" in {lab.course.id or "the workspace"} {lab.course.term}; {known}')


def _range_of(names: Sequence[str], numbers: Sequence[int]) -> str:
    """Which groups there are, as a clause that ends the sentence."""
    if not names:
        return "there is none yet."
    if len(names) == 1:
        return f"there is only {names[0]}."
    numbered = f", numbers {numbers[0]} to {numbers[-1]}" if numbers else ""
    return f"there are {len(names)}, {names[0]} to {names[-1]}{numbered}."


def new_id(now: datetime) -> str:
    """Sorts by time and is never given twice, on whatever machine."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def path_of(lab: Lab, id: str) -> str:
    return f"{lab.course.folder}/{ALLOWANCES}/{id}.json"


def write_entry(workspace: Workspace, lab: Lab, entry: Allowance | Revocation) -> str:
    """Write the entry's file beside the course file and return its path. Raises WorkspaceError."""
    path = path_of(lab, entry.id)
    workspace.make_folder(f"{lab.course.folder}/{ALLOWANCES}")
    workspace.write(path, format_entry(entry))
    return path


def allowance_json(allowance: Allowance) -> dict[str, Any]:
    """The object that docs/json.md defines."""
    change = allowance.change
    return {
        "id": allowance.id,
        "group": allowance.group or "all",
        "first_day": allowance.first.isoformat(),
        "last_day": allowance.last.isoformat(),
        "minutes": minutes(change) if isinstance(change, timedelta) else None,
        "unlimited": change is Freedom.UNLIMITED,
        "blocked": change is Freedom.NONE,
        "window": str(change) if isinstance(change, Window) else None,
        "reason": allowance.reason,
        "given_by": allowance.given_by,
        "given_at": iso(allowance.given_at),
    }


def revoked_by(entries: Iterable[Allowance | Revocation]) -> Mapping[str, Revocation]:
    """The revocation of each allowance that has one, by the allowance's id."""
    return {entry.revokes: entry for entry in entries if isinstance(entry, Revocation)}
