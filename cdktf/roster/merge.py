"""An export meets the roster we have: which group is which, and who is where now. Pure.

A group keeps its number for the whole term. It is recognised by Moodle's id; else, where one side has no id, by its
name, exactly, or but for case where only one group can be meant; else by at least half of its members; else it is new
and gets the next number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from labkit.text import quoted
from roster.cells import name_key, plain_name
from roster.group_list import GroupList, ListedGroup, ListedMember, Remark
from roster.model import Group, Member, Roster

By = Literal["id", "number", "name", "members"]


@dataclass(frozen=True)
class Recognition:
    """How a listed group was found to be one that we know.

    `shared` of `known` members are the same; `rivals` are further groups, ours or listed, with as good a claim.
    """

    number: int
    by: By
    line: int
    name: str
    shared: int = 0
    known: int = 0
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Merged:
    """The roster after the export, and how each group that is not new was recognised."""

    roster: Roster
    recognitions: tuple[Recognition, ...]


def shared_names(stored: Roster, listed: Sequence[ListedGroup]) -> tuple[Remark, ...]:
    """Problems with names that fit several groups.

    An export without ids throws groups of one name together, so none of them can be told any more if several run.
    Names that differ in case are no match if several groups fit.
    """
    remarks = []
    for group in listed:
        if group.moodle_id or not group.moodle_name or group.number is not None:
            continue
        same = [ours.key for ours in stored.active_groups if _same_name(ours, group)]
        if len(same) > 1:
            sentence = f"{group.title} can be {' and '.join(same)}, which have one name in Moodle: rename one of them "
            remarks.append(Remark(group.line, sentence + _OR_IDS))
    return (*remarks, *_unclear_but_for_case(stored, listed))


_OR_IDS = "there, or import the Group self-selection, which has ids."


def _unclear_but_for_case(stored: Roster, listed: Sequence[ListedGroup]) -> Iterator[Remark]:
    search = _Search(list(stored.groups), list(listed), [])
    search.by_id()
    search.by_number()
    search.by_exact_name()
    for fit in search.alike_but_for_case():
        if not fit.is_clear:
            names = " and ".join(group.title for group in fit.listed)
            ours = " and ".join(f"{group.key} {quoted(group.moodle_name)}" for group in fit.stored)
            sentence = f"{names} can be {ours}, whose names differ in case alone: rename one of the groups "
            yield Remark(fit.listed[0].line, sentence + _OR_IDS)


def merge(stored: Roster, export: GroupList) -> Merged:
    """The roster that the export makes of the stored one.

    The export has no problems: no address and no id twice, no `shared_names`. Nothing stored is forgotten: groups and
    students that are gone are retired, and whoever comes back finds number and account as they were.
    """
    if export.roster is not None and not stored.groups:
        return Merged(export.roster, ())
    listed = export.groups
    recognitions = recognise(stored, listed)
    number_of = {recognition.line: recognition.number for recognition in recognitions}
    numbers = _numbered(stored, listed, number_of)
    accounts = {member.email: member.account for group in stored.groups for member in group.members}
    present = {member.email for group in listed for member in group.members}
    known = {group.number: group for group in stored.groups}

    groups = [_retired(group, present) for group in stored.groups if group.number not in numbers]
    for number, group in numbers.items():
        before = known.get(number, Group(number))
        members = [_member(member, accounts) for member in group.members]
        members += [Member(gone.email, "retired", gone.account) for gone in before.members if gone.email not in present]
        moodle_id, moodle_name = group.moodle_id or before.moodle_id, group.moodle_name or before.moodle_name
        groups.append(Group(number, moodle_id, moodle_name, _by_address(members), "active"))
    return Merged(Roster(tuple(sorted(groups, key=lambda group: group.number))), recognitions)


def _numbered(stored: Roster, listed: Sequence[ListedGroup], number_of: dict[int, int]) -> dict[int, ListedGroup]:
    """Each listed group by its number: the one it has, the one our own file gives it, or the next."""
    numbers = {number_of[group.line]: group for group in listed if group.line in number_of}
    taken = {group.number for group in stored.groups}
    new = [group for group in listed if group.line not in number_of]
    for group in new:
        if group.number is not None and group.number not in taken:
            numbers[group.number] = group
            taken.add(group.number)
    placed = {group.line for group in numbers.values()}
    following = max(taken, default=0) + 1
    for number, group in enumerate((group for group in new if group.line not in placed), start=following):
        numbers[number] = group
    return numbers


def _retired(group: Group, present: set[str]) -> Group:
    members = [Member(member.email, "retired", member.account) for member in group.members]
    members = [member for member in members if member.email not in present]
    return Group(group.number, group.moodle_id, group.moodle_name, _by_address(members), "retired")


def _member(listed: ListedMember, accounts: dict[str, str]) -> Member:
    return Member(listed.email, "active", accounts.get(listed.email, listed.account))


def _by_address(members: Iterable[Member]) -> tuple[Member, ...]:
    return tuple(sorted(members, key=lambda member: member.email))


def recognise(stored: Roster, listed: Sequence[ListedGroup]) -> tuple[Recognition, ...]:
    """Which listed groups we know, in the export's order."""
    search = _Search(list(stored.groups), list(listed), [])
    search.by_id()
    search.by_number()
    search.by_exact_name()
    search.by_name_but_for_case()
    search.by_members()
    return tuple(sorted(search.found, key=lambda recognition: recognition.line))


