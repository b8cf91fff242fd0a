"""Clusters: their definition, state machine, events and uptime."""

from dataclasses import dataclass


@dataclass
class Clusters:
    """The part of the state that is theirs."""
