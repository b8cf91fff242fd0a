"""A request queue in a folder, shared by many short processes; one of them serves all requests.

Uses the standard library only.
"""

from contextlib import AbstractContextManager
from pathlib import Path

from labkit.files import atomic_text_file, make_private_folder
from labkit.locks import exclusive_lock

_REQUEST_SUFFIX = ".wanted"
_ANSWER_SUFFIX = ".done"


class RequestQueue:
    """Requests and their answers; a request is a string that is a valid file name. Every method may raise OSError.

    A request is a file until it is answered, so that no request is lost if a process dies.
    """

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder, enforce=True)
        self._folder = folder

    def put(self, request: str) -> None:
        """Queue a request. An earlier answer to the same request is discarded."""
        (self._folder / (request + _ANSWER_SUFFIX)).unlink(missing_ok=True)
        (self._folder / (request + _REQUEST_SUFFIX)).touch(mode=0o600)

    def pending(self) -> set[str]:
        """Return the requests without an answer."""
        return {path.name.removesuffix(_REQUEST_SUFFIX) for path in self._folder.glob("*" + _REQUEST_SUFFIX)}

    def server_lock(self) -> AbstractContextManager[bool]:
        """Return a context manager that holds the server's lock; it yields False at once if a different process holds
        it.
        """
        return exclusive_lock(self._folder / "lock")

    def write_answer(self, request: str, text: str) -> None:
        """Answer a pending request. Only the server calls this."""
        # The answer is written first and atomically: after a crash in between, the request is served twice, not lost.
        with atomic_text_file(self._folder / (request + _ANSWER_SUFFIX), durable=False, single_writer=True) as file:
            file.write(text)
        (self._folder / (request + _REQUEST_SUFFIX)).unlink()

    def is_answered(self, request: str) -> bool:
        """Return whether the server has answered the request."""
        return (self._folder / (request + _ANSWER_SUFFIX)).exists()

    def pop_answer(self, request: str) -> str:
        """Remove and return the answer to a request. Raise FileNotFoundError if it is not there yet."""
        path = self._folder / (request + _ANSWER_SUFFIX)
        text = path.read_text(encoding="utf-8")
        path.unlink()
        return text
