"""Progress of long work: a line that is updated on a terminal, or a log entry every few seconds."""

import logging
import sys
import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from inventory.results.formatting import format_duration
from inventory.scan.visit import ScanProgress

log = logging.getLogger(__name__)
LOG_INTERVAL_SECONDS = 10.0
"""Seconds between two log entries."""
SPEED_WINDOW_SECONDS = 10.0
"""Seconds over which speed is measured."""


class ProgressLine:
    """A progress line, used in a `with`; each new line replaces the previous one."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._logged_at = time.monotonic()
        self._samples: deque[tuple[float, tuple[int, ...]]] = deque()

    def speeds(self, *numbers: int) -> list[float]:
        """Return the recent growth per second of each of these running totals."""
        now = time.monotonic()
        self._samples.append((now, numbers))
        while self._samples[0][0] < now - SPEED_WINDOW_SECONDS:
            self._samples.popleft()
        start, earlier_numbers = self._samples[0]
        seconds = max(now - start, 0.001)
        return [(number - earlier) / seconds for number, earlier in zip(numbers, earlier_numbers, strict=True)]

    def show(self, line: str) -> None:
        now = time.monotonic()
        if self._terminal:
            sys.stderr.write(f"\r\x1b[2K{line[:200]}")
            sys.stderr.flush()
        elif now - self._logged_at >= LOG_INTERVAL_SECONDS:
            self._logged_at = now
            log.info("%s", line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last progress line on the terminal."""
        if self._terminal:
            sys.stderr.write("\n")


def format_rates(rates: Mapping[str, float], requests: Mapping[str, int]) -> str:
    """Format the permitted rate in requests per second of each API that was used."""
    known = [f"{api} {rate:.0f}" for api, rate in rates.items() if requests.get(api)]
    return ", ".join(known) or "unknown"


class ScanReporter(ProgressLine):
    """Shows the progress of a scan, a few times a second; `users` is the total number of users."""

    def __init__(self, users: int, *, terminal: bool) -> None:
        super().__init__(terminal=terminal)
        self._users = users

    def __call__(self, progress: ScanProgress) -> None:
        speed, request_speed = self.speeds(progress.visits, progress.requests.total())
        parts = [
            f"{self._users - progress.unfinished_users} of {self._users} users",
            f"{progress.visits} directories, {progress.waiting} pending",
            f"{progress.files} files",
            f"{request_speed:.0f} requests/s (limit {format_rates(progress.rates, progress.requests)})",
        ]
        if progress.failures:
            parts.append(f"{progress.failures} failures")
        if speed and progress.waiting:
            # A lower bound: more directories may be found.
            parts.append(f"at least {format_duration(progress.waiting / speed)} left")
        self.show("; ".join(parts))
