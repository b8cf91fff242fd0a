"""Tells a monitor that runs begin, succeed and fail, as healthchecks.io and its like expect it."""

import http.client
import logging
import urllib.request

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 3.0
BEGINS, SUCCEEDED, FAILED = "/start", "", "/fail"


def ping(url: str | None, what: str) -> None:
    """`what` is one of BEGINS, SUCCEEDED and FAILED. A monitor that cannot be reached is logged, and no more."""
    if not url:
        return
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}{what}", timeout=TIMEOUT_SECONDS) as answer:
            answer.read(1000)
    except (OSError, ValueError, http.client.HTTPException) as error:
        # The address is as good as a password: it is not logged.
        log.warning("HEALTHCHECK_URL does not answer (%s)", type(error).__name__)
