"""Finds the columns in an export with one row per student. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from labkit.tables import Row, Table
from labkit.text import quoted
from roster.group_list import GroupListBuilder
from sources.moodle_terms import EMAIL_TERMS, GROUP_TERMS, GROUPING_TERMS, PERSON_TERMS, term_key

OVERVIEW = "Groups overview"
PARTICIPANTS = "Participants"
CHOICE = "Group choice"

# The columns in each format, for headers in an unknown language.
_OVERVIEW_GROUPING, _OVERVIEW_GROUP, _OVERVIEW_FIRST_IDENTITY = 0, 1, 4
_CHOICE_EMAIL, _CHOICE_GROUP, _CHOICE_WIDTH = 3, 4, 6
_ADDRESS_SHARE = 0.8
_MEMBERS_PER_GROUP = 1.5


@dataclass(frozen=True)
class Columns:
    """The columns in one file. `grouping` is the column before the group, if it contains no personal data.

    `has_blocks` means that the rows are grouped in blocks, as in Moodle's overview. `width` is the number of cells that
    each row needs.
    """

    format: str
    email: int
    group: int
    grouping: int | None
    has_blocks: bool
    width: int


def cell(row: Row, index: int) -> str:
    """Return a cell's text without surrounding blanks, or "" if the row has no such cell."""
    return row.cells[index].strip() if index < len(row.cells) else ""


def name_at(row: Row, index: int) -> str:
    """Return the exact text of a cell; "" if it has only blanks."""
    return row.cells[index] if cell(row, index) else ""


def has_text_after(row: Row, index: int) -> bool:
    """Return whether a cell after this one has text."""
    return any(text.strip() for text in row.cells[index + 1 :])


def contains_row(text: str, delimiter: str) -> bool:
    """Return whether a cell contains a part of another row."""
    return ("\n" in text or "\r" in text) and ("@" in text or (bool(delimiter) and delimiter in text))


def find_columns(table: Table, named_headers: Mapping[str, str], builder: GroupListBuilder) -> Columns | None:
    """Find a table's columns by the headers in `named_headers` ("email", "group"), else by terms and structure.

    Return None if the table is not a known export, or if a column is ambiguous; the latter adds a problem to `builder`.
    """
    header = table.header
    email = (
        _column_named(header, named_headers["email"], "email", builder)
        if named_headers.get("email")
        else _email_column(table, builder)
    )
    if email is None:
        if not builder.problems and any(term_key(name) in GROUP_TERMS for name in header.cells):
            message = "the file has groups, but no column with addresses: let Moodle show them (Site administration → "
            message += 'Users → User policies → Show user identity), or specify the column with --column email="…".'
            builder.add_problem(header.line, message)
        return None
    group = _column_named(header, named_headers["group"], "group", builder) if named_headers.get("group") else None
    if group is None and not builder.problems:
        group = _group_column(table, email, builder)
    if group == email:
        builder.add_problem(header.line, f"column {quoted(header.cells[email])} cannot hold both addresses and groups.")
        return None
    return None if group is None else _columns(table, email, group)


def _columns(table: Table, email: int, group: int) -> Columns:
    names = [term_key(name) for name in table.header.cells]
    width = max((index + 1 for index, name in enumerate(names) if name), default=0)
    before = names[group - 1] if email > group > 0 else ""
    has_blocks = before in GROUPING_TERMS or _has_block_layout(table, email, group)
    is_in_place = (
        group == _OVERVIEW_GROUP and email >= _OVERVIEW_FIRST_IDENTITY and before not in PERSON_TERMS | EMAIL_TERMS
    )
    if group < email:
        format_name = OVERVIEW
    else:
        filled = sum(has_text_after(row, group) for row in table.rows)
        format_name = CHOICE if width > group + 1 and 2 * filled <= len(table.rows) else PARTICIPANTS
    return Columns(
        format_name,
        email,
        group,
        grouping=group - 1 if has_blocks or is_in_place else None,
        has_blocks=has_blocks,
        width=max(width, email + 1, group + 1),
    )


def _column_named(header: Row, name: str, option: str, builder: GroupListBuilder) -> int | None:
    keys = [term_key(cell) for cell in header.cells]
    if keys.count(term_key(name)) == 1:
        return keys.index(term_key(name))
    present = ", ".join(quoted(cell.strip()) for cell in header.cells if cell.strip())
    how_often = "several columns are" if term_key(name) in keys else "no column is"
    builder.add_problem(header.line, f"{how_often} named {quoted(name)} (--column {option}): the file has {present}.")
    return None


