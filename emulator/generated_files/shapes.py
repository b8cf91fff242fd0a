"""The numbers of users, folders and files in a generated tree, and their distribution over homes. Pure."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Source = Literal["dbfs", "workspace"]
MAX_USERS, MAX_FILES = 10_000, 10**9
_COUNTED = re.compile(r"users=(\d{1,6}),files=(\d{1,10})")
SHAPES_HELP = "term, heavy, none or users=N,files=M"


@dataclass(frozen=True)
class TreeShape:
    """Totals for both file systems; folders include the homes themselves."""

    name: str
    users: int
    directories: int
    """Number of folders; at least one per home, even if this number is lower."""
    files: int
    groups: int = 0
    weights: tuple[int, ...] = ()
    """Users' weights for the distribution of files; empty means that few users have most files."""
    largest: int = 4 * 2**20
    """Approximate size of the largest Workspace file in bytes; DBFS files have up to eight times this size."""


@dataclass(frozen=True)
class HomeSize:
    """The numbers of folders and files in one user's home in one file system."""

    user: int
    """The user's number, from 0."""
    source: Source
    directories: int
    """Number of folders, including the home itself."""
    files: int


def _heavy() -> tuple[int, ...]:
    """Return weights for 27 users: three users have 58 % of all files, one user has none."""
    others = [10**6 // rank for rank in range(2, 25)]
    return (*(sum(others) * share // 42 for share in (31, 17, 10)), *others, 0)


SHAPES = {
    "none": TreeShape("none", 0, 0, 0),
    "term": TreeShape(
        "term", 100, 700, 3000, groups=30, weights=(*range(20, 68, 1), *range(20, 68, 1), 0, 0, 9, 150), largest=2**20
    ),
    "heavy": TreeShape("heavy", 27, 23_143, 258_824, weights=_heavy(), largest=32 * 2**20),
}


def parse_shape(text: str) -> TreeShape:
    """Parse `term` or `users=100,files=10000`. Raises ValueError for anything else."""
    if text in SHAPES:
        return SHAPES[text]
    match = _COUNTED.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a shape; use {SHAPES_HELP}")
    users, files = int(match[1]), int(match[2])
    if not 1 <= users <= MAX_USERS or files > MAX_FILES:
        raise ValueError(f"{text!r}: users must be from 1 to {MAX_USERS}, files from 0 to {MAX_FILES}")
    return TreeShape(text, users, files // 11, files)


def home_sizes(shape: TreeShape, seed: str) -> list[HomeSize]:
    """Return the sizes of all homes, user by user. Users without DBFS files have no DBFS home."""
    generator = random.Random(f"{shape.name}:{seed}")
    weights = list(shape.weights) or [10**9 // (rank + 2) for rank in range(shape.users)]
    generator.shuffle(weights)
    files = apportion(shape.files, weights)
    # A third of the users, but never the user with the most files, have no DBFS files; the others have 10 to 66 %.
    largest = max(files, default=0)
    shares = [generator.randrange(10, 67) if generator.randrange(3) or count == largest else 0 for count in files]
    in_dbfs = [count * share // 100 for count, share in zip(files, shares, strict=True)]
    found: list[tuple[int, Source, int]] = []
    for user, (count, dbfs) in enumerate(zip(files, in_dbfs, strict=True)):
        if dbfs:
            found.append((user, "dbfs", dbfs))
        found.append((user, "workspace", count - dbfs))
    below = apportion(max(0, shape.directories - len(found)), [count for _, _, count in found])
    return [HomeSize(user, source, 1 + more, count) for (user, source, count), more in zip(found, below, strict=True)]


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Return whole numbers proportional to the weights, with this total; all zero if no weight is positive."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda one: (-(total * weights[one] % whole), one))
    for one in by_remainder[: total - sum(shares)]:
        shares[one] += 1
    return shares
