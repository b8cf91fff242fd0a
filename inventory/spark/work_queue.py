"""Which folders a task gets, and what is made of those that come back. Pure.

A unit of work is a folder of a user with all that is below it. First come the homes, of which only the first level is
listed; then every subtree that begins there. What a task does not get done in its time comes back as further units, so
that the largest home is soon spread over all tasks.
"""

from collections.abc import Collection, Sequence

from inventory.scan.visit import Visit
from inventory.tree.listing import Failure, Folder, Source
from inventory.tree.walk import Walk

MOST_UNITS = 2000
"""Of each file system, for one task: a home of a million folders must not travel at once."""


class Deal:
    """What remains of a scan, dealt to tasks. `homes` are the places of the folders where it began."""

    def __init__(self, walk: Walk, sources: Sequence[Source], homes: Collection[tuple[str, str]]) -> None:
        self._walk, self._sources, self._homes = walk, sources, homes

    def __len__(self) -> int:
        return len(self._walk)

    def take(self, tasks: int) -> tuple[Folder, ...]:
        """The units of one task, where this and `tasks` - 1 others are about to begin: its part of each file system."""
        found: list[Folder] = []
        for source in self._sources:
            part = min(MOST_UNITS, -(-self._walk.waiting(source) // tasks))
            found += [unit for unit in (self._walk.take(source) for _ in range(part)) if unit]
        return tuple(found)

    def is_deep(self, units: Sequence[Folder]) -> bool:
        """Whether what is found in these units is listed in the same task: not with homes, whose subtrees are units."""
        return not any(unit.place in self._homes for unit in units)

    def undone(self, units: Sequence[Folder]) -> None:
        """A task has ended without any rows."""
        self._walk.put_back(units)

    def done(self, units: Sequence[Folder], visits: Sequence[Visit]) -> None:
        """A task has ended; queue what it found and did not list, and what it did not begin."""
        visited = {visit.folder.place for visit in visits}
        for visit in visits:
            self._walk.know(visit.folder)
        for visit in visits:
            if not isinstance(visit.found, Failure):
                folder = visit.folder
                self._walk.add(Folder(folder.user, folder.source, path) for path in reversed(visit.found.folders))
        for unit in units:
            if unit.place in visited:
                self._walk.close(unit)
        self.undone([unit for unit in units if unit.place not in visited])
