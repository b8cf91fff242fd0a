"""One backup from what was asked for to its manifest: begin or go on, save, say what became of it."""

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
from inventory.backup.backup_index import Backup, CatalogError, in_order, newest
from inventory.backup.backup_work import Choice, Progress, Saving
from inventory.backup.journal import Journal
from inventory.backup.manifest import NAME, Entry, Header, NotAManifest
from inventory.backup.manifest_index import Index
from inventory.backup.pools import PACE, Pace
from inventory.backup.target import PARTIAL, Target, target_at
from inventory.scan.checkpoint import Checkpoint, CheckpointError, Identity
from inventory.scan.homes import begin
from inventory.scan.resumable import Resumable
from inventory.scan.users import digest
from inventory.scan.visit import Visit
from inventory.transport.client import Client
from inventory.transport.workspace import Workspace, WorkspaceError
from inventory.tree.listing import SOURCES, Folder, Source
from labkit.clock import clock_starting_at
from labkit.files import make_private_folder
from labkit.text import redact_secrets

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    output: str
    """The address of the target."""
    users: tuple[str, ...] = ()
    """None means everybody, unless there are volumes."""
    sources: tuple[Source, ...] = SOURCES
    all_homes: bool = False
    shared: bool = False
    volumes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("source",)
    max_size: int | None = None
    tier: str | None = None
    since: str | None = None
    """The address of an earlier manifest."""
    retain_until: str | None = None

    @property
    def place(self) -> str:
        """The address, however it was typed."""
        return self.output.rstrip("/") if "://" in self.output else str(Path(self.output).absolute())

    def asked(self) -> dict[str, Any]:
        """What a manifest says of it."""
        names = ("users", "sources", "all_homes", "shared", "volumes", "formats", "max_size")
        return {name: getattr(self, name) for name in names}

    def identity(self, host: str) -> Identity:
        """What a backup that goes on with another has to share with it."""
        homes = ["users", *["all homes"] * self.all_homes, *["shared"] * self.shared, *self.volumes]
        most = "of any size" if self.max_size is None else f"up to {self.max_size} bytes"
        return Identity(
            host=host,
            users=digest(self.users) if self.users else "all",
            sources=" and ".join(self.sources),
            homes=", ".join(homes),
            files=f"{' and '.join(self.formats)}, {most}, in {redact_secrets(self.place)}",
        )


@dataclass(frozen=True)
class Outcome:
    """What became of a backup."""

    complete: bool
    """False: it was stopped; what is saved so far is kept."""
    backup: Backup
    entries: Index
    """Everything that is written down."""
    requests: Mapping[str, int]
    refusals: Mapping[str, int]

    @property
    def failed(self) -> int:
        return self.entries.counts().get("failed", 0)


class Run(Resumable):
    """One backup with its checkpoint and its manifest."""

    def __init__(
        self,
        client: Client,
        wish: Wish,
        target: Target,
        name: str,
        checkpoint: Checkpoint,
        journal: Journal,
        environ: Mapping[str, str],
        *,
        now: datetime,
    ) -> None:
        self._now = clock_starting_at(now)
        self._client, self._wish, self._target, self._environ = client, wish, target, environ
        self._checkpoint, self._journal = checkpoint, journal
        self.backup = Backup(target, f"{host_folder(client.host)}/{name}")

    @property
    def users(self) -> int:
        """How many users it is about."""
        return len({root.user for root in self._checkpoint.roots()})

    def save(
        self,
        stop: threading.Event,
        report: Callable[[Progress], None] = lambda progress: None,
        pace: Pace = PACE,
    ) -> Outcome:
        """Save what remains. Raises TargetError, OSError, and CatalogError about `since`."""
        earlier = self._earlier()
        known = Index(self._journal.entries())
        self._target.begin(self.backup.base)
        # Before anything else: the name is taken, and what is not finished says so.
        self._show_manifest()
        saving = Saving(
            self._client,
            self._target,
            self._checkpoint.walk(),
            self._keep,
            places=places(self.backup.base, self._checkpoint.roots()),
            choice=Choice(self._wish.formats, self._wish.max_size),
            known=known,
            earlier=earlier,
            gits=self._git_folders(),
            pace=pace,
            stop=stop,
        )
        try:
            complete = saving.run(report)
            known.close()
            entries = Index(self._journal.entries())
            if complete:
                self._finish(entries.counts().get("failed", 0))
        finally:
            self._target.end()
        outcome = Outcome(complete, self.backup, entries, saving.progress.requests, saving.progress.refusals)
        self.is_done = complete and not outcome.failed
        return outcome

    def close(self, *, complete: bool) -> None:
        """Leave the checkpoint; a complete one has served its purpose."""
        self._journal.close()
        if not complete:
            self._checkpoint.close()
            return
        self._checkpoint.remove()
        if self._target.folder is None:
            self._journal.path.unlink()

    def _keep(self, entries: Sequence[Entry], visits: Sequence[Visit]) -> None:
        # In this order: a folder is done when everything in it is written down.
        self._journal.add(entries)
        self._checkpoint.keep(visits)

    def _finish(self, failed: int) -> None:
        if not self._journal.is_finished:
            self._journal.finish(moment(self._now()), failed)
        self._show_manifest()

    def _show_manifest(self) -> None:
        """Let the manifest lie in the target as it is by now; in a folder it grows there."""
        if self._target.folder is None:
            copy = self._target.spool()
            shutil.copyfile(self._journal.path, copy)
            self._target.publish(copy, self.backup.manifest)

    def _git_folders(self) -> Mapping[str, Mapping[str, str]]:
        """Their files are saved in any case."""
        if "workspace" not in self._wish.sources:
            return {}
        try:
            return Workspace(self._client).git_folders()
        except WorkspaceError as error:
            log.warning("%s Git folders are saved as folders, without their address.", error)
            return {}

    def _earlier(self) -> Index:
        """What the earlier backup holds that was named, if one was."""
        since = self._wish.since
        if since is None:
            return Index()
        earlier = newest(since.removesuffix(f"/{NAME}"), self._environ)
        if earlier.target.address != self._target.address or earlier.header().host != self._journal.header.host:
            raise CatalogError(
                f"--since {since}: it has to be a backup of the same workspace in {self._target.address}."
            )
        entries, reading = earlier.read()
        if reading.problems:
            raise CatalogError(f"--since {since}: {reading.problems[0]}; look what is wrong with verify.")
        return entries


