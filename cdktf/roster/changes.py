"""What an import changes: as values, as JSON, and as lines for a teaching assistant. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from labkit.text import quoted
from roster.group_list import NumberedBy
from roster.merge import Recognition
from roster.model import Group, Roster


@dataclass(frozen=True)
class Move:
    """A student who joined, left or changed groups; `came_from` and `went_to` are group keys or ""."""

    email: str
    came_from: str
    went_to: str


@dataclass(frozen=True)
class Renaming:
    """A group whose Moodle name or Moodle id changed."""

    group: str
    before: str
    after: str


@dataclass(frozen=True)
class Changes:
    """The difference between two rosters for one term; `groups` are the later roster's groups."""

    joined: tuple[Move, ...] = ()
    came_back: tuple[Move, ...] = ()
    moved: tuple[Move, ...] = ()
    left: tuple[Move, ...] = ()
    new_groups: tuple[Group, ...] = ()
    returned_groups: tuple[Group, ...] = ()
    retired_groups: tuple[Group, ...] = ()
    renamed: tuple[Renaming, ...] = ()
    new_ids: tuple[Renaming, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == Changes()


@dataclass(frozen=True)
class Counts:
    """How many active and inactive groups and students a roster has."""

    groups: int
    students: int
    empty_groups: int
    retired_groups: int
    retired_students: int


def count_roster(roster: Roster) -> Counts:
    active = roster.active_groups
    members = [member for group in roster.groups for member in group.members]
    students = sum(len(group.active_members) for group in active)
    return Counts(
        groups=len(active),
        students=students,
        empty_groups=sum(not group.active_members for group in active),
        retired_groups=len(roster.groups) - len(active),
        retired_students=len(members) - students,
    )


def changes_between(before: Roster, after: Roster) -> Changes:
    """Return how students and groups changed from one roster to the next."""
    previous, now = _group_by_address(before), _group_by_address(after)
    old = {group.number: group for group in before.groups}
    pairs = [(old[group.number], group) for group in after.groups if group.number in old]
    moves = [
        Move(email, previous[email][0] if email in previous else "", key)
        for email, (key, active) in sorted(now.items())
        if active
    ]
    present = {email for email, (_, active) in previous.items() if active}
    return Changes(
        joined=tuple(move for move in moves if move.email not in previous),
        came_back=tuple(move for move in moves if move.email in previous and move.email not in present),
        moved=tuple(move for move in moves if move.email in present and move.came_from != move.went_to),
        left=tuple(
            Move(email, previous[email][0], "") for email in sorted(present) if email not in now or not now[email][1]
        ),
        new_groups=tuple(group for group in after.active_groups if group.number not in old),
        returned_groups=tuple(new for previous, new in pairs if (previous.status, new.status) == ("retired", "active")),
        retired_groups=tuple(new for previous, new in pairs if (previous.status, new.status) == ("active", "retired")),
        renamed=tuple(
            Renaming(new.key, previous.moodle_name, new.moodle_name)
            for previous, new in pairs
            if previous.moodle_name != new.moodle_name
        ),
        new_ids=tuple(
            Renaming(new.key, previous.moodle_id, new.moodle_id)
            for previous, new in pairs
            if previous.moodle_id != new.moodle_id
        ),
    )


def _group_by_address(roster: Roster) -> dict[str, tuple[str, bool]]:
    """Map each address to the key of the student's group and whether the student is active in it."""
    return {member.email: (group.key, member.status == "active") for group in roster.groups for member in group.members}


def changes_json(changes: Changes, counts: Counts, recognitions: Sequence[Recognition]) -> dict[str, Any]:
    """Return the content of `change_lines` as JSON."""
    return {
        "counts": vars(counts),
        "joined": [{"email": move.email, "to": move.went_to} for move in changes.joined],
        "came_back": [{"email": move.email, "from": move.came_from, "to": move.went_to} for move in changes.came_back],
        "moved": [{"email": move.email, "from": move.came_from, "to": move.went_to} for move in changes.moved],
        "left": [{"email": move.email, "from": move.came_from} for move in changes.left],
        "new_groups": [_group_data(group) for group in changes.new_groups],
        "returned_groups": [_group_data(group) for group in changes.returned_groups],
        "retired_groups": [_group_data(group) for group in changes.retired_groups],
        "renamed_groups": [
            {"group": renaming.group, "from": renaming.before, "to": renaming.after} for renaming in changes.renamed
        ],
        "new_moodle_ids": [
            {"group": renaming.group, "from": renaming.before, "to": renaming.after} for renaming in changes.new_ids
        ],
        "recognised": [
            {
                "group": Group(recognition.number).key,
                "by": recognition.matched_by,
                "line": recognition.line,
                "shared_members": recognition.shared_members,
                "known_members": recognition.known_members,
                "rivals": list(recognition.rivals),
            }
            for recognition in recognitions
            if recognition.matched_by != "id"
        ],
    }


def _group_data(group: Group) -> dict[str, Any]:
    return {
        "group": group.key,
        "moodle_group_id": group.moodle_id,
        "moodle_group_name": group.moodle_name,
        "students": len(group.active_members),
    }


def change_lines(
    changes: Changes,
    counts: Counts,
    recognitions: Sequence[Recognition],
    *,
    is_first: bool,
    numbered_by: NumberedBy = "line",
) -> Iterator[str]:
    """Yield the lines of the report. With `is_first` there was no roster before, so students are not listed as new."""
    if is_first:
        yield f"First import: {_count(counts.groups, 'group')}, {_count(counts.students, 'student')}."
        yield from _number_lines(changes)
    elif changes.is_empty:
        yield "Nothing changed since the last import."
    else:
        yield from _student_lines(changes)
        yield from _group_lines(changes)
    yield from _recognition_lines(recognitions, numbered_by)
    yield ""
    yield f"Now: {_count(counts.groups, 'group')} with {_count(counts.students, 'student')}" + _details(counts)


def _number_lines(changes: Changes) -> Iterator[str]:
    yield ""
    yield "Group numbers, which stay the same for the whole term"
    for group in changes.new_groups:
        yield f"  {_group_name(group)}, {_count(len(group.active_members), 'student')}"


def _student_lines(changes: Changes) -> Iterator[str]:
    lines = [f"  joined     {move.email} → {move.went_to}" for move in changes.joined]
    lines += [
        f"  came back  {move.email} → {move.went_to}"
        + (f" (was in {move.came_from} before)" if move.came_from != move.went_to else "")
        for move in changes.came_back
    ]
    lines += [f"  moved      {move.email}: {move.came_from} → {move.went_to}" for move in changes.moved]
    lines += [f"  left       {move.email} (was in {move.came_from})" for move in changes.left]
    if lines:
        yield "Students"
        yield from lines


def _group_lines(changes: Changes) -> Iterator[str]:
    lines = [
        f"  new        {_group_name(group)}, {_count(len(group.active_members), 'student')}"
        for group in changes.new_groups
    ]
    lines += [f"  is back    {_group_name(group)}, with its old number" for group in changes.returned_groups]
    lines += [
        f"  retired    {_group_name(group)}: no longer listed; its cluster will be removed"
        for group in changes.retired_groups
    ]
    lines += [
        f"  renamed    {renaming.group}: {quoted(renaming.before)} → {quoted(renaming.after)}"
        for renaming in changes.renamed
        if renaming.before
    ]
    named = [renaming for renaming in changes.renamed if not renaming.before]
    lines += [f"  named      {renaming.group}: {quoted(renaming.after)}" for renaming in named]
    lines += [
        f"  id         {renaming.group}: {renaming.before or 'none'} → {renaming.after}" for renaming in changes.new_ids
    ]
    if lines:
        yield "Groups"
        yield from lines


def _recognition_lines(recognitions: Sequence[Recognition], numbered_by: NumberedBy) -> Iterator[str]:
    """Yield the groups recognised without an id. Unambiguous matches by the same criterion share a line."""
    found = [recognition for recognition in recognitions if recognition.matched_by != "id"]
    if not found:
        return
    yield "Recognised without an id (please check)"
    kinds = {"number": "by their number in the file", "name": "by their names", "members": "by all of their students"}
    for kind, what in kinds.items():
        numbers = sorted(recognition.number for recognition in found if _simple_match(recognition) == kind)
        if numbers:
            yield f"  {what}: {', '.join(_key_ranges(numbers))}"
    for recognition in found:
        if not _simple_match(recognition):
            yield f"  {_recognition_line(recognition, numbered_by)}"


def _simple_match(recognition: Recognition) -> str:
    """Return the feature that matched if it needs no further explanation, else ""."""
    is_renamed = recognition.matched_by == "members" and recognition.name != ""
    is_partial = recognition.matched_by == "members" and recognition.shared_members < recognition.known_members
    return "" if recognition.rivals or is_renamed or is_partial else recognition.matched_by


def _recognition_line(recognition: Recognition, numbered_by: NumberedBy) -> str:
    place = f"on line {recognition.line}" if numbered_by == "line" else f"with the id {recognition.line}"
    what = f"{quoted(recognition.name)} {place}" if recognition.name else f"{numbered_by} {recognition.line}"
    how = f"{recognition.shared_members} of its {_count(recognition.known_members, 'student')}"
    rivals = f"; {' and '.join(recognition.rivals)} would match equally well" if recognition.rivals else ""
    return (
        f"{Group(recognition.number).key} is {what}, "
        f"by {how if recognition.matched_by == 'members' else 'its name'}{rivals}"
    )


def _key_ranges(numbers: Sequence[int]) -> Iterator[str]:
    """Yield the keys of these groups, three or more consecutive ones as “first to last”."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] + 1 == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    for run in runs:
        keys = [Group(number).key for number in run]
        yield from keys if len(run) < 3 else [f"{keys[0]} to {keys[-1]}"]


def _group_name(group: Group) -> str:
    return f"{group.key} {quoted(group.moodle_name)}" if group.moodle_name else group.key


def _details(counts: Counts) -> str:
    parts = []
    if counts.empty_groups:
        parts.append(f"{_count(counts.empty_groups, 'group')} without students")
    if counts.retired_groups:
        parts.append(f"{_count(counts.retired_groups, 'retired group')}")
    if counts.retired_students:
        parts.append(f"{_count(counts.retired_students, 'student')} who left")
    return (
        f" (also in the roster: {', '.join(parts)})."
        if counts.retired_groups or counts.retired_students
        else (f" ({parts[0]})." if parts else ".")
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
