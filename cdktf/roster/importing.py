"""What an export makes of the stored roster, and the report on it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from roster.changes import as_data, changes_between, counts_of, in_words
from roster.group_list import GroupList
from roster.merge import Merged, merge, shared_names
from roster.model import Roster
from roster.validation import RosterLimits, judge, judge_moves, sentences

_IGNORED_SHOWN = 12


class Refusal(Exception):
    """Nothing was written; `problems` are the sentences that say why."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class Source:
    """An export as read: what it lists, and how its text was found to be written."""

    listed: GroupList
    encoding: str


@dataclass(frozen=True)
class Import:
    """One import, before anything is written."""

    source: Source
    stored: Roster
    merged: Merged
    roster: Roster
    warnings: tuple[str, ...]
    checked: int | None

    @property
    def new_addresses(self) -> set[str]:
        """The addresses that no roster knew: neither the stored one nor, if the export is one, the export."""
        rosters = (self.stored, self.source.listed.roster or Roster())
        known = {member.email for roster in rosters for group in roster.groups for member in group.members}
        return {member.email for group in self.roster.groups for member in group.members} - known


def decide(file: str, source: Source, stored: Roster, limits: RosterLimits) -> Import:
    """What the export makes of the roster. Raises Refusal with every problem at once."""
    verdict = judge(source.listed, stored, limits)
    if problems := sorted({*verdict.problems, *shared_names(stored, source.listed.groups)}):
        raise Refusal(sentences(file, problems))
    merged = merge(stored, source.listed)
    moves = judge_moves(source.listed, stored, merged.roster, limits)
    if moves.problems:
        raise Refusal(sentences(file, moves.problems))
    warnings = sorted({*verdict.warnings, *moves.warnings})
    return Import(source, stored, merged, merged.roster, tuple(sentences(file, warnings)), None)


def report(result: Import, *, export: str, out: str, written: bool, dry_run: bool) -> Iterator[str]:
    """What happened, line by line; `export` is the name of the file."""
    listed = result.source.listed
    yield f"{export}: {listed.format}, {result.source.encoding}"
    yield ""
    changes = changes_between(result.stored, result.roster)
    first = not result.stored.groups
    yield from in_words(changes, counts_of(result.roster), result.merged.recognitions, first=first)
    if listed.ignored:
        yield ""
        yield f"Left out: {len(listed.ignored)} {'row' if len(listed.ignored) == 1 else 'rows'} of the export"
        yield from (f"  line {remark.line}: {remark.sentence}" for remark in listed.ignored[:_IGNORED_SHOWN])
        if len(listed.ignored) > _IGNORED_SHOWN:
            yield f"  … and {len(listed.ignored) - _IGNORED_SHOWN} more, down to line {listed.ignored[-1].line}"
    if result.checked is not None:
        yield f"Accounts: {result.checked} of the new addresses had one already; they are looked up, never managed."
    if dry_run:
        yield "Dry run: nothing was written."
    else:
        yield f"{'Written to' if written else 'Already so in'} {out}."


def data_of(result: Import, *, export: str, out: str, written: bool) -> dict[str, Any]:
    """The report for programs."""
    listed = result.source.listed
    changes = changes_between(result.stored, result.roster)
    return {
        "export": export,
        "out": out,
        "written": written,
        "format": listed.format,
        "encoding": result.source.encoding,
        **as_data(changes, counts_of(result.roster), result.merged.recognitions),
        "ignored": [{"line": remark.line, "sentence": remark.sentence} for remark in listed.ignored],
        "warnings": list(result.warnings),
        "existing_accounts": result.checked,
        "problems": [],
    }
