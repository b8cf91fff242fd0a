"""Paths below a root, as the trees of the workspace and of file systems use them. Pure."""

from dataclasses import dataclass

Names = tuple[str, ...]
"""A path: the names from the root down."""


@dataclass(frozen=True, slots=True)
class WorkspacePath:
    """A path of the workspace as it was asked for."""

    names: Names
    """From the root down, without the alias."""
    prefix: str = ""
    """`/Workspace` if it was asked for so, else empty."""

    @property
    def text(self) -> str:
        return self.prefix + "/" + "/".join(self.names) if self.names else self.prefix or "/"

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def parent(self) -> "WorkspacePath":
        return self.ancestor(1)

    def ancestor(self, steps: int) -> "WorkspacePath":
        """The folder so many steps up."""
        return WorkspacePath(self.names[: len(self.names) - steps], self.prefix)

    def with_name(self, name: str) -> "WorkspacePath":
        """Its neighbour of that name."""
        return WorkspacePath((*self.names[:-1], name), self.prefix)
