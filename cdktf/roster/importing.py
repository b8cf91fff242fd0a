"""Applies an export to the stored roster and reports the result. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from roster.changes import change_lines, changes_between, changes_json, count_roster
from roster.group_list import GroupList, Issue
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

    @property
    def kept(self) -> dict[str, str]:
        """Map the students who are suspended in Moodle, but still active in the roster, to their groups' keys."""
        suspended = {member.email for member in self.source.listed.suspended}
        members = ((member.email, group.key) for group in self.roster.groups for member in group.active_members)
        return {email: key for email, key in members if email in suspended}


def plan_import(
    file: str, source: ParsedExport, stored: Roster, limits: RosterLimits, *, drop_suspended: bool = False
) -> RosterImport:
    """Validate the export and merge it into the roster. Raise ImportRefused with all problems.

    With `drop_suspended`, students of the roster who are suspended in Moodle leave it.
    """
    listed = source.listed
    result = validate(listed, stored, limits)
    if problems := sorted({*result.problems, *ambiguous_names(stored, listed.groups)}):
        raise ImportRefused(issue_lines(file, problems, listed.numbered_by))
    merged = merge(stored, listed, drop_suspended=drop_suspended)
    moves = validate_moves(listed, stored, merged.roster, limits)
    if moves.problems:
        raise ImportRefused(issue_lines(file, moves.problems, listed.numbered_by))
    warnings = issue_lines(file, sorted({*result.warnings, *moves.warnings}), listed.numbered_by)
    return RosterImport(source, stored, merged, merged.roster, tuple(warnings), None)


def report_lines(result: RosterImport, *, export: str, out: str, written: bool, dry_run: bool) -> Iterator[str]:
    """Yield the lines of the report; `export` is the file's name."""
    listed = result.source.listed
    yield f"{export}: {listed.format}, {result.source.encoding}"
    yield from listed.notes
    yield ""
    changes = changes_between(result.stored, result.roster)
    is_first = not result.stored.groups
    recognitions, counts = result.merged.recognitions, count_roster(result.roster)
    yield from change_lines(changes, counts, recognitions, is_first=is_first, numbered_by=listed.numbered_by)
    if listed.numbered_by == "group":
        yield from _left_out_lines(result)
    elif listed.ignored:
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


def _left_out_lines(result: RosterImport) -> Iterator[str]:
    """Yield all people in Moodle's groups who are not students, and those of the roster who are suspended."""
    listed = result.source.listed
    if kept := result.kept:
        yield ""
        yield f"Suspended in Moodle, but in the roster until --drop-suspended: {_people(len(kept))}"
        yield from (f"  suspended  {email} (stays in {key})" for email, key in kept.items())
    suspended = [member for member in listed.suspended if member.email not in kept]
    issues = [Issue(member.line, f"{member.email} is suspended.") for member in suspended]
    if left_out := sorted([*listed.ignored, *issues]):
        yield ""
        yield f"Left out: {len(left_out)} members of groups" if len(left_out) > 1 else "Left out: 1 member of a group"
        yield from (f"  group {issue.line}: {issue.message}" for issue in left_out)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


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
        "ignored": [{"line": issue.line, "message": issue.message} for issue in listed.ignored],
        "suspended": [{"email": member.email, "group": result.kept.get(member.email)} for member in listed.suspended],
        "notes": list(listed.notes),
        "warnings": list(result.warnings),
        "existing_accounts": result.existing_account_count,
        "problems": [],
    }
