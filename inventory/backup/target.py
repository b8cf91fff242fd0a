"""Storage for backups: a local folder, or cloud storage that fsspec supports, such as Azure's.

Files are written under a temporary name and moved into place when they are complete.
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
"""Name of the folder for incomplete files, beside the manifest; everything in it can be deleted."""
TIERS = ("hot", "cool", "cold")
AZURE = ("abfs", "abfss", "az")
LARGE_FILE_BYTES = 8 * 2**20
"""Minimum size in bytes of files that are uploaded one at a time: the storage client holds a whole part in memory."""
UNSUPPORTED_NAME_ERRNOS = frozenset({errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL})
NO_FOLLOW, NON_BLOCKING = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)
CONNECTION_STRING = "AZURE_STORAGE_CONNECTION_STRING"


class TargetError(Exception):
    """An operation on the target failed; the message names it and the reason."""


class NotARegularFile(TargetError):
    """The path is a link or not a regular file. It is not read, since it may lead elsewhere or never end."""


class UnsupportedName(Exception):
    """The file system cannot hold this name or path; other names are fine."""


class BackupTarget(Protocol):
    """Local or cloud storage. A `place` is a path below it, with slashes and with components encoded by `names`."""

    address: str
    """The path or URL to show in messages."""
    folder: Path | None
    """The path of a local folder; None for cloud storage."""

    def start(self, base: str) -> None:
        """Prepare for writing a backup below `base`. Raises TargetError."""
        ...

    def new_partial_file(self) -> Path:
        """Return the path for a new local file, to be written and published."""
        ...

    def publish(self, partial_file: Path, place: str) -> None:
        """Move a complete local file to `place`, replacing an existing file. Raises TargetError, UnsupportedName."""
        ...

    def make_folder(self, place: str) -> None:
        """Make a folder, if the storage has folders. Raises TargetError, UnsupportedName."""
        ...

    def open(self, place: str) -> IO[bytes]:
        """Open a file for reading. Raises FileNotFoundError, NotARegularFile; opening and reading raise TargetError."""
        ...

    def list_names(self, place: str) -> list[str]:
        """Return the names of files and folders directly in `place`; empty if the folder does not exist. Raises
        TargetError."""
        ...

    def list_files(self, place: str) -> Iterator[str]:
        """Yield the paths of all files below `place`. Raises TargetError."""
        ...

    def has_folder(self, place: str) -> bool:
        """Return whether a folder exists, if the storage has folders."""
        ...

    def clean_up(self) -> None:
        """Delete incomplete files. Nothing is written after this call."""
        ...


def open_target(address: str, *, tier: str | None, environ: Mapping[str, str]) -> BackupTarget:
    """Return the target at a path or an address such as `abfss://container@account.dfs.core.windows.net/path`.

    `tier` is one of TIERS, for Azure only. Raises TargetError.
    """
    protocol = address.partition("://")[0].lower() if "://" in address else "file"
    if tier and protocol not in AZURE:
        raise TargetError(f"--tier is for Azure: {redact_secrets(address)} has no tiers.")
    if protocol in ("file", "local"):
        return FolderTarget(Path(address.partition("://")[2] or address))
    return CloudTarget(address, tier=tier, connection=environ.get(CONNECTION_STRING))


class FolderTarget:
    """A local folder. Only its owner can read what is written."""

    def __init__(self, folder: Path) -> None:
        self.folder: Path | None = folder.absolute()
        self.address = str(folder)
        self._root = folder.absolute()
        self._partial: Path | None = None
        self._file_numbers = _Counter()
        self._made_folders: set[Path] = set()

    def start(self, base: str) -> None:
        self._partial = self._root / base / PARTIAL
        with _target_errors(self.address):
            shutil.rmtree(self._partial, ignore_errors=True)
            make_private_folder(self._partial)

    def new_partial_file(self) -> Path:
        assert self._partial is not None, "begin comes first"
        return self._partial / f"{self._file_numbers.next():08}"

    def publish(self, partial_file: Path, place: str) -> None:
        path = self._root / place
        with _target_errors(self.address):
            self._make_once(path.parent)
            # The content must be on disk before the rename, since the manifest will record it.
            move_into_place(partial_file, path)

    def make_folder(self, place: str) -> None:
        with _target_errors(self.address):
            self._make_once(self._root / place)

    def open(self, place: str) -> IO[bytes]:
        path = self._root / place
        try:
            with _target_errors(str(path), "read"):
                return _with_translated_errors(self._open_regular_file(path), lambda: _target_errors(str(path), "read"))
        except NotADirectoryError:
            raise FileNotFoundError(place) from None

    def _open_regular_file(self, path: Path) -> IO[bytes]:
        """Open a regular file below the root, without blocking on a pipe. Raises NotARegularFile for anything else."""
        if not self._is_inside(path):
            raise NotARegularFile(f"{path} is a link or below a link, and is not read.")
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | NO_FOLLOW | NON_BLOCKING)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotARegularFile(f"{path} is not a regular file, and is not read.")
        return os.fdopen(descriptor, "rb")

    def _is_inside(self, path: Path) -> bool:
        """Return whether no component of the path below the root is a link."""
        place = path.relative_to(self._root)
        return os.path.realpath(path) == os.path.join(os.path.realpath(self._root), place)

    def has_folder(self, place: str) -> bool:
        path = self._root / place
        return path.is_dir() and self._is_inside(path)

    def list_names(self, place: str) -> list[str]:
        with _target_errors(self.address):
            try:
                return sorted(os.listdir(self._root / place))
            except (FileNotFoundError, NotADirectoryError):
                return []

    def list_files(self, place: str) -> Iterator[str]:
        for folder, folders, files in os.walk(self._root / place):
            folders.sort()
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            for name in sorted([*files, *links]):
                yield os.path.relpath(os.path.join(folder, name), self._root).replace(os.sep, "/")

    def clean_up(self) -> None:
        if self._partial:
            shutil.rmtree(self._partial, ignore_errors=True)

    def _make_once(self, folder: Path) -> None:
        if folder not in self._made_folders:
            make_private_folder(folder)
            self._made_folders.add(folder)


class CloudTarget:
    """Cloud storage that fsspec supports. Files are prepared in a temporary local folder."""

    def __init__(self, address: str, *, tier: str | None = None, connection: str | None = None) -> None:
        self.folder: Path | None = None
        self.address = redact_secrets(address.rstrip("/"))
        self._file_numbers = _Counter()
        self._large_upload_lock = threading.Lock()
        self._options: dict[str, Any] = {}
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        try:
            if address.partition("://")[0].lower() in AZURE:
                how = {"connection_string": connection} if connection else {"anon": False}
                self._file_system, self._root = fsspec.core.url_to_fs(address.rstrip("/"), **how)
                if tier:
                    self._options["standard_blob_tier"] = azure_blob.StandardBlobTier[tier.upper()]
            else:
                self._file_system, self._root = fsspec.core.url_to_fs(address.rstrip("/"))
        except Exception as error:  # noqa: BLE001 - storage libraries raise many types
            raise TargetError(f"{self.address} cannot be used: {_first_line(error)}.") from None

    def start(self, base: str) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="inventory-")

    def new_partial_file(self) -> Path:
        assert self._temporary is not None, "begin comes first"
        return Path(self._temporary.name) / f"{self._file_numbers.next():08}"

    def publish(self, partial_file: Path, place: str) -> None:
        one_at_a_time = (
            self._large_upload_lock if partial_file.stat().st_size >= LARGE_FILE_BYTES else contextlib.nullcontext()
        )
        with one_at_a_time, self._storage_errors("written", place):
            self._file_system.put_file(str(partial_file), self._path(place), **self._options)
        partial_file.unlink()

    def make_folder(self, place: str) -> None:
        """Do nothing: cloud storage has no empty folders; the manifest records them."""

    def open(self, place: str) -> IO[bytes]:
        with self._storage_errors("read", place):
            file = self._file_system.open(self._path(place), "rb", block_size=2**20, cache_type="readahead")
        return _with_translated_errors(file, lambda: self._storage_errors("read", place))

    def list_names(self, place: str) -> list[str]:
        with self._storage_errors("listed", place):
            try:
                found = self._file_system.ls(self._path(place), detail=False, refresh=True)
            except FileNotFoundError:
                return []
        return sorted(path.rstrip("/").rpartition("/")[2] for path in found)

    def list_files(self, place: str) -> Iterator[str]:
        with self._storage_errors("listed", place):
            self._file_system.invalidate_cache()
            found = self._file_system.find(self._path(place))
        for path in sorted(found):
            yield path.removeprefix(self._root).lstrip("/")

    def has_folder(self, place: str) -> bool:
        """Return True: cloud storage has no folders, so none is missing."""
        return True

    def clean_up(self) -> None:
        if self._temporary:
            self._temporary.cleanup()

    def _path(self, place: str) -> str:
        return f"{self._root.rstrip('/')}/{place}" if place else self._root

    @contextlib.contextmanager
    def _storage_errors(self, action: str, place: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:  # noqa: BLE001 - storage libraries raise many types
            raise TargetError(f"{self.address}/{place} cannot be {action}: {_first_line(error)}.") from None


class _Counter:
    """A thread-safe counter."""

    def __init__(self) -> None:
        self._last, self._lock = 0, threading.Lock()

    def next(self) -> int:
        with self._lock:
            self._last += 1
            return self._last


ErrorContext = Callable[[], contextlib.AbstractContextManager[None]]


class _TranslatedErrorsFile(io.RawIOBase):
    """A file that raises TargetError, to distinguish its errors from connection errors."""

    def __init__(self, file: IO[bytes], error_context: ErrorContext) -> None:
        self._file, self._error_context = file, error_context

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._error_context():
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _with_translated_errors(file: IO[bytes], error_context: ErrorContext) -> IO[bytes]:
    return io.BufferedReader(_TranslatedErrorsFile(file, error_context), 2**18)


@contextlib.contextmanager
def _target_errors(address: str, action: str = "written") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if action == "read" and isinstance(error, FileNotFoundError | NotADirectoryError):
            raise
        if error.errno in UNSUPPORTED_NAME_ERRNOS:
            raise UnsupportedName(error.strerror) from None
        raise TargetError(f"{address} cannot be {action}: {error.strerror or error}.") from None


def _first_line(error: Exception) -> str:
    """Return the first line of a library's error, without signatures; further lines may contain request headers."""
    lines = str(error).splitlines()
    return redact_secrets(lines[0] if lines else type(error).__name__).rstrip(".")[:300]
