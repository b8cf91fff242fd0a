"""A file system: a tree of files and folders, and the open uploads. There is one for DBFS and one for volumes."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from emulator.base.clock import Millis
from emulator.base.content import EMPTY, Content, GeneratedContent
from emulator.base.paths import Names
from emulator.generated_files.homes import GeneratedItem, GeneratedTree
from emulator.generated_files.overlay import ROOT, OverlayTree


@dataclass(kw_only=True)
class FileEntry:
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
    """A file that is written block by block; it has no content until it is closed."""

    handle: int
    names: list[str]
    content: Content = EMPTY


def _root() -> dict[int, FileEntry]:
    return {ROOT: FileEntry(id=ROOT, parent=ROOT, name="", is_dir=True, modified_at=0)}


@dataclass
class FileSystem(OverlayTree[FileEntry]):
    entries: dict[int, FileEntry] = field(default_factory=_root)
    uploads: dict[int, Upload] = field(default_factory=dict)
    """Open uploads by handle."""
    last_number: Annotated[int, Field(alias="numbered")] = ROOT
    """The last number assigned to an entry or a handle."""
    generated_tree: Annotated[GeneratedTree | None, Field(alias="forest")] = None

    @property
    def stored(self) -> dict[int, FileEntry]:
        return self.entries

    def from_generated(self, item: GeneratedItem) -> FileEntry:
        content = EMPTY if item.is_container else GeneratedContent("", item.id, item.size)
        return FileEntry(
            id=item.id,
            parent=item.parent,
            name=item.name,
            is_dir=item.is_container,
            modified_at=item.modified_at,
            content=content,
        )

    def make_folders(self, names: Names, now: Millis) -> FileEntry:
        """Return the folder at this path; create it and its parents if needed.

        Raises NotADirectoryError if a part of the path is a file.
        """
        entry = self.root
        for name in names:
            entry = self.child(entry, name) or self._add(entry, name, True, now)
            if not entry.is_dir:
                raise NotADirectoryError
        return entry

    def write(self, names: Names, content: Content, now: Millis) -> None:
        """Write a file and create its folders.

        Raises NotADirectoryError if a part of the path is a file, IsADirectoryError if the path is a folder.
        """
        entry = self.find(names)
        if entry is None:
            entry = self._add(self.make_folders(names[:-1], now), names[-1], False, now)
        if entry.is_dir:
            raise IsADirectoryError
        entry = self.store(entry)
        entry.content, entry.modified_at = content, now

    def remove(self, entry: FileEntry, limit: int) -> int:
        """Delete an entry and everything below it, leaves first, but at most `limit` entries; return their number.

        Generated entries that were never changed do not count: they are deleted with their folder.
        """
        removed = [entry, *(child for child in self.stored_below(entry) if child.id != entry.id)][::-1][:limit]
        for child in removed:
            self.detach(child)
            self.entries.pop(child.id, None)
        return len(removed)

    def move(self, entry: FileEntry, folder: FileEntry, name: str) -> None:
        entry, folder = self.store(entry), self.store(folder)
        self.detach(entry)
        entry.parent, entry.name = folder.id, name
        folder.children[name] = entry.id

    def open(self, names: Names) -> Upload:
        self.last_number += 1
        upload = Upload(handle=self.last_number, names=list(names))
        self.uploads[upload.handle] = upload
        return upload

    def _add(self, folder: FileEntry, name: str, is_dir: bool, now: Millis) -> FileEntry:
        folder = self.store(folder)
        self.last_number += 1
        entry = FileEntry(id=self.last_number, parent=folder.id, name=name, is_dir=is_dir, modified_at=now)
        self.entries[entry.id] = entry
        folder.children[name] = entry.id
        return entry
