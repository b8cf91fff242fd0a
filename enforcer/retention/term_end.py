"""What a term leaves behind and may be removed, and what is kept and why. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from enforcer.workspace.directory import HeldCluster, HeldGroup, Person
from enforcer.workspace.directory_rows import memberships
from labkit.course_file import ADMINS, ALL_STUDENT_GROUPS, BUILT_IN_GROUPS, is_legacy_group, legacy_group_of


@dataclass(frozen=True)
class Item:
    id: str
    name: str
    about: str
    """What helps to decide whether it may go."""


@dataclass(frozen=True)
class Selection:
    remove: tuple[Item, ...]
    keep: tuple[tuple[str, str], ...]
    """Names, and why each stays."""


def lab_groups(
    clusters: Iterable[HeldCluster],
    groups: Iterable[HeldGroup],
    course_groups: Iterable[str],
    chosen: tuple[str, str] | None,
) -> frozenset[str]:
    """The names of the groups of the course: those of its file and of its clusters' tags; where there is no course,
    those that are named as groups of a lab are."""
    named = set(course_groups)
    named |= {c.group for c in clusters if c.group and c.is_lab and (c.course, c.term) == chosen}
    if chosen is None:
        named |= {group.name for group in groups if is_legacy_group(group.name)}
    return frozenset(named - BUILT_IN_GROUPS)


def admins(groups: Iterable[HeldGroup]) -> frozenset[str]:
    """The ids of everybody in the group of administrators, directly or by a group in it."""
    members = {group.id: group.member_ids for group in groups}
    found: set[str] = set()
    waiting = [id for group in groups if group.name == ADMINS for id in group.member_ids]
    while waiting:
        id = waiting.pop()
        if id not in found:
            found.add(id)
            waiting += members.get(id, ())
    return frozenset(found)


def users_to_remove(
    people: Iterable[Person],
    groups: Iterable[HeldGroup],
    of_lab: frozenset[str],
    *,
    keep: Iterable[str],
    caller: str,
    everything: bool,
) -> Selection:
    """The members of the lab's groups, or with `everything` all users; never the caller, an administrator, or who is
    to be kept. Members who are also in a group of somebody else's stay unless everything goes."""
    groups = tuple(groups)
    of, ruling = memberships(groups), admins(groups)
    kept = {address.casefold() for address in keep}
    remove, stay = [], []
    for person in people:
        names = [name for name in of.get(person.id, []) if name not in BUILT_IN_GROUPS]
        others = [name for name in names if name not in of_lab and name != ALL_STUDENT_GROUPS]
        if not everything and not of_lab.intersection(names):
            continue
        reason = (
            "it is you"
            if person.address == caller.casefold()
            else "an administrator"
            if person.id in ruling
            else "named by --keep"
            if person.address in kept
            else f"also in {', '.join(others)}"
            if others and not everything
            else None
        )
        if reason:
            stay.append((person.address, reason))
        else:
            remove.append(Item(person.id, person.address, ", ".join(names)))
    return Selection(tuple(remove), tuple(stay))


def groups_to_remove(
    groups: Iterable[HeldGroup], of_lab: frozenset[str], *, keep: Iterable[str], everything: bool
) -> Selection:
    """The lab's groups, or with `everything` all but those that every workspace has."""
    kept = set(keep)
    chosen = [g for g in groups if g.name not in BUILT_IN_GROUPS and (everything or g.name in of_lab)]
    return Selection(
        tuple(Item(g.id, g.name, f"{len(g.member_ids)} members") for g in chosen if g.name not in kept),
        tuple((g.name, "named by --keep") for g in chosen if g.name in kept),
    )


def clusters_to_remove(
    clusters: Iterable[HeldCluster], chosen: tuple[str, str] | None, *, keep: Iterable[str], everything: bool
) -> Selection:
    """The clusters with the course's tags, where there is no course those that are named as clusters of a lab are;
    or with `everything` all."""
    kept = set(keep)

    def is_meant(cluster: HeldCluster) -> bool:
        if everything:
            return True
        if chosen is None:
            return legacy_group_of(cluster.name) is not None
        return cluster.is_lab and (cluster.course, cluster.term) == chosen

    meant = [cluster for cluster in clusters if is_meant(cluster)]
    return Selection(
        tuple(Item(c.id, c.name, c.state) for c in meant if not kept.intersection((c.id, c.name))),
        tuple((c.name, "named by --keep") for c in meant if kept.intersection((c.id, c.name))),
    )
