"""Parses exports with one row per student: Moodle's Groups overview, Participants and Group choice. Pure.

Any language is accepted. Names of groups are compared exactly: Moodle allows `Group 2` and `group 2` in one course.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from labkit.addresses import is_address, normalised_address
from labkit.tables import Row, Table
from labkit.text import quoted
from roster.group_list import GroupList, GroupListBuilder, ListedGroup, ListedMember
from roster.names import clean_name, plain_name
from sources.columns import (
    CHOICE,
    OVERVIEW,
    PARTICIPANTS,
    Columns,
    cell,
    contains_row,
    find_columns,
    has_text_after,
    name_at,
)
from sources.no_group import GroupNameHints, has_person_data, no_group_labels

_BETWEEN_GROUPS = ", "
_SHIFTED_CELLS = "a cell is missing, or there is one too many; download the file again"


def read_members(
    table: Table, named_headers: Mapping[str, str], hints: GroupNameHints, staff: Collection[str]
) -> GroupList | None:
    """Read the groups from any of these formats; return None if neither the address nor the group column is found.

    `named_headers` maps "email" and "group" to headers that the operator specified; `staff` are addresses that are
    excluded from the groups.
    """
    builder = GroupListBuilder(staff)
    columns = find_columns(table, named_headers, builder)
    if columns is None:
        return builder.build(OVERVIEW, table.last_line) if builder.problems else None
    rows = list(_valid_rows(table, columns, builder))
    labels = no_group_labels(rows, columns, hints, builder)
    rows_in_groups = list(_rows_in_groups(rows, columns, labels, builder))
    if columns.format != OVERVIEW:
        rows_in_groups = list(_rows_in_one_group(rows_in_groups, columns, hints, builder))
    _add_groups(rows_in_groups, columns, clean_name(table.header.cells[columns.email]), builder)
    return builder.build(columns.format, table.last_line)


def _valid_rows(table: Table, columns: Columns, builder: GroupListBuilder) -> Iterator[Row]:
    """Yield the rows that match the header; each other row is a problem, because it may hide a student."""
    for row in table.rows:
        if row.is_blank:
            continue
        header_width = len(table.header.cells)
        if len(row.cells) < columns.width:
            shape = f"{_cells(len(row.cells))}, but the header has {columns.width}"
            builder.add_problem(
                row.line, f"{shape}: the row is cut off or has a different delimiter; download it again."
            )
        elif any(text.strip() for text in row.cells[header_width:]):
            shape = f"{_cells(len(row.cells))}, but the header has {header_width}"
            builder.add_problem(row.line, f"{shape}: a delimiter in a cell is not quoted; download the file again.")
        elif any(contains_row(text, table.delimiter) for text in row.cells):
            message = "a cell spans several rows: there is one quotation mark too many; download the file again."
            builder.add_problem(row.line, message)
        elif is_address(normalised_address(cell(row, columns.group))):
            group = quoted(cell(row, columns.group))
            builder.add_problem(row.line, f"the row has the address {group} as its group: {_SHIFTED_CELLS}.")
        elif columns.format == CHOICE and has_text_after(row, columns.group):
            builder.add_problem(
                row.line, f"the row has text after the group, where Group choice has none: {_SHIFTED_CELLS}."
            )
        else:
            yield row


def _cells(number: int) -> str:
    return f"{number} cell" if number == 1 else f"{number} cells"


def _rows_in_groups(
    rows: Sequence[Row], columns: Columns, labels: Collection[str], builder: GroupListBuilder
) -> Iterator[Row]:
    """Yield the rows with a group. Students in no group are ignored with an issue; a damaged row is a problem."""
    for row in rows:
        name, address = name_at(row, columns.group), cell(row, columns.email)
        is_person = has_person_data(row, columns)
        student = quoted(address) if address else "a student without address"
        if name and name not in labels:
            yield row
        elif address and not is_address(normalised_address(address)):
            builder.add_problem(row.line, f"{student} is in no group and is not an e-mail address: {_SHIFTED_CELLS}.")
        elif not address and any(is_address(normalised_address(text)) for text in row.cells):
            builder.add_problem(
                row.line, f"{student} is in no group, but there is an address in a different column: {_SHIFTED_CELLS}."
            )
        elif name and is_person:
            builder.add_ignored(row.line, f"{student} is in no group ({quoted(clean_name(name))}).")
        elif is_person and columns.has_blocks:
            message = (
                f"{student} has no group and is outside the block of students without one: download the file again."
            )
            builder.add_problem(row.line, message)
        elif is_person:
            builder.add_ignored(row.line, f"{student} is in no group (the cell is empty).")
        else:
            builder.add_ignored(row.line, "the row has no group and no student.")


def _rows_in_one_group(
    rows: Sequence[Row], columns: Columns, hints: GroupNameHints, builder: GroupListBuilder
) -> Iterator[Row]:
    """Yield the rows for students in exactly one group. The cell lists all of a student's groups, separated by ", ".

    A name may contain ", ", too. In Participants, ", " separates groups unless the whole cell is a known name; in Group
    choice it does so only if the parts are groups elsewhere in the file.
    """
    known = frozenset(plain_name(name) for name in (*hints.groups, *hints.known_groups))
    cells = {name_at(row, columns.group) for row in rows}
    uses = Counter(part for name in cells for part in set(name.split(_BETWEEN_GROUPS)))
    for row in rows:
        name, address = name_at(row, columns.group), cell(row, columns.email)
        if normalised_address(address) in builder.staff:
            builder.parse_member(row.line, "", address)
            continue
        parts = _parts(name, known)
        if len(parts) < 2 or (columns.format == CHOICE and not _are_groups(parts, cells, uses)):
            yield row
            continue
        groups = " and ".join(quoted(clean_name(part)) for part in parts)
        message = f"{quoted(address)} is in {len(parts)} groups, {groups}; a student can be in only one"
        if columns.format == PARTICIPANTS:
            message += f": remove one in Moodle, or, if it is one name, add --group {quoted(clean_name(name))}"
        builder.add_problem(row.line, f"{message}.")


def _parts(name: str, known: Collection[str]) -> list[str]:
    """Return the names in a cell; the longest sequence of parts that forms a known name counts as one name."""
    pieces = name.split(_BETWEEN_GROUPS)
    longest = max((known_name.count(_BETWEEN_GROUPS) + 1 for known_name in known), default=1)
    parts, at = [], 0
    while at < len(pieces):
        lengths = range(min(longest, len(pieces) - at), 1, -1)
        length = next((length for length in lengths if _joined(pieces[at : at + length]) in known), 1)
        parts.append(_BETWEEN_GROUPS.join(pieces[at : at + length]))
        at += length
    return parts


def _joined(pieces: Iterable[str]) -> str:
    return plain_name(_BETWEEN_GROUPS.join(pieces))


def _are_groups(parts: Sequence[str], cells: Collection[str], uses: Mapping[str, int]) -> bool:
    """Return whether the parts of a name are groups: a part is a whole cell elsewhere, or each part is also in other
    cells.

    `uses` is the number of different cells that contain a part.
    """
    return any(part in cells for part in parts) or all(uses[part] > 1 for part in parts)


def _add_groups(rows: Sequence[Row], columns: Columns, column: str, builder: GroupListBuilder) -> None:
    lines: dict[str, int] = {}
    members: dict[str, dict[str, ListedMember]] = {}
    for row in rows:
        name, address = name_at(row, columns.group), cell(row, columns.email)
        lines.setdefault(name, row.line)
        group = members.setdefault(name, {})
        if address:
            if member := builder.parse_member(row.line, column, address):
                group.setdefault(member.email, member)
        elif has_person_data(row, columns):
            builder.add_problem(row.line, f"a student of group {quoted(clean_name(name))} has no address.")
    _refuse_near_duplicates(lines, builder)
    for name, line in lines.items():
        builder.groups.append(ListedGroup(line, moodle_name=_decoded_name(name), members=tuple(members[name].values())))


def _refuse_near_duplicates(lines: Mapping[str, int], builder: GroupListBuilder) -> None:
    """Refuse names that become equal in the roster, which removes double blanks, invisible marks and entities."""
    first: dict[str, str] = {}
    for name, line in lines.items():
        other = first.setdefault(plain_name(name), name)
        if other != name:
            both = f"{quoted(name)} and, on line {lines[other]}, {quoted(other)}"
            message = f"{both} differ only in blanks, invisible marks or entities: rename one in Moodle and download"
            builder.add_problem(line, f"{message} again.")


def _decoded_name(group: str) -> str:
    """Return a group's name without HTML entities: the overview writes R&amp;D."""
    return clean_name(html.unescape(group))
