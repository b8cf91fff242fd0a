"""Finds the names in the group column that mean “in no group”. Pure.

Moodle writes the overview in this order: the groupings with their groups, then the groups in no grouping (one row with
only a name if a group has none), then the students in no group, if there are any. So if the terms of the last block are
unknown, it is recognised by its position after the groups in no grouping.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from labkit.tables import Row
from labkit.text import quoted
from roster.group_list import GroupListBuilder
from roster.names import plain_name
from sources.columns import Columns, cell, name_at
from sources.moodle_terms import NO_GROUP_TERMS, NOT_IN_GROUP_TERMS, NOT_IN_GROUPING_TERMS, term_key


@dataclass(frozen=True)
class GroupNameHints:
    """Hints about names in the group column: labels that mean “in no group”, and names that are groups.

    `known_groups` are the names of the roster's groups. Such a name can still be a label, because an earlier import may
    have mistaken a label for a group.
    """

    no_group: Sequence[str] = ()
    groups: Collection[str] = ()
    known_groups: Collection[str] = ()


def no_group_labels(
    rows: Sequence[Row], columns: Columns, hints: GroupNameHints, builder: GroupListBuilder
) -> frozenset[str]:
    """Return the names (spelled as in the cells) that mean “in no group”; an ambiguous name is added as a problem."""
    names = {name for row in rows if (name := name_at(row, columns.group))}
    labels = {name for name in names if term_key(name) in NO_GROUP_TERMS}
    for label in hints.no_group:
        labels |= _names_matching(label, names, columns, rows, builder)
    labels |= set(_groups_by_grouping(rows, columns))
    groups = {plain_name(name) for name in hints.groups}
    last = _last_group(rows, columns)
    if last and last.name not in labels and plain_name(last.name) not in groups:
        if last.is_no_group:
            labels.add(last.name)
        elif last.is_ambiguous:
            title = quoted(last.name)
            builder.add_problem(
                last.line,
                f"{title} may be a group or Moodle's label for students in no group: "
                f"add --group {title} or --no-group {title}.",
            )
    return frozenset(label for label in labels if plain_name(label) not in groups)


def _names_matching(
    label: str, names: Collection[str], columns: Columns, rows: Sequence[Row], builder: GroupListBuilder
) -> set[str]:
    """Return the name that matches `--no-group`: an exact match, else the only match ignoring case and brackets."""
    exact = {name for name in names if plain_name(name) == plain_name(label)}
    if exact:
        return exact
    similar = sorted(name for name in names if term_key(name) == term_key(label))
    if len(similar) > 1:
        line = next(row.line for row in rows if name_at(row, columns.group) in similar)
        fitting = " and ".join(quoted(name) for name in similar)
        builder.add_problem(line, f"--no-group {quoted(label)} matches {fitting}: write it exactly as in the file.")
        return set()
    return set(similar)


def _groups_by_grouping(rows: Sequence[Row], columns: Columns) -> Iterator[str]:
    """Yield the only group in a grouping named “not in a group”, whatever the group's own name is.

    Terms that some language also uses for “not in a grouping” are not evidence.
    """
    if not 0 < columns.group < columns.email:
        return
    names_of: dict[str, set[str]] = {}
    for row in rows:
        if name := name_at(row, columns.group):
            names_of.setdefault(term_key(row.cells[columns.group - 1]), set()).add(name)
    for grouping, names in names_of.items():
        elsewhere = {name for other, others in names_of.items() if other != grouping for name in others}
        if grouping in NOT_IN_GROUP_TERMS - NOT_IN_GROUPING_TERMS and len(names) == 1 and not names & elsewhere:
            yield from names


@dataclass(frozen=True)
class _LastGroup:
    """The last group in the file, and whether it contains the students in no group, judged by the rows before it."""

    line: int
    name: str
    is_no_group: bool
    is_ambiguous: bool


def _last_group(rows: Sequence[Row], columns: Columns) -> _LastGroup | None:
    """Return the last group if it can contain the students in no group: it occurs once, and each row has a person."""
    if columns.grouping is None or not columns.has_blocks or not rows:
        return None
    places = [(cell(row, columns.grouping), name_at(row, columns.group)) for row in rows]
    grouping, name = places[-1]
    first = len(rows)
    while first and places[first - 1] == (grouping, name):
        first -= 1
    if not name or not first or any(other == name for _, other in places[:first]):
        return None
    if any(not has_person_data(row, columns) for row in rows[first:]):
        return None
    word = term_key(grouping)
    if word in NOT_IN_GROUPING_TERMS - NOT_IN_GROUP_TERMS:
        return None
    before, _ = places[first - 1]
    behind_empty = not places[first - 1][1] and not has_person_data(rows[first - 1], columns)
    behind_no_grouping = before != grouping and term_key(before) in NOT_IN_GROUPING_TERMS
    is_no_group = behind_empty or behind_no_grouping
    is_ambiguous = (
        not is_no_group and word not in NOT_IN_GROUPING_TERMS and _can_be_no_grouping(places[:first], before, grouping)
    )
    return _LastGroup(rows[first].line, name, is_no_group, is_ambiguous)


def _can_be_no_grouping(places: Sequence[tuple[str, str]], before: str, last: str) -> bool:
    """Return whether the grouping before the last one can be “not in a grouping”: its groups are in no other."""
    names = {name for grouping, name in places if grouping == before}
    others = {name for grouping, name in places if grouping != before}
    return last not in {grouping for grouping, _ in places} and not names & others


def has_person_data(row: Row, columns: Columns) -> bool:
    """Return whether the row has data other than a grouping and a group."""
    group_columns = (columns.group, columns.grouping)
    return any(cell(row, index) for index in range(len(row.cells)) if index not in group_columns)
