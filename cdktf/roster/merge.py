"""Merges an export into the roster: recognises its groups and updates their students. Pure.

A group keeps its number for the whole term. It is recognised by Moodle's id; else, if one side has no id, by its exact
name, or by its name ignoring case if only one group matches; else by at least half of its members. Otherwise it is new
and gets the next number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from labkit.text import quoted
from roster.group_list import GroupList, Issue, ListedGroup, ListedMember
from roster.model import Group, Member, Roster
from roster.names import name_key, plain_name

MatchKind = Literal["id", "number", "name", "members"]


@dataclass(frozen=True)
class Recognition:
    """How a listed group was recognised as a group in the roster.

    `shared_members` is how many of the group's `known_members` are in both. `rivals` are other stored or listed groups
    that match equally well.
    """

    number: int
    matched_by: MatchKind
    line: int
    name: str
    shared_members: int = 0
    known_members: int = 0
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True)
class MergeResult:
    """The roster after the import, and how each existing group was recognised."""

    roster: Roster
    recognitions: tuple[Recognition, ...]


def ambiguous_names(stored: Roster, listed: Sequence[ListedGroup]) -> tuple[Issue, ...]:
    """Return an issue for each name that matches several groups.

    An export without ids merges groups with the same name, so several active groups with one name are ambiguous. Names
    that differ only in case are ambiguous if several groups match.
    """
    issues = []
    for group in listed:
        if group.moodle_id or not group.moodle_name or group.number is not None:
            continue
        same = [stored_group.key for stored_group in stored.active_groups if _same_name(stored_group, group)]
        if len(same) > 1:
            message = (
                f"{group.title} matches {' and '.join(same)}, which have the same name in Moodle: rename one of them "
            )
            issues.append(Issue(group.line, message + _OR_IDS))
    return (*issues, *_ambiguous_ignoring_case(stored, listed))


_OR_IDS = "in Moodle, or import the Group self-selection, which has ids."


def _ambiguous_ignoring_case(stored: Roster, listed: Sequence[ListedGroup]) -> Iterator[Issue]:
    matcher = _GroupMatcher(list(stored.groups), list(listed), [])
    matcher.match_ids()
    matcher.match_numbers()
    matcher.match_exact_names()
    for match in matcher.names_ignoring_case():
        if not match.is_clear:
            names = " and ".join(group.title for group in match.listed)
            stored_names = " and ".join(f"{group.key} {quoted(group.moodle_name)}" for group in match.stored)
            message = f"{names} may be {stored_names}; the names differ only in case: rename one of the groups "
            yield Issue(match.listed[0].line, message + _OR_IDS)


def merge(stored: Roster, export: GroupList, *, drop_suspended: bool = False) -> MergeResult:
    """Update the stored roster from the export and return the result.

    Suspended students stay in their group, unless it is missing; with `drop_suspended` they are retired.

    Requires an export without problems: no duplicate address or id, no `ambiguous_names`. Nothing stored is forgotten:
    missing groups and students are retired, and keep their number and account if they come back.
    """
    if export.roster is not None and not stored.groups:
        return MergeResult(export.roster, ())
    listed = export.groups
    recognitions = recognise_groups(stored, listed)
    number_of = {recognition.line: recognition.number for recognition in recognitions}
    numbers = _assign_numbers(stored, listed, number_of)
    accounts = {member.email: member.account for group in stored.groups for member in group.members}
    present = {member.email for group in listed for member in group.members}
    known = {group.number: group for group in stored.groups}
    kept = frozenset() if drop_suspended else frozenset(member.email for member in export.suspended)

    groups = [_retire(group, present) for group in stored.groups if group.number not in numbers]
    for number, group in numbers.items():
        before = known.get(number, Group(number))
        members = [_active_member(member, accounts) for member in group.members]
        members += [
            former if former.email in kept else replace(former, status="retired")
            for former in before.members
            if former.email not in present
        ]
        moodle_id, moodle_name = group.moodle_id or before.moodle_id, group.moodle_name or before.moodle_name
        principal = group.principal or before.principal
        groups.append(Group(number, moodle_id, moodle_name, _by_address(members), "active", principal))
    return MergeResult(Roster(tuple(sorted(groups, key=lambda group: group.number))), recognitions)


def _assign_numbers(stored: Roster, listed: Sequence[ListedGroup], number_of: dict[int, int]) -> dict[int, ListedGroup]:
    """Map group numbers to listed groups: the stored number, the normalised roster's, or the next free one."""
    numbers = {number_of[group.line]: group for group in listed if group.line in number_of}
    used_numbers = {group.number for group in stored.groups}
    new = [group for group in listed if group.line not in number_of]
    for group in new:
        if group.number is not None and group.number not in used_numbers:
            numbers[group.number] = group
            used_numbers.add(group.number)
    placed = {group.line for group in numbers.values()}
    following = max(used_numbers, default=0) + 1
    for number, group in enumerate((group for group in new if group.line not in placed), start=following):
        numbers[number] = group
    return numbers


