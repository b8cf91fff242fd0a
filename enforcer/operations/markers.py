"""Markers of notifications already sent to the admin: small files, because the ledger may be unavailable.

Separate runs, such as those of cron, share them. If a marker cannot be written, a message may be repeated.
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
    """A recorded fact about the ledger at `location`, such as that it is unavailable, until it is cleared."""

    def __init__(self, location: str, kind: str) -> None:
        name = hashlib.sha256(location.encode()).hexdigest()[:16]
        self._paths = [folder / f"teaching-lab-{name}-{kind}.json" for folder in _folders(location)]

    def read(self) -> dict[str, Any] | None:
        """Return the marker's data; None if it does not exist."""
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
        """Write the marker to the first writable folder."""
        for path in self._paths:
            try:
                make_private_folder(path.parent)
                write_private(path, json.dumps(noted))
            except OSError as error:
                log.debug("%s cannot be written: %s", path, error)
            else:
                return
        log.warning("no folder for the marker of the admin's notification is writable; the message may be repeated")

    def clear(self) -> None:
        for path in self._paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                log.debug("%s cannot be removed: %s", path, error)


def _folders(location: str) -> Iterator[Path]:
    """Yield the folders for markers: beside the ledger, in the user's state folder, in the folder for temporary
    files."""
    if not is_database_url(location):
        yield Path(location).expanduser().parent
    yield Path("~/.local/state/teaching-lab").expanduser()
    yield Path(tempfile.gettempdir()) / f"teaching-lab-{os.getuid()}"
