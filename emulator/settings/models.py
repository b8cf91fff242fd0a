"""Workspace settings, and the lists a workspace has that the lab leaves empty."""

from dataclasses import dataclass


@dataclass
class Settings:
    """The part of the state that is theirs."""
