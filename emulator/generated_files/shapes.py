"""How many users, folders and files a forest has, and how they are spread over its homes. Pure."""

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
    """The numbers are over both file systems; folders include the homes themselves."""

    name: str
    users: int
    directories: int
    """As far as possible: every home is one in any case."""
    files: int
    groups: int = 0
    weights: tuple[int, ...] = ()
    """How the files are spread over the users; empty: few have many."""
    largest: int = 4 * 2**20
    """About the size in bytes of the largest file in the Workspace; those in DBFS are up to eight times as large."""


@dataclass(frozen=True)
class HomeSize:
    """What one user has in one file system."""

    user: int
    """Its number, from 0."""
    source: Source
    directories: int
    """The home itself included."""
    files: int


def _heavy() -> tuple[int, ...]:
    """Three of 27 hold 58 % of all; one has nothing."""
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
    """`term` or `users=100,files=10000`. Raises ValueError with a sentence for anything else."""
    if text in SHAPES:
        return SHAPES[text]
    match = _COUNTED.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no shape of files; there are {SHAPES_HELP}")
    users, files = int(match[1]), int(match[2])
    if not 1 <= users <= MAX_USERS or files > MAX_FILES:
        raise ValueError(f"{text!r}: users are 1 to {MAX_USERS}, files 0 to {MAX_FILES}")
    return TreeShape(text, users, files // 11, files)


def home_sizes(shape: TreeShape, seed: str) -> list[HomeSize]:
    """Every home, user by user. One that has nothing in DBFS has no home there; the Workspace has a home for all."""
    generator = random.Random(f"{shape.name}:{seed}")
    weights = list(shape.weights) or [10**9 // (rank + 2) for rank in range(shape.users)]
    generator.shuffle(weights)
    files = apportion(shape.files, weights)
    # A third keeps nothing in DBFS, but never who has the most; with the others it is a tenth to two thirds.
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
    """Whole numbers in proportion to the weights that add up to the total; all zero where no weight is above zero."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda one: (-(total * weights[one] % whole), one))
    for one in by_remainder[: total - sum(shares)]:
        shares[one] += 1
    return shares
