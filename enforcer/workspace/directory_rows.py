"""What the workspace holds, as rows: of clusters, groups, users, memberships and allocations. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from enforcer.domain.usage import iso
from enforcer.workspace.directory import Grant, HeldCluster, HeldGroup, Person

Row = dict[str, Any]


def cluster_rows(clusters: Iterable[HeldCluster]) -> list[Row]:
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


def group_rows(groups: Iterable[HeldGroup], people: Iterable[Person]) -> list[Row]:
    """Members that are no users, such as service principals and groups, are counted apart."""
    addresses = {person.id: person.address for person in people}
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


def user_rows(people: Iterable[Person], groups: Iterable[HeldGroup]) -> list[Row]:
    of = memberships(groups)
    return [
        {
            "user_id": person.id,
            "user": person.address,
            "name": person.name,
            "active": person.is_active,
            "groups": of.get(person.id, []),
        }
        for person in people
    ]


def membership_rows(people: Iterable[Person], groups: Iterable[HeldGroup]) -> list[Row]:
    """One row for each user in each group; a user who is in none has a row without group."""
    of = memberships(groups)
    return [{"user": person.address, "group": group} for person in people for group in of.get(person.id, [None])]


def allocation_rows(
    clusters: Iterable[HeldCluster],
    grants: Mapping[str, list[Grant] | None],
    groups: Iterable[HeldGroup],
    people: Iterable[Person],
) -> list[Row]:
    """One row for each group that was granted something on a cluster.

    A cluster without any has one row without group, and one whose permissions could not be read (None) is left out.
    """
    addresses = {person.id: person.address for person in people}
    members = {group.name: sorted(addresses[id] for id in group.member_ids if id in addresses) for group in groups}
    rows = []
    for cluster in clusters:
        granted = grants.get(cluster.id)
        if granted is None:
            continue
        own: list[tuple[str | None, str | None]] = [
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
            for name, level in own or [(None, None)]
        ]
    return rows


def memberships(groups: Iterable[HeldGroup]) -> dict[str, list[str]]:
    """The names of the groups that each user is directly in, by the user's id."""
    found: dict[str, list[str]] = {}
    for group in groups:
        for id in group.member_ids:
            found.setdefault(id, []).append(group.name)
    return found
