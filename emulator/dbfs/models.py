"""The Databricks File System."""

from dataclasses import dataclass


@dataclass
class Dbfs:
    """The part of the state that is theirs."""
