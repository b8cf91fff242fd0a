"""A file of lines that only grows: what was added is there for good when `add` returns."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from labkit.files import sync


class Lines:
    """The open file, made if there is none. What a kill left of the last line is removed. Errors are OSErrors."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        sync(path.parent)
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
