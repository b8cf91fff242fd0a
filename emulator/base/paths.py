"""Paths below a root, for the trees of the workspace and of file systems. Pure."""

from dataclasses import dataclass

Names = tuple[str, ...]
"""A path: the names from the root down."""


@dataclass(frozen=True, slots=True)
class WorkspacePath:
    """A path of the workspace, as it is spelled in a request."""

    names: Names
    """From the root down, without the alias."""
    prefix: str = ""
    """`/Workspace` if the request spells it so, else empty."""

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
        """Return the folder `steps` levels up."""
        return WorkspacePath(self.names[: len(self.names) - steps], self.prefix)

    def with_name(self, name: str) -> "WorkspacePath":
        """Return the path with another last name."""
        return WorkspacePath((*self.names[:-1], name), self.prefix)
