"""Finds the backups in a target and reads their manifests."""

from collections.abc import Mapping
from dataclasses import dataclass

from inventory.backup import manifest
from inventory.backup.manifest import InvalidManifest, ManifestHeader, ManifestReader
from inventory.backup.manifest_index import ManifestIndex
from inventory.backup.target import BackupTarget, open_target


class BackupError(Exception):
    """A backup is missing or cannot be used; the message gives advice."""


@dataclass(frozen=True)
class Backup:
    """One backup. `base` is its path below the target: `<host>/<date>`."""

    target: BackupTarget
    base: str

    @property
    def manifest_path(self) -> str:
        """The path of its manifest below the target."""
        return f"{self.base}/{manifest.FILE_NAME}"

    @property
    def address(self) -> str:
        """The address for messages."""
        return f"{self.target.address}/{self.base}"

    def read_manifest(self) -> tuple[ManifestIndex, ManifestReader]:
        """Return the entries of the manifest and its reader. Raises BackupError, TargetError."""
        reader = ManifestReader()
        try:
            with self.target.open(self.manifest_path) as file:
                return ManifestIndex(reader.read_all(file)), reader
        except InvalidManifest as error:
            raise BackupError(f"{self.target.address}/{self.manifest_path} cannot be used: {error}.") from None
        except FileNotFoundError:
            raise BackupError(f"there is no {manifest.FILE_NAME} in {self.address}.") from None

    def read_header(self) -> ManifestHeader:
        """Return the first line of the manifest. Raises BackupError, TargetError."""
        reader = ManifestReader()
        try:
            with self.target.open(self.manifest_path) as file:
                reader.read_line(file.readline())
        except (InvalidManifest, FileNotFoundError):
            raise BackupError(
                f"{self.target.address}/{self.manifest_path} is not a manifest of this program."
            ) from None
        assert reader.header is not None
        return reader.header


def list_backups(address: str, environ: Mapping[str, str]) -> list[Backup]:
    """Return all backups at an address, by host and then by age, or only the backup at exactly this address.

    Raises TargetError, or BackupError if no backup exists.
    """
    target = open_target(address, tier=None, environ=environ)
    if manifest.FILE_NAME in target.list_names(""):
        rest = address.rstrip("/").split("/")
        if len(rest) < 3:
            raise BackupError(f"{address} is not below a target and a host; use its full path.")
        return [Backup(open_target("/".join(rest[:-2]) or "/", tier=None, environ=environ), "/".join(rest[-2:]))]
    found = [
        Backup(target, f"{host}/{name}")
        for host in target.list_names("")
        for name in sorted(target.list_names(host), key=backup_sort_key)
        if manifest.FILE_NAME in target.list_names(f"{host}/{name}")
    ]
    if not found:
        raise BackupError(f"there is no backup in {address}: no manifest was found.")
    return found


def newest_backup(address: str, environ: Mapping[str, str]) -> Backup:
    """Return the newest backup at an address. Raises TargetError, or BackupError if no backup exists or if there are
    backups from several workspaces."""
    return _require_one_workspace(address, list_backups(address, environ))[-1]


def newest_complete_backup(
    address: str, environ: Mapping[str, str]
) -> tuple[Backup, ManifestIndex, ManifestReader, list[Backup]]:
    """Return the newest finished backup at an address, its entries and reader, and later unfinished backups.

    If the address is the full path of one backup, that backup is returned even if it is unfinished. Raises TargetError,
    or BackupError for no backup, for backups from several workspaces, or for a damaged newest manifest.
    """
    found = _require_one_workspace(address, list_backups(address, environ))
    unfinished: list[Backup] = []
    for backup in reversed(found):
        index, reader = backup.read_manifest()
        if reader.problems:
            raise BackupError(f"{backup.manifest_path}: {reader.problems[0]}. Run verify to see what is wrong.")
        if reader.end is not None or _is_named(address, backup):
            return backup, index, reader, unfinished
        index.close()
        unfinished.append(backup)
    raise BackupError(
        f"no backup in {address} is finished: {found[-1].address} is incomplete. Use backup --resume, or pass its"
        " full path to restore what it contains."
    )


def _is_named(address: str, backup: Backup) -> bool:
    """Return whether an address is the path of one backup, not of a target."""
    return address.rstrip("/").endswith(f"/{backup.base}")


def _require_one_workspace(address: str, found: list[Backup]) -> list[Backup]:
    hosts = {backup.base.partition("/")[0] for backup in found}
    if len(hosts) > 1:
        raise BackupError(
            f"{address} has backups from several workspaces ({', '.join(sorted(hosts))}): append one of these names to"
            " the path."
        )
    return found


def backup_sort_key(name: str) -> tuple[str, int]:
    """Return the sort key for a backup's name: `2026-11-27.10` is the tenth backup on that day."""
    date, _, number = name.partition(".")
    return date, int(number) if number.isdigit() else 1
