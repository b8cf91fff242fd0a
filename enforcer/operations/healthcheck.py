"""Pings a monitor such as healthchecks.io when a run starts, succeeds or fails."""

import http.client
import logging
import urllib.request

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 3.0
STARTED, SUCCEEDED, FAILED = "/start", "", "/fail"


def ping(url: str | None, event: str) -> None:
    """Send STARTED, SUCCEEDED or FAILED to the monitor. An unreachable monitor is only logged."""
    if not url:
        return
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}{event}", timeout=TIMEOUT_SECONDS) as answer:
            answer.read(1000)
    except (OSError, ValueError, http.client.HTTPException) as error:
        # The URL is not logged, because it is a secret like a password.
        log.warning("HEALTHCHECK_URL does not respond (%s)", type(error).__name__)
