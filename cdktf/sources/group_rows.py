"""Parses exports with one row per group: Moodle's Group self-selection and the older users.csv. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from labkit.tables import Row, Table
from labkit.text import quoted
from roster.group_list import GroupList, GroupListBuilder, ListedGroup, ListedMember
from roster.names import clean_name

SELF_SELECTION = "Group self-selection"
OLDER_USERS = "older users.csv"

_COLUMNS_PER_MEMBER = 5
_EMAIL_IN_MEMBER = 4
_MEMBER_COLUMN = re.compile(r"member (?P<number>[0-9]{1,4}) (?P<field>.+)", re.ASCII)
_USER_COLUMN = re.compile(r"user\s*_?[0-9]+", re.ASCII)


def header_key(header: str) -> str:
    return clean_name(header).casefold()


def is_self_selection(header: Sequence[str]) -> bool:
    """Return whether this is the header of a Group self-selection, which is English on every site."""
    return {"group id", "group name"} <= {header_key(cell) for cell in header}


def is_older_users(header: Sequence[str]) -> bool:
    named_headers = [header_key(cell) for cell in header if cell.strip()]
    return bool(named_headers) and all(_USER_COLUMN.fullmatch(cell) for cell in named_headers)


@dataclass(frozen=True)
class _MemberCells:
    """The cells of one member in a row, and the cell with the address."""

    number: int
    cells: range
    email: int


@dataclass(frozen=True)
class _Layout:
    """The columns in a file. Members beyond the header use the same number of cells each."""

    group_id: int
    group_name: int
    group_size: int | None
    members: tuple[_MemberCells, ...]
    width: int
    email_field: str

    @property
    def last_of_group(self) -> int:
        """Return the last of the group's own columns, which each row has even if the group has no members."""
        return max(self.group_id, self.group_name, self.group_size or 0)

    def members_of(self, row: Row) -> list[_MemberCells]:
        members = list(self.members)
        stride = len(members[-1].cells) if members else _COLUMNS_PER_MEMBER
        email = members[-1].email - members[-1].cells.start if members else _EMAIL_IN_MEMBER
        start = members[-1].cells.stop if members else self.width
        while start < len(row.cells):
            members.append(_MemberCells(len(members) + 1, range(start, start + stride), start + email))
            start += stride
        return members


def read_self_selection(table: Table, email_column: str = "", staff: Collection[str] = ()) -> GroupList:
    """Read a Group self-selection.

    `email_column` is the header of the address columns if it is not "Email"; "Member N" may be omitted.
    """
    builder = GroupListBuilder(staff)
    layout = _layout(table.header, email_column, builder)
    if layout is None:
        return builder.build(SELF_SELECTION, table.last_line)
    line_of_id: dict[str, int] = {}
    for row in table.rows:
        if row.is_blank:
            continue
        if len(row.cells) <= layout.last_of_group:
            message = f"{len(row.cells)} cells, fewer than a group needs: the row is cut off; download the file again."
            builder.add_problem(row.line, message)
            continue
        group_id, name = _cell(row, layout.group_id).strip(), clean_name(_cell(row, layout.group_name))
        if not (group_id.isascii() and group_id.isdigit() and len(group_id) <= 18):
            builder.add_problem(row.line, f'"Group ID" must be a number, not {quoted(group_id)}.')
        elif (first := line_of_id.setdefault(group_id, row.line)) != row.line:
            builder.add_problem(row.line, f"Group ID {group_id} is already on line {first}; each group has one row.")
        members, member_count = _members(row, layout, builder)
        _check_size(row, layout, name, member_count, builder)
        builder.groups.append(ListedGroup(row.line, group_id, name, tuple(members)))
    return builder.build(SELF_SELECTION, table.last_line)


def _layout(header: Row, email_column: str, builder: GroupListBuilder) -> _Layout | None:
    keys = [header_key(cell) for cell in header.cells]
    while keys and not keys[-1]:
        keys.pop()
    wanted = header_key(email_column) or "email"
    as_member = _MEMBER_COLUMN.fullmatch(wanted)
    email_field = as_member["field"] if as_member else wanted
    columns: dict[int, dict[str, int]] = {}
    for index, key in enumerate(keys):
        if column := _MEMBER_COLUMN.fullmatch(key):
            columns.setdefault(int(column["number"]), {})[column["field"]] = index
    for number, fields in sorted(columns.items()):
        if email_field not in fields:
            present = ", ".join(sorted(quoted(field) for field in fields))
            advice = f'choose a different column with --column email="…"; member {number} has {present}'
            builder.add_problem(
                header.line, f"there is no column {quoted(f'Member {number} {email_field}')}: {advice}."
            )
            return None
    members = tuple(
        _MemberCells(number, range(min(fields.values()), max(fields.values()) + 1), fields[email_field])
        for number, fields in sorted(columns.items())
    )
    size = keys.index("group size") if "group size" in keys else None
    return _Layout(keys.index("group id"), keys.index("group name"), size, members, len(keys), email_field)


def _cell(row: Row, index: int) -> str:
    return row.cells[index] if index < len(row.cells) else ""


def _members(row: Row, layout: _Layout, builder: GroupListBuilder) -> tuple[list[ListedMember], int]:
    """Return the members that have an address, and the number of all members."""
    members: dict[str, ListedMember] = {}
    member_count = 0
    for member_cells in layout.members_of(row):
        if not any(_cell(row, index).strip() for index in member_cells.cells):
            continue
        member_count += 1
        column = f"Member {member_cells.number} {layout.email_field.capitalize()}"
        address = _cell(row, member_cells.email)
        if not address.strip():
            builder.add_problem(row.line, f"member {member_cells.number} has a name but {quoted(column)} is empty.")
        elif member := builder.parse_member(row.line, column, address):
            if member.email in members:
                builder.add_problem(row.line, f"{member.email} is listed twice in this group.")
            members[member.email] = member
    return list(members.values()), member_count


def _check_size(row: Row, layout: _Layout, name: str, member_count: int, builder: GroupListBuilder) -> None:
    if layout.group_size is None:
        return
    size = _cell(row, layout.group_size).strip()
    if (size.lstrip("0") or size[:1]) != str(member_count):
        message = (
            f'"Group Size" of {quoted(name)} is {quoted(size)}, but the row has {member_count} members; '
            "download it again."
        )
        builder.add_problem(row.line, message)


def read_older_users(table: Table, staff: Collection[str] = ()) -> GroupList:
    """Read an older users.csv, whose rows are groups with only addresses."""
    builder = GroupListBuilder(staff)
    for row in table.rows:
        if row.is_blank:
            builder.add_ignored(row.line, "the row is empty.")
            continue
        members: dict[str, ListedMember] = {}
        for index, cell in enumerate(row.cells):
            if cell.strip() and (member := builder.parse_member(row.line, f"user{index + 1}", cell)):
                if member.email in members:
                    builder.add_problem(row.line, f"{member.email} is listed twice in this group.")
                members[member.email] = member
        builder.groups.append(ListedGroup(row.line, members=tuple(members.values())))
    return builder.build(OLDER_USERS, table.last_line)
