"""The queue of folders to list. Pure."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable

from inventory.tree.listing import Failure, Folder, Listing, Source


class FolderQueue:
    """All users' remaining folders.

    Each file system has its own queue because each API has its own rate limit. Users take turns, so that a large home
    does not delay the others. A user's most recently found folder comes first: memory is needed for the depth of a
    tree, not for its breadth. Unless `recursive`, subfolders are not queued.
    """

    def __init__(self, roots: Iterable[Folder] = (), *, recursive: bool = True) -> None:
        self._recursive = recursive
        self._seen: set[int] = set()
        """Hashes of all folders ever queued; paths would take four times the memory."""
        self.open_folders: Counter[str] = Counter()
        """User → number of folders that are queued or being listed; users without any are absent."""
        self._queued: defaultdict[Source, OrderedDict[str, list[Folder]]] = defaultdict(OrderedDict)
        self._length = 0
        self.add(roots)

    def add(self, folders: Iterable[Folder]) -> None:
        """Queue folders, except those queued before."""
        for folder in folders:
            number = hash(folder.key)
            if number not in self._seen:
                self._seen.add(number)
                self._queued[folder.source].setdefault(folder.user, []).append(folder)
                self._length += 1
                self.open_folders[folder.user] += 1

    def mark_listed(self, folder: Folder) -> None:
        """Mark a folder as listed in an earlier run."""
        self._seen.add(hash(folder.key))

    def next_folder(self, *sources: Source) -> Folder | None:
        """Return the next folder in one of these file systems, or in any if none are given.

        None means that no folder remains.
        """
        for source in sources or tuple(self._queued):
            if waiting := self._queued[source]:
                user, folders = next(iter(waiting.items()))
                folder = folders.pop()
                if folders:
                    waiting.move_to_end(user)
                else:
                    del waiting[user]
                self._length -= 1
                return folder
        return None

    def complete(self, folder: Folder, result: Listing | Failure) -> None:
        """Mark a folder as done and queue its subfolders."""
        if self._recursive and isinstance(result, Listing):
            self.add(Folder(folder.user, folder.source, path) for path in reversed(result.folders))
        self.mark_done(folder)

    def requeue(self, folders: Iterable[Folder]) -> None:
        """Queue folders again that were returned by `next_folder` but not listed."""
        for folder in folders:
            self._queued[folder.source].setdefault(folder.user, []).append(folder)
            self._length += 1

    def mark_done(self, folder: Folder) -> None:
        """Mark a folder as done."""
        self.open_folders[folder.user] -= 1
        if not self.open_folders[folder.user]:
            del self.open_folders[folder.user]

    def queued_count(self, source: Source) -> int:
        """Return the number of queued folders in this file system."""
        return sum(map(len, self._queued[source].values()))

    def __len__(self) -> int:
        return self._length
