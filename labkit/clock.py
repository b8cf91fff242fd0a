"""The lab's time: the machine's clock, or the clock at the URL in LAB_CLOCK, which is used to rehearse a term.

TLS, signatures, retries and deadlines always use the machine's clock.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from labkit.addresses import is_loopback
from labkit.lazy_package import LazyModule

_request = LazyModule("urllib.request")
"""Imported lazily: the import takes as long as all others of a command line together, and few runs set LAB_CLOCK."""

TIMEOUT_SECONDS = 10
"""Timeout of a request to the clock at LAB_CLOCK."""


class ClockError(RuntimeError):
    """The clock at LAB_CLOCK cannot be used; the message is one sentence for the user."""


def require_local_workspace(environ: Mapping[str, str], host: str) -> None:
    """Raise ClockError if LAB_CLOCK is set and the host is not this machine. An empty host means that it is not known
    yet.
    """
    name = urlsplit(host if "//" in host else f"//{host}").hostname
    if environ.get("LAB_CLOCK") and name and not is_loopback(name):
        raise ClockError(f"LAB_CLOCK is for rehearsals on this machine, but {host} is a remote host; unset LAB_CLOCK.")


def now(environ: Mapping[str, str]) -> datetime:
    """Return the current time in UTC, in whole milliseconds. Raises ClockError.

    A GET of the URL in `LAB_CLOCK` must return `{"now": "<ISO 8601>"}`.
    """
    require_local_workspace(environ, environ.get("DATABRICKS_HOST", ""))
    url = environ.get("LAB_CLOCK")
    if not url:
        return _whole_milliseconds(datetime.now(UTC))
    try:
        with _request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
            reading = datetime.fromisoformat(json.load(response)["now"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClockError(
            f'LAB_CLOCK {url} does not return {{"now": ISO}} ({error}); start the clock or unset LAB_CLOCK.'
        ) from None
    if reading.tzinfo is None:
        raise ClockError(f"LAB_CLOCK {url} returns a time without a time zone ({reading}).")
    return _whole_milliseconds(reading.astimezone(UTC))


def clock_starting_at(instant: datetime) -> Callable[[], datetime]:
    """Return a clock that starts at `instant` and advances with the machine's monotonic clock.

    A run reads the time once and uses such a clock from then on.
    """
    started = time.monotonic()
    return lambda: instant + timedelta(seconds=time.monotonic() - started)


class Deadline:
    """A run's time budget, measured with the machine's monotonic clock from the creation of this object.

    `timer` returns seconds; tests pass a fake one.
    """

    def __init__(self, budget: timedelta, *, timer: Callable[[], float] = time.monotonic) -> None:
        self.budget = budget
        self._timer = timer
        self._started = timer()

    @property
    def elapsed(self) -> timedelta:
        """The time since the creation of this object."""
        return timedelta(seconds=self._timer() - self._started)

    @property
    def remaining(self) -> timedelta:
        """The rest of the budget, never below zero."""
        return max(timedelta(), self.budget - self.elapsed)


def _whole_milliseconds(instant: datetime) -> datetime:
    """Drop microseconds: the platform's timestamps are in milliseconds, and ours must compare with them exactly."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
