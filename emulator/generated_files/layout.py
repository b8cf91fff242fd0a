"""The generated tree on disk, as in a cluster's mounts: `Workspace/Users/…` and `dbfs/Users/…`."""

import os
from collections.abc import Iterable
from pathlib import Path

from emulator.generated_files.content import head
from emulator.generated_files.homes import GeneratedHome, GeneratedItem, GeneratedTree

MOUNTS = {"workspace": "Workspace/Users", "dbfs": "dbfs/Users"}


def write_layout(tree: GeneratedTree, target: Path, empty_homes: Iterable[str] = ()) -> int:
    """Write the tree below `target` and return the number of files.

    Files are sparse: they have their size and time, but no content except the first line of notebooks.
    `empty_homes` has the names of further homes in the Workspace. Raises OSError, also if a home already exists.
    """
    for mount in MOUNTS.values():
        (target / mount).mkdir(parents=True, exist_ok=True)
    for name in empty_homes:
        (target / MOUNTS["workspace"] / name).mkdir()
    return sum(_write_home(home, target / MOUNTS[source] / user) for (source, user), home in tree.homes.items())


def _write_home(home: GeneratedHome, target: Path) -> int:
    waiting = [(0, str(target))]
    while waiting:
        number, path = waiting.pop()
        os.mkdir(path)
        for item in home.children(number):
            below = f"{path}/{item.name}"
            if item.is_container:
                waiting.append((home.number(item), below))
            else:
                _write(item, below)
    return home.files


def _write(item: GeneratedItem, path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        if item.language:
            os.write(descriptor, head(item.language))
        os.ftruncate(descriptor, item.size)
        os.utime(descriptor, ns=(item.modified_at * 10**6, item.modified_at * 10**6))
    finally:
        os.close(descriptor)
