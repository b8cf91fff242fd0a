"""A manifest that grows while a backup runs."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from inventory.backup.lines import Lines
from inventory.backup.manifest import Entry, Header, Reading, end_line, entry_line, header_line, seal


class Journal:
    """The open file; begun with this header if it has none. Raises OSError; NotAManifest for another file."""

    def __init__(self, path: Path, header: Header) -> None:
        self._lines = Lines(path)
        self._reading = Reading()
        self.path = path
        try:
            for line in self._lines.read():
                self._reading.read(line)
            if self._reading.header is None:
                self._add([header_line(header)])
        except BaseException:
            self._lines.close()
            raise
        self.header = self._reading.header or header

    def entries(self) -> Iterator[Entry]:
        """What was added so far, in this run and in earlier ones. Raises OSError."""
        return Reading().read_all(self._lines.read())

    def add(self, entries: Iterable[Entry]) -> None:
        """Raises OSError."""
        self._add([entry_line(entry) for entry in entries])

    def finish(self, finished_at: str, failed: int) -> None:
        """Write the end, with the checksum. Raises OSError."""
        end = seal(self._reading.digest, finished_at, self._reading.lines, failed)
        self._add([end_line(end)])

    @property
    def is_finished(self) -> bool:
        """Whether the last line is the end."""
        return self._reading.end is not None

    def close(self) -> None:
        self._lines.close()

    def _add(self, lines: list[bytes]) -> None:
        self._lines.add(lines)
        for line in lines:
            self._reading.read(line)
