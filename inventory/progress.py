"""How far a scan is, for who watches it: a line that changes on a terminal, a log line every ten seconds elsewhere."""

import logging
import sys
import time
from collections import deque

from inventory.scan import Progress
from inventory.words import duration

log = logging.getLogger(__name__)
EVERY = 10.0
"""Seconds between two lines of a log."""
SPAN = 10.0
"""Seconds over which speed is measured."""


class Reporter:
    """Called a few times a second with the progress; `users` is how many there are in all."""

    def __init__(self, users: int, *, terminal: bool) -> None:
        self._users, self._terminal = users, terminal
        self._said_at = time.monotonic()
        self._past: deque[tuple[float, int, int]] = deque()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        self._past.append((now, progress.visits, progress.requests.total()))
        while self._past[0][0] < now - SPAN:
            self._past.popleft()
        if self._terminal:
            sys.stderr.write(f"\r\x1b[2K{self._line(progress)[:200]}")
            sys.stderr.flush()
        elif now - self._said_at >= EVERY:
            self._said_at = now
            log.info("%s", self._line(progress))

    def end(self) -> None:
        """Nothing more comes; leave the line."""
        if self._terminal:
            sys.stderr.write("\n")

    def _line(self, progress: Progress) -> str:
        (begin, visits, requests), (end, more_visits, more_requests) = self._past[0], self._past[-1]
        seconds = max(end - begin, 0.001)
        speed = (more_visits - visits) / seconds
        limits = ", ".join(
            f"{source} {rate:.0f}" for source, rate in progress.rates.items() if progress.requests[source]
        )
        parts = [
            f"{self._users - progress.open_users} of {self._users} users",
            f"{progress.visits} directories, {progress.waiting} waiting",
            f"{progress.files} files",
            f"{(more_requests - requests) / seconds:.0f} requests/s (limit {limits or 'not known yet'})",
        ]
        if progress.failures:
            parts.append(f"{progress.failures} failures")
        if speed and progress.waiting:
            # More directories turn up meanwhile, so this is what it takes at least.
            parts.append(f"at least {duration(progress.waiting / speed)} left")
        return "; ".join(parts)
