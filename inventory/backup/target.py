"""Where a backup lies: a folder, or a storage that fsspec knows by its address, such as Azure's.

What is written is written beside first and takes its place when it is whole.
"""

import contextlib
import errno
import io
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from labkit.files import make_private_folder, move_into_place
from labkit.lazy_package import LazyModule
from labkit.text import redact_secrets

fsspec, azure_blob = LazyModule("fsspec"), LazyModule("azure.storage.blob")
PARTIAL = ".partial"
"""The folder of what is not whole yet, beside the manifest; everything in it can be deleted."""
TIERS = ("hot", "cool", "cold")
AZURE = ("abfs", "abfss", "az")
LARGE = 8 * 2**20
"""Bytes from which uploads go one after another: the client of the storage holds a whole part in memory."""
NO_SUCH_NAME = frozenset({errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL})
NOT_A_LINK, NO_WAITING = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)
CONNECTION_STRING = "AZURE_STORAGE_CONNECTION_STRING"


class TargetError(Exception):
    """A sentence that says what cannot be done there and why."""


class NoFile(TargetError):
    """What lies at a place is a link, or no regular file: it is not read, since it leads elsewhere or has no end."""


class NoSuchName(Exception):
    """The file system cannot hold this name, or so long a path; everything else there is fine."""


class Target(Protocol):
    """`place` is always a path below the target, divided by slashes, whose components `names` made."""

    address: str
    """For people."""
    folder: Path | None
    """Where it is, if it is on this machine."""

    def begin(self, base: str) -> None:
        """A backup is going to be written below `base`. Raises TargetError."""
        ...

    def spool(self) -> Path:
        """A new file, to be written and published."""
        ...

    def publish(self, spooled: Path, place: str) -> None:
        """Let this file lie at a place, in the place of what lies there. Raises TargetError, NoSuchName."""
        ...

    def make_folder(self, place: str) -> None:
        """Where folders are something of their own. Raises TargetError, NoSuchName."""
        ...

    def open(self, place: str) -> IO[bytes]:
        """Read what lies there. Raises FileNotFoundError; NoFile; TargetError, also from the file while it is read."""
        ...

    def names(self, place: str) -> list[str]:
        """Files and folders directly below; none where it is not. Raises TargetError."""
        ...

    def files(self, place: str) -> Iterator[str]:
        """The places of all files below, and of whatever else is no folder. Raises TargetError."""
        ...

    def has_folder(self, place: str) -> bool:
        """Whether there is a folder, where folders are something of their own."""
        ...

    def end(self) -> None:
        """Nothing more is written: remove what is not whole."""
        ...


def target_at(address: str, *, tier: str | None, environ: Mapping[str, str]) -> Target:
    """A folder, or what an address like `abfss://container@account.dfs.core.windows.net/path` means.

    `tier` is one of TIERS; only Azure has them. Raises TargetError.
    """
    protocol = address.partition("://")[0].lower() if "://" in address else "file"
    if tier and protocol not in AZURE:
        raise TargetError(f"--tier is for Azure: {redact_secrets(address)} has no tiers.")
    if protocol in ("file", "local"):
        return FolderTarget(Path(address.partition("://")[2] or address))
    return CloudTarget(address, tier=tier, connection=environ.get(CONNECTION_STRING))


class FolderTarget:
    """A folder of this machine. Only its owner can read what is written."""

    def __init__(self, folder: Path) -> None:
        self.folder: Path | None = folder.absolute()
        self.address = str(folder)
        self._root = folder.absolute()
        self._partial: Path | None = None
        self._numbers = _Numbers()
        self._made: set[Path] = set()

    def begin(self, base: str) -> None:
        self._partial = self._root / base / PARTIAL
        with _errors_of(self.address):
            shutil.rmtree(self._partial, ignore_errors=True)
            make_private_folder(self._partial)

    def spool(self) -> Path:
        assert self._partial is not None, "begin comes first"
        return self._partial / f"{self._numbers.next():08}"

    def publish(self, spooled: Path, place: str) -> None:
        path = self._root / place
        with _errors_of(self.address):
            self._make(path.parent)
            # On the disk before it has its name: the manifest is going to say that it is there.
            move_into_place(spooled, path)

    def make_folder(self, place: str) -> None:
        with _errors_of(self.address):
            self._make(self._root / place)

    def open(self, place: str) -> IO[bytes]:
        path = self._root / place
        try:
            with _errors_of(str(path), "read"):
                return _guarded(self._opened(path), lambda: _errors_of(str(path), "read"))
        except NotADirectoryError:
            raise FileNotFoundError(place) from None

    def _opened(self, path: Path) -> IO[bytes]:
        """A regular file below the root. Raises NoFile for anything else, without waiting for who writes to a pipe."""
        if not self._is_inside(path):
            raise NoFile(f"{path} is a link, or lies behind one, and is not read.")
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | NOT_A_LINK | NO_WAITING)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NoFile(f"{path} is no regular file and is not read.")
        return os.fdopen(descriptor, "rb")

    def _is_inside(self, path: Path) -> bool:
        """Whether no part of the path below the root is a link."""
        place = path.relative_to(self._root)
        return os.path.realpath(path) == os.path.join(os.path.realpath(self._root), place)

    def has_folder(self, place: str) -> bool:
        path = self._root / place
        return path.is_dir() and self._is_inside(path)

    def names(self, place: str) -> list[str]:
        with _errors_of(self.address):
            try:
                return sorted(os.listdir(self._root / place))
            except (FileNotFoundError, NotADirectoryError):
                return []

    def files(self, place: str) -> Iterator[str]:
        for folder, folders, files in os.walk(self._root / place):
            folders.sort()
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            for name in sorted([*files, *links]):
                yield os.path.relpath(os.path.join(folder, name), self._root).replace(os.sep, "/")

    def end(self) -> None:
        if self._partial:
            shutil.rmtree(self._partial, ignore_errors=True)

    def _make(self, folder: Path) -> None:
        if folder not in self._made:
            make_private_folder(folder)
            self._made.add(folder)