def _retire(group: Group, present: set[str]) -> Group:
    members = [Member(member.email, "retired", member.account) for member in group.members]
    members = [member for member in members if member.email not in present]
    return replace(group, members=_by_address(members), status="retired")


def _active_member(listed: ListedMember, accounts: dict[str, str]) -> Member:
    return Member(listed.email, "active", accounts.get(listed.email, listed.account))


def _by_address(members: Iterable[Member]) -> tuple[Member, ...]:
    return tuple(sorted(members, key=lambda member: member.email))


def recognise_groups(stored: Roster, listed: Sequence[ListedGroup]) -> tuple[Recognition, ...]:
    """Return how listed groups are recognised, in the export's order."""
    matcher = _GroupMatcher(list(stored.groups), list(listed), [])
    matcher.match_ids()
    matcher.match_principals()
    matcher.match_numbers()
    matcher.match_exact_names()
    matcher.match_names_ignoring_case()
    matcher.match_members()
    return tuple(sorted(matcher.recognitions, key=lambda recognition: recognition.line))


@dataclass
class _NameMatch:
    """Groups in the roster and in the export that have the same name ignoring case."""

    stored: list[Group]
    listed: list[ListedGroup]

    def add(self, stored_group: Group, group: ListedGroup) -> None:
        if stored_group not in self.stored:
            self.stored = _active_or_all([*self.stored, stored_group])
        if group not in self.listed:
            self.listed.append(group)

    @property
    def is_clear(self) -> bool:
        return len(self.stored) == 1 and len(self.listed) == 1


def _active_or_all(groups: list[Group]) -> list[Group]:
    return [group for group in groups if group.status == "active"] or groups


