"""What an outcome means: done, repeat the request after a while, or give up. Pure: jitter is an argument."""

from collections.abc import Callable
from dataclasses import dataclass

from inventory.transport.response import Response, TransportError

TRANSIENT_STATUSES = frozenset({500, 502, 503, 504})
TRANSIENT_CODES = frozenset({"TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR", "DEADLINE_EXCEEDED"})
"""What the same errors are called where the status hides them."""
RATE_LIMIT_CODES = frozenset({"REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"})
NOT_FOUND_CODES = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
"""The second is that of the Files API."""
MAX_TRIES = 6
"""For errors of the server and broken connections."""
MAX_TRIES_RATE_LIMITED = 20
"""For refusals because of the rate: they say nothing about the folder, only that it was not its turn."""
INITIAL_DELAY, MAX_DELAY = 0.5, 20.0
"""Seconds; the delay is random, between nothing and what doubles with every try: retries must not march in step."""
MAX_RETRY_AFTER = 300.0


@dataclass(frozen=True)
class Retry:
    """Ask once more, `delay` seconds later."""

    delay: float


@dataclass(frozen=True)
class Unauthorized:
    """The credential is not accepted any more, so there is no point in asking for anything."""

    reason: str


@dataclass(frozen=True)
class PermanentFailure:
    """The request failed, and repeating it does not help."""

    reason: str
    missing: bool = False
    """Whether the API says that the path does not exist."""


def is_rate_limited(outcome: Response | TransportError) -> bool:
    """Whether the server refused because of the rate of the requests."""
    return isinstance(outcome, Response) and (outcome.status == 429 or outcome.error_code in RATE_LIMIT_CODES)


def is_transient(answer: Response) -> bool:
    """Whether the server has a trouble that may pass."""
    return answer.status in TRANSIENT_STATUSES or (answer.status == 200 and answer.error_code in TRANSIENT_CODES)


def is_not_found(answer: Response) -> bool:
    """Whether the API itself says that the path does not exist; a 404 without its code can be anybody's."""
    return answer.status == 404 and answer.error_code in NOT_FOUND_CODES


def next_retry(outcome: Response | TransportError, tries: int, jitter: Callable[[], float]) -> Retry | None:
    """Whether and when to repeat a request that was made `tries` times; `jitter` gives a number from 0 to 1."""
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
    """What the outcome of the `tries`th request means: the answer itself if the request was carried out."""
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
