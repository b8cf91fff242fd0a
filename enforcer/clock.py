"""The time of the lab: the machine's, or that of a clock which LAB_CLOCK names, so that a day can be rehearsed.

TLS, signatures and retries always use the machine's.
"""

import json
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime

TIMEOUT_SECONDS = 10


class ClockError(RuntimeError):
    """The clock that LAB_CLOCK names does not answer; a sentence."""


def now(environ: Mapping[str, str]) -> datetime:
    """This instant in UTC, whole milliseconds. `LAB_CLOCK` is a URL that answers `{"now": ISO}`. Raises ClockError."""
    url = environ.get("LAB_CLOCK")
    if not url:
        return _whole(datetime.now(UTC))
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            shown = datetime.fromisoformat(json.load(answer)["now"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClockError(f'LAB_CLOCK {url} does not answer {{"now": ISO}} ({error}); unset it or start it') from None
    if shown.tzinfo is None:
        raise ClockError(f"LAB_CLOCK {url} answers a time without zone ({shown})")
    return _whole(shown.astimezone(UTC))


def _whole(instant: datetime) -> datetime:
    """The platform counts in milliseconds; so do we."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
