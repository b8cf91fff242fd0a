"""Evaluation of privileges from owners and grants. Pure.

Privileges are inherited from catalog to schema to the objects in it; those on the metastore are not. An owner has all
privileges on its securable, and may manage the securables inside without having privileges on them. Every access needs
USE_CATALOG on the catalog and USE_SCHEMA on the schema.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from emulator.grants.privileges import ALL, APART, APPLICABLE, BROWSE, MANAGE, USE_CATALOG, USE_SCHEMA, includes
from emulator.models.unity_catalog.securables import CATALOG, METASTORE, SCHEMA, Securable

DOORS = {CATALOG: USE_CATALOG, SCHEMA: USE_SCHEMA}
"""The privilege on each type of container that is needed for access to its contents."""

Lineage = Sequence[Securable]
"""A securable and its containers, nearest first."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """A missing privilege and its securable."""

    privilege: str
    securable: Securable


@dataclass(frozen=True, slots=True)
class Effective:
    """A privilege and the container on which it was granted; None means the securable itself."""

    privilege: str
    inherited_from: Securable | None


def granted(holders: Collection[str], lineage: Lineage, privilege: str) -> bool:
    """Return whether one of the holders has a grant of it here or on a container."""
    return any(
        includes(given, privilege)
        for securable in lineage
        for holder, grant in securable.grants.items()
        if holder in holders
        for given in grant.privileges
    )


def has(holders: Collection[str], lineage: Lineage, privilege: str) -> bool:
    """Return whether they have the privilege by ownership or grants. Access to the containers is not checked."""
    if lineage[0].owner in holders and privilege in APPLICABLE[lineage[0].type]:
        return True
    return granted(holders, lineage, privilege)


def manages(holders: Collection[str], lineage: Lineage) -> bool:
    """Return whether they may grant, transfer, rename and delete it: as owners of it or a container, or with MANAGE.

    Both need USE privileges on the containers around what they own or manage.
    """
    for depth, securable in enumerate(lineage):
        if securable.owner in holders and closed_door(holders, lineage[depth:]) is None:
            return True
    return granted(holders, lineage, MANAGE) and closed_door(holders, lineage) is None


def closed_door(holders: Collection[str], lineage: Lineage) -> Lacking | None:
    """Return the missing USE privilege on the outermost container, if any."""
    for depth in range(len(lineage) - 1, 0, -1):
        container = lineage[depth:]
        if not has(holders, container, DOORS[container[0].type]):
            return Lacking(DOORS[container[0].type], container[0])
    return None


def lacking(holders: Collection[str], lineage: Lineage, privilege: str) -> Lacking | None:
    """Return what is missing for the use of the privilege, if anything."""
    return closed_door(holders, lineage) or (
        None if has(holders, lineage, privilege) else Lacking(privilege, lineage[0])
    )


def sees(holders: Collection[str], lineage: Lineage) -> bool:
    """Return whether they may see it: they manage it, have BROWSE, or have access and any privilege on it."""
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
    """Return the principal's privileges that apply to the securable, sorted, each with its nearest source."""
    found: dict[str, Effective] = {}
    for depth, securable in enumerate(lineage):
        grant = securable.grants.get(holder)
        for privilege in _applying(grant.privileges if grant else (), lineage[0].type):
            found.setdefault(privilege, Effective(privilege, securable if depth else None))
    return [found[privilege] for privilege in sorted(found)]


def _applying(privileges: Iterable[str], type: str) -> Iterable[str]:
    """Yield the privileges that apply to this type, with ALL_PRIVILEGES expanded."""
    for privilege in privileges:
        if privilege == ALL:
            yield from APPLICABLE[type] - {ALL, *APART}
        elif privilege in APPLICABLE[type]:
            yield privilege


def is_metastore_admin(holders: Collection[str], metastore: Securable | None) -> bool:
    """Return whether they own the metastore: metastore admins manage everything in it, but have no access to data."""
    assert metastore is None or metastore.type == METASTORE
    return metastore is not None and metastore.owner in holders
