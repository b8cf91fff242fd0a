"""Rows for the tables of clusters, groups, users, memberships and allocations. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from enforcer.domain.usage import iso
from enforcer.workspace.directory import ClusterInfo, Grant, GroupInfo, UserInfo

Row = dict[str, Any]


def cluster_rows(clusters: Iterable[ClusterInfo]) -> list[Row]:
    return [
        {
            "cluster_id": cluster.id,
            "cluster": cluster.name,
            "state": cluster.state,
            "group": cluster.group,
            "course": cluster.course,
            "term": cluster.term,
            "started": iso(cluster.started) if cluster.started else None,
            "terminated": iso(cluster.terminated) if cluster.terminated else None,
            "creator": cluster.creator,
            "pinned": cluster.is_pinned,
        }
        for cluster in clusters
    ]


def group_rows(groups: Iterable[GroupInfo], users: Iterable[UserInfo]) -> list[Row]:
    """Return one row per group; members that are not users (service principals, groups) are only counted."""
    addresses = {user.id: user.address for user in users}
    return [
        {
            "group_id": group.id,
            "group": group.name,
            "members": sorted(addresses[id] for id in group.member_ids if id in addresses),
            "others": sum(id not in addresses for id in group.member_ids),
            "entitlements": sorted(group.entitlements),
        }
        for group in groups
    ]


def user_rows(users: Iterable[UserInfo], groups: Iterable[GroupInfo]) -> list[Row]:
    groups_by_user = memberships(groups)
    return [
        {
            "user_id": user.id,
            "user": user.address,
            "name": user.name,
            "active": user.is_active,
            "groups": groups_by_user.get(user.id, []),
        }
        for user in users
    ]


def membership_rows(users: Iterable[UserInfo], groups: Iterable[GroupInfo]) -> list[Row]:
    """Return one row per user and group; a user without groups has one row without a group."""
    groups_by_user = memberships(groups)
    return [{"user": user.address, "group": group} for user in users for group in groups_by_user.get(user.id, [None])]


def allocation_rows(
    clusters: Iterable[ClusterInfo],
    grants: Mapping[str, list[Grant] | None],
    groups: Iterable[GroupInfo],
    users: Iterable[UserInfo],
) -> list[Row]:
    """Return one row per cluster and group with a direct grant on it.

    A cluster without such groups has one row without a group; a cluster with unreadable permissions (None) is omitted.
    """
    addresses = {user.id: user.address for user in users}
    members = {group.name: sorted(addresses[id] for id in group.member_ids if id in addresses) for group in groups}
    rows = []
    for cluster in clusters:
        granted = grants.get(cluster.id)
        if granted is None:
            continue
        group_grants: list[tuple[str | None, str | None]] = [
            (grant.principal, grant.level) for grant in granted if grant.kind == "group" and not grant.is_inherited
        ]
        rows += [
            {
                "cluster_id": cluster.id,
                "cluster": cluster.name,
                "group": name,
                "permission": level,
                "members": members.get(name or "", []),
            }
            for name, level in group_grants or [(None, None)]
        ]
    return rows


def memberships(groups: Iterable[GroupInfo]) -> dict[str, list[str]]:
    """Map each user's id to the names of the user's groups (direct memberships)."""
    found: dict[str, list[str]] = {}
    for group in groups:
        for id in group.member_ids:
            found.setdefault(id, []).append(group.name)
    return found
