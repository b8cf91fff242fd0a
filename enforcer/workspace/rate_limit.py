"""A rate limiter for requests from several threads."""

import threading
import time


class RateLimiter:
    """Limits requests to `per_second`, evenly spaced except for bursts of up to `burst` requests."""

    def __init__(self, per_second: float, burst: int = 2) -> None:
        self._interval = 1 / per_second
        self._burst_time = (burst - 1) * self._interval
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Block until the caller may send its request."""
        with self._lock:
            turn = max(self._next, time.monotonic() - self._burst_time)
            self._next = turn + self._interval
        early = turn - time.monotonic()
        if early > 0:
            time.sleep(early)
