"""One backup: starts or resumes it, saves the objects, completes the manifest."""

import logging
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from inventory.backup import names
from inventory.backup.append_only import ManifestWriter
from inventory.backup.backup_index import Backup, BackupError, backup_sort_key, newest_backup
from inventory.backup.backup_work import BackupOptions, BackupProgress, BackupWork
from inventory.backup.manifest import FILE_NAME, InvalidManifest, ManifestEntry, ManifestHeader
from inventory.backup.manifest_index import ManifestIndex
from inventory.backup.pools import DEFAULT_PACING, RequestPacing
from inventory.backup.target import PARTIAL, BackupTarget, open_target
from inventory.scan.checkpoint import Checkpoint, CheckpointError, CheckpointIdentity
from inventory.scan.homes import find_roots
from inventory.scan.resumable import Resumable
from inventory.scan.users import short_digest
from inventory.scan.visit import Visit
from inventory.transport.client import Client
from inventory.transport.workspace import WorkspaceApi, WorkspaceError
from inventory.tree.listing import SOURCES, Folder, Source
from labkit.clock import clock_starting_at
from labkit.files import make_private_folder
from labkit.text import redact_secrets

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BackupRequest:
    """The options of a backup."""

    output: str
    """Path or URL of the target."""
    users: tuple[str, ...] = ()
    """Empty means all users, unless there are volumes."""
    sources: tuple[Source, ...] = SOURCES
    all_homes: bool = False
    shared: bool = False
    volumes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("source",)
    max_size: int | None = None
    tier: str | None = None
    since: str | None = None
    """Path or URL of an earlier backup's manifest."""
    retain_until: str | None = None

    @property
    def normalized_output(self) -> str:
        """The target, normalized."""
        return self.output.rstrip("/") if "://" in self.output else str(Path(self.output).absolute())

    def manifest_fields(self) -> dict[str, Any]:
        """Return the options that the manifest records."""
        names = ("users", "sources", "all_homes", "shared", "volumes", "formats", "max_size")
        return {name: getattr(self, name) for name in names}

    def checkpoint_identity(self, host: str) -> CheckpointIdentity:
        """Return the options that must be the same to resume a backup."""
        homes = ["users", *["all homes"] * self.all_homes, *["shared"] * self.shared, *self.volumes]
        most = "of any size" if self.max_size is None else f"up to {self.max_size} bytes"
        return CheckpointIdentity(
            host=host,
            users=short_digest(self.users) if self.users else "all",
            sources=" and ".join(self.sources),
            homes=", ".join(homes),
            files=f"{' and '.join(self.formats)}, {most}, in {redact_secrets(self.normalized_output)}",
        )


@dataclass(frozen=True)
class BackupResult:
    """The result of a backup."""

    complete: bool
    """False means that the backup was stopped; saved objects are kept."""
    backup: Backup
    index: ManifestIndex
    """The entries in the manifest."""
    requests: Mapping[str, int]
    rate_limited: Mapping[str, int]

    @property
    def failed(self) -> int:
        return self.index.count_by_state().get("failed", 0)


class BackupRun(Resumable):
    """One backup with its checkpoint and its manifest."""

    def __init__(
        self,
        client: Client,
        request: BackupRequest,
        target: BackupTarget,
        name: str,
        checkpoint: Checkpoint,
        manifest: ManifestWriter,
        environ: Mapping[str, str],
        *,
        now: datetime,
    ) -> None:
        self._now = clock_starting_at(now)
        self._client, self._request, self._target, self._environ = client, request, target, environ
        self._checkpoint, self._manifest = checkpoint, manifest
        self.backup = Backup(target, f"{host_folder(client.host)}/{name}")

    @property
    def user_count(self) -> int:
        """The number of users in the backup."""
        return len({root.user for root in self._checkpoint.roots()})

    def save(
        self,
        stop: threading.Event,
        report: Callable[[BackupProgress], None] = lambda progress: None,
        pacing: RequestPacing = DEFAULT_PACING,
    ) -> BackupResult:
        """Save the remaining objects. Raises TargetError, OSError, or BackupError if `since` cannot be used."""
        earlier_index = self._earlier_index()
        known_index = ManifestIndex(self._manifest.entries())
        self._target.start(self.backup.base)
        # Written first: this reserves the name and shows that the backup is unfinished.
        self._publish_manifest()
        work = BackupWork(
            self._client,
            self._target,
            self._checkpoint.remaining_folders(),
            self._store,
            places=root_places(self.backup.base, self._checkpoint.roots()),
            options=BackupOptions(self._request.formats, self._request.max_size),
            known=known_index,
            earlier=earlier_index,
            git_folders=self._git_folders(),
            pacing=pacing,
            stop=stop,
        )
        try:
            complete = work.run(report)
            known_index.close()
            index = ManifestIndex(self._manifest.entries())
            if complete:
                self._finish(index.count_by_state().get("failed", 0))
        finally:
            self._target.clean_up()
        result = BackupResult(complete, self.backup, index, work.progress.requests, work.progress.rate_limited)
        self.is_done = complete and not result.failed
        return result

    def close(self, *, complete: bool) -> None:
        """Close the checkpoint, and delete it if the backup is complete."""
        self._manifest.close()
        if not complete:
            self._checkpoint.close()
            return
        self._checkpoint.remove()
        if self._target.folder is None:
            self._manifest.path.unlink()

    def _store(self, entries: Sequence[ManifestEntry], visits: Sequence[Visit]) -> None:
        # Entries first: a folder counts as finished only after they are recorded.
        self._manifest.add(entries)
        self._checkpoint.store(visits)

    def _finish(self, failed: int) -> None:
        if not self._manifest.is_finished:
            self._manifest.finish(format_instant(self._now()), failed)
        self._publish_manifest()

    def _publish_manifest(self) -> None:
        """Copy the manifest into cloud storage; in a local folder it is written in place."""
        if self._target.folder is None:
            copy = self._target.new_partial_file()
            shutil.copyfile(self._manifest.path, copy)
            self._target.publish(copy, self.backup.manifest_path)

    def _git_folders(self) -> Mapping[str, Mapping[str, str]]:
        """Return the git folders; empty if they cannot be read, since their files are saved anyway."""
        if "workspace" not in self._request.sources:
            return {}
        try:
            return WorkspaceApi(self._client).git_folders()
        except WorkspaceError as error:
            log.warning("%s Git folders are saved as plain folders, without their URL.", error)
            return {}

    def _earlier_index(self) -> ManifestIndex:
        """Return the entries of the `since` backup, or no entries."""
        since = self._request.since
        if since is None:
            return ManifestIndex()
        earlier = newest_backup(since.removesuffix(f"/{FILE_NAME}"), self._environ)
        if earlier.target.address != self._target.address or earlier.read_header().host != self._manifest.header.host:
            raise BackupError(f"--since {since}: expected a backup of the same workspace in {self._target.address}.")
        index, reader = earlier.read_manifest()
        if reader.problems:
            raise BackupError(f"--since {since}: {reader.problems[0]}; run verify to see what is wrong.")
        return index


