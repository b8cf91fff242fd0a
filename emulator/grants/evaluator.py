"""What a caller may do with a securable, from owners and grants alone. Pure.

Privileges come down from catalog to schema to what lies in it; those on the metastore do not. Every owner has all
privileges on what it owns, but not on what lies in it, which it may manage. Nobody reaches anything without USE_CATALOG
on its catalog and USE_SCHEMA on its schema.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from emulator.grants.privileges import ALL, APART, APPLICABLE, BROWSE, MANAGE, USE_CATALOG, USE_SCHEMA, includes
from emulator.models.unity_catalog.securables import CATALOG, METASTORE, SCHEMA, Securable

DOORS = {CATALOG: USE_CATALOG, SCHEMA: USE_SCHEMA}
"""What is needed on each kind of container to reach what is in it."""

Lineage = Sequence[Securable]
"""A securable and what it lies in, nearest first."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """The privilege that a caller would have needed, and where."""

    privilege: str
    securable: Securable


@dataclass(frozen=True, slots=True)
class Effective:
    """A privilege and where it was granted; None: on the securable itself."""

    privilege: str
    inherited_from: Securable | None


def granted(holders: Collection[str], lineage: Lineage, privilege: str) -> bool:
    """Whether one of the holders was given it, here or above."""
    return any(
        includes(given, privilege)
        for securable in lineage
        for holder, grant in securable.grants.items()
        if holder in holders
        for given in grant.privileges
    )


def has(holders: Collection[str], lineage: Lineage, privilege: str) -> bool:
    """Whether the privilege is theirs: as owners, or granted here or above. Whether they reach it is another matter."""
    if lineage[0].owner in holders and privilege in APPLICABLE[lineage[0].type]:
        return True
    return granted(holders, lineage, privilege)


def manages(holders: Collection[str], lineage: Lineage) -> bool:
    """Whether they may grant, transfer, rename and drop: owners of it or of what it lies in, and holders of MANAGE.

    They have to reach what they own, or what they hold MANAGE on.
    """
    for depth, securable in enumerate(lineage):
        if securable.owner in holders and closed_door(holders, lineage[depth:]) is None:
            return True
    return granted(holders, lineage, MANAGE) and closed_door(holders, lineage) is None


def closed_door(holders: Collection[str], lineage: Lineage) -> Lacking | None:
    """What keeps them from reaching the securable; the outermost comes first."""
    for depth in range(len(lineage) - 1, 0, -1):
        container = lineage[depth:]
        if not has(holders, container, DOORS[container[0].type]):
            return Lacking(DOORS[container[0].type], container[0])
    return None


def lacking(holders: Collection[str], lineage: Lineage, privilege: str) -> Lacking | None:
    """What they need and do not have in order to use the privilege; None: they may."""
    return closed_door(holders, lineage) or (
        None if has(holders, lineage, privilege) else Lacking(privilege, lineage[0])
    )


def sees(holders: Collection[str], lineage: Lineage) -> bool:
    """Whether they may look at it: managers of it, holders of BROWSE, and who reaches it with any privilege on it."""
    if manages(holders, lineage) or granted(holders, lineage, BROWSE):
        return True
    if closed_door(holders, lineage):
        return False
    applicable = APPLICABLE[lineage[0].type]
    return any(
        not applicable.isdisjoint(grant.privileges)
        for securable in lineage
        for holder, grant in securable.grants.items()
        if holder in holders
    )


def effective(holder: str, lineage: Lineage) -> list[Effective]:
    """What this principal was given on the securable or above that applies to it, sorted; the nearest source counts."""
    found: dict[str, Effective] = {}
    for depth, securable in enumerate(lineage):
        grant = securable.grants.get(holder)
        for privilege in _applying(grant.privileges if grant else (), lineage[0].type):
            found.setdefault(privilege, Effective(privilege, securable if depth else None))
    return [found[privilege] for privilege in sorted(found)]


def _applying(privileges: Iterable[str], type: str) -> Iterable[str]:
    """Those that apply to this type; ALL_PRIVILEGES is what it stands for."""
    for privilege in privileges:
        if privilege == ALL:
            yield from APPLICABLE[type] - {ALL, *APART}
        elif privilege in APPLICABLE[type]:
            yield privilege


def is_metastore_admin(holders: Collection[str], metastore: Securable | None) -> bool:
    """Its owner, who may manage everything in it and read no data."""
    assert metastore is None or metastore.type == METASTORE
    return metastore is not None and metastore.owner in holders
