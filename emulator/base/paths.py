"""Paths below a root, for workspace objects and file systems. Pure."""

from dataclasses import dataclass

Names = tuple[str, ...]
"""A path as names, from the root down."""


@dataclass(frozen=True, slots=True)
class WorkspacePath:
    """A workspace path as spelled in a request."""

    names: Names
    """Names from the root down, without the alias."""
    prefix: str = ""
    """`/Workspace` if the path in the request begins with it, else empty."""

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
        """Return the path with a different last name."""
        return WorkspacePath((*self.names[:-1], name), self.prefix)
