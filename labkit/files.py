"""Private files, written atomically, even if the process or the machine dies during the write.

Files are created with mode 0600, folders with 0700. The module imports little, because programs that Terraform starts
thirty times use it: `tempfile` alone takes ten milliseconds.
"""

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

MARKER = "teaching-lab"
"""The marker line's prefix in our files that contain people's names; also part of each of our log lines."""
MARKER_HEADER = "X-Generator"
"""The email header that contains the marker line."""


def marker_line(kind: str, day: object) -> str:
    """Return the line that identifies a report or email as ours, such as `teaching-lab mail 2026-11-01`.

    Old files are deleted only if they contain it. `kind` is `report` or `mail`; `day` is the day that the file covers,
    as an ISO date.
    """
    return f"{MARKER} {kind} {day}"


def with_marker(content: str, suffix: str, kind: str, day: object) -> str:
    """Return the content of a `.html` or `.txt` file with the marker line appended."""
    line = marker_line(kind, day)
    return f"{content.rstrip()}\n<!-- {line} -->\n" if suffix == ".html" else f"{content.rstrip()}\n\n{line}\n"


@contextlib.contextmanager
def atomic_text_file(path: Path, *, durable: bool = True, single_writer: bool = False) -> Iterator[IO[str]]:
    """Open a new UTF-8 text file that replaces `path` if the block succeeds. Newlines are not translated.

    For the options see `atomic_path`. Raises OSError.
    """
    with atomic_binary_file(path, durable=durable, single_writer=single_writer) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.detach()


@contextlib.contextmanager
def atomic_binary_file(path: Path, *, durable: bool = True, single_writer: bool = False) -> Iterator[IO[bytes]]:
    """Open a new binary file that replaces `path` if the block succeeds.

    For the options see `atomic_path`. Raises OSError.
    """
    with (
        atomic_path(path, durable=durable, single_writer=single_writer) as draft,
        open(draft, "wb") as file,
    ):
        yield file


@contextlib.contextmanager
def atomic_path(path: Path, *, durable: bool = True, single_writer: bool = False) -> Iterator[Path]:
    """Yield the path of an empty file next to `path`; it replaces `path` if the block succeeds, else it is deleted.

    `durable` fsyncs the file and its folder. With `single_writer` the temporary name is fixed, so that the next writer
    overwrites the file that a killed writer left; there must be only one writer at a time. Raises OSError.
    """
    draft = path.with_name(f".{path.name}.{'draft' if single_writer else os.urandom(6).hex()}")
    if single_writer:
        draft.unlink(missing_ok=True)
    os.close(_create_private(draft))
    try:
        yield draft
        move_into_place(draft, path, durable=durable)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        raise
    if durable:
        fsync_path(path.parent)


def write_private(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Replace the file with this content and create missing folders. Raises OSError.

    A symbolic link is followed: its target is replaced, not the link.
    """
    path = path.resolve()
    make_private_folder(path.parent)
    with atomic_binary_file(path, durable=durable) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def create_private(path: Path, content: bytes) -> None:
    """Write a new file and create missing folders. Raises FileExistsError if the file exists, or another OSError if
    writing fails.
    """
    make_private_folder(path.parent)
    with open(_create_private(path), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def ensure_private_file(path: Path) -> None:
    """Create an empty private file, or make the existing one private. Raises OSError.

    The permissions of a symbolic link's target do not change.
    """
    make_private_folder(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    make_private(path)


def make_private(path: Path) -> None:
    """Remove the permissions of group and others on a file or folder. Raises OSError.

    Symbolic links are ignored: the creator of a link must not decide about its target.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return
        raise
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            os.fchmod(descriptor, 0o700 if stat.S_ISDIR(mode) else 0o600)
    finally:
        os.close(descriptor)


def make_private_folder(path: Path, *, enforce: bool = False) -> None:
    """Create the folder and its missing parents, accessible only to the owner. Raises OSError.

    With `enforce` an existing folder becomes private, too, unless it is a symbolic link.
    """
    try:
        path.mkdir(mode=0o700)
    except FileNotFoundError:
        make_private_folder(path.parent)
        # No second recursion: some file systems, such as /proc, keep raising FileNotFoundError.
        path.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        if not path.is_dir():
            raise
        if enforce:
            make_private(path)


def make_contents_private(folder: Path) -> None:
    """Create the folder, accessible only to the owner, and make it and the files directly in it private.

    Raises OSError.
    """
    make_private_folder(folder, enforce=True)
    for path in folder.iterdir():
        if path.is_file():
            make_private(path)


def move_into_place(draft: Path, path: Path, *, durable: bool = True) -> None:
    """Atomically rename a finished file to its final name, after an fsync if `durable`. Raises OSError."""
    if durable:
        fsync_path(draft)
    os.replace(draft, path)


def fsync_path(path: Path) -> None:
    """Fsync a file's content or a folder's entries. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create_private(path: Path) -> int:
    """Create a private file and return its descriptor."""
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
