"""Files of lines that only grow: the manifest of a backup that runs, and the log of a restore."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from inventory.backup.manifest import Entry, Header, Reading, end_line, entry_line, header_line, seal
from labkit.files import fsync_path


class Lines:
    """An open file of lines, made if there is none. What a kill left of the last line is removed. Errors are OSErrors.

    What was added is there for good when `add` returns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        fsync_path(path.parent)
        os.truncate(path, sum(map(len, self.read())))

    def read(self) -> Iterator[bytes]:
        """All lines that are whole."""
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line

    def add(self, lines: Sequence[bytes]) -> None:
        """Each with its newline."""
        rest = memoryview(b"".join(lines))
        if rest:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
            os.fsync(self._handle)

    def close(self) -> None:
        os.close(self._handle)


class Journal:
    """The manifest of a backup that runs; begun with this header if it has none.

    Raises OSError; NotAManifest for another file.
    """

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
