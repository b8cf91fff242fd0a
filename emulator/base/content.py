"""The content of a file or request: bytes in memory, on disk if large, or computed when read."""

import base64
import os
import sys
import tempfile
import weakref
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic_core import core_schema

from emulator.generated_files import content as generated

FILE_THRESHOLD = 8 * 2**20
"""Size in bytes from which content is kept in a temporary file."""
CHUNK_SIZE = 2**20
"""Number of bytes that are read or sent at a time."""


class Content(ABC):
    """Immutable content. A state dump has its bytes in base64, or the parameters of generated content."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Size in bytes."""

    @abstractmethod
    def read(self, offset: int = 0, length: int = sys.maxsize) -> bytes:
        """Return up to `length` bytes from `offset`; fewer, or none, at the end."""

    def slice(self, offset: int, length: int) -> "Content":
        """Return a part as content, without reading from disk."""
        return BytesContent(self.read(offset, length))

    def plus(self, data: bytes) -> "Content":
        """Return this content with `data` appended."""
        whole = self.read() + data
        return BytesContent(whole) if len(whole) < FILE_THRESHOLD else FileContent.of(whole)

    def find(self, pattern: bytes, begin: int) -> int:
        """Return the first index of `pattern` at or after `begin`, or -1."""
        for offset in range(begin, self.size, CHUNK_SIZE):
            index = self.read(offset, CHUNK_SIZE + len(pattern) - 1).find(pattern)
            if index >= 0:
                return offset + index
        return -1

    def to_json(self) -> Any:
        """Return the content as a JSON value."""
        return base64.b64encode(self.read()).decode()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _from_json,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda content: content.to_json()),
        )


@dataclass(frozen=True, slots=True)
class BytesContent(Content):
    """Bytes in memory."""

    data: bytes = b""

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int = 0, length: int = sys.maxsize) -> bytes:
        return self.data if offset == 0 and length >= len(self.data) else self.data[offset : offset + length]


class TemporaryFile:
    """A file that grows, and is deleted when it is no longer referenced or the process ends.

    The file is opened by name for each access, because the process forked to write the state has no open files.
    """

    def __init__(self) -> None:
        descriptor, name = tempfile.mkstemp(prefix="emulator-content-")
        os.close(descriptor)
        self.path = Path(name)
        weakref.finalize(self, self.path.unlink, missing_ok=True)

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def append(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    def read(self, offset: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


@dataclass(frozen=True, slots=True)
class FileContent(Content):
    """A part of a temporary file, which exists as long as any content refers to it."""

    file: TemporaryFile
    offset: int
    length: int

    @classmethod
    def of(cls, data: bytes) -> "FileContent":
        file = TemporaryFile()
        file.append(data)
        return cls(file, 0, len(data))

    @property
    def size(self) -> int:
        return self.length

    def read(self, offset: int = 0, length: int = sys.maxsize) -> bytes:
        return self.file.read(self.offset + offset, max(0, min(length, self.length - offset)))

    def slice(self, offset: int, length: int) -> Content:
        return FileContent(self.file, self.offset + offset, max(0, min(length, self.length - offset)))

    def plus(self, data: bytes) -> Content:
        if self.file.size != self.offset + self.length:
            # Other content was already appended after this part, so this part is copied.
            copy = TemporaryFile()
            for offset in range(0, self.length, CHUNK_SIZE):
                copy.append(self.read(offset, CHUNK_SIZE))
            return FileContent(copy, 0, self.length).plus(data)
        self.file.append(data)
        return FileContent(self.file, self.offset, self.length + len(data))


@dataclass(frozen=True, slots=True)
class GeneratedContent(Content):
    """The bytes of a generated file, from `generated_files.content`."""

    flavour: str
    key: int
    length: int

    @property
    def size(self) -> int:
        return self.length

    def read(self, offset: int = 0, length: int = sys.maxsize) -> bytes:
        return generated.read(self.flavour, self.key, self.length, offset, length)

    def to_json(self) -> Any:
        return asdict(self)


EMPTY = BytesContent()


def _from_json(value: Any) -> Content:
    """Restore content from the result of `to_json`. Raises ValueError for anything else."""
    if isinstance(value, str):
        return BytesContent(base64.b64decode(value, validate=True))
    if isinstance(value, dict) and value.keys() == {"flavour", "key", "length"}:
        return GeneratedContent(str(value["flavour"]), int(value["key"]), int(value["length"]))
    raise ValueError("expected base64, or the flavour, key and length of a generated file")
