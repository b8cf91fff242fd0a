"""Sums of one folder's direct content, for checkpoints and for transfer from executors. Pure."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from inventory.results.rows import AmountsByName, format_milliseconds
from inventory.tree.listing import File, Listing, Source, summarize_failures

Name = TypeVar("Name")
MS_PER_DAY = 86_400_000
UNKNOWN_MONTH = ""
"""The month for files without a date."""


@dataclass(frozen=True, slots=True)
class FolderSummary:
    """Totals of a folder's direct content, without individual files."""

    folders: tuple[str, ...] = ()
    """Paths of the subfolders."""
    files: int = 0
    size: int = 0
    """Size in bytes, including estimates."""
    estimated: int = 0
    """Number of files whose size is estimated."""
    exact: int | None = 0
    """Size in bytes without estimates; None if any size is unknown."""
    largest_path: str | None = None
    largest_size: int | None = None
    last_modified: int | None = None
    """Milliseconds since 1970, UTC."""
    kinds: AmountsByName = field(default_factory=dict)
    months: AmountsByName = field(default_factory=dict)
    reason: str = ""
    """Entries that cannot be used, with the reasons, or an empty string."""


def summarize(source: Source, listing: Listing) -> FolderSummary:
    """Sum up the direct content of a folder in this file system."""
    files = listing.files
    largest = max(
        (file for file in files if file.size is not None), key=lambda file: (file.size, file.path), default=None
    )
    return FolderSummary(
        folders=listing.folders,
        files=len(files),
        size=sum(file.counted_size for file in files),
        estimated=sum(file.size is None for file in files),
        exact=_exact(files),
        largest_path=f"{'dbfs:' if source == 'dbfs' else ''}{largest.path}" if largest else None,
        largest_size=largest.size if largest else None,
        last_modified=max((file.modified_at for file in files if file.modified_at is not None), default=None),
        kinds=_kinds(files),
        months=_months(files),
        reason=summarize_failures(listing.failures) if listing.failures else "",
    )


def _exact(files: Sequence[File]) -> int | None:
    sizes = [file.exact_size for file in files]
    return sum(size for size in sizes if size is not None) if None not in sizes else None


def _kinds(files: Iterable[File]) -> dict[str, list[int]]:
    """Return files and bytes by type."""
    return _amounts((file.type, file.counted_size) for file in files)


def _months(files: Iterable[File]) -> dict[str, list[int]]:
    """Return files and bytes by the month of their last change."""
    return _amounts((month_of(file.modified_at), file.counted_size) for file in files)


def month_of(milliseconds: int | None) -> str:
    """Return the month, such as `2026-10`, or UNKNOWN_MONTH if there is no valid date."""
    return UNKNOWN_MONTH if milliseconds is None else _month(milliseconds // MS_PER_DAY)


@functools.lru_cache(maxsize=10_000)
def _month(day: int) -> str:
    return (format_milliseconds(day * MS_PER_DAY) or UNKNOWN_MONTH)[:7]


def _amounts(amounts: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for name, size in amounts:
        add_amount(found, name, 1, size)
    return found


def add_amount(amounts: dict[Name, list[int]], name: Name, files: int, size: int) -> None:
    """Add `files` and `size` to the amount `[files, bytes]` of this name."""
    amount = amounts.setdefault(name, [0, 0])
    amount[0] += files
    amount[1] += size
