"""How long a run has been at work, and what is left of its budget."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Stopwatch:
    """Starts when it is made: when the run reads its clock. Runs by the machine's time, whatever the lab's clock shows.

    `timer` (seconds) is what it runs by; a test hands in its own.
    """

    budget: timedelta
    timer: Callable[[], float] = time.monotonic
    began: float = field(default=-1.0)

    def __post_init__(self) -> None:
        if self.began < 0:
            object.__setattr__(self, "began", self.timer())

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=self.timer() - self.began)

    @property
    def left(self) -> timedelta:
        """Not below zero."""
        return max(timedelta(), self.budget - self.elapsed)
