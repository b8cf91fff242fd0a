"""Private folders that are there completely or not at all."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from labkit.files import fsync_path, make_private_folder


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` to fill, which gets that name when the block ends well and is deleted otherwise.

    `path` must not exist, or be an empty folder. Missing parents are made. Raises OSError.
    """
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    draft.mkdir(mode=0o700)
    try:
        yield draft
        os.replace(draft, path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    fsync_path(path.parent)
