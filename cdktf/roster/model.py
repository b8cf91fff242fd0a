"""Groups and their students, and the normalised roster file that stores them. Pure: text in, text out.

The file has one row per membership, sorted by number and address:
`number,moodle_group_id,moodle_group_name,email,status,account`, and `principal` if a group is one of a directory.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from labkit.addresses import is_address, normalised_address
from labkit.course_file import ALL_STUDENT_GROUPS, BUILT_IN_GROUPS
from labkit.csv_cells import unescape_formula, write_rows
from labkit.formats.roster_file import COLUMNS, EXISTING_PREFIX, MANAGED, PRINCIPAL, is_normalised_header
from labkit.tables import FileOrigin, Row, Table, TableError, read_table
from labkit.text import quoted

Status = Literal["active", "retired"]

MOODLE = FileOrigin(
    "Moodle",
    encoding_option="--encoding",
    json_sentence=(
        "the file is a JSON export, which Moodle breaks in languages without Latin letters (the groups are lost): "
        "export CSV."
    ),
)
"""Where exports come from; used in the table parser's error messages."""

_NUMBER = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_MOODLE_ID = re.compile(r"[0-9]{0,18}", re.ASCII)
_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)


class RosterError(ValueError):
    """The roster is unusable; `problems` lists all reasons, each as "file line N: message"."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Member:
    """A student in one group. `account` is "managed" or "existing:<target>[,<target>…]"."""

    email: str
    status: Status = "active"
    account: str = MANAGED


@dataclass(frozen=True)
class Group:
    """A team that shares one cluster. Its number is its identity; Moodle's id and name are "" if unknown.

    `principal` is the display name of the directory's group that the team is in the workspace; "" if the lab creates
    the group.
    """

    number: int
    moodle_id: str = ""
    moodle_name: str = ""
    members: tuple[Member, ...] = ()
    status: Status = "active"
    principal: str = ""

    @property
    def key(self) -> str:
        """Return the group's name in Databricks without the prefix, such as "group_07"."""
        return f"group_{self.number:02d}"

    @property
    def cluster(self) -> str:
        """Return the name of the group's cluster without the prefix, such as "cluster_07"."""
        return f"cluster_{self.number:02d}"

    @property
    def active_members(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.status == "active")


@dataclass(frozen=True)
class Roster:
    """All groups in a term, including retired ones, sorted by number; members are sorted by address."""

    groups: tuple[Group, ...] = ()

    @property
    def active_groups(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.status == "active")


def has_account_on(member: Member, target: str) -> bool:
    """Return whether the account was in that target's workspace before the lab, so that the lab never manages it."""
    return member.account.startswith(EXISTING_PREFIX) and target in member.account.removeprefix(EXISTING_PREFIX).split(
        ","
    )


def with_existing_accounts(roster: Roster, emails: Collection[str], target: str) -> Roster:
    """Return the roster with these addresses marked as existing on the target, so that the lab does not manage them."""
    groups = []
    for group in roster.groups:
        members = tuple(
            replace(member, account=_add_existing(member.account, target)) if member.email in emails else member
            for member in group.members
        )
        groups.append(replace(group, members=members))
    return Roster(tuple(groups))


def _add_existing(account: str, target: str) -> str:
    targets = set(account.removeprefix(EXISTING_PREFIX).split(",")) if account.startswith(EXISTING_PREFIX) else set()
    return EXISTING_PREFIX + ",".join(sorted(targets | {target}))


def format_roster(roster: Roster) -> str:
    """Return the content of the normalised roster file."""
    text = io.StringIO()
    columns = (*COLUMNS, PRINCIPAL) if any(group.principal for group in roster.groups) else COLUMNS
    rows = (
        (group.number, group.moodle_id, group.moodle_name, member.email, member.status, member.account, group.principal)
        for group in sorted(roster.groups, key=lambda group: group.number)
        for member in _rows_of(group)
    )
    write_rows(text, [columns, *(row[: len(columns)] for row in rows)], line_end="\n")
    return text.getvalue()


def _rows_of(group: Group) -> Iterator[Member]:
    """Yield a group's members as rows; a row without address stores the group's status if no member has it."""
    if all(member.status != group.status for member in group.members):
        yield Member("", group.status, "")
    yield from sorted(group.members, key=lambda member: member.email)


def parse_roster(text: str, name: str) -> Roster:
    """Parse a normalised roster, even if a spreadsheet program saved it with a different delimiter.

    Raise RosterError with all problems; `name` is the file's name for messages.
    """
    try:
        table = read_table(text, origin=MOODLE)
    except TableError as error:
        raise RosterError([f"{name} line {error.line}: {error.sentence}"]) from error
    return roster_from_table(table, name)


