"""A lock between processes that the kernel releases when its holder dies. Standard library only.

The library filelock does the same, but its import takes 50 to 90 milliseconds, which each of the thirty short processes
in a deployment and every tick of the enforcer would pay.
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
    """Hold the lock during the block and yield True, or yield False at once if a different process or block holds it.

    The lock is a file with mode 0600, which is not deleted. Its folder must exist. Only its owner's processes can hold
    it: raises OSError for a symbolic link, for another user's file, and for a lock that is held and that other users
    could open until now.
    """
    descriptor = _open(path)
    try:
        was_open = _make_private(descriptor, path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if was_open:
                text = "is held, and other users could open it until now; delete it if no other run is active"
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
            raise OSError(errno.ELOOP, "is a symbolic link, but a lock must be a file; delete it", str(path)) from None
        raise


def _make_private(descriptor: int, path: Path) -> bool:
    """Make the file private, and return whether other users could open it before."""
    found = os.fstat(descriptor)
    if found.st_uid != os.geteuid() and os.geteuid() != 0:
        raise PermissionError(errno.EPERM, "belongs to another user; delete it", str(path))
    if not stat.S_IMODE(found.st_mode) & 0o077:
        return False
    os.fchmod(descriptor, 0o600)
    return True