def _email_column(table: Table, builder: GroupListBuilder) -> int | None:
    header = table.header.cells
    hinted = [index for index, name in enumerate(header) if term_key(name) in EMAIL_TERMS]
    address_columns = [
        index for index in range(len(header)) if _share_of_addresses(table.rows, index) >= _ADDRESS_SHARE
    ]
    best = [index for index in address_columns if index in hinted] or address_columns or hinted
    if len(best) > 1:
        names = ", ".join(quoted(header[index].strip()) for index in best)
        builder.add_problem(
            table.header.line, f'several columns hold addresses ({names}): choose one with --column email="…".'
        )
    return best[0] if len(best) == 1 else None


def _share_of_addresses(rows: Sequence[Row], index: int) -> float:
    cells = [text for row in rows if (text := cell(row, index))]
    return sum("@" in text for text in cells) / len(cells) if cells else 0.0


def _group_column(table: Table, email: int, builder: GroupListBuilder) -> int | None:
    """Find the group column by a term for groups, else by a format's structure.

    The position alone is not enough: where the overview has the group, a grades export has the last name.
    """
    header = table.header
    hinted = [index for index, name in enumerate(header.cells) if term_key(name) in GROUP_TERMS and index != email]
    if len(hinted) == 1:
        return hinted[0]
    if len(hinted) > 1:
        names = ", ".join(quoted(header.cells[index].strip()) for index in hinted)
        builder.add_problem(
            header.line, f'several columns may be the group ({names}): choose one with --column group="…".'
        )
        return None
    if _has_block_layout(table, email, _OVERVIEW_GROUP) and _has_row_without_people(table):
        return _OVERVIEW_GROUP
    if _has_choice_layout(table, email):
        return _CHOICE_GROUP
    message = (
        f"column {quoted(header.cells[email].strip())} holds addresses, but no group column was found: download the "
        "groups (a grades export has none), or, if a column has them, specify it with "
        '--column group="…".'
    )
    builder.add_problem(header.line, message)
    return None


def _has_block_layout(table: Table, email: int, group: int) -> bool:
    """Return whether the rows are ordered as in the overview.

    That means: groupings are blocks of rows, their groups are blocks inside them, groups have several people, and at
    least one grouping has several groups or a group has no people.
    """
    header = [term_key(name) for name in table.header.cells]
    if group != _OVERVIEW_GROUP or email < _OVERVIEW_FIRST_IDENTITY:
        return False
    if any(header[index] in PERSON_TERMS | EMAIL_TERMS for index in (_OVERVIEW_GROUPING, _OVERVIEW_GROUP)):
        return False
    rows = [row for row in table.rows if not row.is_blank]
    pairs = [(cell(row, _OVERVIEW_GROUPING), cell(row, _OVERVIEW_GROUP)) for row in rows]
    blocks = [grouping for grouping, _ in groupby(grouping for grouping, _ in pairs)]
    runs = [pair for pair, _ in groupby(pairs)]
    if len(blocks) > len(set(blocks)) or len(runs) > len(set(runs)):
        return False
    people = Counter(pair for row, pair in zip(rows, pairs, strict=True) if pair[1] and cell(row, email))
    several = len({grouping for grouping, _ in people}) < len(people) or _has_row_without_people(table)
    return bool(people) and people.total() >= _MEMBERS_PER_GROUP * len(people) and several


def _has_row_without_people(table: Table) -> bool:
    """Return whether a row has a grouping but no personal data, as in most overviews and in no list of people."""
    return any(cell(row, _OVERVIEW_GROUPING) and not has_text_after(row, _OVERVIEW_GROUP) for row in table.rows)


def _has_choice_layout(table: Table, email: int) -> bool:
    """Return whether the table looks like Group choice: six columns, the last one empty, several people per group."""
    header = [term_key(name) for name in table.header.cells]
    if email != _CHOICE_EMAIL or len(header) != _CHOICE_WIDTH or header[_CHOICE_GROUP] in PERSON_TERMS | EMAIL_TERMS:
        return False
    if any(has_text_after(row, _CHOICE_GROUP) for row in table.rows):
        return False
    groups = Counter(text for row in table.rows if (text := cell(row, _CHOICE_GROUP)) and cell(row, email))
    return bool(groups) and groups.total() >= _MEMBERS_PER_GROUP * len(groups)
