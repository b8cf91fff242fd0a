"""Which export a file is, and what it lists. Pure: bytes in, values out.

Known: Moodle's Group self-selection, Groups overview and Group choice, the older users.csv, our own normalised file;
each also as a spreadsheet saves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labkit.addresses import normalised_address
from labkit.formats.roster_file import is_normalised_header
from labkit.tables import Table, TextError, read_table
from labkit.text import quoted
from roster.group_list import GroupList, ListedGroup, ListedMember, Remark
from roster.model import MOODLE, RosterError, parse_roster
from sources.group_rows import is_older_users, is_self_selection, read_older_users, read_self_selection
from sources.member_rows import read_members

NORMALISED = "normalised roster"
KNOWN = "Group self-selection CSV, Groups overview CSV, Group choice TXT, users.csv and the normalised roster"


def read_export(text: str, *, columns: Mapping[str, str] | None = None, no_group: Sequence[str] = ()) -> GroupList:
    """Everything the export lists, with all its problems.

    `columns` maps "email" and "group" to the headers they have in this file; `no_group` are labels that stand for
    “in no group”. A text that is no known export gives a list without groups and one problem.
    """
    columns = columns or {}
    try:
        table = read_table(text, origin=MOODLE)
    except TextError as error:
        return GroupList("unknown", (), error.line, (Remark(error.line, error.sentence),))
    if is_normalised_header(table.header.cells):
        listed: GroupList | None = _read_normalised(text, table)
    elif is_self_selection(table.header.cells):
        listed = read_self_selection(table, columns.get("email", ""))
    elif is_older_users(table.header.cells):
        listed = read_older_users(table)
    else:
        email, group = columns.get("email", ""), columns.get("group", "")
        listed = read_members(table, email_column=email, group_column=group, no_group=no_group)
    if listed is None:
        return GroupList("unknown", (), table.last_line, (Remark(table.header.line, _unknown(table)),))
    if not listed.groups and not listed.problems and not (listed.roster and listed.roster.groups):
        what = "a header and nothing below it" if not table.rows else "no group"
        problem = Remark(table.last_line, f"the {listed.format} holds {what}; check course and activity.")
        return GroupList(listed.format, (), listed.last_line, (problem,), listed.ignored)
    return listed


def _unknown(table: Table) -> str:
    seen = ", ".join(quoted(cell.strip()) for cell in table.header.cells[:6])
    return f"is not a known export ({KNOWN}): its first line has {len(table.header.cells)} cells, {seen}."


def _read_normalised(text: str, table: Table) -> GroupList:
    """Our own file as an export: its active groups with their active members, and the roster as it stands."""
    try:
        roster = parse_roster(text, "")
    except RosterError as error:
        problems = tuple(_remark(problem) for problem in error.problems)
        return GroupList(NORMALISED, (), table.last_line, problems)
    line_of = _lines_of(table)
    groups = tuple(
        ListedGroup(
            line_of[str(group.number)],
            group.moodle_id,
            group.moodle_name,
            tuple(ListedMember(member.email, line_of[member.email], member.account) for member in group.active_members),
            group.number,
        )
        for group in roster.active_groups
    )
    return GroupList(NORMALISED, groups, table.last_line, roster=roster)


def _remark(problem: str) -> Remark:
    place, _, sentence = problem.strip().partition(": ")
    return Remark(int(place.removeprefix("line ")), sentence)


def _lines_of(table: Table) -> dict[str, int]:
    """The line of each address, and the first line of each number."""
    lines: dict[str, int] = {}
    for row in table.rows:
        if not row.is_blank:
            lines.setdefault(row.cells[0].strip(), row.line)
            lines.setdefault(normalised_address(row.cells[3]), row.line)
    return lines
