"""What a backup would save, counted by listing everything and reading nothing."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from inventory.backup.objects import left_out
from inventory.backup.pools import limiter_of
from inventory.backup.run import Wish
from inventory.scan.homes import begin
from inventory.scan.scan_work import Scan
from inventory.scan.visit import Visit
from inventory.transport.client import Client
from inventory.transport.workspace import Workspace
from inventory.tree.listing import Failure, Folder, Listing
from inventory.tree.walk import Walk


@dataclass
class Preview:
    """By user, as far as there is something."""

    objects: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    """Bytes; those of notebooks are not known before they are read."""
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason."""
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Folders that cannot be listed, and why."""


def preview(client: Client, wish: Wish, stop: threading.Event) -> Preview:
    """Raises WorkspaceError, NothingToScan."""
    begun = begin(Workspace(client), wish)
    found = Preview(failures=[(folder.path, why) for folder, why in begun.refused])
    roots = begun.roots + [Folder(volume, "volumes", volume) for volume in wish.volumes]
    places = {root.place for root in roots}

    def count(visits: Sequence[Visit]) -> None:
        for visit in visits:
            folder, listed = visit.folder, visit.found
            if isinstance(listed, Failure) and not (listed.missing and folder.place in places):
                found.failures.append((folder.path, listed.reason))
            if isinstance(listed, Listing):
                found.failures += [(failure.path, failure.reason) for failure in listed.failures]
            for file in listed.files if isinstance(listed, Listing) else ():
                if reason := left_out(file, wish.max_size):
                    found.left_out.append((file.path, reason))
                    continue
                found.objects[folder.user] += len(wish.formats) if file.type == "NOTEBOOK" else 1
                found.sizes[folder.user] += file.size or 0

    limiters = {source: limiter_of(source, None) for source in {root.source for root in roots}}
    Scan(client, Walk(roots), count, limiters=limiters, workers=12, stop=stop).run()
    return found
