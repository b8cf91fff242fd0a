"""A tree of which a part is generated: what is written and deleted lies over it and hides it.

Only what was touched is held. An object that was generated keeps its id when it becomes one of those: by the id alone
its other children are known.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from emulator.generated_files.homes import Forest, Home, Item

ROOT = 0
"""The root's id, as in `/directories/0`."""
GONE = -1
"""In the place of a child's id: there was a generated one of this name, and it was taken away."""


class Placed(Protocol):
    """A file or a folder of the tree."""

    id: int
    parent: int
    name: str
    children: dict[str, int]
    """Name → id, in the order they were made; GONE where a generated one is no more."""


P = TypeVar("P", bound=Placed)


class Tree(ABC, Generic[P]):
    """Finds its way through both parts. The root is its own parent."""

    forest: Forest | None

    @property
    @abstractmethod
    def held(self) -> dict[int, P]:
        """By id."""

    @abstractmethod
    def grown(self, item: Item) -> P:
        """A generated thing as an object of this tree, which is not held yet."""

    @property
    def root(self) -> P:
        return self.held[ROOT]

    def get(self, number: int) -> P | None:
        """The object with this id. One that was generated is found even when it was taken away: see `is_there`."""
        held = self.held.get(number)
        if held is not None or self.forest is None:
            return held
        plot = self.forest.find(number)
        # A home itself is held as long as it is there.
        item = plot[0].item(plot[1]) if plot and plot[1] else None
        return self.grown(item) if item else None

    def is_there(self, one: P) -> bool:
        """Whether the object is what its path leads to."""
        while one.id != ROOT:
            folder = self.get(one.parent)
            found = self.child(folder, one.name) if folder else None
            if folder is None or found is None or found.id != one.id:
                return False
            one = folder
        return True

    def folder_of(self, one: P) -> P:
        folder = self.get(one.parent)
        assert folder is not None, f"{one.name} lies nowhere"
        return folder

    def find(self, names: tuple[str, ...]) -> P | None:
        """The object at this path below the root."""
        found: P | None = self.root
        for name in names:
            if found is None:
                return None
            found = self.child(found, name)
        return found

    def child(self, folder: P, name: str) -> P | None:
        number = folder.children.get(name)
        if number is not None:
            return None if number == GONE else self.held[number]
        plot = self._plot(folder)
        item = plot[0].child(plot[1], name) if plot else None
        return self.grown(item) if item else None

    def children(self, folder: P) -> Iterator[P]:
        """What lies directly in a folder."""
        plot = self._plot(folder)
        if plot:
            for item in plot[0].children(plot[1]):
                if item.name not in folder.children:
                    yield self.grown(item)
        for number in folder.children.values():
            if number != GONE:
                yield self.held[number]

    def lineage(self, one: P) -> Iterator[P]:
        """The object, its folder, and so on to the root."""
        yield one
        while one.id != ROOT:
            one = self.folder_of(one)
            yield one

    def names(self, one: P) -> tuple[str, ...]:
        """From the root down; of the root, none."""
        return tuple(each.name for each in self.lineage(one))[-2::-1]

    def held_below(self, one: P) -> Iterator[P]:
        """Of the object and all below it, what is held."""
        waiting = [self.held[one.id]] if one.id in self.held else []
        while waiting:
            one = waiting.pop()
            yield one
            waiting.extend(self.held[number] for number in one.children.values() if number != GONE)

    def hold(self, one: P) -> P:
        """Make sure that an object is held, with the folders above it, so that it can be changed."""
        held = self.held.get(one.id)
        if held is None:
            folder = self.hold(self.folder_of(one))
            self.held[one.id] = held = one
            folder.children[one.name] = one.id
        return held

    def unhang(self, one: P) -> None:
        """Take the object's name out of its folder; a generated one of this name stays away."""
        folder = self.hold(self.folder_of(one))
        plot = self._plot(folder)
        if plot and plot[0].child(plot[1], one.name):
            folder.children[one.name] = GONE
        else:
            del folder.children[one.name]

    def _plot(self, folder: P) -> tuple[Home, int] | None:
        """Where the generated children of a folder are; None for what has none."""
        plot = self.forest.find(folder.id) if self.forest else None
        return plot if plot and plot[1] < plot[0].directories else None
