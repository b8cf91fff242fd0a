"""A lock between processes that the kernel releases when its holder dies. Standard library only.

The library filelock does the same, but its import takes 50 to 90 milliseconds, which each of the thirty short processes
of a deploy and every tick of the enforcer would pay.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive_lock(path: Path) -> Iterator[bool]:
    """Hold the lock while the block runs; False, at once, where another process or block holds it.

    The lock is a file of mode 0600, which stays. Its folder must exist. Only processes of its owner can hold it: raises
    OSError for a link, for another user's file, and for one that is held and could be opened by others until now.
    """
    descriptor = _open(path)
    try:
        was_open = _make_private(descriptor, path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if was_open:
                text = "is held and could be opened by others until now; delete it if no other run is at work"
                raise PermissionError(errno.EPERM, text, str(path)) from None
            is_ours = False
        else:
            is_ours = True
        yield is_ours
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "is a link, which no lock may be; delete it", str(path)) from None
        raise


def _make_private(descriptor: int, path: Path) -> bool:
    """Make the file its owner's alone; whether others could open it before."""
    found = os.fstat(descriptor)
    if found.st_uid != os.geteuid() and os.geteuid() != 0:
        raise PermissionError(errno.EPERM, "belongs to another user; delete it", str(path))
    if not stat.S_IMODE(found.st_mode) & 0o077:
        return False
    os.fchmod(descriptor, 0o600)
    return True
