"""Classifies outcomes of requests: success, retry after a delay, or failure. Pure: jitter is an argument."""

from collections.abc import Callable
from dataclasses import dataclass

from inventory.transport.response import Response, TransportError

TRANSIENT_STATUSES = frozenset({500, 502, 503, 504})
TRANSIENT_CODES = frozenset({"TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR", "DEADLINE_EXCEEDED"})
"""Error codes of temporary errors that the status does not show."""
RATE_LIMIT_CODES = frozenset({"REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"})
NOT_FOUND_CODES = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
"""Error codes for a missing path; NOT_FOUND is used by the Files API."""
MAX_TRIES = 6
"""Maximum number of attempts after server errors and broken connections."""
MAX_TRIES_RATE_LIMITED = 20
"""Maximum number of attempts after rate-limited responses, which say nothing about the folder."""
INITIAL_DELAY, MAX_DELAY = 0.5, 20.0
"""Bounds of the exponential backoff in seconds. The delay is random, so that workers do not retry simultaneously."""
MAX_RETRY_AFTER = 300.0


@dataclass(frozen=True)
class Retry:
    """Repeat the request after `delay` seconds."""

    delay: float


@dataclass(frozen=True)
class Unauthorized:
    """The credential is no longer accepted, so that every further request would fail."""

    reason: str


@dataclass(frozen=True)
class PermanentFailure:
    """The request failed, and a retry does not help."""

    reason: str
    missing: bool = False
    """Whether the API reports that the path does not exist."""


def is_rate_limited(outcome: Response | TransportError) -> bool:
    """Return whether the server rejected the request because of its rate."""
    return isinstance(outcome, Response) and (outcome.status == 429 or outcome.error_code in RATE_LIMIT_CODES)


def is_transient(response: Response) -> bool:
    """Return whether the response is a server error that may be temporary."""
    return response.status in TRANSIENT_STATUSES or (response.status == 200 and response.error_code in TRANSIENT_CODES)


def is_not_found(response: Response) -> bool:
    """Return whether the API reports that the path does not exist. A 404 without an error code may be from a proxy."""
    return response.status == 404 and response.error_code in NOT_FOUND_CODES


def next_retry(outcome: Response | TransportError, tries: int, jitter: Callable[[], float]) -> Retry | None:
    """Return the delay before a request that was sent `tries` times is repeated; None means that it is not repeated.

    `jitter` returns a number from 0 to 1."""
    rate_limited = is_rate_limited(outcome)
    if isinstance(outcome, Response) and not rate_limited and not is_transient(outcome):
        return None
    if tries >= (MAX_TRIES_RATE_LIMITED if rate_limited else MAX_TRIES):
        return None
    delay = jitter() * min(MAX_DELAY, INITIAL_DELAY * 2 ** (tries - 1))
    retry_after = outcome.retry_after if isinstance(outcome, Response) else None
    return Retry(delay + min(retry_after or 0.0, MAX_RETRY_AFTER))


def classify(
    outcome: Response | TransportError, tries: int, jitter: Callable[[], float]
) -> Response | PermanentFailure | Retry | Unauthorized:
    """Classify the outcome of the `tries`th attempt; a successful response is returned unchanged."""
    if repeat := next_retry(outcome, tries, jitter):
        return repeat
    tried = f", {tries} times" if tries > 1 else ""
    if isinstance(outcome, TransportError):
        return PermanentFailure(f"{outcome}{tried}")
    if outcome.rejects_credential:
        return Unauthorized(outcome.reason)
    if not outcome.ok:
        return PermanentFailure(f"{outcome.reason}{tried}", missing=is_not_found(outcome))
    return outcome
