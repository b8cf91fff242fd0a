"""File rows, written during a scan to numbered part files, which are valid once the checkpoint records them.

A part file is complete before the checkpoint records it. If a killed process leaves later ones, they are replaced.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from inventory.output.file_formats import format_of
from inventory.results.rows import FileRow
from inventory.scan.visit import Visit
from inventory.tree.listing import Listing
from labkit.files import make_private_folder


def file_rows(visits: Iterable[Visit]) -> Iterator[FileRow]:
    """Yield a row for every file in these folders; rows from the same folder are consecutive."""
    for visit in visits:
        if isinstance(visit.result, Listing):
            user, source = visit.folder.user, visit.folder.source
            for file in visit.result.files:
                unknown = file.exact_size is None
                size = file.counted_size if file.exact_size is None else file.exact_size
                yield FileRow(user, source, file.path, file.type, file.language, size, unknown, file.modified_at)


class FileRowParts:
    """The part files of one scan, in a folder beside the checkpoint."""

    def __init__(self, folder: Path, output: Path, last: int) -> None:
        """Open the folder; `last` is the number of the last valid part file. Raises OSError."""
        self._folder, self._output, self._last = folder, output, last
        self._format = format_of(output)
        make_private_folder(folder)

    def add(self, visits: Sequence[Visit]) -> tuple[int, int] | None:
        """Write the next part file and return its number and row count, or None if there are no files."""
        found = list(file_rows(visits))
        if not found:
            return None
        self._last += 1
        self._format.write_part(self._path(self._last), found)
        return self._last, len(found)

    def join(self, numbers: Iterable[int]) -> None:
        """Join the part files with these numbers into the output. Raises OSError."""
        self._format.join(map(self._path, numbers), self._output)

    def remove(self) -> None:
        """Delete all part files."""
        delete_parts(self._folder)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08}{self._output.suffix.lower()}"


def delete_parts(folder: Path) -> None:
    """Delete a folder with part files, if it exists."""
    if os.path.isdir(folder):
        shutil.rmtree(folder)
