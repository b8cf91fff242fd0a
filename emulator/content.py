"""What is in a file: bytes that are held, or bytes that are computed when they are asked for."""

import base64
import sys
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any

from pydantic_core import core_schema

from emulator.forest import content as generated


class Content(ABC):
    """What a file of the state has in it. A dump of the state has base64 for it, or names what is computed."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes."""

    @abstractmethod
    def read(self, offset: int = 0, length: int = sys.maxsize) -> bytes:
        """So many bytes from there on; fewer, or none, at the end."""

    def dumped(self) -> Any:
        """As a JSON value."""
        return base64.b64encode(self.read()).decode()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _loaded, serialization=core_schema.plain_serializer_function_ser_schema(lambda content: content.dumped())
        )


@dataclass(frozen=True, slots=True)
class Held(Content):
    """Bytes in memory."""

    data: bytes = b""

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int = 0, length: int = sys.maxsize) -> bytes:
        return self.data if offset == 0 and length >= len(self.data) else self.data[offset : offset + length]


@dataclass(frozen=True, slots=True)
class Generated(Content):
    """Bytes of a generated file, as `forest.content` has them."""

    flavour: str
    key: int
    length: int

    @property
    def size(self) -> int:
        return self.length

    def read(self, offset: int = 0, length: int = sys.maxsize) -> bytes:
        return generated.read(self.flavour, self.key, self.length, offset, length)

    def dumped(self) -> Any:
        return asdict(self)


EMPTY = Held()


def _loaded(value: Any) -> Content:
    """What `dumped` made. Raises ValueError for anything else."""
    if isinstance(value, str):
        return Held(base64.b64decode(value, validate=True))
    if isinstance(value, dict) and value.keys() == {"flavour", "key", "length"}:
        return Generated(str(value["flavour"]), int(value["key"]), int(value["length"]))
    raise ValueError("expected base64, or what a generated file is made from")
