"""Requests at a measured pace, whatever the number of threads that ask."""

import threading
import time


class Pace:
    """Lets so many go by in a second, evenly but for a few that may come at once."""

    def __init__(self, per_second: float, at_once: int = 2) -> None:
        self._between = 1 / per_second
        self._saved = (at_once - 1) * self._between
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is this caller's turn."""
        with self._lock:
            turn = max(self._next, time.monotonic() - self._saved)
            self._next = turn + self._between
        early = turn - time.monotonic()
        if early > 0:
            time.sleep(early)
