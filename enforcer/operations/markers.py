"""What the admin was told already: small files outside the ledger, which may be what does not work.

Separate runs, such as cron's, share them. A marker that cannot be written costs a repeated mail, and no more.
"""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labkit.addresses import is_database_url
from labkit.files import make_private_folder, write_private

log = logging.getLogger(__name__)


class Marker:
    """One fact about the ledger at `place` that lasts until it is cleared, such as that the ledger does not work."""

    def __init__(self, place: str, kind: str) -> None:
        name = hashlib.sha256(place.encode()).hexdigest()[:16]
        self._paths = [folder / f"teaching-lab-{name}-{kind}.json" for folder in _folders(place)]

    def read(self) -> dict[str, Any] | None:
        """What was noted; None: nothing is."""
        for path in self._paths:
            try:
                noted = json.loads(path.read_bytes())
            except FileNotFoundError:
                continue
            except (OSError, ValueError, RecursionError):
                noted = {}
            return noted if isinstance(noted, dict) else {}
        return None

    def write(self, noted: dict[str, Any]) -> None:
        """Note it, in the first folder that takes it."""
        for path in self._paths:
            try:
                make_private_folder(path.parent)
                write_private(path, json.dumps(noted))
            except OSError as error:
                log.debug("%s cannot be written: %s", path, error)
            else:
                return
        log.warning("no folder takes a note of what the admin was told; the mail may come again")

    def clear(self) -> None:
        for path in self._paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                log.debug("%s cannot be removed: %s", path, error)


def _folders(place: str) -> Iterator[Path]:
    """Where markers may be: beside the ledger, in the user's state, in the folder for temporary files."""
    if not is_database_url(place):
        yield Path(place).expanduser().parent
    yield Path("~/.local/state/teaching-lab").expanduser()
    yield Path(tempfile.gettempdir()) / f"teaching-lab-{os.getuid()}"