class CloudTarget:
    """A storage that fsspec knows. What is to go there waits in a temporary folder of this machine."""

    def __init__(self, address: str, *, tier: str | None = None, connection: str | None = None) -> None:
        self.folder: Path | None = None
        self.address = redact_secrets(address.rstrip("/"))
        self._numbers = _Numbers()
        self._large = threading.Lock()
        self._options: dict[str, Any] = {}
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        try:
            if address.partition("://")[0].lower() in AZURE:
                how = {"connection_string": connection} if connection else {"anon": False}
                self._files, self._root = fsspec.core.url_to_fs(address.rstrip("/"), **how)
                if tier:
                    self._options["standard_blob_tier"] = azure_blob.StandardBlobTier[tier.upper()]
            else:
                self._files, self._root = fsspec.core.url_to_fs(address.rstrip("/"))
        except Exception as error:  # noqa: BLE001 - whatever the library of a storage raises
            raise TargetError(f"{self.address} cannot be used: {_reason(error)}.") from None

    def begin(self, base: str) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="inventory-")

    def spool(self) -> Path:
        assert self._temporary is not None, "begin comes first"
        return Path(self._temporary.name) / f"{self._numbers.next():08}"

    def publish(self, spooled: Path, place: str) -> None:
        alone = self._large if spooled.stat().st_size >= LARGE else contextlib.nullcontext()
        with alone, self._errors_of("written", place):
            self._files.put_file(str(spooled), self._path(place), **self._options)
        spooled.unlink()

    def make_folder(self, place: str) -> None:
        """There is none without a file in it; the manifest knows of it."""

    def open(self, place: str) -> IO[bytes]:
        with self._errors_of("read", place):
            file = self._files.open(self._path(place), "rb", block_size=2**20, cache_type="readahead")
        return _guarded(file, lambda: self._errors_of("read", place))

    def names(self, place: str) -> list[str]:
        with self._errors_of("listed", place):
            try:
                found = self._files.ls(self._path(place), detail=False, refresh=True)
            except FileNotFoundError:
                return []
        return sorted(path.rstrip("/").rpartition("/")[2] for path in found)

    def files(self, place: str) -> Iterator[str]:
        with self._errors_of("listed", place):
            self._files.invalidate_cache()
            found = self._files.find(self._path(place))
        for path in sorted(found):
            yield path.removeprefix(self._root).lstrip("/")

    def has_folder(self, place: str) -> bool:
        """There are none, so that none is missing."""
        return True

    def end(self) -> None:
        if self._temporary:
            self._temporary.cleanup()

    def _path(self, place: str) -> str:
        return f"{self._root.rstrip('/')}/{place}" if place else self._root

    @contextlib.contextmanager
    def _errors_of(self, doing: str, place: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the library of a storage raises
            raise TargetError(f"{self.address}/{place} cannot be {doing}: {_reason(error)}.") from None


class _Numbers:
    """Numbers for threads, none twice."""

    def __init__(self) -> None:
        self._last, self._lock = 0, threading.Lock()

    def next(self) -> int:
        with self._lock:
            self._last += 1
            return self._last


Errors = Callable[[], contextlib.AbstractContextManager[None]]


class _Guarded(io.RawIOBase):
    """A file whose errors are ours, so that nobody takes them for those of a connection."""

    def __init__(self, file: IO[bytes], errors: Errors) -> None:
        self._file, self._errors = file, errors

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._errors():
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _guarded(file: IO[bytes], errors: Errors) -> IO[bytes]:
    return io.BufferedReader(_Guarded(file, errors), 2**18)


@contextlib.contextmanager
def _errors_of(address: str, doing: str = "written") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if doing == "read" and isinstance(error, FileNotFoundError | NotADirectoryError):
            raise
        if error.errno in NO_SUCH_NAME:
            raise NoSuchName(error.strerror) from None
        raise TargetError(f"{address} cannot be {doing}: {error.strerror or error}.") from None


def _reason(error: Exception) -> str:
    """The first line of what a library says, without signatures; the rest of it may hold headers of the request."""
    lines = str(error).splitlines()
    return redact_secrets(lines[0] if lines else type(error).__name__).rstrip(".")[:300]
