"""Which backups lie in a target, and what their manifests say."""

from collections.abc import Mapping
from dataclasses import dataclass

from inventory.backup import manifest
from inventory.backup.manifest import Header, NotAManifest, Reading
from inventory.backup.manifest_index import Index
from inventory.backup.target import Target, target_at


class CatalogError(Exception):
    """A sentence that says what is not there and what to do."""


@dataclass(frozen=True)
class Backup:
    """One of them. `base` is its place below the target: the host and the date."""

    target: Target
    base: str

    @property
    def manifest(self) -> str:
        """The place of its manifest."""
        return f"{self.base}/{manifest.NAME}"

    @property
    def address(self) -> str:
        """For people."""
        return f"{self.target.address}/{self.base}"

    def read(self) -> tuple[Index, Reading]:
        """What it holds, and what is wrong with its manifest. Raises CatalogError, TargetError."""
        reading = Reading()
        try:
            with self.target.open(self.manifest) as file:
                return Index(reading.read_all(file)), reading
        except NotAManifest as error:
            raise CatalogError(f"{self.target.address}/{self.manifest} cannot be used: {error}.") from None
        except FileNotFoundError:
            raise CatalogError(f"there is no {manifest.NAME} in {self.address}.") from None

    def header(self) -> Header:
        """Only the first line. Raises CatalogError, TargetError."""
        reading = Reading()
        try:
            with self.target.open(self.manifest) as file:
                reading.read(file.readline())
        except (NotAManifest, FileNotFoundError):
            raise CatalogError(f"{self.target.address}/{self.manifest} is no manifest of this program.") from None
        assert reading.header is not None
        return reading.header


def backups(address: str, environ: Mapping[str, str]) -> list[Backup]:
    """All that lie at an address, oldest first for every host; or the one that the address itself names.

    Raises TargetError; CatalogError where there is none.
    """
    target = target_at(address, tier=None, environ=environ)
    if manifest.NAME in target.names(""):
        rest = address.rstrip("/").split("/")
        if len(rest) < 3:
            raise CatalogError(f"{address} is not below a host and a target; name it with its whole path.")
        return [Backup(target_at("/".join(rest[:-2]) or "/", tier=None, environ=environ), "/".join(rest[-2:]))]
    found = [
        Backup(target, f"{host}/{name}")
        for host in target.names("")
        for name in sorted(target.names(host), key=in_order)
        if manifest.NAME in target.names(f"{host}/{name}")
    ]
    if not found:
        raise CatalogError(f"there is no backup in {address}: no manifest lies there.")
    return found


def newest(address: str, environ: Mapping[str, str]) -> Backup:
    """The last backup at an address. Raises TargetError; CatalogError if there is none, or several workspaces."""
    return _of_one_workspace(address, backups(address, environ))[-1]


def newest_complete(address: str, environ: Mapping[str, str]) -> tuple[Backup, Index, Reading, list[Backup]]:
    """The newest backup at an address that was finished, what it holds, and the later ones that were not.

    One that the address itself names is taken as it is. Raises TargetError; CatalogError if there is none, if several
    workspaces have some, or if the manifest of the newest is damaged.
    """
    found = _of_one_workspace(address, backups(address, environ))
    unfinished: list[Backup] = []
    for backup in reversed(found):
        entries, reading = backup.read()
        if reading.problems:
            raise CatalogError(f"{backup.manifest}: {reading.problems[0]}. Look what is wrong with verify.")
        if reading.end is not None or _is_named(address, backup):
            return backup, entries, reading, unfinished
        entries.close()
        unfinished.append(backup)
    raise CatalogError(
        f"no backup in {address} was finished: {found[-1].address} has no end. Go on with backup --resume, or name it"
        " to restore what it has."
    )


def _is_named(address: str, backup: Backup) -> bool:
    """Whether an address is that of one backup, and not of a target with some."""
    return address.rstrip("/").endswith(f"/{backup.base}")


def _of_one_workspace(address: str, found: list[Backup]) -> list[Backup]:
    hosts = {backup.base.partition("/")[0] for backup in found}
    if len(hosts) > 1:
        raise CatalogError(f"{address} holds backups of several workspaces ({', '.join(sorted(hosts))}): name one.")
    return found


def in_order(name: str) -> tuple[str, int]:
    """What to sort the names of backups by: `2026-11-27.10` is the tenth of its day."""
    date, _, number = name.partition(".")
    return date, int(number) if number.isdigit() else 1
