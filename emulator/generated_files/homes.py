"""Folders and files of generated homes, by arithmetic: ten million files take no more memory than one. Pure.

The folders in a home are numbered from 0, the home itself, and the files after them. Parents, numbers of files and
sizes are computed from these numbers alone. The id of a folder or file contains its number.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import gcd, isqrt
from typing import Any, Literal, NamedTuple

from pydantic_core import core_schema

from emulator.generated_files.shapes import Source, TreeShape, home_sizes, parse_shape
from emulator.generated_files.sizes import SizeDistribution

ItemKind = Literal["DIRECTORY", "REPO", "NOTEBOOK", "DASHBOARD", "FILE"]
LANGUAGES = ("PYTHON", "PYTHON", "SQL", "PYTHON", "SCALA", "R", "PYTHON", "SQL")

_ID, _STEP, _OFFSET = 10**11, 31, 7
"""Generated ids have this remainder, and ids of other objects do not, so there are no duplicates."""
_NUMBERS_PER_HOME = 2**32
"""Numbers reserved for the folders and files in one home."""

_OLDEST_MS, _SPAN_SECONDS = 1_759_276_800_000, 270 * 86_400
"""All modification times are in the 270 days from October 2025 (milliseconds; seconds)."""
_BRANCHES = 5
_REPO_NUMBER = 3
"""The number of the git folder, the third folder of a home."""
_CHAIN_LENGTH = 12
"""Number of folders in a large home that are nested in a chain, below all others."""

_FOLDERS = (
    "data", "homework", "project", "old versions", "results", "תרגילים", "src", "plots", "week", "exam prep",
    "models", "shared with Tal", "raw", "tmp", "données", "🎓 thesis",
)  # fmt: skip
_FILES = (
    "notes", "analysis", "sales", "train", "מחברת", "clean", "events", "features", "Untitled Notebook", "résumé",
    "baseline", "final (2)", "log", "orders", "sample", "Übung",
)  # fmt: skip
_WORKSPACE_ENDINGS = (".csv", ".py", ".txt", ".json", ".png", ".whl", ".md", ".yml")
_DBFS_ENDINGS = (".parquet", ".csv", ".json", ".snappy.parquet", ".txt", ".zip", ".crc", ".csv.gz")
_NAME = re.compile(r".*[-_](\d{1,10})([.][a-z0-9.]+)?", re.DOTALL)


class GeneratedItem(NamedTuple):
    """A folder or a file in a generated home."""

    id: int
    parent: int
    """The parent folder's id; a home is its own parent."""
    name: str
    kind: ItemKind
    size: int = 0
    modified_at: int = 0
    """Milliseconds since 1970."""
    language: str | None = None

    @property
    def is_container(self) -> bool:
        return self.kind in ("DIRECTORY", "REPO")


