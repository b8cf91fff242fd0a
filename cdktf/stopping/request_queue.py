"""A folder in which many short processes queue work for whichever of them comes first. Standard library only.

Each process puts its request down; who gets the lock serves all that is queued, and what comes soon after, so that what
is slow to start is started seldom. The lock is the kernel's: a process that dies lets go of it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.files import private_folder, replaced
from labkit.locks import exclusive

if TYPE_CHECKING:
    from concurrent.futures import Future

Serve = Callable[[Sequence[str]], Mapping[str, str]]

_WANTED = ".wanted"
_DONE = ".done"

_LOOK_SECONDS = 0.1
# So long after a request the next one may come; without it, each that comes alone would start what is slow to start.
_LINGER_SECONDS = 1.0
_AT_ONCE = 16


def ask(folder: Path, request: str, start: Callable[[], Serve]) -> str:
    """Queue a request, a word, and return its answer, given by this process or by another.

    `start` is called only if this process is the one to serve; what it returns is then called, in threads, with the
    requests that wait, until none does, and maps each to its answer.
    """
    private_folder(folder, enforce=True)
    answer = folder / (request + _DONE)
    answer.unlink(missing_ok=True)
    (folder / (request + _WANTED)).touch(mode=0o600)
    while not answer.exists():
        with exclusive(folder / "lock") as is_ours:
            # Between the look and the lock another process may have answered.
            if is_ours and not answer.exists():
                _serve_all(folder, start())
        if not is_ours:
            time.sleep(_LOOK_SECONDS)
    text = answer.read_text(encoding="utf-8")
    answer.unlink()
    return text


def _serve_all(folder: Path, serve: Serve) -> None:
    """Serve what waits, and what comes meanwhile or soon after: nobody waits for the answers of others."""
    # Whoever only queues something does not need threads, whose import would be half of its time.
    from concurrent.futures import ThreadPoolExecutor

    serving: dict[Future[None], frozenset[str]] = {}
    waiting: list[str] = []
    came = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as servers:
        while serving or waiting or time.monotonic() - came < _LINGER_SECONDS:
            taken = frozenset[str]().union(*serving.values())
            waiting = sorted({path.stem for path in folder.glob("*" + _WANTED)} - taken)
            if waiting and len(serving) < _AT_ONCE:
                serving[servers.submit(_answer, folder, serve, waiting)] = frozenset(waiting)
                came = time.monotonic()
            time.sleep(_LOOK_SECONDS)
            for answered in [future for future in serving if future.done()]:
                del serving[answered]
                answered.result()


def _answer(folder: Path, serve: Serve, requests: Sequence[str]) -> None:
    """Serve these requests and put their answers down."""
    answers = serve(requests)
    for request in requests:
        # The answer whole and first: a crash between the lines serves the request twice, never not at all.
        with replaced(folder / (request + _DONE), durable=False, single_writer=True) as answer:
            answer.write(answers[request])
        (folder / (request + _WANTED)).unlink()
