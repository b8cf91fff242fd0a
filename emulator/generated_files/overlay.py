"""A tree of which a part is generated: what is written and deleted lies over it and hides it.

Only what was touched is held. An object that was generated keeps its id when it becomes one of those: by the id alone
its other children are known.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from emulator.generated_files.homes import GeneratedHome, GeneratedItem, GeneratedTree

ROOT = 0
"""The root's id, as in `/directories/0`."""
DELETED = -1
"""In the place of a child's id: there was a generated one of this name, and it was taken away."""


class TreeNode(Protocol):
    """A file or a folder of the tree."""

    id: int
    parent: int
    name: str
    children: dict[str, int]
    """Name → id, in creation order; DELETED for a generated child that was deleted."""


NodeT = TypeVar("NodeT", bound=TreeNode)


class OverlayTree(ABC, Generic[NodeT]):
    """Finds its way through both parts. The root is its own parent."""

    generated_tree: GeneratedTree | None

    @property
    @abstractmethod
    def stored(self) -> dict[int, NodeT]:
        """By id."""

    @abstractmethod
    def from_generated(self, item: GeneratedItem) -> NodeT:
        """A generated thing as an object of this tree, which is not held yet."""

    @property
    def root(self) -> NodeT:
        return self.stored[ROOT]

    def get(self, number: int) -> NodeT | None:
        """The object with this id. One that was generated is found even when it was taken away: see `is_reachable`."""
        stored = self.stored.get(number)
        if stored is not None or self.generated_tree is None:
            return stored
        generated = self.generated_tree.find(number)
        # A home itself is held as long as it is there.
        item = generated[0].item(generated[1]) if generated and generated[1] else None
        return self.from_generated(item) if item else None

    def is_reachable(self, node: NodeT) -> bool:
        """Whether the object is what its path leads to."""
        while node.id != ROOT:
            folder = self.get(node.parent)
            found = self.child(folder, node.name) if folder else None
            if folder is None or found is None or found.id != node.id:
                return False
            node = folder
        return True

    def folder_of(self, node: NodeT) -> NodeT:
        folder = self.get(node.parent)
        assert folder is not None, f"{node.name} lies nowhere"
        return folder

    def find(self, names: tuple[str, ...]) -> NodeT | None:
        """The object at this path below the root."""
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
        """What lies directly in a folder."""
        generated = self._generated_folder(folder)
        if generated:
            for item in generated[0].children(generated[1]):
                if item.name not in folder.children:
                    yield self.from_generated(item)
        for number in folder.children.values():
            if number != DELETED:
                yield self.stored[number]

    def with_ancestors(self, node: NodeT) -> Iterator[NodeT]:
        """The object, its folder, and so on to the root."""
        yield node
        while node.id != ROOT:
            node = self.folder_of(node)
            yield node

    def names(self, node: NodeT) -> tuple[str, ...]:
        """From the root down; of the root, none."""
        return tuple(each.name for each in self.with_ancestors(node))[-2::-1]

    def stored_below(self, node: NodeT) -> Iterator[NodeT]:
        """Of the object and all below it, what is held."""
        waiting = [self.stored[node.id]] if node.id in self.stored else []
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(self.stored[number] for number in node.children.values() if number != DELETED)

    def store(self, node: NodeT) -> NodeT:
        """Make sure that an object is held, with the folders above it, so that it can be changed."""
        stored = self.stored.get(node.id)
        if stored is None:
            folder = self.store(self.folder_of(node))
            self.stored[node.id] = stored = node
            folder.children[node.name] = node.id
        return stored

    def detach(self, node: NodeT) -> None:
        """Take the object's name out of its folder; a generated one of this name stays away."""
        folder = self.store(self.folder_of(node))
        generated = self._generated_folder(folder)
        if generated and generated[0].child(generated[1], node.name):
            folder.children[node.name] = DELETED
        else:
            del folder.children[node.name]

    def _generated_folder(self, folder: NodeT) -> tuple[GeneratedHome, int] | None:
        """Where the generated children of a folder are; None for what has none."""
        generated = self.generated_tree.find(folder.id) if self.generated_tree else None
        return generated if generated and generated[1] < generated[0].directories else None
