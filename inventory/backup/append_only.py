"""Append-only files of lines: the manifest of an unfinished backup, and the log of a restore."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from inventory.backup.manifest import (
    ManifestEntry,
    ManifestHeader,
    ManifestReader,
    end_line,
    entry_line,
    header_line,
    manifest_end,
)
from labkit.files import fsync_path


class AppendOnlyFile:
    """An open file of lines, created if missing. An incomplete last line, left by a killed process, is removed.

    Raises OSError.

    `add` returns after an fsync.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        fsync_path(path.parent)
        os.truncate(path, sum(map(len, self.read())))

    def read(self) -> Iterator[bytes]:
        """Yield all complete lines."""
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line

    def add(self, lines: Sequence[bytes]) -> None:
        """Append lines, each with its newline."""
        rest = memoryview(b"".join(lines))
        if rest:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
            os.fsync(self._handle)

    def close(self) -> None:
        os.close(self._handle)


class ManifestWriter:
    """Writes the manifest of a running backup; a new manifest starts with this header.

    Raises OSError, and InvalidManifest if the file is not a manifest.
    """

    def __init__(self, path: Path, header: ManifestHeader) -> None:
        self._lines = AppendOnlyFile(path)
        self._reader = ManifestReader()
        self.path = path
        try:
            for line in self._lines.read():
                self._reader.read_line(line)
            if self._reader.header is None:
                self._add([header_line(header)])
        except BaseException:
            self._lines.close()
            raise
        self.header = self._reader.header or header

    def entries(self) -> Iterator[ManifestEntry]:
        """Yield the entries from this run and earlier ones. Raises OSError."""
        return ManifestReader().read_all(self._lines.read())

    def add(self, entries: Iterable[ManifestEntry]) -> None:
        """Append entries. Raises OSError."""
        self._add([entry_line(entry) for entry in entries])

    def finish(self, finished_at: str, failed: int) -> None:
        """Write the last line, with the checksum. Raises OSError."""
        end = manifest_end(self._reader.digest, finished_at, self._reader.lines, failed)
        self._add([end_line(end)])

    @property
    def is_finished(self) -> bool:
        """Whether the manifest has its last line, with the checksum."""
        return self._reader.end is not None

    def close(self) -> None:
        self._lines.close()

    def _add(self, lines: list[bytes]) -> None:
        self._lines.add(lines)
        for line in lines:
            self._reader.read_line(line)