def prepare(client: Client, wish: Wish, *, resume: bool, now: datetime, environ: Mapping[str, str]) -> Run:
    """Begin a backup, or go on with one; a new one has the name of the machine's day.

    Raises CheckpointError, WorkspaceError, NothingToScan, UsersFileError, TargetError, CatalogError, OSError.
    """
    target = target_at(wish.output, tier=wish.tier, environ=environ)
    identity = wish.identity(client.host)
    host = host_folder(client.host)
    # Beside what is saved; of a backup into a cloud where the program was started.
    folder = target.folder / host if target.folder else Path()
    suffix = f".{digest([f'{key}={value}' for key, value in vars(identity).items()])[:8]}.checkpoint"
    unfinished = sorted(folder.glob(f"*{suffix}"))
    if unfinished and not resume:
        raise CheckpointError(
            f"{unfinished[0]} is the checkpoint of an unfinished backup: go on with --resume, or delete it."
        )
    if unfinished:
        path = unfinished[-1]
        checkpoint = Checkpoint.resume(path, identity)
        log.info("going on after %d directories; what failed is tried again", checkpoint.finished()[0])
    else:
        if resume:
            log.info("there is no unfinished backup of this kind in %s; a new one begins", target.address)
        begun = begin(Workspace(client), wish)
        roots = begun.roots + [Folder(volume, "volumes", volume) for volume in wish.volumes]
        taken = target.names(host)
        make_private_folder(folder)
        path = folder / f"{next_name(now.astimezone().date(), taken)}{suffix}"
        checkpoint = Checkpoint.create(path, identity, roots, begun.refused)
    name = path.name.removesuffix(suffix)
    try:
        journal = _journal(
            target,
            f"{host}/{name}",
            path,
            Header(client.host, name, moment(now), wish.asked(), wish.retain_until),
        )
        journal.add(
            Entry(home.user, home.source, home.path, "DIRECTORY", "failed", reason=why)
            for home, why in checkpoint.refused()
        )
    except BaseException:
        checkpoint.close()
        raise
    return Run(client, wish, target, name, checkpoint, journal, environ, now=now)


def _journal(target: Target, base: str, checkpoint: Path, header: Header) -> Journal:
    """The manifest, where it grows: in the folder that is the target, or beside the checkpoint."""
    path = target.folder / base / NAME if target.folder else checkpoint.with_name(f"{checkpoint.name}.{NAME}")
    make_private_folder(path.parent)
    try:
        return Journal(path, header)
    except NotAManifest as error:
        raise CatalogError(f"{path} cannot be used: {error}.") from None


def next_name(today: date, taken: Sequence[str]) -> str:
    """The name of a new backup: the date, with a number if there is one already."""
    of_today = [name for name in taken if name.partition(".")[0] == today.isoformat()]
    last = max((in_order(name)[1] for name in of_today), default=0)
    return f"{today.isoformat()}.{last + 1}" if last else today.isoformat()


def host_folder(host: str) -> str:
    """The folder of a workspace."""
    return "/".join(names.stored(urlsplit(host).netloc))


def places(base: str, roots: Sequence[Folder]) -> dict[tuple[str, str], str]:
    """Where the homes lie: a folder a user, in it one a file system."""
    reserved: dict[names.Item, names.Parts] = {(name, ""): (name,) for name in (NAME, PARTIAL)}
    users = names.arrange(((f"{root.user}", "") for root in roots if root.user not in (NAME, PARTIAL)), reserved)
    return {root.place: "/".join((base, *users[root.user, ""], root.source)) for root in roots}


def moment(instant: datetime) -> str:
    """`2026-11-27T07:00:00Z`"""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
