"""Data for a report beyond totals: types, ages, the largest files and folders. Pure."""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from inventory.results.folder_summary import add_amount, month_of
from inventory.results.rows import FileRow, FolderRow

LARGEST_COUNT = 10
"""Number of the largest files and folders to keep."""


@dataclass(frozen=True, order=True)
class LargestItem:
    """A file, or a folder with the size of its direct content."""

    size: int
    path: str
    """The path, with the prefix `dbfs:` in DBFS."""
    user: str = field(compare=False)
    files: int = field(compare=False, default=1)


@dataclass
class Summary:
    """Sums over all homes; amounts are `[files, bytes]`."""

    kinds: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """Amounts by file system and type."""
    months: dict[str, list[int]] = field(default_factory=dict)
    """Amounts by month of the last change."""
    _largest_files: list[LargestItem] = field(default_factory=list)
    _largest_folders: list[LargestItem] = field(default_factory=list)

    @property
    def largest_files(self) -> list[LargestItem]:
        """The largest files, at most one per folder, the largest first."""
        return sorted(self._largest_files, reverse=True)

    @property
    def largest_folders(self) -> list[LargestItem]:
        """The folders with the largest direct content, the largest first."""
        return sorted(self._largest_folders, reverse=True)

    def add(self, row: FolderRow) -> None:
        """Add a folder from the checkpoint."""
        source, path = row.folder.source, _display_path(row.folder.source, row.folder.path)
        for kind, amount in row.kinds.items():
            add_amount(self.kinds, (source, kind), *amount)
        for month, amount in row.months.items():
            add_amount(self.months, month, *amount)
        if row.files:
            _keep_largest(self._largest_folders, LargestItem(row.size, path, row.folder.user, row.files))
        if row.largest_path is not None and row.largest_size is not None:
            _keep_largest(self._largest_files, LargestItem(row.largest_size, row.largest_path, row.folder.user))


def summarize_folders(rows: Iterable[FolderRow]) -> Summary:
    """Sum up the folders in a checkpoint."""
    summary = Summary()
    for row in rows:
        summary.add(row)
    return summary


def summarize_file_rows(rows: Iterable[FileRow]) -> Summary:
    """Sum up file rows; rows from the same folder must be consecutive."""
    summary = Summary()
    for (source, folder), files in itertools.groupby(rows, lambda row: (row.source, row.path.rpartition("/")[0])):
        number = size = 0
        largest: LargestItem | None = None
        for row in files:
            number, size, user = number + 1, size + row.size, row.user
            add_amount(summary.kinds, (source, row.type), 1, row.size)
            add_amount(summary.months, month_of(row.modified_at), 1, row.size)
            if not row.size_is_estimate:
                item = LargestItem(row.size, _display_path(source, row.path), user)
                largest = max(largest or item, item)
        _keep_largest(summary._largest_folders, LargestItem(size, _display_path(source, folder), user, number))
        if largest:
            _keep_largest(summary._largest_files, largest)
    return summary


def _display_path(source: str, path: str) -> str:
    return f"dbfs:{path}" if source == "dbfs" else path


def _keep_largest(largest: list[LargestItem], item: LargestItem) -> None:
    (heapq.heappush if len(largest) < LARGEST_COUNT else heapq.heappushpop)(largest, item)
