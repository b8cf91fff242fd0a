"""Instance pools."""

from dataclasses import dataclass


@dataclass
class Pools:
    """The part of the state that is theirs."""
