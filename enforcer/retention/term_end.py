"""Selects what to delete at the end of a term, and what to keep, with the reason. Pure.

Only what the lab made is deleted: accounts that a roster marks `managed`, groups that the course file names, and their
clusters. A name or tag alone proves nothing, because anybody can set one.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from enforcer.workspace.directory import ClusterInfo, GroupInfo, UserInfo
from enforcer.workspace.directory_rows import memberships
from labkit.course_file import ADMINS, ALL_STUDENT_GROUPS, BUILT_IN_GROUPS
from labkit.formats.roster_file import RosterAccounts

_NOT_NAMED = "the course file does not name it"


@dataclass(frozen=True)
class RemovalItem:
    id: str
    name: str
    description: str
    """Information for the decision whether to delete it."""


@dataclass(frozen=True)
class Selection:
    remove: tuple[RemovalItem, ...]
    keep: tuple[tuple[str, str], ...]
    """Names, each with the reason why it stays."""


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
    """Return the accounts that the rosters mark `managed`, and the accounts that stay.

    `accounts` is None if no roster was given: nobody is deleted. `named` are the groups in the course file, `is_staff`
    tells its staff; None: no course file, so staff is unknown and nobody is deleted. The caller, administrators, staff,
    accounts from before the lab and those in `keep` always stay; members of other groups stay unless `everything`.
    `everything` also lists accounts that are neither in a roster nor in a group of the lab.
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
            "it is you"
            if address == caller.casefold()
            else "an administrator"
            if person.id in ruling
            else "staff of the course"
            if is_staff and is_staff(address)
            else "no roster was given that marks the accounts of the lab"
            if accounts is None
            else "its account existed before the lab"
            if address in known.existing
            else "no roster marks it as managed"
            if address not in known.managed
            else "named by --keep"
            if address in kept
            else "without a course file the staff is unknown"
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
    """Return the groups that the course file names. `everything` also lists the others, which stay."""
    kept, own = set(keep), set(named) - BUILT_IN_GROUPS
    remove, stay = [], []
    for group in groups:
        if group.name in own and group.name not in kept:
            remove.append(RemovalItem(group.id, group.name, f"{len(group.member_ids)} members"))
        elif group.name in own:
            stay.append((group.name, "named by --keep"))
        elif everything:
            stay.append((group.name, "every workspace has it" if group.name in BUILT_IN_GROUPS else _NOT_NAMED))
    return Selection(tuple(remove), tuple(stay))


def clusters_to_remove(
    clusters: Iterable[ClusterInfo],
    of_lab: Mapping[str, str],
    named: Collection[str],
    *,
    keep: Iterable[str],
    everything: bool,
) -> Selection:
    """Return the lab's clusters of groups that the course file names.

    `of_lab` has the groups of the lab's clusters by id, as a poll knows them. Clusters that only claim to be the lab's,
    or of a group that the file does not name, stay and are listed; with `everything` all others are listed, too.
    """
    kept = set(keep)
    remove, stay = [], []
    for cluster in clusters:
        group = of_lab.get(cluster.id)
        if group in named:
            if kept.intersection((cluster.id, cluster.name)):
                stay.append((cluster.name, "named by --keep"))
            else:
                remove.append(RemovalItem(cluster.id, cluster.name, cluster.state))
        elif group is not None:
            stay.append((cluster.name, f"the course file does not name its group {group}"))
        elif everything:
            stay.append((cluster.name, "it is not a cluster of the lab"))
    return Selection(tuple(remove), tuple(stay))
