"""Parses Canvas' group-set export, which has one row per student of the course. Pure.

Canvas writes the headers of the two columns `name` and `sections` in the user's language and all others in English. It
leaves out `user_id` and `group_id` for people without permission to see the ids of the student system, and
`canvas_group_id` while no group has a student.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from labkit.addresses import is_address, normalised_address
from labkit.tables import Row, Table
from labkit.text import quoted
from roster.group_list import GroupList, GroupListBuilder, ListedGroup, ListedMember
from roster.names import clean_name
from sources.columns import cell, contains_row
from sources.group_rows import header_key

GROUP_SET = "Canvas group set"
CANVAS = "Canvas"

_USER, _LOGIN, _SIS_USER = "canvas_user_id", "login_id", "user_id"
_GROUP, _GROUP_NAME, _SIS_GROUP = "canvas_group_id", "group_name", "group_id"
_REQUIRED = frozenset({_USER, _LOGIN, _GROUP_NAME})
_COLUMNS = (_USER, _LOGIN, _SIS_USER, _GROUP, _GROUP_NAME, _SIS_GROUP)
_MAX_DIGITS = 18
_AGAIN = "download the file again"


def is_group_set(header: Sequence[str]) -> bool:
    """Return whether this is the header of a Canvas group set."""
    return {header_key(cell) for cell in header} >= _REQUIRED


@dataclass(frozen=True)
class _Layout:
    """The columns of a file by name, the columns that may hold the address, best first, and the number of cells."""

    columns: dict[str, int]
    addresses: tuple[tuple[str, int], ...]
    width: int

    def text(self, row: Row, name: str) -> str:
        """Return the text of a column, "" if the file has no such column."""
        return cell(row, self.columns[name]) if name in self.columns else ""


@dataclass
class _GroupRows:
    """A group as its rows describe it so far."""

    line: int
    name: str
    members: dict[str, ListedMember] = field(default_factory=dict)


def read_group_set(
    table: Table, named_headers: Mapping[str, str], login_domain: str = "", staff: Collection[str] = ()
) -> GroupList:
    """Read a group set. Groups without students are not in the file.

    A student's address is the first one in `login_id` and `user_id`, or the one in the column with the header
    `named_headers["email"]`. A login without a domain is an address only with `login_domain`.
    """
    builder = GroupListBuilder(staff)
    layout = _layout(table, named_headers, builder)
    if layout is None:
        return builder.build(GROUP_SET, table.last_line, system=CANVAS)
    groups: dict[str, _GroupRows] = {}
    line_of_user: dict[str, int] = {}
    for row in table.rows:
        if row.is_blank or not _is_complete(row, layout, table, builder):
            continue
        user = layout.text(row, _USER)
        if (first := line_of_user.setdefault(user, row.line)) != row.line:
            message = f"{_USER} {user} is already on line {first}; a student has one row and can be in only one group"
            builder.add_problem(row.line, f"{message}: correct the groups in Canvas and {_AGAIN}.")
        elif group := _group(row, layout, groups, builder):
            _add_member(row, layout, group, login_domain, builder)
    for id, group in groups.items():
        builder.groups.append(ListedGroup(group.line, id, group.name, tuple(group.members.values())))
    return builder.build(GROUP_SET, table.last_line, system=CANVAS)


def _layout(table: Table, named_headers: Mapping[str, str], builder: GroupListBuilder) -> _Layout | None:
    header = table.header
    keys = [header_key(text) for text in header.cells]
    columns = {name: keys.index(name) for name in _COLUMNS if name in keys}
    for name in columns:
        if keys.count(name) > 1:
            builder.add_problem(header.line, f"several columns are named {quoted(name)}: {_AGAIN}.")
    email_column = named_headers.get("email", "")
    wanted = header_key(email_column)
    if wanted and keys.count(wanted) != 1:
        present = ", ".join(quoted(text.strip()) for text in header.cells if text.strip())
        how_often = "several columns are" if wanted in keys else "no column is"
        message = f"{how_often} named {quoted(email_column)} (--column email): the file has {present}."
        builder.add_problem(header.line, message)
    if header_key(named_headers.get("group", "")) not in ("", _GROUP_NAME):
        message = f"--column group cannot be used, because the groups of a {GROUP_SET} are in {quoted(_GROUP_NAME)}."
        builder.add_problem(header.line, message)
    if _GROUP not in columns:
        message = f"there is no column {quoted(_GROUP)}, which Canvas leaves out while no group has a student: check"
        builder.add_problem(header.line, f"{message} that it is the right group set and {_AGAIN}.")
    if builder.problems:
        return None
    chosen = [wanted] if wanted else [name for name in (_LOGIN, _SIS_USER) if name in columns]
    width = max(index + 1 for index, key in enumerate(keys) if key)
    return _Layout(columns, tuple((name, keys.index(name)) for name in chosen), width)


def _is_complete(row: Row, layout: _Layout, table: Table, builder: GroupListBuilder) -> bool:
    """Return whether the row matches the header; if it does not, add a problem, because it may hide a student."""
    user, header_width = layout.text(row, _USER), len(table.header.cells)
    if len(row.cells) < layout.width:
        what = f"{len(row.cells)} cells, but the header has {layout.width}: the row is cut off; {_AGAIN}"
    elif any(text.strip() for text in row.cells[header_width:]):
        what = f"{len(row.cells)} cells, but the header has {header_width}: a delimiter is not quoted; {_AGAIN}"
    elif any(contains_row(text, table.delimiter) for text in row.cells):
        what = f"a cell spans several rows: there is one quotation mark too many; {_AGAIN}"
    elif not _is_id(user):
        what = f"{quoted(_USER)} must be a number, not {quoted(user)}: the row is damaged; {_AGAIN}"
    else:
        return True
    builder.add_problem(row.line, f"{what}.")
    return False


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def _group(row: Row, layout: _Layout, groups: dict[str, _GroupRows], builder: GroupListBuilder) -> _GroupRows | None:
    """Return the row's group; None, with an issue, for a student in no group and for a row without a valid group."""
    id, name = layout.text(row, _GROUP), clean_name(layout.text(row, _GROUP_NAME))
    if not id and not name:
        student = layout.text(row, _LOGIN) or f"{_USER} {layout.text(row, _USER)}"
        builder.add_ignored(row.line, f"{quoted(student)} is in no group (the cell is empty).")
        return None
    if not name:
        message = f"{_GROUP} is {quoted(id)}, but {_GROUP_NAME} is empty: the row is damaged; {_AGAIN}."
    elif not _is_id(id):
        message = f"{_GROUP} of {quoted(name)} must be a number, not {quoted(id)}: {_AGAIN}."
    elif (group := groups.setdefault(id, _GroupRows(row.line, name))).name != name:
        message = f"{_GROUP} {id} is {quoted(name)} here but {quoted(group.name)} on line {group.line}: {_AGAIN}."
    else:
        return group
    builder.add_problem(row.line, message)
    return None