@dataclass
class _Fit:
    """Groups of the roster and of the export that have one name but for case."""

    stored: list[Group]
    listed: list[ListedGroup]

    def add(self, ours: Group, group: ListedGroup) -> None:
        if ours not in self.stored:
            self.stored = _running_before_retired([*self.stored, ours])
        if group not in self.listed:
            self.listed.append(group)

    @property
    def is_clear(self) -> bool:
        return len(self.stored) == 1 and len(self.listed) == 1


def _running_before_retired(groups: list[Group]) -> list[Group]:
    return [group for group in groups if group.status == "active"] or groups


@dataclass
class _Search:
    """The stored and listed groups not yet matched, and the matches so far."""

    stored: list[Group]
    listed: list[ListedGroup]
    found: list[Recognition]

    def by_id(self) -> None:
        by_id = {group.moodle_id: group for group in self.stored if group.moodle_id}
        for group in [group for group in self.listed if group.moodle_id in by_id]:
            self._match(by_id[group.moodle_id], group, "id")

    def by_number(self) -> None:
        """Our own file says the number; two different ids still are two groups."""
        by_number = {group.number: group for group in self.stored}
        for group in [group for group in self.listed if group.number in by_number]:
            ours = by_number[group.number or 0]
            if not (ours.moodle_id and group.moodle_id):
                self._match(ours, group, "number")

    def by_exact_name(self) -> None:
        """Only where one side has no id: two groups with different ids may have one name."""
        self._settle("name", [pair for pair in self._pairs() if _same_name(*pair) and not _is_retired_with_id(pair[0])])

    def by_name_but_for_case(self) -> None:
        """Only where one group can be meant: Moodle has `Group 2` and `group 2` side by side."""
        clear = [fit for fit in self.alike_but_for_case() if fit.is_clear]
        self._settle("name", [(fit.stored[0], fit.listed[0]) for fit in clear])

    def alike_but_for_case(self) -> list[_Fit]:
        """The groups left that are called the same but for case, those that run before those that are retired.

        Who has a group of exactly the same name is not among them.
        """
        exact = [pair for pair in self._pairs() if _same_name(*pair)]
        with_namesake = {id(group) for pair in exact for group in pair}
        fits: dict[str, _Fit] = {}
        for ours, group in self._pairs():
            if _alike_but_for_case(ours, group) and with_namesake.isdisjoint((id(ours), id(group))):
                fits.setdefault(name_key(group.moodle_name), _Fit([], [])).add(ours, group)
        return list(fits.values())

    def by_members(self) -> None:
        """A group that has students goes before one that had some, or a student who comes back would carry it off."""
        self._settle("members", [pair for pair in self._pairs() if pair[0].active_members and _is_half(*pair)])
        self._settle("name", [pair for pair in self._pairs() if _same_name(*pair)])
        self._settle("members", [pair for pair in self._pairs() if _is_half(*pair)])

    def _pairs(self) -> list[tuple[Group, ListedGroup]]:
        return [(ours, group) for group in self.listed for ours in self.stored]

    def _settle(self, by: By, pairs: list[tuple[Group, ListedGroup]]) -> None:
        """Match the best pairs first; see `_claim`."""
        claims = sorted(((_claim(*pair), *pair) for pair in pairs), key=lambda claim: claim[0])
        while claims:
            best, ours, group = claims[0]
            rivals = sorted(
                other_group.title if other_ours is ours else other_ours.key
                for claim, other_ours, other_group in claims
                if (other_ours is ours) != (other_group is group) and claim[:-2] == best[:-2]
            )
            self._match(ours, group, by, tuple(rivals))
            claims = [claim for claim in claims if claim[1] is not ours and claim[2] is not group]

    def _match(self, ours: Group, group: ListedGroup, by: By, rivals: tuple[str, ...] = ()) -> None:
        shared = len(_present(ours) & _addresses(group))
        self.stored.remove(ours)
        self.listed.remove(group)
        self.found.append(
            Recognition(ours.number, by, group.line, group.moodle_name, shared, len(_present(ours)), rivals)
        )


def _claim(ours: Group, group: ListedGroup) -> tuple[bool, int, int, int, int]:
    """How good a match is, the best first: a group that runs, most members in common, fewest that are not, and only
    then the lower number and the earlier line."""
    known, listed = _present(ours), _addresses(group)
    return ours.status == "retired", -len(known & listed), len(known | listed), ours.number, group.line


def _same_name(ours: Group, group: ListedGroup) -> bool:
    return (
        not (ours.moodle_id and group.moodle_id)
        and bool(group.moodle_name)
        and plain_name(ours.moodle_name) == plain_name(group.moodle_name)
    )


def _alike_but_for_case(ours: Group, group: ListedGroup) -> bool:
    return (
        not (ours.moodle_id and group.moodle_id)
        and bool(group.moodle_name)
        and name_key(ours.moodle_name) == name_key(group.moodle_name)
        and not _same_name(ours, group)
    )


def _is_retired_with_id(ours: Group) -> bool:
    """Its name alone is weak: a running group may have been given it since."""
    return ours.status == "retired" and ours.moodle_id != ""


def _is_half(ours: Group, group: ListedGroup) -> bool:
    shared = len(_present(ours) & _addresses(group))
    return shared > 0 and 2 * shared >= len(_present(ours))


def _present(ours: Group) -> frozenset[str]:
    """Whom a group is known by: its students, or those it had where none is left."""
    return frozenset(member.email for member in ours.active_members or ours.members)


def _addresses(group: ListedGroup) -> frozenset[str]:
    return frozenset(member.email for member in group.members)
