"""What the ledger remembers of the workspace's files and groups: for when nothing changed, and when it is not there."""

import json
from collections.abc import Mapping
from datetime import datetime

from enforcer.domain.observations import FileInfo
from enforcer.ledger import membership, queries
from enforcer.ledger.database import Ledger


class WorkspaceMemory:
    """`now`: when whatever is kept was read."""

    def __init__(self, ledger: Ledger, *, now: datetime) -> None:
        self._ledger, self._now = ledger, now

    def file(self, path: str) -> tuple[str, str] | None:
        """Version and content; None: it was never read."""
        return queries.stored_file(self._ledger, path)

    def store_file(self, file: FileInfo, content: str) -> None:
        # PostgreSQL takes no such character, which JSON does not have either.
        queries.store_file(self._ledger, file.path, file.version, content.replace("\x00", ""))

    def paths(self, folder: str) -> list[str]:
        """The files that the folder had when it was last listed."""
        paths: list[str] = json.loads(queries.note(self._ledger, f"files of {folder}") or "[]")
        return paths

    def store_paths(self, folder: str, paths: list[str]) -> None:
        queries.write_note(self._ledger, f"files of {folder}", json.dumps(paths))

    def members(self) -> Mapping[str, frozenset[str]] | None:
        """Addresses by group; None: they were never read."""
        known = membership.known_members(self._ledger)
        return known.all if known else None

    def store_members(self, members: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
        """Return them with those of groups that are gone."""
        return membership.store(self._ledger, members, now=self._now).all