def _add_member(row: Row, layout: _Layout, group: _GroupRows, login_domain: str, builder: GroupListBuilder) -> None:
    found = _address(row, layout, login_domain)
    if found is None:
        seen = " and ".join(f"{name} ({quoted(cell(row, index)) or 'empty'})" for name, index in layout.addresses)
        verb = "is not an e-mail address" if len(layout.addresses) == 1 else "are not e-mail addresses"
        message = f'the student\'s {seen} {verb}: choose a column with addresses by --column email="…"'
        if not login_domain:
            message += ", or, if addresses are logins with a domain, add --login-domain DOMAIN"
        builder.add_problem(row.line, f"{message}.")
        return
    column, address = found
    if member := builder.parse_member(row.line, column, address):
        if member.email in group.members:
            first = group.members[member.email].line
            builder.add_problem(row.line, f"{member.email} is already on line {first}, in the same group.")
        group.members.setdefault(member.email, member)


def _address(row: Row, layout: _Layout, login_domain: str) -> tuple[str, str] | None:
    """Return the student's address and the name of its column, or None if no column has one."""
    cells = [(name, normalised_address(cell(row, index))) for name, index in layout.addresses]
    with_domain = [(name, f"{text}@{login_domain}") for name, text in cells[:1] if login_domain and "@" not in text]
    return next(((name, text) for name, text in [*cells, *with_domain] if is_address(text)), None)
