"""Allowances of a course as files in the workspace: finds the group and writes the file.

Files never change, so that all machines see the same allowances.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from enforcer.domain.allowances import Allowance, LimitOverride, Revocation, Window, format_entry
from enforcer.domain.snapshot import group_of
from enforcer.domain.usage import iso, minutes
from enforcer.tick.collect import LabState
from enforcer.workspace.client import Workspace
from labkit.course_file import ALLOWANCES


class UnknownGroupError(ValueError):
    """There is no such group; the message lists similar groups."""


def find_group(name: str, lab: LabState) -> str | None:
    """Return the display name of the group with this name or number; None for `all`.

    Raises UnknownGroupError.
    """
    if name.casefold() == "all":
        return None
    numbers = {group.number: group.name for group in lab.course.groups.values()}
    names = list(lab.course.groups) or sorted({group_of(cluster) for cluster in lab.clusters})
    if name in names:
        return name
    if name.isascii() and name.isdigit() and int(name) in numbers:
        return numbers[int(name)]
    alike = {known.casefold(): known for known in names}
    if name.casefold() in alike:
        return alike[name.casefold()]
    near = [alike[match] for match in get_close_matches(name.casefold(), alike, n=5, cutoff=0.5)]
    hint = f"did you mean {', '.join(near)}?" if near else _range_of(names, sorted(numbers))
    raise UnknownGroupError(
        f'there is no group "{name}" in {lab.course.id or "the workspace"} {lab.course.term}; {hint}'
    )


def _range_of(names: Sequence[str], numbers: Sequence[int]) -> str:
    """Return the closing words of an error message: which groups exist."""
    if not names:
        return "there is none yet."
    if len(names) == 1:
        return f"there is only {names[0]}."
    numbered = f", numbers {numbers[0]} to {numbers[-1]}" if numbers else ""
    return f"there are {len(names)}, {names[0]} to {names[-1]}{numbered}."


def new_id(now: datetime) -> str:
    """Return an id that is unique across machines; ids sort by time."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def path_of(lab: LabState, id: str) -> str:
    return f"{lab.course.folder}/{ALLOWANCES}/{id}.json"


def write_entry(workspace: Workspace, lab: LabState, entry: Allowance | Revocation) -> str:
    """Write the entry to a new file beside the course file and return its path. Raises WorkspaceError, and
    AlreadyExistsError if there is an entry with the same id.
    """
    path = path_of(lab, entry.id)
    workspace.make_folder(f"{lab.course.folder}/{ALLOWANCES}")
    workspace.create(path, format_entry(entry))
    return path


def allowance_json(allowance: Allowance) -> dict[str, Any]:
    """Return the allowance as the JSON object defined in docs/json.md."""
    change = allowance.change
    return {
        "id": allowance.id,
        "group": allowance.group or "all",
        "first_day": allowance.first_day.isoformat(),
        "last_day": allowance.last_day.isoformat(),
        "minutes": minutes(change) if isinstance(change, timedelta) else None,
        "unlimited": change is LimitOverride.UNLIMITED,
        "blocked": change is LimitOverride.BLOCKED,
        "window": str(change) if isinstance(change, Window) else None,
        "reason": allowance.reason,
        "given_by": allowance.given_by,
        "given_at": iso(allowance.given_at),
        "only_day": allowance.only_day,
        "time_request": allowance.time_request or None,
    }


def revoked_by(entries: Iterable[Allowance | Revocation]) -> Mapping[str, Revocation]:
    """Map the id of each revoked allowance to its revocation."""
    return {entry.revokes: entry for entry in entries if isinstance(entry, Revocation)}
