"""What changed between two results. Pure: texts in, values out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from inventory.results.result_csv import read_result

ChangeKind = Literal["new", "gone", "grown", "shrunk", "unknown"]
CHANGES: tuple[ChangeKind, ...] = ("grown", "shrunk", "new", "gone", "unknown")


@dataclass(frozen=True)
class HomeTotals:
    """One user in one result."""

    files: int
    size: int
    """Bytes."""
    complete: bool
    """Whether everything could be listed; otherwise the counts are of the rest."""


@dataclass(frozen=True)
class HomeChange:
    """One user whose files changed; a count is None where the user is not in that result."""

    user: str
    change: ChangeKind
    files: tuple[int | None, int | None]
    size: tuple[int | None, int | None]


def read_totals(text: str, name: str) -> dict[str, HomeTotals]:
    """A result by user. Raises InvalidResult."""
    return {entry.user: HomeTotals(entry.files, entry.size, entry.complete) for entry in read_result(text, name)}


def compare_results(old: dict[str, HomeTotals], new: dict[str, HomeTotals]) -> Iterator[HomeChange]:
    """Who changed, sorted by name. Nothing is said to have grown or shrunk that was not counted whole both times."""
    for user in sorted(old.keys() | new.keys()):
        before, after = old.get(user), new.get(user)
        change = _change(before, after)
        if change:
            files = (before.files if before else None, after.files if after else None)
            yield HomeChange(user, change, files, (before.size if before else None, after.size if after else None))


def _change(before: HomeTotals | None, after: HomeTotals | None) -> ChangeKind | None:
    if before is None:
        return "new"
    if after is None:
        return "gone"
    if not (before.complete and after.complete):
        return "unknown"
    earlier, later = (before.size, before.files), (after.size, after.files)
    return None if earlier == later else "grown" if later > earlier else "shrunk"
