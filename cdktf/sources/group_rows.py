"""The exports with one row per group: Moodle's Group self-selection, and the older users.csv. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from labkit.tables import Row, Table
from labkit.text import quoted
from roster.cells import clean_name
from roster.group_list import Findings, GroupList, ListedGroup, ListedMember

SELF_SELECTION = "Group self-selection"
OLDER_USERS = "older users.csv"

_COLUMNS_PER_MEMBER = 5
_EMAIL_IN_MEMBER = 4
_MEMBER_COLUMN = re.compile(r"member (?P<number>[0-9]{1,4}) (?P<field>.+)", re.ASCII)
_USER_COLUMN = re.compile(r"user\s*_?[0-9]+", re.ASCII)


def key_of(header: str) -> str:
    return clean_name(header).casefold()


def is_self_selection(header: Sequence[str]) -> bool:
    """Its headers are English whatever the language of the site."""
    return {"group id", "group name"} <= {key_of(cell) for cell in header}


def is_older_users(header: Sequence[str]) -> bool:
    named = [key_of(cell) for cell in header if cell.strip()]
    return bool(named) and all(_USER_COLUMN.fullmatch(cell) for cell in named)


@dataclass(frozen=True)
class _MemberCells:
    """Where one member stands in a row: all cells, and the one with the address."""

    number: int
    cells: range
    email: int


@dataclass(frozen=True)
class _Layout:
    """Which column is which. Members beyond the header follow in the same rhythm."""

    group_id: int
    group_name: int
    group_size: int | None
    members: tuple[_MemberCells, ...]
    width: int
    email_field: str

    @property
    def last_of_group(self) -> int:
        """The last column that each row has, with or without members."""
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
    """`email_column` is the header, with or without "Member N", of the addresses where it is not "Email"."""
    findings = Findings(staff)
    layout = _layout(table.header, email_column, findings)
    if layout is None:
        return findings.listed(SELF_SELECTION, table.last_line)
    line_of_id: dict[str, int] = {}
    for row in table.rows:
        if row.is_blank:
            continue
        if len(row.cells) <= layout.last_of_group:
            sentence = f"has {len(row.cells)} cells, fewer than a group needs: the row is cut; download the file again."
            findings.problem(row.line, sentence)
            continue
        group_id, name = _cell(row, layout.group_id).strip(), clean_name(_cell(row, layout.group_name))
        if not (group_id.isascii() and group_id.isdigit() and len(group_id) <= 18):
            findings.problem(row.line, f'"Group ID" must be a number, not {quoted(group_id)}.')
        elif (first := line_of_id.setdefault(group_id, row.line)) != row.line:
            findings.problem(row.line, f"Group ID {group_id} is on line {first} already; each group has one row.")
        members, found = _members(row, layout, findings)
        _check_size(row, layout, name, found, findings)
        findings.groups.append(ListedGroup(row.line, group_id, name, tuple(members)))
    return findings.listed(SELF_SELECTION, table.last_line)


def _layout(header: Row, email_column: str, findings: Findings) -> _Layout | None:
    keys = [key_of(cell) for cell in header.cells]
    while keys and not keys[-1]:
        keys.pop()
    wanted = key_of(email_column) or "email"
    as_member = _MEMBER_COLUMN.fullmatch(wanted)
    email_field = as_member["field"] if as_member else wanted
    columns: dict[int, dict[str, int]] = {}
    for index, key in enumerate(keys):
        if column := _MEMBER_COLUMN.fullmatch(key):
            columns.setdefault(int(column["number"]), {})[column["field"]] = index
    for number, fields in sorted(columns.items()):
        if email_field not in fields:
            present = ", ".join(sorted(quoted(field) for field in fields))
            advice = f'name another with --column email="…"; member {number} has {present}'
            findings.problem(header.line, f"there is no column {quoted(f'Member {number} {email_field}')}: {advice}.")
            return None
    members = tuple(
        _MemberCells(number, range(min(fields.values()), max(fields.values()) + 1), fields[email_field])
        for number, fields in sorted(columns.items())
    )
    size = keys.index("group size") if "group size" in keys else None
    return _Layout(keys.index("group id"), keys.index("group name"), size, members, len(keys), email_field)


def _cell(row: Row, index: int) -> str:
    return row.cells[index] if index < len(row.cells) else ""


def _members(row: Row, layout: _Layout, findings: Findings) -> tuple[list[ListedMember], int]:
    """The members with an address, and how many there are with and without."""
    members: dict[str, ListedMember] = {}
    found = 0
    for place in layout.members_of(row):
        if not any(_cell(row, index).strip() for index in place.cells):
            continue
        found += 1
        column = f"Member {place.number} {layout.email_field.capitalize()}"
        address = _cell(row, place.email)
        if not address.strip():
            findings.problem(row.line, f"member {place.number} has a name but {quoted(column)} is empty.")
        elif member := findings.member(row.line, column, address):
            if member.email in members:
                findings.problem(row.line, f"{member.email} is twice in this group.")
            members[member.email] = member
    return list(members.values()), found


def _check_size(row: Row, layout: _Layout, name: str, found: int, findings: Findings) -> None:
    if layout.group_size is None:
        return
    size = _cell(row, layout.group_size).strip()
    if (size.lstrip("0") or size[:1]) != str(found):
        sentence = (
            f'"Group Size" of {quoted(name)} is {quoted(size)}, but the row has {found} members; download it again.'
        )
        findings.problem(row.line, sentence)


def read_older_users(table: Table, staff: Collection[str] = ()) -> GroupList:
    """One row per group, nothing in it but addresses."""
    findings = Findings(staff)
    for row in table.rows:
        if row.is_blank:
            findings.ignore(row.line, "the row is empty.")
            continue
        members: dict[str, ListedMember] = {}
        for index, cell in enumerate(row.cells):
            if cell.strip() and (member := findings.member(row.line, f"user{index + 1}", cell)):
                if member.email in members:
                    findings.problem(row.line, f"{member.email} is twice in this group.")
                members[member.email] = member
        findings.groups.append(ListedGroup(row.line, members=tuple(members.values())))
    return findings.listed(OLDER_USERS, table.last_line)
