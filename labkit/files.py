"""Private files that are written completely or not at all, also when the process or the machine dies meanwhile.

Every file that is made here has mode 0600, every folder 0700. It imports little, because programs that Terraform starts
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
"""What our files that name people begin their mark with, and what a line of our logs holds."""
MARKER_HEADER = "X-Generator"
"""The header of a mail that holds the mark."""


def marker_line(kind: str, day: object) -> str:
    """The line by which a report or a mail is known as ours when it is deleted, such as `teaching-lab mail 2026-11-01`.

    `kind` is `report` or `mail`, `day` an ISO date: the day that the file is about.
    """
    return f"{MARKER} {kind} {day}"


def with_marker(content: str, suffix: str, kind: str, day: object) -> str:
    """The text of a `.html` or `.txt` file with the mark at its end."""
    line = marker_line(kind, day)
    return f"{content.rstrip()}\n<!-- {line} -->\n" if suffix == ".html" else f"{content.rstrip()}\n\n{line}\n"


@contextlib.contextmanager
def atomic_text_file(path: Path, *, durable: bool = True, single_writer: bool = False) -> Iterator[IO[str]]:
    """A UTF-8 text file to write to, which replaces `path` when the block ends well. Newlines stay as they are written.

    Options as in `atomic_path`. Raises OSError.
    """
    with atomic_binary_file(path, durable=durable, single_writer=single_writer) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.detach()


@contextlib.contextmanager
def atomic_binary_file(path: Path, *, durable: bool = True, single_writer: bool = False) -> Iterator[IO[bytes]]:
    """The same for bytes. Options as in `atomic_path`. Raises OSError."""
    with (
        atomic_path(path, durable=durable, single_writer=single_writer) as draft,
        open(draft, "wb") as file,
    ):
        yield file


@contextlib.contextmanager
def atomic_path(path: Path, *, durable: bool = True, single_writer: bool = False) -> Iterator[Path]:
    """The path of an empty file beside `path`, which replaces it when the block ends well and is deleted otherwise.

    `durable` forces the content and the name to the disk. With `single_writer` the draft's name is fixed, so that the
    next writer overwrites what a killed one left; there must be only one writer at a time. Raises OSError.
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
    """Replace the file by this content. Raises OSError.

    A link is followed, so that the file it names is the one that is replaced. Missing folders are made.
    """
    path = path.resolve()
    make_private_folder(path.parent)
    with atomic_binary_file(path, durable=durable) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def create_private(path: Path, content: bytes) -> None:
    """Write a new file. Missing folders are made. Raises FileExistsError where there is one already, and OSError."""
    make_private_folder(path.parent)
    with open(_create_private(path), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def ensure_private_file(path: Path) -> None:
    """Make an empty file where there is none, and take the rights of others away where there is one. Raises OSError.

    What a link leads to keeps its rights.
    """
    make_private_folder(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    make_private(path)


def make_private(path: Path) -> None:
    """Take the rights of others on a file or folder away. Raises OSError.

    A link is left alone: whoever made it may not decide about what it leads to.
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
    """Make the folder and its missing parents, for the owner alone. Raises OSError.

    With `enforce` a folder that existed before loses the rights of others, too, unless it is a link.
    """
    try:
        path.mkdir(mode=0o700)
    except FileNotFoundError:
        make_private_folder(path.parent)
        # Not once more from the start: some file systems, such as /proc, go on saying that there is no such place.
        path.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        if not path.is_dir():
            raise
        if enforce:
            make_private(path)


def move_into_place(draft: Path, path: Path, *, durable: bool = True) -> None:
    """Give a finished file its name in one step, its content first on the disk. Raises OSError."""
    if durable:
        fsync_path(draft)
    os.replace(draft, path)


def fsync_path(path: Path) -> None:
    """Force a file's content, or the names in a folder, to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create_private(path: Path) -> int:
    """The descriptor of a new file."""
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
