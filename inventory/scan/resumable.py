"""Work that continues where it was stopped or killed."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Resumable(ABC):
    """Closes itself at the end of a `with`; what a later run needs is kept unless nothing is left to be done."""

    is_done = False
    """Whether nothing is left, and nothing has failed."""

    @abstractmethod
    def close(self, *, complete: bool) -> None:
        """Leave the checkpoint; if nothing is left, it has served its purpose."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(complete=self.is_done and error is None)
