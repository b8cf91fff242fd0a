"""Applies an export to the stored roster and reports the result. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from roster.changes import change_lines, changes_between, changes_json, count_roster
from roster.group_list import GroupList
from roster.merge import MergeResult, ambiguous_names, merge
from roster.model import Roster
from roster.validation import RosterLimits, issue_lines, validate, validate_moves

_IGNORED_SHOWN = 12


class ImportRefused(Exception):
    """The import was refused and nothing was written; `problems` are the reasons."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class ParsedExport:
    """The content of an export and its encoding."""

    listed: GroupList
    encoding: str


@dataclass(frozen=True)
class RosterImport:
    """The result of an import that has not been written yet."""

    source: ParsedExport
    stored: Roster
    merged: MergeResult
    roster: Roster
    warnings: tuple[str, ...]
    existing_account_count: int | None

    @property
    def new_addresses(self) -> set[str]:
        """Return the addresses that are not in the stored roster, nor in the export if the export is a roster."""
        rosters = (self.stored, self.source.listed.roster or Roster())
        known = {member.email for roster in rosters for group in roster.groups for member in group.members}
        return {member.email for group in self.roster.groups for member in group.members} - known


def plan_import(file: str, source: ParsedExport, stored: Roster, limits: RosterLimits) -> RosterImport:
    """Validate the export and merge it into the roster. Raise ImportRefused with all problems."""
    result = validate(source.listed, stored, limits)
    if problems := sorted({*result.problems, *ambiguous_names(stored, source.listed.groups)}):
        raise ImportRefused(issue_lines(file, problems))
    merged = merge(stored, source.listed)
    moves = validate_moves(source.listed, stored, merged.roster, limits)
    if moves.problems:
        raise ImportRefused(issue_lines(file, moves.problems))
    warnings = sorted({*result.warnings, *moves.warnings})
    return RosterImport(source, stored, merged, merged.roster, tuple(issue_lines(file, warnings)), None)


def report_lines(result: RosterImport, *, export: str, out: str, written: bool, dry_run: bool) -> Iterator[str]:
    """Yield the lines of the report; `export` is the file's name."""
    listed = result.source.listed
    yield f"{export}: {listed.format}, {result.source.encoding}"
    yield ""
    changes = changes_between(result.stored, result.roster)
    is_first = not result.stored.groups
    yield from change_lines(changes, count_roster(result.roster), result.merged.recognitions, is_first=is_first)
    if listed.ignored:
        yield ""
        yield f"Skipped: {len(listed.ignored)} {'row' if len(listed.ignored) == 1 else 'rows'} of the export"
        yield from (f"  line {issue.line}: {issue.message}" for issue in listed.ignored[:_IGNORED_SHOWN])
        if len(listed.ignored) > _IGNORED_SHOWN:
            yield f"  … and {len(listed.ignored) - _IGNORED_SHOWN} more, up to line {listed.ignored[-1].line}"
    if result.existing_account_count is not None:
        yield (
            f"Accounts: {result.existing_account_count} of the new addresses already had an account; these are "
            "looked up, never managed."
        )
    if dry_run:
        yield "Dry run: nothing was written."
    else:
        yield f"{'Written to' if written else 'No change in'} {out}."


def report_json(result: RosterImport, *, export: str, out: str, written: bool) -> dict[str, Any]:
    """Return the report as JSON."""
    listed = result.source.listed
    changes = changes_between(result.stored, result.roster)
    return {
        "export": export,
        "out": out,
        "written": written,
        "format": listed.format,
        "encoding": result.source.encoding,
        **changes_json(changes, count_roster(result.roster), result.merged.recognitions),
        "ignored": [{"line": issue.line, "sentence": issue.message} for issue in listed.ignored],
        "warnings": list(result.warnings),
        "existing_accounts": result.existing_account_count,
        "problems": [],
    }
