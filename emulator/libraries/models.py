"""Libraries of clusters and how far their installation is."""

from dataclasses import dataclass


@dataclass
class Libraries:
    """The part of the state that is theirs."""
