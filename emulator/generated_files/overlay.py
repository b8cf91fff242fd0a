"""A tree of generated objects and of stored changes, which override them.

Only changed objects are stored. A generated object keeps its id when it is stored, because its generated children are
derived from the id.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from emulator.generated_files.homes import GeneratedHome, GeneratedItem, GeneratedTree

ROOT = 0
"""The root's id, as in `/directories/0`."""
DELETED = -1
"""Replaces the id of a generated child that was deleted."""


class TreeNode(Protocol):
    """A file or folder in the tree."""

    id: int
    parent: int
    name: str
    children: dict[str, int]
    """Name → id, in creation order; DELETED for a generated child that was deleted."""


NodeT = TypeVar("NodeT", bound=TreeNode)


class OverlayTree(ABC, Generic[NodeT]):
    """A tree of stored and generated objects. The root is its own parent."""

    generated_tree: GeneratedTree | None

    @property
    @abstractmethod
    def stored(self) -> dict[int, NodeT]:
        """Stored objects by id."""

    @abstractmethod
    def from_generated(self, item: GeneratedItem) -> NodeT:
        """Return a generated item as an object of this tree, without storing it."""

    @property
    def root(self) -> NodeT:
        return self.stored[ROOT]

    def get(self, number: int) -> NodeT | None:
        """Return the object with this id. A generated object is found even if it was deleted; see `is_reachable`."""
        stored = self.stored.get(number)
        if stored is not None or self.generated_tree is None:
            return stored
        generated = self.generated_tree.find(number)
        # Homes are always stored, so a home that is not stored was deleted.
        item = generated[0].item(generated[1]) if generated and generated[1] else None
        return self.from_generated(item) if item else None

    def is_reachable(self, node: NodeT) -> bool:
        """Return whether the object is at its path, and was not deleted."""
        while node.id != ROOT:
            folder = self.get(node.parent)
            found = self.child(folder, node.name) if folder else None
            if folder is None or found is None or found.id != node.id:
                return False
            node = folder
        return True

    def folder_of(self, node: NodeT) -> NodeT:
        folder = self.get(node.parent)
        assert folder is not None, f"{node.name} has no folder"
        return folder

    def find(self, names: tuple[str, ...]) -> NodeT | None:
        """Return the object at this path below the root, or None."""
        found: NodeT | None = self.root
        for name in names:
            if found is None:
                return None
            found = self.child(found, name)
        return found

    def child(self, folder: NodeT, name: str) -> NodeT | None:
        number = folder.children.get(name)
        if number is not None:
            return None if number == DELETED else self.stored[number]
        generated = self._generated_folder(folder)
        item = generated[0].child(generated[1], name) if generated else None
        return self.from_generated(item) if item else None

    def children(self, folder: NodeT) -> Iterator[NodeT]:
        """Yield the direct children of a folder."""
        generated = self._generated_folder(folder)
        if generated:
            for item in generated[0].children(generated[1]):
                if item.name not in folder.children:
                    yield self.from_generated(item)
        for number in folder.children.values():
            if number != DELETED:
                yield self.stored[number]

    def with_ancestors(self, node: NodeT) -> Iterator[NodeT]:
        """Yield the object and its parent folders up to the root."""
        yield node
        while node.id != ROOT:
            node = self.folder_of(node)
            yield node

    def names(self, node: NodeT) -> tuple[str, ...]:
        """Return the names on the path from the root; empty for the root."""
        return tuple(each.name for each in self.with_ancestors(node))[-2::-1]

    def stored_below(self, node: NodeT) -> Iterator[NodeT]:
        """Yield all stored objects from this object downwards."""
        waiting = [self.stored[node.id]] if node.id in self.stored else []
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(self.stored[number] for number in node.children.values() if number != DELETED)

    def store(self, node: NodeT) -> NodeT:
        """Store an object and its parent folders, if they are not stored yet, so that they can be changed."""
        stored = self.stored.get(node.id)
        if stored is None:
            folder = self.store(self.folder_of(node))
            self.stored[node.id] = stored = node
            folder.children[node.name] = node.id
        return stored

    def detach(self, node: NodeT) -> None:
        """Remove the object from its folder, and hide a generated object with the same name."""
        folder = self.store(self.folder_of(node))
        generated = self._generated_folder(folder)
        if generated and generated[0].child(generated[1], node.name):
            folder.children[node.name] = DELETED
        else:
            del folder.children[node.name]

    def _generated_folder(self, folder: NodeT) -> tuple[GeneratedHome, int] | None:
        """Return a folder's generated home and its number there; None for a folder without generated children."""
        generated = self.generated_tree.find(folder.id) if self.generated_tree else None
        return generated if generated and generated[1] < generated[0].directories else None
