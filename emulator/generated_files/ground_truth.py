"""Exact counts and sizes of a generated tree by user and file system, computed without listing it. Pure."""

from collections.abc import Iterable
from typing import Any

from emulator.generated_files.homes import GeneratedHome, GeneratedTree
from emulator.generated_files.shapes import Source

ESTIMATED_BYTES = 10_000
"""Bytes counted in `size` for a notebook or dashboard. Listings omit their sizes, so readers assume this value."""
_SOURCES: tuple[Source, Source] = ("dbfs", "workspace")
Counts = dict[str, int]


def ground_truth(tree: GeneratedTree) -> dict[str, Any]:
    """Return the response of `GET /_emulator/files/truth`."""
    users = [
        {"user_name": user, **{source: _counted(tree.homes.get((source, user))) for source in _SOURCES}}
        for user in tree.users
    ]
    return {
        "shape": tree.shape.name,
        "seed": int(tree.seed) if tree.seed.isdecimal() and tree.seed.isascii() else tree.seed,
        "users": users,
        "total": {source: _sum(user[source] for user in users) for source in _SOURCES},
    }


def _counted(home: GeneratedHome | None) -> Counts:
    if home is None:
        return dict.fromkeys(("files", "directories", "size", "estimated_files", "exact_size"), 0)
    exact = sum(sizes.total for sizes in home.sizes.values())
    estimated = sum(sizes.count for kind, sizes in home.sizes.items() if kind != "FILE")
    return {
        "files": home.files,
        "directories": home.directories,
        "size": home.sizes["FILE"].total + ESTIMATED_BYTES * estimated,
        "estimated_files": estimated,
        "exact_size": exact,
    }


def _sum(counts: Iterable[Any]) -> Counts:
    total = _counted(None)
    for one in counts:
        for name in total:
            total[name] += one[name]
    return total
