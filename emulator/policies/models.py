"""Cluster policies and policy families."""

from dataclasses import dataclass


@dataclass
class Policies:
    """The part of the state that is theirs."""
