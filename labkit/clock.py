"""The time of the lab: the machine's, or that of a clock which LAB_CLOCK names, so that a term can be rehearsed.

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
"""It takes as long to import as all else that a command line needs, and few runs name another clock."""

TIMEOUT_SECONDS = 10


class ClockError(RuntimeError):
    """The clock that LAB_CLOCK names does not answer; the text is a sentence."""


def require_local_workspace(environ: Mapping[str, str], host: str) -> None:
    """Raises ClockError if LAB_CLOCK names a clock and the workspace is not on this machine. No host is none yet."""
    name = urlsplit(host if "//" in host else f"//{host}").hostname
    if environ.get("LAB_CLOCK") and name and not is_loopback(name):
        raise ClockError(f"LAB_CLOCK is for rehearsals on this machine, and {host} is elsewhere; unset LAB_CLOCK.")


def now(environ: Mapping[str, str]) -> datetime:
    """This instant in UTC, in whole milliseconds. Raises ClockError.

    `LAB_CLOCK` is a URL that answers `{"now": ISO}`.
    """
    require_local_workspace(environ, environ.get("DATABRICKS_HOST", ""))
    url = environ.get("LAB_CLOCK")
    if not url:
        return _whole_milliseconds(datetime.now(UTC))
    try:
        with _request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            shown = datetime.fromisoformat(json.load(answer)["now"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClockError(f'LAB_CLOCK {url} does not answer {{"now": ISO}} ({error}); unset it or start it.') from None
    if shown.tzinfo is None:
        raise ClockError(f"LAB_CLOCK {url} answers a time without zone ({shown}).")
    return _whole_milliseconds(shown.astimezone(UTC))


def clock_starting_at(instant: datetime) -> Callable[[], datetime]:
    """A clock that shows this instant now and advances with the machine's: one reading serves a whole run."""
    since = time.monotonic()
    return lambda: instant + timedelta(seconds=time.monotonic() - since)


class Deadline:
    """The time budget of a run, which begins when this is made. It follows the machine's monotonic clock.

    `timer` returns seconds; a test passes its own.
    """

    def __init__(self, budget: timedelta, *, timer: Callable[[], float] = time.monotonic) -> None:
        self.budget = budget
        self._timer = timer
        self._began = timer()

    @property
    def elapsed(self) -> timedelta:
        """The time since the deadline was made."""
        return timedelta(seconds=self._timer() - self._began)

    @property
    def remaining(self) -> timedelta:
        """What remains of the budget; never below zero."""
        return max(timedelta(), self.budget - self.elapsed)


def _whole_milliseconds(instant: datetime) -> datetime:
    """The platform counts in milliseconds, so its timestamps and ours compare exactly."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
