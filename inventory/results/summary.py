"""What a report shows beside a row a user: types, ages, the largest files and folders. Pure."""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from inventory.results.folder_summary import increase, month_of
from inventory.results.rows import FileRow, Row

TOP = 10
"""How many of the largest are named."""


@dataclass(frozen=True, order=True)
class Place:
    """A file, or a folder with what lies directly in it."""

    size: int
    path: str
    """With `dbfs:` before it in DBFS."""
    user: str = field(compare=False)
    files: int = field(compare=False, default=1)


@dataclass
class Figures:
    """What lies in all homes together; amounts are `[files, bytes]`."""

    kinds: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """By file system and type."""
    months: dict[str, list[int]] = field(default_factory=dict)
    """By month of the last change."""
    _files: list[Place] = field(default_factory=list)
    _folders: list[Place] = field(default_factory=list)

    @property
    def files(self) -> list[Place]:
        """The largest, at most one of each folder; the largest first."""
        return sorted(self._files, reverse=True)

    @property
    def folders(self) -> list[Place]:
        """Those with the most bytes directly in them, the largest first."""
        return sorted(self._folders, reverse=True)

    def add(self, row: Row) -> None:
        """Add a folder as the checkpoint has it."""
        source, path = row.folder.source, _full(row.folder.source, row.folder.path)
        for kind, amount in row.kinds.items():
            increase(self.kinds, (source, kind), *amount)
        for month, amount in row.months.items():
            increase(self.months, month, *amount)
        if row.files:
            _keep(self._folders, Place(row.size, path, row.folder.user, row.files))
        if row.largest_path is not None and row.largest_size is not None:
            _keep(self._files, Place(row.largest_size, row.largest_path, row.folder.user))


def of_folders(rows: Iterable[Row]) -> Figures:
    """From what the checkpoint knows of every folder."""
    figures = Figures()
    for row in rows:
        figures.add(row)
    return figures


def of_files(rows: Iterable[FileRow]) -> Figures:
    """From the rows of single files, of which those of one folder follow each other."""
    figures = Figures()
    for (source, folder), files in itertools.groupby(rows, lambda row: (row.source, row.path.rpartition("/")[0])):
        number = size = 0
        largest: Place | None = None
        for row in files:
            number, size, user = number + 1, size + row.size, row.user
            increase(figures.kinds, (source, row.type), 1, row.size)
            increase(figures.months, month_of(row.modified_at), 1, row.size)
            if not row.size_is_estimate:
                place = Place(row.size, _full(source, row.path), user)
                largest = max(largest or place, place)
        _keep(figures._folders, Place(size, _full(source, folder), user, number))
        if largest:
            _keep(figures._files, largest)
    return figures


def _full(source: str, path: str) -> str:
    return f"dbfs:{path}" if source == "dbfs" else path


def _keep(largest: list[Place], place: Place) -> None:
    (heapq.heappush if len(largest) < TOP else heapq.heappushpop)(largest, place)
