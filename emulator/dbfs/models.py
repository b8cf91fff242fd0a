"""The Databricks File System: a tree of files and folders, and the uploads under way."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import ConfigDict

from emulator.clock import Millis
from emulator.dbfs.paths import Names

ROOT = 0


@dataclass(kw_only=True)
class Entry:
    """A file or a folder."""

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    id: int
    parent: int
    name: str
    is_dir: bool
    modified_at: Millis
    content: bytes = b""
    children: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Upload:
    """A file being written block by block; it has no content before it is closed."""

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    handle: int
    names: list[str]
    blocks: list[bytes] = field(default_factory=list)


def _root() -> dict[int, Entry]:
    return {ROOT: Entry(id=ROOT, parent=ROOT, name="", is_dir=True, modified_at=0)}


@dataclass
class Dbfs:
    entries: dict[int, Entry] = field(default_factory=_root)
    uploads: dict[int, Upload] = field(default_factory=dict)
    """By handle."""
    numbered: int = ROOT
    """The last number given to an entry or a handle."""

    def find(self, names: Names) -> Entry | None:
        entry = self.entries[ROOT]
        for name in names:
            child = entry.children.get(name)
            if child is None:
                return None
            entry = self.entries[child]
        return entry

    def children(self, folder: Entry) -> Iterator[Entry]:
        return map(self.entries.__getitem__, folder.children.values())

    def make_folders(self, names: Names, now: Millis) -> Entry:
        """The folder at this path, made with those above it as far as needed.

        Raises NotADirectoryError for a file in the way.
        """
        entry = self.entries[ROOT]
        for name in names:
            child = entry.children.get(name)
            entry = self.entries[child] if child is not None else self._add(entry, name, True, now)
            if not entry.is_dir:
                raise NotADirectoryError
        return entry

    def write(self, names: Names, content: bytes, now: Millis) -> None:
        """Let the file have this content; its folders are made. Raises NotADirectoryError for a file in their place,
        IsADirectoryError for a folder in its own."""
        entry = self.find(names)
        if entry is None:
            entry = self._add(self.make_folders(names[:-1], now), names[-1], False, now)
        if entry.is_dir:
            raise IsADirectoryError
        entry.content, entry.modified_at = content, now

    def remove(self, entry: Entry, most: int) -> int:
        """Take it away with what is below it, leaves first, but no more than `most` entries; how many were."""
        below = [entry]
        for each in below:
            below.extend(self.children(each))
        gone = below[::-1][:most]
        for each in gone:
            del self.entries[each.id]
            del self.entries[each.parent].children[each.name]
        return len(gone)

    def move(self, entry: Entry, folder: Entry, name: str) -> None:
        del self.entries[entry.parent].children[entry.name]
        entry.parent, entry.name = folder.id, name
        folder.children[name] = entry.id

    def open(self, names: Names) -> Upload:
        self.numbered += 1
        upload = Upload(handle=self.numbered, names=list(names))
        self.uploads[upload.handle] = upload
        return upload

    def _add(self, folder: Entry, name: str, is_dir: bool, now: Millis) -> Entry:
        self.numbered += 1
        entry = Entry(id=self.numbered, parent=folder.id, name=name, is_dir=is_dir, modified_at=now)
        self.entries[entry.id] = entry
        folder.children[name] = entry.id
        return entry
