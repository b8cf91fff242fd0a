"""All securables of a metastore, and how they are found."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from emulator.models.unity_catalog.securables import CATALOG, IN_SCHEMA, METASTORE, SCHEMA, Securable


@dataclass
class UnityCatalog:
    """All securables of the metastore. Nothing in it: the workspace has no Unity Catalog, or has not used it."""

    securables: dict[str, Securable] = field(default_factory=dict)
    """By type and full name, such as `schema/lab.raw`."""
    automatic: bool = False
    """The workspace came with it, and with a catalog of its own."""
    storage_root: str = ""
    """Where the metastore keeps managed data; empty in new accounts, where a new catalog has to bring its own place."""
    default_catalog: str = "main"
    default_properties: bool = False
    """A catalog or schema made without properties gets those of the platform, as in some accounts."""
    allowlists: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Artifact type → the allowlist as in the API."""
    system_schemas: list[str] = field(default_factory=list)
    """Those that were enabled by hand."""

    def find(self, type: str, full_name: str) -> Securable | None:
        return self.securables.get(f"{type}/{full_name}")

    def add(self, securable: Securable) -> Securable:
        self.securables[f"{securable.type}/{securable.full_name}"] = securable
        return securable

    def of_type(self, type: str) -> list[Securable]:
        """All of this type, by name."""
        start = f"{type}/"
        found = [one for key, one in self.securables.items() if key.startswith(start)]
        return sorted(found, key=lambda one: one.full_name)

    def children(self, type: str, parent: str) -> list[Securable]:
        """Those of this type that lie directly in the catalog or schema with this full name, by name."""
        start, depth = f"{type}/{parent}.", parent.count(".") + 1
        found = [one for key, one in self.securables.items() if key.startswith(start)]
        return sorted((one for one in found if one.full_name.count(".") == depth), key=lambda one: one.full_name)

    def below(self, securable: Securable) -> list[Securable]:
        """Everything in a catalog or a schema, at any depth."""
        if securable.type not in (CATALOG, SCHEMA):
            return []
        start = f"{securable.full_name}."
        return [
            one
            for one in self.securables.values()
            if one.type in (SCHEMA, *IN_SCHEMA) and one.full_name.startswith(start)
        ]

    def remove(self, securable: Securable) -> None:
        """With everything that lies in it."""
        for one in [*self.below(securable), securable]:
            del self.securables[f"{one.type}/{one.full_name}"]

    def rename(self, securable: Securable, full_name: str) -> None:
        """Give it, and everything in it, another full name."""
        before = securable.full_name
        moved = [securable, *self.below(securable)]
        for one in moved:
            del self.securables[f"{one.type}/{one.full_name}"]
        for one in moved:
            one.full_name = full_name + one.full_name[len(before) :]
            self.add(one)

    def lineage(self, securable: Securable) -> Iterator[Securable]:
        """The securable, its schema, its catalog: from where it inherits privileges. The metastore is not in it."""
        yield securable
        if securable.type in IN_SCHEMA:
            schema = self.find(SCHEMA, securable.full_name.rpartition(".")[0])
            if schema:
                yield schema
        if securable.type in (SCHEMA, *IN_SCHEMA):
            catalog = self.find(CATALOG, securable.full_name.partition(".")[0])
            if catalog:
                yield catalog

    def metastore(self) -> Securable | None:
        return next((one for one in self.securables.values() if one.type == METASTORE), None)
