"""Whether a course may have what an export lists: sizes, domains, doubles, losses. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from roster.changes import changes_between
from roster.group_list import GroupList, Issue, ListedGroup
from roster.model import Roster
from roster.names import name_key, plain_name

MAX_PINNED_CLUSTERS = 100


@dataclass(frozen=True)
class RosterLimits:
    """What a course allows. `max_group_size` 0 means any; without domains every address is fine.

    The shares are percent of the students that the roster knows, without `staff`: those whom an export may lack, and
    those whom it may move.
    """

    email_domains: tuple[str, ...] = ()
    strict_domains: bool = False
    max_group_size: int = 0
    pinned: bool = False
    max_drop_percent: float = 20
    allow_drops: bool = False
    max_move_percent: float = 20
    allow_moves: bool = False
    staff: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ValidationResult:
    """`problems` forbid the import; `warnings` are for a person to read."""

    problems: tuple[Issue, ...]
    warnings: tuple[Issue, ...]


def validate(export: GroupList, stored: Roster, limits: RosterLimits) -> ValidationResult:
    """All that is wrong or odd about an export, in the order of its lines."""
    problems = [
        *export.problems,
        *_duplicate_members(export),
        *_oversized_groups(export, limits),
        *_too_many_groups(export, limits),
    ]
    warnings = list(_similar_names(export))
    outside = list(_outside_domains(export, limits))
    (problems if limits.strict_domains else warnings).extend(outside)
    # A file that could not be read whole seems to have lost students; that would be said twice.
    if not export.problems:
        (warnings if limits.allow_drops else problems).extend(_missing_students(export, stored, limits))
    return ValidationResult(tuple(sorted(set(problems))), tuple(sorted(set(warnings))))


def _duplicate_members(export: GroupList) -> Iterator[Issue]:
    first: dict[str, tuple[int, str]] = {}
    for group in export.groups:
        for member in group.members:
            line, title = first.setdefault(member.email, (member.line, group.title))
            if (line, title) != (member.line, group.title):
                message = f"{member.email} is in {group.title} and, on line {line}, in {title}; a student can be in one"
                yield Issue(member.line, f"{message} group: remove one in Moodle and download again.")


def _oversized_groups(export: GroupList, limits: RosterLimits) -> Iterator[Issue]:
    if not limits.max_group_size:
        return
    for group in export.groups:
        if len(group.members) > limits.max_group_size:
            hint = ""
            if not group.moodle_id and group.moodle_name:
                hint = f"; if that is Moodle's label for students in no group, add --no-group {group.title}"
            message = (
                f"{group.title} has {len(group.members)} members, max_group_size is {limits.max_group_size}{hint}."
            )
            yield Issue(group.line, message)


def _too_many_groups(export: GroupList, limits: RosterLimits) -> Iterator[Issue]:
    if limits.pinned and len(export.groups) > MAX_PINNED_CLUSTERS:
        line = export.groups[MAX_PINNED_CLUSTERS].line
        message = f"{len(export.groups)} groups; a workspace pins at most {MAX_PINNED_CLUSTERS} clusters"
        yield Issue(line, f"{message}: set pin = false under [cluster] in lab.toml or make fewer groups.")


def _similar_names(export: GroupList) -> Iterator[Issue]:
    first: dict[str, ListedGroup] = {}
    for group in export.groups:
        if not group.moodle_name:
            continue
        other = first.setdefault(name_key(group.moodle_name), group)
        if plain_name(group.moodle_name) != plain_name(other.moodle_name):
            what = f"and {other.title} on line {other.line} are two groups: their names differ in case alone"
            yield Issue(group.line, f"{group.title} {what}.")
        elif other.line != group.line:
            yield Issue(group.line, f"{group.title} is also the name of the group on line {other.line}.")


def _outside_domains(export: GroupList, limits: RosterLimits) -> Iterator[Issue]:
    if not limits.email_domains:
        return
    domains = [domain.lower() for domain in limits.email_domains]
    for group in export.groups:
        for member in group.members:
            if member.email.partition("@")[2] not in domains:
                message = f"{member.email} is outside email_domains ({', '.join(domains)})"
                yield Issue(member.line, f"{message}, in {group.title}.")


def _missing_students(export: GroupList, stored: Roster, limits: RosterLimits) -> Iterator[Issue]:
    known_students = _known_students(stored, limits)
    listed = {member.email for group in export.groups for member in group.members}
    missing = known_students - listed
    if known_students and 100 * len(missing) > limits.max_drop_percent * len(known_students):
        message = (
            f"{len(missing)} of the {len(known_students)} students we know are not in this export, more than "
            f"{limits.max_drop_percent:g} percent. Is it the whole course, and today's download? If they really left, "
            "add --allow-drops."
        )
        yield Issue(export.last_line, message)


def validate_moves(export: GroupList, stored: Roster, after: Roster, limits: RosterLimits) -> ValidationResult:
    """Whether the export moves more students between groups than the course lets it. One may always move."""
    known_students = _known_students(stored, limits)
    moved = [move for move in changes_between(stored, after).moved if move.email in known_students]
    if len(moved) < 2 or 100 * len(moved) <= limits.max_move_percent * len(known_students):
        return ValidationResult((), ())
    message = (
        f"{len(moved)} of the {len(known_students)} students we know would move to another group and its cluster, "
        f"more than {limits.max_move_percent:g} percent. Are these the course's groups? If the students really moved, "
        "add --allow-moves."
    )
    issues = (Issue(export.last_line, message),)
    return ValidationResult((), issues) if limits.allow_moves else ValidationResult(issues, ())


def _known_students(stored: Roster, limits: RosterLimits) -> set[str]:
    """The students of a roster, without staff that an earlier version took for students."""
    return {member.email for group in stored.active_groups for member in group.active_members} - limits.staff


def issue_lines(file: str, issues: Sequence[Issue]) -> list[str]:
    """The remarks as a person reads them, each with its place."""
    return [f"{file} line {issue.line}: {issue.message}" for issue in issues]
