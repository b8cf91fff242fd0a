"""Notebooks, files and folders."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Objects:
    """The part of the state that is theirs."""

    def ancestors(self, object_id: str) -> Iterator[str]:
        """The folders above `/notebooks/12` and the like, nearest first; nothing for other objects."""
        return iter(())
