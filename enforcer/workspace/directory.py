"""Clusters, people, groups and grants as the workspace holds them, narrowed to what we need. Pure."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class HeldCluster:
    id: str
    name: str
    state: str
    group: str | None
    course: str | None
    term: str | None
    creator: str | None
    started: datetime | None
    terminated: datetime | None
    is_pinned: bool


@dataclass(frozen=True)
class Person:
    id: str
    address: str
    """Lower case, as everything is compared."""
    name: str
    is_active: bool
    entitlements: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True)
class HeldGroup:
    id: str
    name: str
    member_ids: tuple[str, ...]
    """Of users, groups and service principals that are directly in it."""
    entitlements: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True)
class Grant:
    """One level of one principal on one object."""

    kind: str
    """`group`, `user` or `service principal`."""
    principal: str
    level: str
    is_inherited: bool