def roster_from_table(table: Table, name: str) -> Roster:
    """Return the roster in a table. Raise RosterError with all problems; `name` is the file's name for messages."""
    if not is_normalised_header(table.header.cells):
        columns = ",".join(COLUMNS)
        raise RosterError([f"{name} line {table.header.line}: not the header of a normalised roster ({columns})."])
    parser = _RosterParser(sum(bool(cell.strip()) for cell in table.header.cells))
    for row in table.rows:
        if not row.is_blank:
            parser.read_row(row)
    if parser.problems:
        raise RosterError([f"{name} line {line}: {message}" for line, message in sorted(parser.problems)])
    return Roster(tuple(parser.group(number) for number in sorted(parser.first)))


@dataclass
class _RosterParser:
    """The groups and members read so far, with the line of each first occurrence. `width` is the number of columns."""

    width: int
    first: dict[int, tuple[int, str, str, str]] = field(default_factory=dict)  # number: line, id, name, principal
    members: dict[int, list[Member]] = field(default_factory=dict)
    active: set[int] = field(default_factory=set)
    line_of_email: dict[str, int] = field(default_factory=dict)
    number_of_id: dict[str, int] = field(default_factory=dict)
    number_of_principal: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def read_row(self, row: Row) -> None:
        cells = [unescape_formula(cell) for cell in row.cells[: self.width]]
        if len(cells) < self.width or any(cell.strip() for cell in row.cells[self.width :]):
            self.problems.append((row.line, f"{len(row.cells)} cells; a roster has {self.width}."))
            return
        number, moodle_id, moodle_name, email, status, account, principal = (*cells, "")[: len(COLUMNS) + 1]
        moodle_id, status, account = moodle_id.strip(), status.strip().lower(), account.strip()
        email = normalised_address(email)
        problems = list(_cell_problems(number.strip(), moodle_id, email, status, account, principal))
        if problems:
            self.problems.extend((row.line, message) for message in problems)
            return
        if status == "active":
            self.active.add(int(number))
        self._add_group(row.line, int(number), moodle_id, moodle_name, principal)
        if email:
            self._add_member(
                row.line, int(number), Member(email, "active" if status == "active" else "retired", account)
            )

    def _add_group(self, line: int, number: int, moodle_id: str, moodle_name: str, principal: str) -> None:
        first = self.first.setdefault(number, (line, moodle_id, moodle_name, principal))
        first_line, first_id, first_name, first_principal = first
        if (first_id, first_name) != (moodle_id, moodle_name):
            here, there = f"{moodle_id} {quoted(moodle_name)}", f"{first_id} {quoted(first_name)}"
            message = f"group {number} is {here} here but {there} on line {first_line}; all its rows must agree."
            self.problems.append((line, message))
        owner = self.number_of_id.setdefault(moodle_id, number) if moodle_id else number
        if owner != number:
            message = f"Moodle id {moodle_id} is group {number} here but group {owner} on line {self.first[owner][0]}."
            self.problems.append((line, message))
        if first_principal != principal:
            here, there = quoted(principal), quoted(first_principal)
            message = f"the principal of group {number} is {here} here but {there} on line {first_line}; all its rows"
            self.problems.append((line, f"{message} must agree."))
        owner = self.number_of_principal.setdefault(principal, number) if principal else number
        if owner != number:
            message = f"principal {quoted(principal)} is group {number} here but group {owner} on line "
            self.problems.append((line, f"{message}{self.first[owner][0]}."))

    def _add_member(self, line: int, number: int, member: Member) -> None:
        first_line = self.line_of_email.setdefault(member.email, line)
        if first_line != line:
            message = f"{member.email} is already on line {first_line}; a student has one row, in one group."
            self.problems.append((line, message))
        self.members.setdefault(number, []).append(member)

    def group(self, number: int) -> Group:
        _, moodle_id, moodle_name, principal = self.first[number]
        members = tuple(sorted(self.members.get(number, ()), key=lambda member: member.email))
        return Group(
            number, moodle_id, moodle_name, members, "active" if number in self.active else "retired", principal
        )


def is_principal(name: str) -> bool:
    """Return whether a team may have the group with this name: not a built-in one, nor the group of all teams."""
    return name not in BUILT_IN_GROUPS and name != ALL_STUDENT_GROUPS and name.isprintable() and name == name.strip()


def _cell_problems(number: str, moodle_id: str, email: str, status: str, account: str, principal: str) -> Iterator[str]:
    if not _NUMBER.fullmatch(number):
        yield f"number must be a whole number, 1 or greater, not {quoted(number)}."
    if not _MOODLE_ID.fullmatch(moodle_id):
        yield f"moodle_group_id must be digits or empty, not {quoted(moodle_id)}."
    if email and not is_address(email):
        yield f"invalid e-mail address: {quoted(email)}."
    if status not in ("active", "retired"):
        yield f"status must be active or retired, not {quoted(status)}."
    if email and not _is_account(account):
        yield f"account must be managed or existing:<target>[,<target>…], not {quoted(account)}."
    if principal and not is_principal(principal):
        yield f"principal must be the name of a directory's group or empty, not {quoted(principal)}."


def _is_account(text: str) -> bool:
    targets = text.removeprefix(EXISTING_PREFIX).split(",")
    return text == MANAGED or (
        text.startswith(EXISTING_PREFIX) and all(_TARGET.fullmatch(target) for target in targets)
    )
