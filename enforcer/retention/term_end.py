"""Selects what to delete at the end of a term, and what to keep, with the reason. Pure.

Only objects of the lab are deleted: accounts that a roster marks `managed`, groups that the course file lists, and
their clusters. A name or tag alone proves nothing, because anybody can set it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from enforcer.workspace.directory import ClusterInfo, GroupInfo, UserInfo
from enforcer.workspace.directory_rows import memberships
from labkit.course_file import ADMINS, ALL_STUDENT_GROUPS, BUILT_IN_GROUPS
from labkit.formats.roster_file import RosterAccounts

_NOT_NAMED = "the course file does not list it"


@dataclass(frozen=True)
class RemovalItem:
    id: str
    name: str
    description: str
    """Details that help to decide whether to delete it."""


@dataclass(frozen=True)
class Selection:
    remove: tuple[RemovalItem, ...]
    keep: tuple[tuple[str, str], ...]
    """Names of kept objects, with the reason."""


def admins(groups: Iterable[GroupInfo]) -> frozenset[str]:
    """Return the ids of all members of the administrators' group, directly or through other groups."""
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
    people: Iterable[UserInfo],
    groups: Iterable[GroupInfo],
    named: Collection[str],
    accounts: RosterAccounts | None,
    *,
    is_staff: Callable[[str], bool] | None,
    keep: Iterable[str],
    caller: str,
    everything: bool,
) -> Selection:
    """Return the accounts to delete, which the rosters mark `managed`, and the accounts to keep.

    `accounts` is None if no roster was given; then no account is deleted. `named` are the groups in the course file,
    `is_staff` is its check for staff, or None without a course file; then staff is unknown and no account is deleted.
    The caller, administrators, staff, accounts from before the lab and accounts in `keep` always stay; members of other
    groups stay unless `everything`. `everything` also lists accounts that are neither in a roster nor in a group of the
    lab.
    """
    groups = tuple(groups)
    of, ruling = memberships(groups), admins(groups)
    kept = {address.casefold() for address in keep}
    known = accounts or RosterAccounts()
    remove, stay = [], []
    for person in people:
        address = person.address
        names = [name for name in of.get(person.id, []) if name not in BUILT_IN_GROUPS]
        others = [name for name in names if name not in named and name != ALL_STUDENT_GROUPS]
        if not everything and not (
            address in known.managed or address in known.existing or set(named).intersection(names)
        ):
            continue
        reason = (
            "your own account"
            if address == caller.casefold()
            else "an administrator"
            if person.id in ruling
            else "staff of the course"
            if is_staff and is_staff(address)
            else "no roster was given"
            if accounts is None
            else "the account existed before the lab"
            if address in known.existing
            else "no roster marks it as managed"
            if address not in known.managed
            else "selected by --keep"
            if address in kept
            else "staff is unknown without a course file"
            if is_staff is None
            else f"also in {', '.join(others)}"
            if others and not everything
            else None
        )
        if reason:
            stay.append((address, reason))
        else:
            remove.append(RemovalItem(person.id, address, ", ".join(names)))
    return Selection(tuple(remove), tuple(stay))


def groups_to_remove(
    groups: Iterable[GroupInfo], named: Collection[str], *, keep: Iterable[str], everything: bool
) -> Selection:
    """Return the groups to delete, which the course file lists. `everything` also lists the others, which stay."""
    kept, own = set(keep), set(named) - BUILT_IN_GROUPS
    remove, stay = [], []
    for group in groups:
        if group.name in own and group.name not in kept:
            remove.append(RemovalItem(group.id, group.name, f"{len(group.member_ids)} members"))
        elif group.name in own:
            stay.append((group.name, "selected by --keep"))
        elif everything:
            stay.append(
                (group.name, "built-in group of every workspace" if group.name in BUILT_IN_GROUPS else _NOT_NAMED)
            )
    return Selection(tuple(remove), tuple(stay))


def clusters_to_remove(
    clusters: Iterable[ClusterInfo],
    of_lab: Mapping[str, str],
    named: Collection[str],
    *,
    keep: Iterable[str],
    everything: bool,
) -> Selection:
    """Return the clusters to delete: the lab's clusters of groups that the course file lists.

    `of_lab` maps the ids of the lab's clusters to their groups, as determined by a poll. Clusters that only claim to be
    the lab's, or belong to a group that the file does not list, stay and are listed; with `everything`, all other
    clusters are listed, too.
    """
    kept = set(keep)
    remove, stay = [], []
    for cluster in clusters:
        group = of_lab.get(cluster.id)
        if group in named:
            if kept.intersection((cluster.id, cluster.name)):
                stay.append((cluster.name, "selected by --keep"))
            else:
                remove.append(RemovalItem(cluster.id, cluster.name, cluster.state))
        elif group is not None:
            stay.append((cluster.name, f"the course file does not list its group {group}"))
        elif everything:
            stay.append((cluster.name, "it is not a cluster of the lab"))
    return Selection(tuple(remove), tuple(stay))
