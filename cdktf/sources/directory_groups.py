"""Turns a directory's groups, as a workspace lists them, into the groups of a roster. Pure.

The directory, such as Entra ID, owns the groups and their members; the workspace only lists them. With automatic
identity management it may list only the people who have logged in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from labkit.formats.roster_file import EXISTING_PREFIX
from labkit.text import quoted
from roster.group_list import GroupList, GroupListBuilder, ListedGroup, ListedMember
from roster.model import is_principal

DIRECTORY_GROUPS = "groups of a directory"
DIRECTORY = "the directory"
_USER, _GROUP = "Users", "Groups"
_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True)
class DirectoryMember:
    """A direct member of a group: its kind (`Users`, `Groups` or `ServicePrincipals`), id, and name for display."""

    kind: str
    id: str
    name: str = ""


@dataclass(frozen=True)
class DirectoryGroup:
    """A group that the workspace lists. `is_of_account` is false for a group that the workspace itself has created."""

    id: str
    name: str
    is_of_account: bool
    members: tuple[DirectoryMember, ...] = ()


@dataclass(frozen=True)
class Person:
    """A user of the workspace."""

    address: str
    is_active: bool = True


@dataclass(frozen=True)
class DirectoryListing:
    """What a workspace lists: the groups whose name matches `pattern`, and all users by id."""

    pattern: str
    groups: tuple[DirectoryGroup, ...]
    people: Mapping[str, Person]
    account_groups: int
    """Number of all account-level groups that the workspace lists, whatever their names are."""


def read_directory_groups(listing: DirectoryListing, *, target: str, staff: Collection[str] = ()) -> GroupList:
    """Return the groups of a listing, in the natural order of their names.

    The accounts exist on `target`, so the lab never manages them. `line` of a group, a member or an issue is the id of
    the group. `staff` are normalised addresses that are excluded from all groups.
    """
    builder = GroupListBuilder(staff)
    reader = _GroupReader(listing.people, target, builder)
    for group in sorted(listing.groups, key=lambda group: _natural_key(group.name)):
        reader.read(group)
    if not builder.groups and not builder.problems:
        count = listing.account_groups
        found = f"{count} account-level group" if count == 1 else f"{count} account-level groups"
        message = f"the workspace lists {found}, but none matches {quoted(listing.pattern)}: assign the groups to "
        builder.add_problem(0, f"{message}the workspace, or correct the pattern.")
    notes = _notes(builder.groups, reader.unknown)
    return builder.build(DIRECTORY_GROUPS, 0, system=DIRECTORY, numbered_by="group", notes=notes)


def _natural_key(name: str) -> list[tuple[int, str]]:
    """Return a sort key in which numbers are compared by value: DE-2 is before DE-10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"([0-9]+)", name)]


@dataclass
class _GroupReader:
    """Reads one group after the other; `unknown` is the number of members that are not among the users."""

    people: Mapping[str, Person]
    target: str
    builder: GroupListBuilder
    unknown: int = 0

    def read(self, group: DirectoryGroup) -> None:
        """Add a group, or the reason why it cannot be one of the roster."""
        line = int(group.id) if _ID.fullmatch(group.id) else 0
        title = quoted(group.name)
        if not group.is_of_account:
            self.builder.add_ignored(line, f"{title} is a group of the workspace, not of a directory.")
            return
        if not is_principal(group.name):
            self.builder.add_problem(line, f"{title} cannot be a team's group: use a pattern that does not match it.")
            return
        members: dict[str, ListedMember] = {}
        for member in group.members:
            if member.kind == _GROUP:
                message = (
                    f"{title} contains the group {quoted(member.name or member.id)}, but only direct members count"
                )
                self.builder.add_problem(line, f"{message}: add its people to {title} in the directory.")
            elif member.kind != _USER:
                self.builder.add_ignored(line, f"{quoted(member.name or member.id)} in {title} is not a person.")
            elif found := self._member(line, title, member):
                members[found.email] = found
        id = group.id if _ID.fullmatch(group.id) else ""
        listed = ListedGroup(line, id, group.name, tuple(members.values()), principal=group.name)
        self.builder.groups.append(listed)

    def _member(self, line: int, title: str, member: DirectoryMember) -> ListedMember | None:
        person = self.people.get(member.id)
        if person is None:
            self.unknown += 1
            return None
        found = self.builder.parse_member(line, f"user name of a member of {title}", person.address)
        if found and not person.is_active:
            self.builder.add_ignored(line, f"{found.email} in {title} is deactivated.")
            return None
        return ListedMember(found.email, line, EXISTING_PREFIX + self.target) if found else None


def _notes(groups: Sequence[ListedGroup], unknown: int) -> Iterator[str]:
    """Yield the numbers of people that the workspace lists, to be compared with the directory's own."""
    if not groups:
        return
    students = len({member.email for group in groups for member in group.members})
    people = f"{students} person" if students == 1 else f"{students} people"
    note = f"The workspace lists {people} in {f'{len(groups)} group' if len(groups) == 1 else f'{len(groups)} groups'}"
    if empty := [group.moodle_name for group in groups if not group.members]:
        note += f", none in {', '.join(map(quoted, empty))}"
    if unknown:
        note += f", and {unknown} more without a user name"
    yield f"{note}. A directory may list only people that have logged in: compare the numbers with the directory's."
