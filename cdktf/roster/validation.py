"""Validates an export against a course's limits: sizes, domains, duplicates, missing students. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from roster.changes import changes_between
from roster.group_list import GroupList, Issue, ListedGroup, NumberedBy
from roster.model import Roster
from roster.names import name_key, plain_name


@dataclass(frozen=True)
class RosterLimits:
    """The limits of a course. `max_group_size` 0 means no limit; if there are no domains, every address is allowed.

    `max_drop_percent` and `max_move_percent` are shares of the roster's active students, without `staff`, that an
    export may lack or move to a different group.
    """

    email_domains: tuple[str, ...] = ()
    strict_domains: bool = False
    max_group_size: int = 0
    max_pinned: int | None = None
    """Maximum number of clusters that the workspace pins. None means that clusters are not pinned."""
    max_drop_percent: float = 20
    allow_drops: bool = False
    max_move_percent: float = 20
    allow_moves: bool = False
    staff: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ValidationResult:
    """`problems` prevent the import; `warnings` do not."""

    problems: tuple[Issue, ...]
    warnings: tuple[Issue, ...]


def validate(export: GroupList, stored: Roster, limits: RosterLimits) -> ValidationResult:
    """Return all problems and warnings for an export, in line order."""
    problems = [
        *export.problems,
        *_duplicate_members(export),
        *_oversized_groups(export, limits),
        *_too_many_groups(export, limits),
    ]
    warnings = list(_similar_names(export))
    outside = list(_outside_domains(export, limits))
    (problems if limits.strict_domains else warnings).extend(outside)
    # Rows with problems would be reported a second time, as missing students.
    if not export.problems:
        (warnings if limits.allow_drops else problems).extend(_missing_students(export, stored, limits))
    return ValidationResult(tuple(sorted(set(problems))), tuple(sorted(set(warnings))))


def _duplicate_members(export: GroupList) -> Iterator[Issue]:
    first: dict[str, tuple[int, str]] = {}
    for group in export.groups:
        for member in group.members:
            line, title = first.setdefault(member.email, (member.line, group.title))
            if (line, title) != (member.line, group.title):
                message = (
                    f"{member.email} is in {group.title} and, {export.place_of(line)}, in {title}; a student can be in "
                    "only"
                )
                again = "download" if export.numbered_by == "line" else "import"
                yield Issue(member.line, f"{message} one group: remove one in {export.system} and {again} again.")


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
    if limits.max_pinned is not None and len(export.groups) > limits.max_pinned:
        line = export.groups[limits.max_pinned].line
        message = f"{len(export.groups)} groups; a workspace pins at most {limits.max_pinned} clusters"
        yield Issue(line, f"{message}: set pin = false under [cluster] in lab.toml or reduce the number of groups.")


def _similar_names(export: GroupList) -> Iterator[Issue]:
    first: dict[str, ListedGroup] = {}
    for group in export.groups:
        if not group.moodle_name:
            continue
        other = first.setdefault(name_key(group.moodle_name), group)
        if plain_name(group.moodle_name) != plain_name(other.moodle_name):
            what = f"and {other.title} {export.place_of(other.line)} are two groups: their names differ only in case"
            yield Issue(group.line, f"{group.title} {what}.")
        elif other.line != group.line:
            place = export.place_of(other.line)
            yield Issue(group.line, f"{group.title} is also the name of the group {place}.")


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
    known_students = _known_students(stored, limits) - {member.email for member in export.suspended}
    listed = {member.email for group in export.groups for member in group.members}
    missing = known_students - listed
    if known_students and 100 * len(missing) > limits.max_drop_percent * len(known_students):
        what = "the whole course and today's download" if export.numbered_by == "line" else "the whole course"
        message = (
            f"{len(missing)} of the roster's {len(known_students)} students are not in this export, more than "
            f"{limits.max_drop_percent:g} percent. Check that it is {what}. If the students really left, add "
            "--allow-drops."
        )
        yield Issue(export.last_line, message)


def validate_moves(export: GroupList, stored: Roster, after: Roster, limits: RosterLimits) -> ValidationResult:
    """Check that the export does not move too many students between groups. One student may always move."""
    known_students = _known_students(stored, limits)
    moved = [move for move in changes_between(stored, after).moved if move.email in known_students]
    if len(moved) < 2 or 100 * len(moved) <= limits.max_move_percent * len(known_students):
        return ValidationResult((), ())
    message = (
        f"{len(moved)} of the roster's {len(known_students)} students would move to a different group and its cluster, "
        f"more than {limits.max_move_percent:g} percent. Check that these are the course's groups. If the students "
        "really moved, add --allow-moves."
    )
    issues = (Issue(export.last_line, message),)
    return ValidationResult((), issues) if limits.allow_moves else ValidationResult(issues, ())


def _known_students(stored: Roster, limits: RosterLimits) -> set[str]:
    """Return the active students of a roster, without staff that an earlier version imported as students."""
    return {member.email for group in stored.active_groups for member in group.active_members} - limits.staff


def issue_lines(file: str, issues: Sequence[Issue], numbered_by: NumberedBy = "line") -> list[str]:
    """Format the issues as messages with the source's name and the line or group."""
    return [
        f"{file} {numbered_by} {issue.line}: {issue.message}" if issue.line else f"{file}: {issue.message}"
        for issue in issues
    ]
