"""Which folder is listed next. Pure."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable

from inventory.tree.listing import Failure, Folder, Listing, Source


class Walk:
    """The folders still to be listed, of all users.

    There is one queue a file system, because each has its own API with its own limits. Users take turns, so that a home
    with many folders does not keep another waiting. Of one user the folder found last comes first: a tree is walked
    with its depth in memory and not its breadth. Unless `deep`, what is found in the folders is left out.
    """

    def __init__(self, roots: Iterable[Folder] = (), *, deep: bool = True) -> None:
        self._deep = deep
        self._known: set[int] = set()
        """Of every folder ever queued a number of 61 bits: a path takes four times the memory."""
        self.open: Counter[str] = Counter()
        """User → folders that are queued or being listed; users of whom all is done are missing."""
        self._waiting: defaultdict[Source, OrderedDict[str, list[Folder]]] = defaultdict(OrderedDict)
        self._length = 0
        self.add(roots)

    def add(self, folders: Iterable[Folder]) -> None:
        """Queue those that were never queued before."""
        for folder in folders:
            number = hash(folder.place)
            if number not in self._known:
                self._known.add(number)
                self._waiting[folder.source].setdefault(folder.user, []).append(folder)
                self._length += 1
                self.open[folder.user] += 1

    def know(self, folder: Folder) -> None:
        """This folder was listed already, in an earlier run."""
        self._known.add(hash(folder.place))

    def take(self, *sources: Source) -> Folder | None:
        """The next folder of these file systems, or of any; None while there is none."""
        for source in sources or tuple(self._waiting):
            if waiting := self._waiting[source]:
                user, folders = next(iter(waiting.items()))
                folder = folders.pop()
                if folders:
                    waiting.move_to_end(user)
                else:
                    del waiting[user]
                self._length -= 1
                return folder
        return None

    def visited(self, folder: Folder, found: Listing | Failure) -> None:
        """A folder that was taken is done; queue what it turned out to contain."""
        if self._deep and isinstance(found, Listing):
            self.add(Folder(folder.user, folder.source, path) for path in reversed(found.folders))
        self.close(folder)

    def put_back(self, folders: Iterable[Folder]) -> None:
        """Queue again what was taken and not visited."""
        for folder in folders:
            self._waiting[folder.source].setdefault(folder.user, []).append(folder)
            self._length += 1

    def close(self, folder: Folder) -> None:
        """Nothing more is to be done about a folder that was taken."""
        self.open[folder.user] -= 1
        if not self.open[folder.user]:
            del self.open[folder.user]

    def waiting(self, source: Source) -> int:
        """How many folders of this file system are queued."""
        return sum(map(len, self._waiting[source].values()))

    def __len__(self) -> int:
        return self._length
