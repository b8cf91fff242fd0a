"""Whether a course may have what an export lists: sizes, domains, doubles, losses. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from roster.cells import name_key, plain_name
from roster.changes import changes_between
from roster.group_list import GroupList, ListedGroup, Remark
from roster.model import Roster

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
class Verdict:
    """`problems` forbid the import; `warnings` are for a person to read."""

    problems: tuple[Remark, ...]
    warnings: tuple[Remark, ...]


def judge(export: GroupList, stored: Roster, limits: RosterLimits) -> Verdict:
    """All that is wrong or odd about an export, in the order of its lines."""
    problems = [*export.problems, *_doubles(export), *_too_large(export, limits), *_too_many(export, limits)]
    warnings = list(_same_names(export))
    foreign = list(_foreign(export, limits))
    (problems if limits.strict_domains else warnings).extend(foreign)
    # A file that could not be read whole seems to have lost students; that would be said twice.
    if not export.problems:
        (warnings if limits.allow_drops else problems).extend(_losses(export, stored, limits))
    return Verdict(tuple(sorted(set(problems))), tuple(sorted(set(warnings))))


def _doubles(export: GroupList) -> Iterator[Remark]:
    first: dict[str, tuple[int, str]] = {}
    for group in export.groups:
        for member in group.members:
            line, title = first.setdefault(member.email, (member.line, group.title))
            if (line, title) != (member.line, group.title):
                sentence = (
                    f"{member.email} is in {group.title} and, on line {line}, in {title}; a student can be in one"
                )
                yield Remark(member.line, f"{sentence} group: remove one in Moodle and download again.")


def _too_large(export: GroupList, limits: RosterLimits) -> Iterator[Remark]:
    if not limits.max_group_size:
        return
    for group in export.groups:
        if len(group.members) > limits.max_group_size:
            hint = ""
            if not group.moodle_id and group.moodle_name:
                hint = f"; if that is Moodle's label for students in no group, add --no-group {group.title}"
            sentence = (
                f"{group.title} has {len(group.members)} members, max_group_size is {limits.max_group_size}{hint}."
            )
            yield Remark(group.line, sentence)


def _too_many(export: GroupList, limits: RosterLimits) -> Iterator[Remark]:
    if limits.pinned and len(export.groups) > MAX_PINNED_CLUSTERS:
        line = export.groups[MAX_PINNED_CLUSTERS].line
        sentence = f"{len(export.groups)} groups; a workspace pins at most {MAX_PINNED_CLUSTERS} clusters"
        yield Remark(line, f"{sentence}: set pin = false under [cluster] in lab.toml or make fewer groups.")


def _same_names(export: GroupList) -> Iterator[Remark]:
    first: dict[str, ListedGroup] = {}
    for group in export.groups:
        if not group.moodle_name:
            continue
        other = first.setdefault(name_key(group.moodle_name), group)
        if plain_name(group.moodle_name) != plain_name(other.moodle_name):
            what = f"and {other.title} on line {other.line} are two groups: their names differ in case alone"
            yield Remark(group.line, f"{group.title} {what}.")
        elif other.line != group.line:
            yield Remark(group.line, f"{group.title} is also the name of the group on line {other.line}.")


def _foreign(export: GroupList, limits: RosterLimits) -> Iterator[Remark]:
    if not limits.email_domains:
        return
    domains = [domain.lower() for domain in limits.email_domains]
    for group in export.groups:
        for member in group.members:
            if member.email.partition("@")[2] not in domains:
                sentence = f"{member.email} is outside email_domains ({', '.join(domains)})"
                yield Remark(member.line, f"{sentence}, in {group.title}.")


def _losses(export: GroupList, stored: Roster, limits: RosterLimits) -> Iterator[Remark]:
    known = _known(stored, limits)
    listed = {member.email for group in export.groups for member in group.members}
    gone = known - listed
    if known and 100 * len(gone) > limits.max_drop_percent * len(known):
        sentence = (
            f"{len(gone)} of the {len(known)} students we know are not in this export, more than "
            f"{limits.max_drop_percent:g} percent. Is it the whole course, and today's download? If they really left, "
            "add --allow-drops."
        )
        yield Remark(export.last_line, sentence)


def judge_moves(export: GroupList, stored: Roster, after: Roster, limits: RosterLimits) -> Verdict:
    """Whether the export moves more students between groups than the course lets it. One may always move."""
    known = _known(stored, limits)
    moved = [move for move in changes_between(stored, after).moved if move.email in known]
    if len(moved) < 2 or 100 * len(moved) <= limits.max_move_percent * len(known):
        return Verdict((), ())
    sentence = (
        f"{len(moved)} of the {len(known)} students we know would move to another group and its cluster, more than "
        f"{limits.max_move_percent:g} percent. Are these the course's groups? If the students really moved, add "
        "--allow-moves."
    )
    remarks = (Remark(export.last_line, sentence),)
    return Verdict((), remarks) if limits.allow_moves else Verdict(remarks, ())


def _known(stored: Roster, limits: RosterLimits) -> set[str]:
    """The students of a roster, without staff that an earlier version took for students."""
    return {member.email for group in stored.active_groups for member in group.active_members} - limits.staff


def sentences(file: str, remarks: Sequence[Remark]) -> list[str]:
    """The remarks as a person reads them, each with its place."""
    return [f"{file} line {remark.line}: {remark.sentence}" for remark in remarks]