@dataclass(frozen=True)
class GeneratedHome:
    """One user's home in one file system."""

    index: int
    user: str
    source: Source
    directories: int
    files: int
    largest: int
    seed: str

    @property
    def root(self) -> GeneratedItem:
        return self._folder(0)

    def item(self, number: int) -> GeneratedItem | None:
        """Return the folder or file with this number, or None."""
        if not 0 <= number < self.directories + self.files:
            return None
        if number >= self.directories:
            return self._file(number - self.directories)
        return self._folder(number)

    def number(self, item: GeneratedItem) -> int:
        return (item.id - _ID) // _STEP % _NUMBERS_PER_HOME

    def children(self, folder: int) -> Iterator[GeneratedItem]:
        """Yield the direct children of the folder with this number, folders first."""
        for number in self._folders_in(folder):
            yield self._folder(number)
        files = self._files_in(folder)
        for file in files:
            yield self._file_in(folder, files.start, file)

    def child(self, folder: int, name: str) -> GeneratedItem | None:
        match = _NAME.fullmatch(name)
        if not match:
            return None
        ordinal = int(match[1]) - 1
        for numbers, shift in ((self._folders_in(folder), 0), (self._files_in(folder), self.directories)):
            if 0 <= ordinal < len(numbers):
                item = self.item(numbers[ordinal] + shift)
                if item and item.name == name:
                    return item
        return None

    def folder_of(self, number: int) -> int:
        """Return the number of the parent folder of a folder or file."""
        if number >= self.directories:
            return self._folder_of_file(number - self.directories)
        return number - 1 if number >= self._tree_folders else max(0, number - 1) // _BRANCHES

    @cached_property
    def sizes(self) -> dict[ItemKind, SizeDistribution]:
        """Size distributions of notebooks, dashboards and plain files, in the order of their ranks."""
        if self.source == "dbfs":
            return {"FILE": SizeDistribution(self.files, 8 * self.largest)}
        notebooks, dashboards = self.files * 2 // 5, self.files // 50
        return {
            "NOTEBOOK": SizeDistribution(notebooks, max(2**16, self.largest // 64), smallest=64),
            "DASHBOARD": SizeDistribution(dashboards, 2**15, smallest=64),
            "FILE": SizeDistribution(self.files - notebooks - dashboards, self.largest),
        }

    @cached_property
    def _tree_folders(self) -> int:
        """The number of folders that form a tree; the rest form the chain."""
        return self.directories - min(_CHAIN_LENGTH, self.directories // 10)

    @cached_property
    def _salt(self) -> int:
        return int.from_bytes(hashlib.sha256(f"{self.seed}:{self.index}:{self.source}".encode()).digest()[:6], "big")

    @cached_property
    def _folder_stride(self) -> int:
        return _stride(self.directories, self._salt)

    @cached_property
    def _folder_inverse(self) -> int:
        return pow(self._folder_stride, -1, self.directories) if self.directories > 1 else 0

    @cached_property
    def _file_stride(self) -> int:
        return _stride(self.files, self._salt >> 7)

    @cached_property
    def _empty_folders(self) -> int:
        """The number of folders without files."""
        return self.directories // 8

    def _folders_in(self, folder: int) -> range:
        if folder >= self._tree_folders:
            return range(folder + 1, min(folder + 2, self.directories))
        below = range(folder * _BRANCHES + 1, min(folder * _BRANCHES + 1 + _BRANCHES, self._tree_folders))
        # The chain is below the last folder of the tree, which has no other subfolders.
        return (
            range(self._tree_folders, min(self._tree_folders + 1, self.directories))
            if folder == self._tree_folders - 1
            else below
        )

    def _files_in(self, folder: int) -> range:
        filled = self.directories - self._empty_folders
        position = (folder * self._folder_stride + self._salt) % self.directories - self._empty_folders
        return (
            range(self._first_file(position, filled), self._first_file(position + 1, filled))
            if position >= 0
            else range(0)
        )

    def _first_file(self, position: int, filled: int) -> int:
        """Return the first file in the folder at this position. The last folders have many files, most folders have
        few."""
        return self.files - isqrt(self.files * self.files * (filled - position) // filled)

    def _folder_of_file(self, file: int) -> int:
        filled = self.directories - self._empty_folders
        low, high = 0, filled - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._first_file(middle, filled) <= file else (low, middle - 1)
        return (
            (low + self._empty_folders - self._salt) * self._folder_inverse % self.directories
            if self._folder_inverse
            else 0
        )

    def _folder(self, number: int) -> GeneratedItem:
        if number == 0:
            return GeneratedItem(self._id(0), self._id(0), self.user, "DIRECTORY", modified_at=_OLDEST_MS)
        parent = self.folder_of(number)
        ordinal = number - self._folders_in(parent).start
        word = _FOLDERS[(number * 11 + self._salt) % len(_FOLDERS)]
        kind: ItemKind = "DIRECTORY"
        if self.source == "workspace" and number == _REPO_NUMBER:
            kind, word = "REPO", "repo"
        return GeneratedItem(self._id(number), self._id(parent), f"{word}-{ordinal + 1}", kind, modified_at=_OLDEST_MS)

    def _file(self, file: int) -> GeneratedItem:
        folder = self._folder_of_file(file)
        return self._file_in(folder, self._files_in(folder).start, file)

    def _file_in(self, folder: int, first: int, file: int) -> GeneratedItem:
        rank = (file * self._file_stride + self._salt) % self.files
        kind, size = self._kind_and_size(rank)
        name = f"{_FILES[rank * 7 % 16]}_{file - first + 1}"
        language = None
        if kind == "NOTEBOOK":
            language = LANGUAGES[rank % 8]
        elif kind == "DASHBOARD":
            name += ".lvdash.json"
        else:
            name += (_DBFS_ENDINGS if self.source == "dbfs" else _WORKSPACE_ENDINGS)[rank % 8]
        modified_at = _OLDEST_MS + rank * 6_700_417 % _SPAN_SECONDS * 1000
        return GeneratedItem(
            self._id(self.directories + file), self._id(folder), name, kind, size, modified_at, language
        )

    def _kind_and_size(self, rank: int) -> tuple[ItemKind, int]:
        for kind, sizes in self.sizes.items():
            if rank < sizes.count:
                return kind, sizes.size_at(rank)
            rank -= sizes.count
        raise IndexError(rank)

    def _id(self, number: int) -> int:
        return _ID + (self.index * _NUMBERS_PER_HOME + number) * _STEP + _OFFSET


class GeneratedTree:
    """All homes for a shape and a seed, which always give the same tree."""

    def __init__(self, shape: TreeShape, seed: str) -> None:
        self.shape = shape
        self.seed = seed
        self.homes: dict[tuple[Source, str], GeneratedHome] = {}
        self._by_index: list[GeneratedHome] = []
        salt = int.from_bytes(hashlib.sha256(f"users:{seed}".encode()).digest()[:4], "big")
        for size in home_sizes(shape, seed):
            user = _user_name(size.user, salt)
            home = GeneratedHome(
                len(self._by_index), user, size.source, size.directories, size.files, shape.largest, seed
            )
            self.homes[size.source, user] = home
            self._by_index.append(home)

    @cached_property
    def users(self) -> list[str]:
        """User names, sorted."""
        return sorted({user for _, user in self.homes})

    def find(self, item_id: int) -> tuple[GeneratedHome, int] | None:
        """Return the home that contains this id, and the number in the home; None if the id is not in this tree."""
        code, remainder = divmod(item_id - _ID, _STEP)
        index, number = divmod(code, _NUMBERS_PER_HOME)
        if remainder != _OFFSET or not 0 <= index < len(self._by_index):
            return None
        return self._by_index[index], number

    def repos(self) -> Iterator[GeneratedItem]:
        """Yield the git folders in all homes."""
        for home in self._by_index:
            item = home.item(_REPO_NUMBER)
            if item and item.kind == "REPO":
                yield item

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        """Store only shape and seed in a state dump."""
        return core_schema.no_info_plain_validator_function(
            lambda dumped: generated_tree(str(dumped["shape"]), str(dumped["seed"])),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda tree: {"shape": tree.shape.name, "seed": tree.seed}
            ),
        )


@lru_cache(maxsize=8)
def generated_tree(shape: str, seed: str) -> GeneratedTree:
    """Return the tree for this shape and seed. Raises ValueError for an unknown shape."""
    return GeneratedTree(parse_shape(shape), seed)


_GIVEN_NAMES = "adi amir dana eitan gal hila ido lior maya noa omer or ron shir tal yael yossi zoe rami samir".split()


def _user_name(number: int, salt: int) -> str:
    return f"{_GIVEN_NAMES[(number + salt) % len(_GIVEN_NAMES)]}.{number + 1:03}@campus.example.ac.il"


def _stride(count: int, salt: int) -> int:
    """Return a stride that visits all of `count` numbers before it returns to the first, with neighbours far apart."""
    stride = max(1, count * 618_033 // 1_000_000 + salt % max(1, count // 8))
    while gcd(stride, count) != 1:
        stride += 1
    return stride
