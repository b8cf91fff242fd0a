"""The emulator's clock. It runs at a given speed, and can be moved forward."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Millis = int
"""An instant in milliseconds since 1970-01-01 UTC, like the workspace's own timestamps."""


class Clock:
    """A clock that shows `start` now and runs at `speed` seconds per second.

    `monotonic` returns the machine's seconds that drive the clock; tests pass their own function.
    """

    def __init__(
        self, start: datetime | None = None, speed: float = 1.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.speed = speed
        self._monotonic = monotonic
        self._anchor = monotonic()
        self._time_at_anchor = to_millis(start or datetime.now(UTC))

    def now(self) -> Millis:
        return self._time_at_anchor + int((self._monotonic() - self._anchor) * 1000 * self.speed)

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`. Raises ValueError if negative: past events cannot be undone."""
        if seconds < 0:
            raise ValueError(f"the clock only moves forward, not by {seconds} seconds")
        self._time_at_anchor += int(seconds * 1000)

    def move_to(self, instant: Millis) -> None:
        """Move forward to `instant`. Raises ValueError if it is in the clock's past."""
        now = self.now()
        if instant < now:
            raise ValueError(f"the clock only moves forward: it shows {to_iso(now)}, not yet {to_iso(instant)}")
        self._time_at_anchor, self._anchor = instant, self._monotonic()

    def reset(self, instant: Millis) -> None:
        """Set the clock to `instant`, forward or back: after a reset, or after the state was read from a file."""
        self._time_at_anchor, self._anchor = instant, self._monotonic()


def to_millis(instant: datetime) -> Millis:
    """Convert an aware datetime. Raises ValueError for a naive datetime."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    return int(instant.timestamp() * 1000)


def to_iso(instant: Millis) -> str:
    """Format an instant as `2026-10-18T07:00:00.000Z`."""
    text = datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
