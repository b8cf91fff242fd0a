"""A folder in which many short processes queue requests, which one of them serves for all. Standard library only."""

from contextlib import AbstractContextManager
from pathlib import Path

from labkit.files import atomic_text_file, make_private_folder
from labkit.locks import exclusive_lock

_REQUEST_SUFFIX = ".wanted"
_ANSWER_SUFFIX = ".done"


class RequestQueue:
    """Requests, each a word that can be a file's name, and their answers. Every method raises OSError.

    A request is a file until it is answered, so that a process that dies loses none.
    """

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder, enforce=True)
        self._folder = folder

    def put(self, request: str) -> None:
        """Queue a request. An earlier answer to the same request is discarded."""
        (self._folder / (request + _ANSWER_SUFFIX)).unlink(missing_ok=True)
        (self._folder / (request + _REQUEST_SUFFIX)).touch(mode=0o600)

    def pending(self) -> set[str]:
        """The requests that have no answer yet."""
        return {path.name.removesuffix(_REQUEST_SUFFIX) for path in self._folder.glob("*" + _REQUEST_SUFFIX)}

    def server_lock(self) -> AbstractContextManager[bool]:
        """The right to serve, for a block; False, at once, while another process has it or if it dies meanwhile."""
        return exclusive_lock(self._folder / "lock")

    def write_answer(self, request: str, text: str) -> None:
        """Answer a request that waits. Only the server does this."""
        # The answer whole and first: a crash between the lines serves the request twice, never not at all.
        with atomic_text_file(self._folder / (request + _ANSWER_SUFFIX), durable=False, single_writer=True) as file:
            file.write(text)
        (self._folder / (request + _REQUEST_SUFFIX)).unlink()

    def is_answered(self, request: str) -> bool:
        """Whether `pop_answer` would return a text."""
        return (self._folder / (request + _ANSWER_SUFFIX)).exists()

    def pop_answer(self, request: str) -> str:
        """The answer to a request, which is removed. Raises FileNotFoundError if there is none yet."""
        path = self._folder / (request + _ANSWER_SUFFIX)
        text = path.read_text(encoding="utf-8")
        path.unlink()
        return text
