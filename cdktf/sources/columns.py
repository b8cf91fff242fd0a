"""Which column of an export with one row per student is which. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from labkit.tables import Row, Table
from labkit.text import quoted
from roster.group_list import Findings
from sources.words import EMAIL, GROUP, GROUPING, PERSON, word_key

OVERVIEW = "Groups overview"
PARTICIPANTS = "Participants"
CHOICE = "Group choice"

# Where the formats have their columns, for headers in a language that we have no words of.
_OVERVIEW_GROUPING, _OVERVIEW_GROUP, _OVERVIEW_FIRST_IDENTITY = 0, 1, 4
_CHOICE_EMAIL, _CHOICE_GROUP, _CHOICE_WIDTH = 3, 4, 6
_ADDRESS_SHARE = 0.8
_MEMBERS_PER_GROUP = 1.5


@dataclass(frozen=True)
class Columns:
    """The columns of one file. `grouping` is the column before the group, if it says nothing of a person.

    `has_blocks`: the rows lie in blocks as in Moodle's overview. `width` is the number of cells that each row needs.
    """

    format: str
    email: int
    group: int
    grouping: int | None
    has_blocks: bool
    width: int


def cell(row: Row, index: int) -> str:
    """The text of a cell without blanks around it, "" where the row has none."""
    return row.cells[index].strip() if index < len(row.cells) else ""


def name_in(row: Row, index: int) -> str:
    """The name in a cell, exactly as it is there; "" if there is nothing but blanks."""
    return row.cells[index] if cell(row, index) else ""


def says_more(row: Row, index: int) -> bool:
    """Whether there is anything in the cells behind this one."""
    return any(text.strip() for text in row.cells[index + 1 :])


def find_columns(table: Table, named: Mapping[str, str], findings: Findings) -> Columns | None:
    """The columns of a table, by the headers that `named` has for "email" and "group", else by words and structure.

    None where the table is no known export or, with a problem in `findings`, where a column cannot be told.
    """
    header = table.header
    email = _named(header, named["email"], "email", findings) if named.get("email") else _email_column(table, findings)
    if email is None:
        if not findings.problems and any(word_key(name) in GROUP for name in header.cells):
            sentence = "names groups, but no column holds addresses: let Moodle show them (Site administration → "
            sentence += 'Users → User policies → Show user identity), or name the column with --column email="…".'
            findings.problem(header.line, sentence)
        return None
    group = _named(header, named["group"], "group", findings) if named.get("group") else None
    if group is None and not findings.problems:
        group = _group_column(table, email, findings)
    if group == email:
        findings.problem(header.line, f"column {quoted(header.cells[email])} cannot hold both addresses and groups.")
        return None
    return None if group is None else _columns(table, email, group)


def _columns(table: Table, email: int, group: int) -> Columns:
    names = [word_key(name) for name in table.header.cells]
    width = max((index + 1 for index, name in enumerate(names) if name), default=0)
    before = names[group - 1] if email > group > 0 else ""
    has_blocks = before in GROUPING or _lies_in_blocks(table, email, group)
    is_in_place = group == _OVERVIEW_GROUP and email >= _OVERVIEW_FIRST_IDENTITY and before not in PERSON | EMAIL
    if group < email:
        format_name = OVERVIEW
    else:
        filled = sum(says_more(row, group) for row in table.rows)
        format_name = CHOICE if width > group + 1 and 2 * filled <= len(table.rows) else PARTICIPANTS
    return Columns(
        format_name,
        email,
        group,
        grouping=group - 1 if has_blocks or is_in_place else None,
        has_blocks=has_blocks,
        width=max(width, email + 1, group + 1),
    )


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
    hinted = [index for index, name in enumerate(header) if word_key(name) in EMAIL]
    holding = [index for index in range(len(header)) if _share_of_addresses(table.rows, index) >= _ADDRESS_SHARE]
    best = [index for index in holding if index in hinted] or holding or hinted
    if len(best) > 1:
        names = ", ".join(quoted(header[index].strip()) for index in best)
        findings.problem(table.header.line, f'several columns hold addresses ({names}): name one, --column email="…".')
    return best[0] if len(best) == 1 else None


def _share_of_addresses(rows: Sequence[Row], index: int) -> float:
    cells = [text for row in rows if (text := cell(row, index))]
    return sum("@" in text for text in cells) / len(cells) if cells else 0.0


def _group_column(table: Table, email: int, findings: Findings) -> int | None:
    """By a word for groups, else by the structure of a format. The place of a column alone says nothing: where the
    overview has the group, a grades export has the last name."""
    header = table.header
    hinted = [index for index, name in enumerate(header.cells) if word_key(name) in GROUP and index != email]
    if len(hinted) == 1:
        return hinted[0]
    if len(hinted) > 1:
        names = ", ".join(quoted(header.cells[index].strip()) for index in hinted)
        findings.problem(header.line, f'several columns are named like groups ({names}): name one, --column group="…".')
        return None
    if _lies_in_blocks(table, email, _OVERVIEW_GROUP) and _has_row_without_people(table):
        return _OVERVIEW_GROUP
    if _is_choice(table, email):
        return _CHOICE_GROUP
    sentence = (
        f"column {quoted(header.cells[email].strip())} holds addresses, but no column can be told to be the group: "
        "download the groups (a grades export has none), or, if a column has them, name it with "
        '--column group="…".'
    )
    findings.problem(header.line, sentence)
    return None


def _lies_in_blocks(table: Table, email: int, group: int) -> bool:
    """Whether the rows lie as in the overview: groupings as blocks, their groups as blocks in them, several people to
    a group, and somewhere several groups in a grouping or one without people."""
    header = [word_key(name) for name in table.header.cells]
    if group != _OVERVIEW_GROUP or email < _OVERVIEW_FIRST_IDENTITY:
        return False
    if any(header[index] in PERSON | EMAIL for index in (_OVERVIEW_GROUPING, _OVERVIEW_GROUP)):
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
    """Whether a row has a grouping and nothing of a person. Nearly every overview has one, and no list of people."""
    return any(cell(row, _OVERVIEW_GROUPING) and not says_more(row, _OVERVIEW_GROUP) for row in table.rows)


def _is_choice(table: Table, email: int) -> bool:
    """Whether the table is shaped as Group choice: six columns, the last one empty, and several people to a group."""
    header = [word_key(name) for name in table.header.cells]
    if email != _CHOICE_EMAIL or len(header) != _CHOICE_WIDTH or header[_CHOICE_GROUP] in PERSON | EMAIL:
        return False
    if any(says_more(row, _CHOICE_GROUP) for row in table.rows):
        return False
    groups = Counter(text for row in table.rows if (text := cell(row, _CHOICE_GROUP)) and cell(row, email))
    return bool(groups) and groups.total() >= _MEMBERS_PER_GROUP * len(groups)
