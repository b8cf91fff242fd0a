"""A folder in which many short processes queue work for whichever of them comes first. Standard library only.

Each process puts its request down and waits for the lock; who gets it serves all that is queued, so that what is slow
to start is started once. The lock is the kernel's: a process that dies lets go of it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

Serve = Callable[[Sequence[str]], Mapping[str, str]]

_WANTED = ".wanted"
_DONE = ".done"


def ask(folder: Path, request: str, start: Callable[[], Serve]) -> str:
    """Queue a request, a word, and return its answer, given by this process or by another.

    `start` is called only if this process is the one to serve; what it returns is then called with all the requests
    that wait, until none does, and maps each to its answer.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    answer = folder / (request + _DONE)
    answer.unlink(missing_ok=True)
    (folder / (request + _WANTED)).touch(mode=0o600)
    with _locked(folder):
        if not answer.exists():
            _serve_all(folder, start())
        text = answer.read_text(encoding="utf-8")
        answer.unlink()
        return text


def _serve_all(folder: Path, serve: Serve) -> None:
    while requests := {path.stem: path for path in sorted(folder.glob("*" + _WANTED))}:
        answers = serve(list(requests))
        for request, path in requests.items():
            # The answer first: a crash between the two lines serves the request twice, never not at all.
            (folder / (request + _DONE)).write_text(answers[request], encoding="utf-8")
            path.unlink()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
