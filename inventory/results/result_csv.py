"""Reads a result from CSV. Pure: no I/O."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from inventory.results.rows import COLUMNS, HomeStatus
from inventory.tree.listing import SOURCES
from labkit.csv_cells import unescape_formula

STATUSES: tuple[HomeStatus, ...] = ("success", "empty", "partial", "error")


class InvalidResult(ValueError):
    """The text is not the result of a scan; the message has the line."""


@dataclass(frozen=True)
class ResultRow:
    """One user. Fields that need `--details` are None without this option."""

    user: str
    files: int
    size: int
    """Bytes."""
    status: HomeStatus
    file_source: str
    """Which file systems have files: both, dbfs, workspace or none."""
    error: str
    by_source: Mapping[str, tuple[int, int]] | None = None
    """Files and bytes by file system."""
    estimated: int | None = None
    """Number of files whose size is estimated."""
    directories: int | None = None
    failed_directories: int | None = None
    last_modified: str | None = None

    @property
    def complete(self) -> bool:
        """Whether everything could be listed; otherwise the counts are too small."""
        return self.status in ("success", "empty")


def read_result(text: str, name: str) -> list[ResultRow]:
    """Read the rows of a result; `name` is the file's name. Raises InvalidResult."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    header = next(rows, [])
    if tuple(header[: len(COLUMNS)]) != COLUMNS:
        raise InvalidResult(f"{name} is not an inventory: expected the columns {','.join(COLUMNS)}.")
    found = []
    for row in rows:
        try:
            found.append(_result_row(dict(zip(header, row, strict=True))))
        except (KeyError, ValueError):
            raise InvalidResult(f"{name} line {rows.line_num}: this is not a row of an inventory.") from None
    return found


def result_rows(table: Iterable[Sequence[object]]) -> list[ResultRow]:
    """Convert a table, header first, that was not written to a file yet."""
    header, *rows = ([("" if cell is None else str(cell)) for cell in row] for row in table)
    return [_result_row(dict(zip(header, row, strict=True))) for row in rows]


def _result_row(cells: Mapping[str, str]) -> ResultRow:
    status = cells["status"]
    if status not in STATUSES:
        raise ValueError(status)
    detailed = "dbfs_files" in cells
    amounts = {
        str(source): (int(cells[f"{source}_files"]), int(cells[f"{source}_size"])) for source in SOURCES if detailed
    }
    return ResultRow(
        user=unescape_formula(cells["username"]),
        files=int(cells["file_count"]),
        size=int(cells["total_size"]),
        status=status,
        file_source=cells["file_source"],
        error=unescape_formula(cells["error"]),
        by_source=amounts if detailed else None,
        estimated=int(cells["estimated_files"]) if detailed else None,
        directories=int(cells["directories"]) if detailed else None,
        failed_directories=int(cells["failed_directories"]) if detailed else None,
        last_modified=(cells["last_modified"] or None) if detailed else None,
    )
