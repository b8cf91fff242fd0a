"""Which folders a task gets, and what is made of those that come back. Pure.

A unit of work is a folder of a user with all that is below it. First come the homes, of which only the first level is
listed; then every subtree that begins there. What a task does not get done in its time comes back as further units, so
that the largest home is soon spread over all tasks.
"""

from collections.abc import Collection, Sequence

from inventory.scan.visit import Visit
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import Failure, Folder, Source

MAX_UNITS = 2000
"""Of each file system, for one task: a home of a million folders must not travel at once."""


class WorkQueue:
    """What remains of a scan, dealt to tasks. `homes` are the places of the folders where it began."""

    def __init__(self, folders: FolderQueue, sources: Sequence[Source], home_keys: Collection[tuple[str, str]]) -> None:
        self._folders, self._sources, self._home_keys = folders, sources, home_keys

    def __len__(self) -> int:
        return len(self._folders)

    def next_units(self, tasks: int) -> tuple[Folder, ...]:
        """The units of one task, where this and `tasks` - 1 others are about to begin: its part of each file system."""
        found: list[Folder] = []
        for source in self._sources:
            part = min(MAX_UNITS, -(-self._folders.queued_count(source) // tasks))
            found += [unit for unit in (self._folders.next_folder(source) for _ in range(part)) if unit]
        return tuple(found)

    def is_recursive(self, units: Sequence[Folder]) -> bool:
        """Whether what is found in these units is listed in the same task: not with homes, whose subtrees are units."""
        return not any(unit.key in self._home_keys for unit in units)

    def requeue(self, units: Sequence[Folder]) -> None:
        """A task has ended without any rows."""
        self._folders.requeue(units)

    def complete(self, units: Sequence[Folder], visits: Sequence[Visit]) -> None:
        """A task has ended; queue what it found and did not list, and what it did not begin."""
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
