"""What an export lists: groups and the students in them, each with the line it stands on. Pure values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from labkit.addresses import is_address, normalised_address
from labkit.formats.roster_file import MANAGED
from labkit.text import quoted
from roster.model import Roster


@dataclass(frozen=True, order=True)
class Issue:
    """A sentence about a line of the export."""

    line: int
    message: str


@dataclass(frozen=True)
class ListedMember:
    """A student of a listed group; `account` counts for students we have not met."""

    email: str
    line: int
    account: str = MANAGED


@dataclass(frozen=True)
class ListedGroup:
    """A group as the export has it. Id and name are "" where the format has none; only our own file knows numbers."""

    line: int
    moodle_id: str = ""
    moodle_name: str = ""
    members: tuple[ListedMember, ...] = ()
    number: int | None = None

    @property
    def title(self) -> str:
        """How a sentence calls it."""
        return quoted(self.moodle_name) if self.moodle_name else f"the group on line {self.line}"


@dataclass(frozen=True)
class GroupList:
    """Everything one export says, in the file's order.

    `problems` make it unusable; `ignored` are the rows left out on purpose. `roster` is set where the export is our
    own normalised file.
    """

    format: str
    groups: tuple[ListedGroup, ...]
    last_line: int
    problems: tuple[Issue, ...] = ()
    ignored: tuple[Issue, ...] = ()
    roster: Roster | None = None

    @property
    def students(self) -> int:
        return len({member.email for group in self.groups for member in group.members})


@dataclass
class GroupListBuilder:
    """Groups, problems and ignored rows as a reader meets them. `staff` are addresses that are never students."""

    staff: Collection[str] = ()
    groups: list[ListedGroup] = field(default_factory=list)
    problems: list[Issue] = field(default_factory=list)
    ignored: list[Issue] = field(default_factory=list)

    def add_problem(self, line: int, message: str) -> None:
        self.problems.append(Issue(line, message))

    def add_ignored(self, line: int, message: str) -> None:
        self.ignored.append(Issue(line, message))

    def parse_member(self, line: int, column: str, cell: str) -> ListedMember | None:
        """The student whose address is in this cell, or None, with a remark, where it is no address or staff's."""
        email = normalised_address(cell)
        if not is_address(email):
            self.add_problem(line, f"{quoted(column)} is not an address: {quoted(cell.strip())}.")
            return None
        if email in self.staff:
            self.add_ignored(line, f"{email} is staff, so no student of a group.")
            return None
        return ListedMember(email, line)

    def build(self, format_name: str, last_line: int) -> GroupList:
        problems: Sequence[Issue] = sorted(self.problems)
        return GroupList(format_name, tuple(self.groups), last_line, tuple(problems), tuple(sorted(self.ignored)))
