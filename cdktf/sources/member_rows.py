"""The exports with one row per student: Moodle's Groups overview and Group choice, in any language. Pure."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.tables import Row, Table
from labkit.text import quoted
from roster.cells import clean_name, name_key
from roster.group_list import Findings, GroupList, ListedGroup, ListedMember
from sources.words import EMAIL, GROUP, NO_GROUP, word_key

OVERVIEW = "Groups overview"
CHOICE = "Group choice"

# Where the two formats have their columns, for headers in a language that we have no words of.
_OVERVIEW_GROUP, _OVERVIEW_FIRST_IDENTITY = 1, 4
_CHOICE_EMAIL, _CHOICE_GROUP = 3, 4
_ADDRESS_SHARE = 0.8


@dataclass(frozen=True)
class _Columns:
    email: int
    group: int

    @property
    def is_choice(self) -> bool:
        """Group choice has the student first and the group last; the overview has the group first."""
        return self.email < self.group


def read_members(
    table: Table, *, email_column: str = "", group_column: str = "", no_group: Sequence[str] = ()
) -> GroupList | None:
    """The groups of either format; None where neither an address nor a group column can be told.

    `no_group` are further labels that stand for “in no group”.
    """
    findings = Findings()
    columns = _columns(table, email_column, group_column, findings)
    if columns is None:
        return findings.listed(OVERVIEW, table.last_line) if findings.problems else None
    labels = NO_GROUP | {word_key(label) for label in no_group}
    rows = [row for row in table.rows if not row.is_blank]
    column = clean_name(table.header.cells[columns.email])
    if columns.is_choice:
        _read(rows, columns, labels, column, findings)
        _refuse_several_groups(rows, columns, findings)
        return findings.listed(CHOICE, table.last_line)
    _read(rows, columns, labels | _lone_groups(rows, columns, labels), column, findings)
    return findings.listed(OVERVIEW, table.last_line)


def _columns(table: Table, email_column: str, group_column: str, findings: Findings) -> _Columns | None:
    header = table.header
    email = _named(header, email_column, "email", findings) if email_column else _email_column(table, findings)
    if email is None:
        if not findings.problems and any(word_key(cell) in GROUP for cell in header.cells):
            sentence = "names groups, but no column holds addresses: let Moodle show them (Site administration → "
            sentence += 'Users → User policies → Show user identity), or name the column with --column email="…".'
            findings.problem(header.line, sentence)
        return None
    if group_column:
        group = _named(header, group_column, "group", findings)
    else:
        group = _group_column(table, email)
        if group is None:
            sentence = (
                f"column {quoted(header.cells[email].strip())} holds addresses, but no column can be told to be the "
                'group: name it with --column group="…", or download the groups, not the participants or the grades.'
            )
            findings.problem(header.line, sentence)
    return None if group is None else _Columns(email, group)


def _named(header: Row, name: str, option: str, findings: Findings) -> int | None:
    keys = [word_key(cell) for cell in header.cells]
    if keys.count(word_key(name)) == 1:
        return keys.index(word_key(name))
    present = ", ".join(quoted(cell.strip()) for cell in header.cells if cell.strip())
    how_often = "several columns are" if word_key(name) in keys else "no column is"
    findings.problem(header.line, f"{how_often} called {quoted(name)} (--column {option}): the file has {present}.")
    return None


def _email_column(table: Table, findings: Findings) -> int | None:
    header = table.header.cells
    hinted = [index for index, cell in enumerate(header) if word_key(cell) in EMAIL]
    holding = [index for index in range(len(header)) if _share_of_addresses(table.rows, index) >= _ADDRESS_SHARE]
    best = [index for index in holding if index in hinted] or holding or hinted
    if len(best) > 1:
        names = ", ".join(quoted(header[index].strip()) for index in best)
        findings.problem(table.header.line, f'several columns hold addresses ({names}): name one, --column email="…".')
    return best[0] if len(best) == 1 else None


def _share_of_addresses(rows: Sequence[Row], index: int) -> float:
    cells = [row.cells[index].strip() for row in rows if index < len(row.cells) and row.cells[index].strip()]
    return sum("@" in cell for cell in cells) / len(cells) if cells else 0.0


def _group_column(table: Table, email: int) -> int | None:
    header = table.header.cells
    hinted = [index for index, cell in enumerate(header) if word_key(cell) in GROUP]
    if len(hinted) == 1:
        return hinted[0]
    # By place, for a header in another language; the student's last name, which other exports have there, differs
    # from row to row, while groups repeat.
    place = _OVERVIEW_GROUP if email >= _OVERVIEW_FIRST_IDENTITY else _CHOICE_GROUP if email == _CHOICE_EMAIL else None
    if place is None or place >= len(header):
        return None
    groups = Counter(_cell(row, place) for row in table.rows if _cell(row, place) and _cell(row, email))
    return place if groups and sum(groups.values()) >= 1.5 * len(groups) else None


def _cell(row: Row, index: int) -> str:
    return row.cells[index].strip() if index < len(row.cells) else ""


def _lone_groups(rows: Sequence[Row], columns: _Columns, labels: frozenset[str]) -> frozenset[str]:
    """The one group of a grouping called “not in a group”, whatever the group itself is called.

    A grouping with several groups is no such thing: some languages call “not in a grouping” the same.
    """
    groupings: dict[str, set[str]] = {}
    for row in rows:
        if columns.group > 0 and _cell(row, columns.group):
            groupings.setdefault(word_key(row.cells[columns.group - 1]), set()).add(word_key(_cell(row, columns.group)))
    lone = {next(iter(groups)) for grouping, groups in groupings.items() if grouping in labels and len(groups) == 1}
    elsewhere = {group for grouping, groups in groupings.items() if grouping not in labels for group in groups}
    return frozenset(lone - elsewhere)


def _read(rows: Sequence[Row], columns: _Columns, labels: frozenset[str], column: str, findings: Findings) -> None:
    lines: dict[str, tuple[int, str]] = {}
    members: dict[str, dict[str, ListedMember]] = {}
    for row in rows:
        group, address = clean_name(_cell(row, columns.group)), _cell(row, columns.email)
        people = {index for index in range(len(row.cells)) if index not in (columns.group, columns.group - 1)}
        has_person = bool(address) or any(_cell(row, index) for index in people)
        if not group or word_key(group) in labels:
            _ignore(row, group, address, has_person, findings)
            continue
        key = name_key(group)
        lines.setdefault(key, (row.line, group))
        members.setdefault(key, {})
        if address:
            if member := findings.member(row.line, column, address):
                members[key].setdefault(member.email, member)
        elif has_person:
            findings.problem(row.line, f"a student of group {quoted(group)} has no address.")
    for key, (line, group) in lines.items():
        findings.groups.append(ListedGroup(line, moodle_name=_name(group), members=tuple(members[key].values())))


def _name(group: str) -> str:
    """The overview writes a name as HTML does: R&amp;D."""
    return clean_name(html.unescape(group))


def _ignore(row: Row, group: str, address: str, has_person: bool, findings: Findings) -> None:
    who = quoted(address) if address else "a student without address"
    if group and has_person:
        findings.ignore(row.line, f"{who} is in no group ({quoted(group)}).")
    elif has_person:
        findings.ignore(row.line, f"{who} is in no group (the cell is empty).")
    else:
        findings.ignore(row.line, "the row names no group and no student.")


def _refuse_several_groups(rows: Sequence[Row], columns: _Columns, findings: Findings) -> None:
    """Group choice writes several groups of a student into one cell, with ", " between them."""
    whole = {name_key(_cell(row, columns.group)) for row in rows}
    for row in rows:
        groups = [clean_name(part) for part in _cell(row, columns.group).split(", ")]
        if len(groups) > 1 and any(name_key(group) in whole for group in groups):
            names = " and ".join(quoted(group) for group in groups)
            student = quoted(_cell(row, columns.email))
            findings.problem(row.line, f"{student} is in {len(groups)} groups, {names}; a student can be in one.")
