"""The workspace's files and groups as stored in the ledger: used if they have not changed or the workspace is
unavailable.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from enforcer.domain.observations import FileInfo
from enforcer.ledger import membership, queries
from enforcer.ledger.database import Ledger


class WorkspaceMemory:
    """Cache of files and members. `now` is the time at which stored values were read."""

    def __init__(self, ledger: Ledger, *, now: datetime) -> None:
        self._ledger, self._now = ledger, now

    def file(self, path: str) -> tuple[str, str] | None:
        """Return version and content; None if the file was never read."""
        return queries.stored_file(self._ledger, path)

    def store_file(self, file: FileInfo, content: str) -> None:
        # PostgreSQL does not accept this character, and JSON does not contain it.
        queries.store_file(self._ledger, file.path, file.version, content.replace("\x00", ""))

    def paths(self, folder: str) -> list[str]:
        """Return the files that were in the folder when it was last listed."""
        paths: list[str] = json.loads(queries.note(self._ledger, f"files of {folder}") or "[]")
        return paths

    def store_paths(self, folder: str, paths: list[str]) -> None:
        queries.write_note(self._ledger, f"files of {folder}", json.dumps(paths))

    def members(self) -> Mapping[str, frozenset[str]] | None:
        """Return addresses by group; None if they were never read."""
        known = membership.known_members(self._ledger)
        return known.all if known else None

    def store_members(self, members: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
        """Store the members. Return them together with the members of deleted groups."""
        return membership.store(self._ledger, members, now=self._now).all
