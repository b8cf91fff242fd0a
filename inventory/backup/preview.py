"""Previews a backup: lists everything and downloads nothing."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from inventory.backup.objects import exclusion_reason
from inventory.backup.pools import limiter_for
from inventory.backup.run import BackupRequest
from inventory.scan.homes import find_roots
from inventory.scan.scan_work import FolderScan
from inventory.scan.visit import Visit
from inventory.transport.client import Client
from inventory.transport.workspace import WorkspaceApi
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import Failure, Folder, Listing


@dataclass
class BackupPreview:
    """What a backup would save; only users with objects have counts."""

    objects: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    """Bytes by user, without notebooks, whose size is unknown before the download."""
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason for each excluded object."""
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason for each folder that cannot be listed."""


def preview_backup(client: Client, request: BackupRequest, stop: threading.Event) -> BackupPreview:
    """List what a backup would save. Raises WorkspaceError, NothingToScan."""
    home_roots = find_roots(WorkspaceApi(client), request)
    result = BackupPreview(failures=[(folder.path, why) for folder, why in home_roots.unlistable])
    roots = home_roots.folders + [Folder(volume, "volumes", volume) for volume in request.volumes]
    root_keys = {root.key for root in roots}

    def count(visits: Sequence[Visit]) -> None:
        for visit in visits:
            folder, listed = visit.folder, visit.result
            if isinstance(listed, Failure) and not (listed.missing and folder.key in root_keys):
                result.failures.append((folder.path, listed.reason))
            if isinstance(listed, Listing):
                result.failures += [(failure.path, failure.reason) for failure in listed.failures]
            for file in listed.files if isinstance(listed, Listing) else ():
                if reason := exclusion_reason(file, request.max_size):
                    result.left_out.append((file.path, reason))
                    continue
                result.objects[folder.user] += len(request.formats) if file.type == "NOTEBOOK" else 1
                result.sizes[folder.user] += file.size or 0

    limiters = {source: limiter_for(source, None) for source in {root.source for root in roots}}
    FolderScan(client, FolderQueue(roots), count, limiters=limiters, workers=12, stop=stop).run()
    return result
