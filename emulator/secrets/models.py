"""Secret scopes, secrets and who may read them."""

from dataclasses import dataclass


@dataclass
class Secrets:
    """The part of the state that is theirs."""
