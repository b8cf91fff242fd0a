"""All securables in a metastore, and lookups."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from emulator.base.clock import Millis
from emulator.models.unity_catalog.securables import CATALOG, IN_SCHEMA, METASTORE, SCHEMA, Securable


@dataclass
class Monitor:
    """A quality monitor of a table."""

    settings: dict[str, Any]
    """Settings as in the API, including `assets_dir` and `output_schema_name`."""
    active_at: Millis
    version: int = 1


@dataclass
class UnityCatalog:
    """All securables in the metastore, including the metastore itself. Empty without a metastore."""

    securables: dict[str, Securable] = field(default_factory=dict)
    """Securables by type and full name, such as `schema/lab.raw`."""
    automatic: bool = False
    """Whether the metastore was created by `--unity-catalog auto`."""
    storage_root: str = ""
    """URL of managed data. Empty in new accounts, in which catalogs need a `storage_root`."""
    default_catalog: str = "main"
    default_properties: bool = False
    """Whether new catalogs and schemas without properties get default properties, as in some accounts."""
    allowlists: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Artifact type → allowlist as in the API."""
    system_schemas: list[str] = field(default_factory=list)
    """Enabled system schemas, except for schemas that are always enabled."""
    monitors: dict[str, Monitor] = field(default_factory=dict)
    """Monitors by the id of their table."""

    def find(self, type: str, full_name: str) -> Securable | None:
        return self.securables.get(f"{type}/{full_name}")

    def add(self, securable: Securable) -> Securable:
        self.securables[f"{securable.type}/{securable.full_name}"] = securable
        return securable

    def of_type(self, type: str) -> list[Securable]:
        """Return all securables of this type, sorted by name."""
        start = f"{type}/"
        found = [one for key, one in self.securables.items() if key.startswith(start)]
        return sorted(found, key=lambda one: one.full_name)

    def children(self, type: str, parent: str) -> list[Securable]:
        """Return the securables of this type directly in a catalog or schema, sorted by name."""
        start, depth = f"{type}/{parent}.", parent.count(".") + 1
        found = [one for key, one in self.securables.items() if key.startswith(start)]
        return sorted((one for one in found if one.full_name.count(".") == depth), key=lambda one: one.full_name)

    def below(self, securable: Securable) -> list[Securable]:
        """Return all contents of a catalog or schema."""
        if securable.type not in (CATALOG, SCHEMA):
            return []
        start = f"{securable.full_name}."
        return [
            one
            for one in self.securables.values()
            if one.type in (SCHEMA, *IN_SCHEMA) and one.full_name.startswith(start)
        ]

    def remove(self, securable: Securable) -> None:
        """Remove a securable with its contents."""
        for one in [*self.below(securable), securable]:
            del self.securables[f"{one.type}/{one.full_name}"]
            self.monitors.pop(one.id, None)

    def rename(self, securable: Securable, full_name: str) -> None:
        """Change the full name of a securable and its contents."""
        before = securable.full_name
        moved = [securable, *self.below(securable)]
        for one in moved:
            del self.securables[f"{one.type}/{one.full_name}"]
        for one in moved:
            one.full_name = full_name + one.full_name[len(before) :]
            self.add(one)

    def lineage(self, securable: Securable) -> Iterator[Securable]:
        """Yield the securable, its schema and its catalog, from which it inherits privileges."""
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
