"""The time of the lab: the machine's, or that of a clock which LAB_CLOCK names, so that a term can be rehearsed."""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

TIMEOUT_SECONDS = 10


class ClockError(RuntimeError):
    """The clock that LAB_CLOCK names does not answer; a sentence."""


def now(environ: Mapping[str, str]) -> datetime:
    """This instant in UTC. `LAB_CLOCK` is a URL that answers `{"now": ISO}`. Raises ClockError."""
    url = environ.get("LAB_CLOCK")
    if not url:
        return datetime.now(UTC)
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            shown = datetime.fromisoformat(json.load(answer)["now"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClockError(f'LAB_CLOCK {url} does not answer {{"now": ISO}} ({error}); unset it or start it.') from None
    if shown.tzinfo is None:
        raise ClockError(f"LAB_CLOCK {url} answers a time without zone ({shown}).")
    return shown.astimezone(UTC)


def going_on_from(instant: datetime) -> Callable[[], datetime]:
    """A clock that shows this instant now and goes as fast as the machine's: one reading serves a whole run."""
    since = time.monotonic()
    return lambda: instant + timedelta(seconds=time.monotonic() - since)
