"""A manifest that grows: lines are added to the end of a file and are there for good when `add` returns."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from inventory.backup.manifest import End, Entry, Header, Reading, end_line, entry_line, header_line
from inventory.files import sync_folder


class Journal:
    """The open file. Use `create` or `resume`, and `close`."""

    def __init__(self, path: Path, reading: Reading, handle: int) -> None:
        assert reading.header is not None
        self.path, self.header = path, reading.header
        self._reading, self._handle = reading, handle

    @classmethod
    def create(cls, path: Path, header: Header) -> "Journal":
        """Begin a manifest; there must be none. Raises OSError."""
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        reading = Reading()
        line = header_line(header)
        reading.read(line)
        _write(handle, line)
        sync_folder(path.parent)
        return cls(path, reading, handle)

    @classmethod
    def resume(cls, path: Path) -> "Journal":
        """Go on with one. What a kill left of the last line is removed. Raises OSError, NotAManifest."""
        reading, length = Reading(), 0
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                reading.read(line)
                length += len(line)
        os.truncate(path, length)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        return cls(path, reading, handle)

    def entries(self) -> Iterator[Entry]:
        """What was added so far, in this run and in earlier ones. Raises OSError."""
        with self.path.open("rb") as file:
            yield from Reading().read_all(file)

    def add(self, entries: Iterable[Entry]) -> None:
        """Raises OSError."""
        self._add([entry_line(entry) for entry in entries])

    def finish(self, finished_at: str, failed: int) -> None:
        """Write the end, with the checksum. Raises OSError."""
        end = End(finished_at, self._reading.lines, failed, self._reading.digest.hexdigest())
        self._add([end_line(end)])

    @property
    def is_finished(self) -> bool:
        """Whether the last line is the end."""
        return self._reading.end is not None

    def close(self) -> None:
        os.close(self._handle)

    def _add(self, lines: list[bytes]) -> None:
        if lines:
            _write(self._handle, b"".join(lines))
            for line in lines:
                self._reading.read(line)


def _write(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
    os.fsync(handle)