@dataclass
class _GroupMatcher:
    """The stored and listed groups not yet matched, and the matches so far."""

    stored: list[Group]
    listed: list[ListedGroup]
    recognitions: list[Recognition]

    def match_ids(self) -> None:
        match_ids = {group.moodle_id: group for group in self.stored if group.moodle_id}
        for group in [group for group in self.listed if group.moodle_id in match_ids]:
            self._match(match_ids[group.moodle_id], group, "id")

    def match_principals(self) -> None:
        """Match groups of a directory by name: a group that was created again has another id."""
        by_principal = {group.principal: group for group in self.stored if group.principal}
        for group in [group for group in self.listed if group.principal in by_principal]:
            self._match(by_principal[group.principal], group, "name")

    def match_numbers(self) -> None:
        """Match by the number in a normalised roster, unless both sides have an id: different ids mean two groups."""
        match_numbers = {group.number: group for group in self.stored}
        for group in [group for group in self.listed if group.number in match_numbers]:
            stored_group = match_numbers[group.number or 0]
            if not (stored_group.moodle_id and group.moodle_id):
                self._match(stored_group, group, "number")

    def match_exact_names(self) -> None:
        """Match only if one side has no id: two groups with different ids may have the same name."""
        self._match_best_first(
            "name", [pair for pair in self._pairs() if _same_name(*pair) and not _is_retired_with_id(pair[0])]
        )

    def match_names_ignoring_case(self) -> None:
        """Match only unambiguous names: Moodle allows `Group 2` and `group 2` in one course."""
        clear = [match for match in self.names_ignoring_case() if match.is_clear]
        self._match_best_first("name", [(match.stored[0], match.listed[0]) for match in clear])

    def names_ignoring_case(self) -> list[_NameMatch]:
        """Return the unmatched groups with the same name ignoring case, active groups before retired ones.

        Groups with exactly the same name are excluded.
        """
        exact = [pair for pair in self._pairs() if _same_name(*pair)]
        exactly_matched = {id(group) for pair in exact for group in pair}
        matches: dict[str, _NameMatch] = {}
        for stored_group, group in self._pairs():
            if _same_name_ignoring_case(stored_group, group) and exactly_matched.isdisjoint(
                (id(stored_group), id(group))
            ):
                matches.setdefault(name_key(group.moodle_name), _NameMatch([], [])).add(stored_group, group)
        return list(matches.values())

    def match_members(self) -> None:
        """Match groups with active students before others, so that a returning student does not move a number."""
        self._match_best_first(
            "members", [pair for pair in self._pairs() if pair[0].active_members and _shares_half(*pair)]
        )
        self._match_best_first("name", [pair for pair in self._pairs() if _same_name(*pair)])
        self._match_best_first("members", [pair for pair in self._pairs() if _shares_half(*pair)])

    def _pairs(self) -> list[tuple[Group, ListedGroup]]:
        return [(stored_group, group) for group in self.listed for stored_group in self.stored]

    def _match_best_first(self, matched_by: MatchKind, pairs: list[tuple[Group, ListedGroup]]) -> None:
        """Match the best pairs first, in the order of `_match_rank`."""
        candidates = sorted(((_match_rank(*pair), *pair) for pair in pairs), key=lambda candidate: candidate[0])
        while candidates:
            best, stored_group, group = candidates[0]
            rivals = sorted(
                other_group.title if other_stored is stored_group else other_stored.key
                for candidate, other_stored, other_group in candidates
                if (other_stored is stored_group) != (other_group is group) and candidate[:-2] == best[:-2]
            )
            self._match(stored_group, group, matched_by, tuple(rivals))
            candidates = [
                candidate for candidate in candidates if candidate[1] is not stored_group and candidate[2] is not group
            ]

    def _match(
        self, stored_group: Group, group: ListedGroup, matched_by: MatchKind, rivals: tuple[str, ...] = ()
    ) -> None:
        shared_members = len(_known_addresses(stored_group) & _addresses(group))
        self.stored.remove(stored_group)
        self.listed.remove(group)
        self.recognitions.append(
            Recognition(
                stored_group.number,
                matched_by,
                group.line,
                group.moodle_name,
                shared_members,
                len(_known_addresses(stored_group)),
                rivals,
            )
        )


def _match_rank(stored_group: Group, group: ListedGroup) -> tuple[bool, int, int, int, int]:
    """Return a match's sort key, best first.

    Active groups come first, then most common members, fewest other members, lower number, earlier line.
    """
    known, listed = _known_addresses(stored_group), _addresses(group)
    return stored_group.status == "retired", -len(known & listed), len(known | listed), stored_group.number, group.line


def _same_name(stored_group: Group, group: ListedGroup) -> bool:
    return (
        not (stored_group.moodle_id and group.moodle_id)
        and bool(group.moodle_name)
        and plain_name(stored_group.moodle_name) == plain_name(group.moodle_name)
    )


def _same_name_ignoring_case(stored_group: Group, group: ListedGroup) -> bool:
    return (
        not (stored_group.moodle_id and group.moodle_id)
        and bool(group.moodle_name)
        and name_key(stored_group.moodle_name) == name_key(group.moodle_name)
        and not _same_name(stored_group, group)
    )


def _is_retired_with_id(stored_group: Group) -> bool:
    """Return whether the name is weak evidence: an active group may have taken over a retired group's name."""
    return stored_group.status == "retired" and stored_group.moodle_id != ""


def _shares_half(stored_group: Group, group: ListedGroup) -> bool:
    shared_members = len(_known_addresses(stored_group) & _addresses(group))
    return shared_members > 0 and 2 * shared_members >= len(_known_addresses(stored_group))


def _known_addresses(stored_group: Group) -> frozenset[str]:
    """Return the addresses that identify a group: its active students', or its former students' if none is active."""
    return frozenset(member.email for member in stored_group.active_members or stored_group.members)


def _addresses(group: ListedGroup) -> frozenset[str]:
    return frozenset(member.email for member in group.members)
