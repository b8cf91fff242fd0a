"""Which folder is listed next. Pure."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable

from inventory.tree.listing import Failure, Folder, Listing, Source


class FolderQueue:
    """The folders still to be listed, of all users.

    There is one queue a file system, because each has its own API with its own limits. Users take turns, so that a home
    with many folders does not keep another waiting. Of one user the folder found last comes first: a tree is walked
    with its depth in memory and not its breadth. Unless `deep`, what is found in the folders is left out.
    """

    def __init__(self, roots: Iterable[Folder] = (), *, recursive: bool = True) -> None:
        self._recursive = recursive
        self._seen: set[int] = set()
        """Of every folder ever queued a number of 61 bits: a path takes four times the memory."""
        self.open_folders: Counter[str] = Counter()
        """User → folders that are queued or being listed; users of whom all is done are missing."""
        self._queued: defaultdict[Source, OrderedDict[str, list[Folder]]] = defaultdict(OrderedDict)
        self._length = 0
        self.add(roots)

    def add(self, folders: Iterable[Folder]) -> None:
        """Queue those that were never queued before."""
        for folder in folders:
            number = hash(folder.key)
            if number not in self._seen:
                self._seen.add(number)
                self._queued[folder.source].setdefault(folder.user, []).append(folder)
                self._length += 1
                self.open_folders[folder.user] += 1

    def mark_listed(self, folder: Folder) -> None:
        """This folder was listed already, in an earlier run."""
        self._seen.add(hash(folder.key))

    def next_folder(self, *sources: Source) -> Folder | None:
        """The next folder of these file systems, or of any; None while there is none."""
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
        """A folder that was taken is done; queue what it turned out to contain."""
        if self._recursive and isinstance(result, Listing):
            self.add(Folder(folder.user, folder.source, path) for path in reversed(result.folders))
        self.mark_done(folder)

    def requeue(self, folders: Iterable[Folder]) -> None:
        """Queue again what was taken and not visited."""
        for folder in folders:
            self._queued[folder.source].setdefault(folder.user, []).append(folder)
            self._length += 1

    def mark_done(self, folder: Folder) -> None:
        """Nothing more is to be done about a folder that was taken."""
        self.open_folders[folder.user] -= 1
        if not self.open_folders[folder.user]:
            del self.open_folders[folder.user]

    def queued_count(self, source: Source) -> int:
        """How many folders of this file system are queued."""
        return sum(map(len, self._queued[source].values()))

    def __len__(self) -> int:
        return self._length
