"""A file system: a tree of files and folders, and the uploads under way. DBFS is one, the volumes are another."""

from dataclasses import dataclass, field

from emulator.base.clock import Millis
from emulator.base.content import EMPTY, Content, Generated
from emulator.base.paths import Names
from emulator.generated_files.homes import Forest, Item
from emulator.generated_files.overlay import ROOT, Tree


@dataclass(kw_only=True)
class Entry:
    """A file or a folder."""

    id: int
    parent: int
    name: str
    is_dir: bool
    modified_at: Millis
    content: Content = EMPTY
    children: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Upload:
    """A file being written block by block; it has no content before it is closed."""

    handle: int
    names: list[str]
    content: Content = EMPTY


def _root() -> dict[int, Entry]:
    return {ROOT: Entry(id=ROOT, parent=ROOT, name="", is_dir=True, modified_at=0)}


@dataclass
class FileSystem(Tree[Entry]):
    entries: dict[int, Entry] = field(default_factory=_root)
    uploads: dict[int, Upload] = field(default_factory=dict)
    """By handle."""
    numbered: int = ROOT
    """The last number given to an entry or a handle."""
    forest: Forest | None = None

    @property
    def held(self) -> dict[int, Entry]:
        return self.entries

    def grown(self, item: Item) -> Entry:
        content = EMPTY if item.is_container else Generated("", item.id, item.size)
        return Entry(
            id=item.id,
            parent=item.parent,
            name=item.name,
            is_dir=item.is_container,
            modified_at=item.modified_at,
            content=content,
        )

    def make_folders(self, names: Names, now: Millis) -> Entry:
        """The folder at this path, made with those above it as far as needed.

        Raises NotADirectoryError for a file in the way.
        """
        entry = self.root
        for name in names:
            entry = self.child(entry, name) or self._add(entry, name, True, now)
            if not entry.is_dir:
                raise NotADirectoryError
        return entry

    def write(self, names: Names, content: Content, now: Millis) -> None:
        """Let the file have this content; its folders are made. Raises NotADirectoryError for a file in their place,
        IsADirectoryError for a folder in its own."""
        entry = self.find(names)
        if entry is None:
            entry = self._add(self.make_folders(names[:-1], now), names[-1], False, now)
        if entry.is_dir:
            raise IsADirectoryError
        entry = self.hold(entry)
        entry.content, entry.modified_at = content, now

    def remove(self, entry: Entry, most: int) -> int:
        """Take it away with what is below it, leaves first, but no more than `most` entries; how many were.

        Generated ones do not count: those that nobody touched go with the folder in which they lie.
        """
        gone = [entry, *(each for each in self.held_below(entry) if each.id != entry.id)][::-1][:most]
        for each in gone:
            self.unhang(each)
            self.entries.pop(each.id, None)
        return len(gone)

    def move(self, entry: Entry, folder: Entry, name: str) -> None:
        entry, folder = self.hold(entry), self.hold(folder)
        self.unhang(entry)
        entry.parent, entry.name = folder.id, name
        folder.children[name] = entry.id

    def open(self, names: Names) -> Upload:
        self.numbered += 1
        upload = Upload(handle=self.numbered, names=list(names))
        self.uploads[upload.handle] = upload
        return upload

    def _add(self, folder: Entry, name: str, is_dir: bool, now: Millis) -> Entry:
        folder = self.hold(folder)
        self.numbered += 1
        entry = Entry(id=self.numbered, parent=folder.id, name=name, is_dir=is_dir, modified_at=now)
        self.entries[entry.id] = entry
        folder.children[name] = entry.id
        return entry
