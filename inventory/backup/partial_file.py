"""A file of ours that grows piece by piece until it is whole, and its checksum."""

import hashlib
from pathlib import Path

from inventory.backup.target import TargetError


class Spool:
    """Nobody but the worker that has it at the time touches it. Its errors are TargetErrors: they are not those of the
    connection from which the pieces come.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def restart(self) -> None:
        """Forget what came so far, and be there if nothing ever comes."""
        self.size, self._digest = 0, hashlib.sha256()
        self._write(b"", "wb")

    def add(self, piece: bytes) -> None:
        self._write(piece, "ab")
        self._digest.update(piece)
        self.size += len(piece)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)

    def _write(self, piece: bytes, mode: str) -> None:
        try:
            with self.path.open(mode) as file:
                file.write(piece)
        except OSError as error:
            raise TargetError(f"{self.path} cannot be written: {error.strerror or error}.") from None
