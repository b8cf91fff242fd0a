"""Detects the format of an export and parses it. Pure: text in, values out.

Known formats: Moodle's Group self-selection, Groups overview, Participants and Group choice, Canvas' group set, the
older users.csv and the normalised roster; each also as saved by a spreadsheet program.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from labkit.addresses import normalised_address
from labkit.formats.roster_file import is_normalised_header
from labkit.tables import Table, TableError, read_table
from labkit.text import quoted
from roster.group_list import GroupList, GroupListBuilder, Issue, ListedGroup, ListedMember
from roster.model import MOODLE, Roster, RosterError, roster_from_table
from sources.canvas import GROUP_SET, is_group_set, read_group_set
from sources.group_rows import is_older_users, is_self_selection, read_older_users, read_self_selection
from sources.member_rows import read_members
from sources.no_group import GroupNameHints

NORMALISED = "normalised roster"
KNOWN_FORMATS = (
    "Group self-selection CSV, Groups overview CSV, Participants CSV, Group choice TXT, Canvas' group set, users.csv "
    "and the normalised roster"
)


def read_export(
    content: str | Table,
    *,
    columns: Mapping[str, str] | None = None,
    no_group: Sequence[str] = (),
    groups: Collection[str] = (),
    known_groups: Collection[str] = (),
    staff: Collection[str] = (),
    login_domain: str = "",
) -> GroupList:
    """Read everything that the export lists, and all problems in it. `content` is its text, or the table of a workbook.

    `columns` maps "email" and "group" to the headers in this file. `no_group` are labels that mean “in no group”;
    `groups` are names that are groups even if they look like such labels or like several groups. `known_groups` are the
    names of the roster's groups. `staff` are normalised addresses that are excluded from all groups. `login_domain`
    turns Canvas' logins into addresses. For an unknown format the list has no groups and one problem.
    """
    columns = columns or {}
    try:
        table = content if isinstance(content, Table) else read_table(content, origin=MOODLE)
    except TableError as error:
        return GroupList("unknown", (), error.line, (Issue(error.line, error.sentence),))
    if is_normalised_header(table.header.cells):
        listed: GroupList | None = _read_normalised(table, staff)
    elif is_self_selection(table.header.cells):
        listed = read_self_selection(table, columns.get("email", ""), staff)
    elif is_group_set(table.header.cells):
        listed = read_group_set(table, columns, login_domain, staff)
    elif is_older_users(table.header.cells):
        listed = read_older_users(table, staff)
    else:
        listed = read_members(table, columns, GroupNameHints(no_group, groups, known_groups), staff)
    if listed is None:
        return GroupList("unknown", (), table.last_line, (Issue(table.header.line, _unknown_format(table)),))
    if not listed.groups and not listed.problems and not (listed.roster and listed.roster.groups):
        what = "only a header" if not table.rows else "no group"
        where = "the group set" if listed.format == GROUP_SET else "the activity"
        problem = Issue(table.last_line, f"the {listed.format} has {what}; check the course and {where}.")
        return GroupList(listed.format, (), listed.last_line, (problem,), listed.ignored)
    return listed


def _unknown_format(table: Table) -> str:
    seen = ", ".join(quoted(cell.strip()) for cell in table.header.cells[:6])
    return (
        f"the file is not a known export ({KNOWN_FORMATS}): its first line has {len(table.header.cells)} cells, {seen}."
    )


def _read_normalised(table: Table, staff: Collection[str]) -> GroupList:
    """Read a normalised roster as an export: its active groups with their active members, and the whole roster."""
    builder = GroupListBuilder(staff)
    try:
        roster = roster_from_table(table, "")
    except RosterError as error:
        problems = tuple(_issue(problem) for problem in error.problems)
        return GroupList(NORMALISED, (), table.last_line, problems)
    line_of = _lines_of(table)
    for group in roster.active_groups:
        members = tuple(
            ListedMember(member.email, line_of[member.email], member.account)
            for member in group.active_members
            if builder.parse_member(line_of[member.email], "email", member.email)
        )
        line, number = line_of[str(group.number)], group.number
        listed_group = ListedGroup(line, group.moodle_id, group.moodle_name, members, number, group.principal)
        builder.groups.append(listed_group)
    listed = builder.build(NORMALISED, table.last_line)
    return replace(listed, roster=_without_staff(roster, staff))


def _without_staff(roster: Roster, staff: Collection[str]) -> Roster:
    return Roster(
        tuple(
            replace(group, members=tuple(member for member in group.members if member.email not in staff))
            for group in roster.groups
        )
    )


def _issue(problem: str) -> Issue:
    place, _, message = problem.strip().partition(": ")
    return Issue(int(place.removeprefix("line ")), message)


def _lines_of(table: Table) -> dict[str, int]:
    """Map each address to its line, and each group number to its first line."""
    lines: dict[str, int] = {}
    for row in table.rows:
        if not row.is_blank:
            lines.setdefault(row.cells[0].strip(), row.line)
            lines.setdefault(normalised_address(row.cells[3]), row.line)
    return lines
