"""Compares two results. Pure: no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from inventory.results.result_csv import read_result

ChangeKind = Literal["new", "gone", "grown", "shrunk", "unknown"]
CHANGES: tuple[ChangeKind, ...] = ("grown", "shrunk", "new", "gone", "unknown")


@dataclass(frozen=True)
class HomeTotals:
    """The totals of one user in one result."""

    files: int
    size: int
    """Bytes."""
    complete: bool
    """Whether everything could be listed; otherwise the totals are too small."""


@dataclass(frozen=True)
class HomeChange:
    """A user whose files changed. A value is None if the user is missing from the old or new result."""

    user: str
    change: ChangeKind
    files: tuple[int | None, int | None]
    size: tuple[int | None, int | None]


def read_totals(text: str, name: str) -> dict[str, HomeTotals]:
    """Return the totals in a result by user. Raises InvalidResult."""
    return {entry.user: HomeTotals(entry.files, entry.size, entry.complete) for entry in read_result(text, name)}


def compare_results(old: dict[str, HomeTotals], new: dict[str, HomeTotals]) -> Iterator[HomeChange]:
    """Yield the users whose files changed, sorted by name. Growth is only reported if both totals are complete."""
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