def prepare_backup(
    client: Client, request: BackupRequest, *, resume: bool, now: datetime, environ: Mapping[str, str]
) -> BackupRun:
    """Start or resume a backup; a new backup is named after this machine's date.

    Raises CheckpointError, WorkspaceError, NothingToScan, UsersFileError, TargetError, BackupError, OSError.
    """
    target = open_target(request.output, tier=request.tier, environ=environ)
    identity = request.checkpoint_identity(client.host)
    host = host_folder(client.host)
    # The checkpoint is beside the saved objects, or in the working directory for cloud storage.
    folder = target.folder / host if target.folder else Path()
    suffix = f".{short_digest([f'{key}={value}' for key, value in vars(identity).items()])[:8]}.checkpoint"
    unfinished = sorted(folder.glob(f"*{suffix}"))
    if unfinished and not resume:
        raise CheckpointError(
            f"{unfinished[0]} is the checkpoint of an unfinished backup: use --resume to continue it, or delete it."
        )
    if unfinished:
        path = unfinished[-1]
        checkpoint = Checkpoint.resume(path, identity)
        log.info("resuming after %d directories; what failed is retried", checkpoint.folder_counts()[0])
    else:
        if resume:
            log.info("there is no unfinished backup with these options in %s; starting a new one", target.address)
        home_roots = find_roots(WorkspaceApi(client), request)
        roots = home_roots.folders + [Folder(volume, "volumes", volume) for volume in request.volumes]
        taken = target.list_names(host)
        make_private_folder(folder)
        path = folder / f"{next_name(now.astimezone().date(), taken)}{suffix}"
        checkpoint = Checkpoint.create(path, identity, roots, home_roots.unlistable)
    name = path.name.removesuffix(suffix)
    try:
        manifest = _open_manifest(
            target,
            f"{host}/{name}",
            path,
            ManifestHeader(client.host, name, format_instant(now), request.manifest_fields(), request.retain_until),
        )
        manifest.add(
            ManifestEntry(home.user, home.source, home.path, "DIRECTORY", "failed", reason=why)
            for home, why in checkpoint.unlistable_homes()
        )
    except BaseException:
        checkpoint.close()
        raise
    return BackupRun(client, request, target, name, checkpoint, manifest, environ, now=now)


def _open_manifest(target: BackupTarget, base: str, checkpoint: Path, header: ManifestHeader) -> ManifestWriter:
    """Open the manifest for writing: in the target if this is a local folder, otherwise beside the checkpoint."""
    path = target.folder / base / FILE_NAME if target.folder else checkpoint.with_name(f"{checkpoint.name}.{FILE_NAME}")
    make_private_folder(path.parent)
    try:
        return ManifestWriter(path, header)
    except InvalidManifest as error:
        raise BackupError(f"{path} cannot be used: {error}.") from None


def next_name(today: date, existing: Sequence[str]) -> str:
    """Return the name for a new backup: the date, with a number if the date is taken."""
    of_today = [name for name in existing if name.partition(".")[0] == today.isoformat()]
    last = max((backup_sort_key(name)[1] for name in of_today), default=0)
    return f"{today.isoformat()}.{last + 1}" if last else today.isoformat()


def host_folder(host: str) -> str:
    """Return the name of the folder for a workspace's backups."""
    return "/".join(names.encode_name(urlsplit(host).netloc))


def root_places(base: str, roots: Sequence[Folder]) -> dict[tuple[str, str], str]:
    """Return the root folders' paths below the target: a folder per user, with a folder per file system."""
    reserved: dict[names.NameAndSuffix, names.PathParts] = {(name, ""): (name,) for name in (FILE_NAME, PARTIAL)}
    users = names.assign_names(
        ((f"{root.user}", "") for root in roots if root.user not in (FILE_NAME, PARTIAL)), reserved
    )
    return {root.key: "/".join((base, *users[root.user, ""], root.source)) for root in roots}


def format_instant(instant: datetime) -> str:
    """Format as `2026-11-27T07:00:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
