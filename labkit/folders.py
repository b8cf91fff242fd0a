"""Private folders, created atomically."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from labkit.files import fsync_path, make_private_folder


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder next to `path`. It is renamed to `path` if the block succeeds and deleted otherwise.

    `path` must be missing or an empty folder. Missing parents are created. Raises OSError.
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
