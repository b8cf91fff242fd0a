"""Clusters, users, groups and grants of the workspace, reduced to the fields that the enforcer uses. Pure."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class ClusterInfo:
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
class UserInfo:
    id: str
    address: str
    """E-mail address in lower case, for comparisons."""
    name: str
    is_active: bool
    entitlements: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True)
class GroupInfo:
    id: str
    name: str
    member_ids: tuple[str, ...]
    """Ids of the direct members: users, groups and service principals."""
    entitlements: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True)
class Grant:
    """One permission level granted to one principal on one object."""

    kind: str
    """`group`, `user` or `service principal`."""
    principal: str
    level: str
    is_inherited: bool
