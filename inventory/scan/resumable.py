"""Work that can be resumed after a stop or a kill."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Resumable(ABC):
    """Closes itself at the end of a `with`. Files needed to resume are kept until everything is done."""

    is_done = False
    """Whether everything is done and nothing has failed."""

    @abstractmethod
    def close(self, *, complete: bool) -> None:
        """Close the checkpoint, and delete it if everything is done."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(complete=self.is_done and error is None)
