"""Distributes a scan's folders to tasks and queues the folders that they return. Pure.

A unit of work is a user's folder with everything below it. First, the direct content of the homes is listed; then each
subfolder is a unit. Folders that a task does not finish in its time become further units, so that the largest home is
soon distributed to all tasks.
"""

from collections.abc import Collection, Sequence

from inventory.scan.visit import Visit
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import Failure, Folder, Source

MAX_UNITS = 2000
"""Maximum units per task for each file system, since they are all sent to the task together."""


class WorkQueue:
    """The remaining folders of a scan. `home_keys` has the keys of its root folders."""

    def __init__(self, folders: FolderQueue, sources: Sequence[Source], home_keys: Collection[tuple[str, str]]) -> None:
        self._folders, self._sources, self._home_keys = folders, sources, home_keys

    def __len__(self) -> int:
        return len(self._folders)

    def next_units(self, tasks: int) -> tuple[Folder, ...]:
        """Return one task's units if `tasks` tasks are about to start, including this one."""
        found: list[Folder] = []
        for source in self._sources:
            part = min(MAX_UNITS, -(-self._folders.queued_count(source) // tasks))
            found += [unit for unit in (self._folders.next_folder(source) for _ in range(part)) if unit]
        return tuple(found)

    def is_recursive(self, units: Sequence[Folder]) -> bool:
        """Return whether a task also lists the subfolders of these units. False for homes, whose subfolders become
        units."""
        return not any(unit.key in self._home_keys for unit in units)

    def requeue(self, units: Sequence[Folder]) -> None:
        """Queue the units of a task that ended without rows."""
        self._folders.requeue(units)

    def complete(self, units: Sequence[Folder], visits: Sequence[Visit]) -> None:
        """Queue the folders that a finished task found but did not list, and the units that it did not start."""
        visited = {visit.folder.key for visit in visits}
        for visit in visits:
            self._folders.mark_listed(visit.folder)
        for visit in visits:
            if not isinstance(visit.result, Failure):
                folder = visit.folder
                self._folders.add(Folder(folder.user, folder.source, path) for path in reversed(visit.result.folders))
        for unit in units:
            if unit.key in visited:
                self._folders.mark_done(unit)
        self.requeue([unit for unit in units if unit.key not in visited])
