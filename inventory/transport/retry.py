"""What an outcome means: done, repeat the request after a while, or give up. Pure: chance is an argument."""

from collections.abc import Callable
from dataclasses import dataclass

from inventory.transport.answer import Answer, Broken

TRANSIENT = frozenset({500, 502, 503, 504})
TRANSIENT_CODES = frozenset({"TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR", "DEADLINE_EXCEEDED"})
"""What the same errors are called where the status hides them."""
LIMIT_CODES = frozenset({"REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"})
MISSING_CODES = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
"""The second is that of the Files API."""
TRIES = 6
"""For errors of the server and broken connections."""
TRIES_AT_LIMIT = 20
"""For refusals because of the rate: they say nothing about the folder, only that it was not its turn."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 20.0
"""Seconds; the delay is random, between nothing and what doubles with every try: retries must not march in step."""
LONGEST_RETRY_AFTER = 300.0


@dataclass(frozen=True)
class Again:
    """Ask once more, `delay` seconds later."""

    delay: float


@dataclass(frozen=True)
class Locked:
    """The credential is not accepted any more, so there is no point in asking for anything."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """The request failed, and repeating it does not help."""

    reason: str
    missing: bool = False
    """Whether the API says that the path does not exist."""


def is_limit(outcome: Answer | Broken) -> bool:
    """Whether the server refused because of the rate of the requests."""
    return isinstance(outcome, Answer) and (outcome.status == 429 or outcome.code in LIMIT_CODES)


def is_transient(answer: Answer) -> bool:
    """Whether the server has a trouble that may pass."""
    return answer.status in TRANSIENT or (answer.status == 200 and answer.code in TRANSIENT_CODES)


def is_missing(answer: Answer) -> bool:
    """Whether the API itself says that the path does not exist; a 404 without its code can be anybody's."""
    return answer.status == 404 and answer.code in MISSING_CODES


def again(outcome: Answer | Broken, tries: int, chance: Callable[[], float]) -> Again | None:
    """Whether and when to repeat a request that was made `tries` times; `chance` gives a number from 0 to 1."""
    at_limit = is_limit(outcome)
    if isinstance(outcome, Answer) and not at_limit and not is_transient(outcome):
        return None
    if tries >= (TRIES_AT_LIMIT if at_limit else TRIES):
        return None
    delay = chance() * min(LONGEST_DELAY, FIRST_DELAY * 2 ** (tries - 1))
    told = outcome.retry_after if isinstance(outcome, Answer) else None
    return Again(delay + min(told or 0.0, LONGEST_RETRY_AFTER))


def classify(outcome: Answer | Broken, tries: int, chance: Callable[[], float]) -> Answer | Refused | Again | Locked:
    """What the outcome of the `tries`th request means: the answer itself if the request was carried out."""
    if repeat := again(outcome, tries, chance):
        return repeat
    tried = f", {tries} times" if tries > 1 else ""
    if isinstance(outcome, Broken):
        return Refused(f"{outcome}{tried}")
    if outcome.refuses_credential:
        return Locked(outcome.reason)
    if not outcome.ok:
        return Refused(f"{outcome.reason}{tried}", missing=is_missing(outcome))
    return outcome
