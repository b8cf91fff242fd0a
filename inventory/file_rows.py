"""One row a file, written while the scan runs, as numbered parts that count once the checkpoint names them.

A part is written whole before the checkpoint is told; what a kill leaves beyond the last one it names is replaced.
"""

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from inventory.files import replaced, write_csv
from inventory.listing import Listing
from inventory.results import moment
from inventory.scan import Visit

COLUMNS = ("user", "source", "path", "type", "language", "size", "size_is_estimate", "modified_at")
FileRow = tuple[str, str, str, str, str, int, bool, str | None]


def rows(visits: Iterable[Visit]) -> Iterator[FileRow]:
    """The files of these folders."""
    for visit in visits:
        if isinstance(visit.found, Listing):
            user, source = visit.folder.user, visit.folder.source
            for file in visit.found.files:
                size, unknown = file.counted_size, file.size is None
                yield user, source, file.path, file.type, file.language, size, unknown, moment(file.modified_at)


def _write_csv(file: IO[str], table: Iterable[FileRow]) -> None:
    write_csv(file, ((*row[:6], "true" if row[6] else "false", row[7]) for row in table))


def _write_jsonl(file: IO[str], table: Iterable[FileRow]) -> None:
    file.writelines(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n" for row in table)


WRITERS: dict[str, Callable[[IO[str], Iterable[FileRow]], None]] = {".csv": _write_csv, ".jsonl": _write_jsonl}
"""By the ending of the file's name."""


class Parts:
    """The parts of one scan, in a folder of their own beside the checkpoint."""

    def __init__(self, folder: Path, output: Path, last: int) -> None:
        """`last` is the last part that counts. Raises OSError."""
        self._folder, self._output, self._last = folder, output, last
        self._write = WRITERS[output.suffix.lower()]
        folder.mkdir(mode=0o700, exist_ok=True)

    def add(self, visits: Sequence[Visit]) -> tuple[int, int] | None:
        """Write the next part; its number and rows, or None where there is no file at all."""
        found = list(rows(visits))
        if not found:
            return None
        self._last += 1
        with replaced(self._path(self._last)) as file:
            self._write(file, found)
        return self._last, len(found)

    def join(self, numbers: Iterable[int]) -> None:
        """Make the output of the parts that count. Raises OSError."""
        with replaced(self._output) as file:
            if self._output.suffix.lower() == ".csv":
                csv.writer(file, lineterminator="\r\n").writerow(COLUMNS)
            for number in numbers:
                with self._path(number).open(encoding="utf-8", newline="") as part:
                    shutil.copyfileobj(part, file, 2**20)

    def remove(self) -> None:
        """Delete all parts: the output is made, or a new scan begins."""
        discard(self._folder)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08}{self._output.suffix.lower()}"


def discard(folder: Path) -> None:
    """Delete a folder of parts, if there is one."""
    if os.path.isdir(folder):
        shutil.rmtree(folder)
