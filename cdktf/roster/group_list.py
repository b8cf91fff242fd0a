"""The groups and students that an export lists, each with its line number. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

from labkit.addresses import is_address, normalised_address
from labkit.formats.roster_file import MANAGED
from labkit.text import quoted
from roster.model import MOODLE, Roster

NumberedBy = Literal["line", "group"]
"""What the `line` of groups, members and issues is: a line of the file, or the system's id of a group (0: none)."""


@dataclass(frozen=True, order=True)
class Issue:
    """A message about one line of the export."""

    line: int
    message: str


@dataclass(frozen=True)
class ListedMember:
    """A student in a listed group; `account` is used only for students who are not in the roster yet."""

    email: str
    line: int
    account: str = MANAGED


@dataclass(frozen=True)
class ListedGroup:
    """A group in an export. Id and name are "" if the format has none; only the normalised roster has numbers.

    `principal` is the name of a directory's group in the workspace, "" for other groups.
    """

    line: int
    moodle_id: str = ""
    moodle_name: str = ""
    members: tuple[ListedMember, ...] = ()
    number: int | None = None
    principal: str = ""

    @property
    def title(self) -> str:
        """Return the group's name for messages."""
        return quoted(self.moodle_name) if self.moodle_name else f"the group on line {self.line}"


@dataclass(frozen=True)
class GroupList:
    """The content of an export, in the order of the file.

    `problems` make it unusable; `ignored` are rows that are skipped on purpose. `roster` is set if the export is a
    normalised roster. `system` has the groups; error messages refer to it.
    """

    format: str
    groups: tuple[ListedGroup, ...]
    last_line: int
    problems: tuple[Issue, ...] = ()
    ignored: tuple[Issue, ...] = ()
    roster: Roster | None = None
    system: str = MOODLE.system
    suspended: tuple[ListedMember, ...] = ()
    """Suspended people in groups, who are not among the groups' members; only Moodle's web service reports them."""
    numbered_by: NumberedBy = "line"
    notes: tuple[str, ...] = ()
    """Sentences about the whole source, for the report."""

    def place_of(self, line: int) -> str:
        """Return where a group is, for messages."""
        return f"on line {line}" if self.numbered_by == "line" else f"with the id {line} in {self.system}"

    @property
    def students(self) -> int:
        return len({member.email for group in self.groups for member in group.members})


@dataclass
class GroupListBuilder:
    """Collects the groups, problems and ignored rows in an export. `staff` are addresses that are never students."""

    staff: Collection[str] = ()
    groups: list[ListedGroup] = field(default_factory=list)
    problems: list[Issue] = field(default_factory=list)
    ignored: list[Issue] = field(default_factory=list)

    def add_problem(self, line: int, message: str) -> None:
        self.problems.append(Issue(line, message))

    def add_ignored(self, line: int, message: str) -> None:
        self.ignored.append(Issue(line, message))

    def parse_member(self, line: int, column: str, cell: str) -> ListedMember | None:
        """Return the student with this cell's address; None, with an issue, if it is invalid or belongs to staff."""
        email = normalised_address(cell)
        if not is_address(email):
            self.add_problem(line, f"{quoted(column)} is not an e-mail address: {quoted(cell.strip())}.")
            return None
        if email in self.staff:
            self.add_ignored(line, f"{email} is staff and therefore not a student.")
            return None
        return ListedMember(email, line)

    def build(
        self,
        format_name: str,
        last_line: int,
        *,
        system: str = MOODLE.system,
        numbered_by: NumberedBy = "line",
        notes: Iterable[str] = (),
    ) -> GroupList:
        return GroupList(
            format_name,
            tuple(self.groups),
            last_line,
            tuple(sorted(self.problems)),
            tuple(sorted(self.ignored)),
            system=system,
            numbered_by=numbered_by,
            notes=tuple(notes),
        )
