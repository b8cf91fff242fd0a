"""Faults on request: which request meets one is decided here, how it feels is `app`'s and `server`'s business."""

import random
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Any, Literal, get_args

FaultKind = Literal[
    "200", "429", "500", "503", "504", "reset", "hang", "truncate", "latency",
    "unknown_cluster", "malformed", "only_tokens", "endless", "no_date", "clock",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(FaultKind)

_ERRORS = {
    "200": ("MAX_NOTEBOOK_SIZE_EXCEEDED", "Notebook size exceeded limit: 11190000 > 10485760"),
    "429": ("REQUEST_LIMIT_EXCEEDED", "Too many requests. Please wait a moment and try again."),
    "500": ("INTERNAL_ERROR", "Internal error happened."),
    "503": ("TEMPORARILY_UNAVAILABLE", "The service at this path is temporarily unavailable."),
    "504": ("DEADLINE_EXCEEDED", "The request to the backend took too long."),
    "unknown_cluster": ("INVALID_PARAMETER_VALUE", "The cluster does not exist."),
}
_STATUS = {"unknown_cluster": 400}
RESPONSE_KINDS = ("malformed", "only_tokens", "endless")
"""Kinds that change what is answered."""
_DEFAULT_SECONDS = {"latency": 0.05, "hang": 90.0}
"""What these last unless told otherwise; a hang is longer than the patience of any client (the provider's is 65)."""


@dataclass(frozen=True, kw_only=True)
class FaultRule:
    """One fault for some requests."""

    match: str = "*"
    """Method and path with wildcards, such as `POST /api/2.1/clusters/*`; a path alone means every method."""
    kind: FaultKind
    rate: float = 1.0
    """The share of the matching requests that meet it."""
    retry_after: int | None = None
    """Seconds in the header `Retry-After`; None: no such header."""
    seconds: float | None = None
    """How long a latency or a hang lasts; of `clock`, by how much the clock that LAB_CLOCK asks is ahead."""
    shape: str | None = None
    """Of `malformed`: one of `answers.SHAPES`."""
    after: int = 0
    """So many matching requests are spared first."""
    count: int | None = None
    """So many requests meet it at the most; None: no end."""


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """A token bucket: so many requests in so many seconds, all at once or spread."""

    match: tuple[str, ...]
    """As in a rule; all of them share the bucket."""
    requests: int
    seconds: float = 1.0
    retry_after: int | None = None


@dataclass(frozen=True)
class RequestFault:
    """What one request meets."""

    kind: str = ""
    """One of KINDS but latency; empty when the request is only late."""
    delay: float = 0.0
    """Seconds before anything happens."""
    seconds: float = 0.0
    retry_after: int | None = None
    shape: str | None = None

    @property
    def status(self) -> int:
        """The status answered instead of the real one; 0 where the connection is what suffers."""
        return _STATUS.get(self.kind) or (int(self.kind) if self.kind in _ERRORS else 0)

    def body(self) -> dict[str, Any]:
        code, message = _ERRORS[self.kind]
        return {"error_code": code, "message": message, "details": []}

    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class Faults:
    """The rules and limits in force. The first that applies is met; latencies add up with another.

    `monotonic` (seconds) is what buckets fill by: the machine's time, whatever the emulator's clock shows, because
    clients wait in the machine's time.
    """

    def __init__(self, seed: str | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._random = random.Random(seed)
        self._monotonic = monotonic
        self._rules: list[_RuleState] = []
        self._buckets: list[_TokenBucket] = []

    def set(self, rules: Iterable[FaultRule], limits: Iterable[RateLimit] = ()) -> None:
        """Put these in the place of those in force, with counts at zero and buckets full; none clears them."""
        now = self._monotonic()
        self._rules = [_RuleState(rule, _pattern(rule.match)) for rule in rules]
        self._buckets = [
            _TokenBucket(limit, [_pattern(m) for m in limit.match], limit.requests, now) for limit in limits
        ]

    @property
    def clock_ahead(self) -> float:
        """By how many seconds the clock that LAB_CLOCK asks is ahead of the workspace's."""
        return sum(state.rule.seconds or 0.0 for state in self._rules if state.rule.kind == "clock")

    def find_fault(self, method: str, path: str) -> RequestFault | None:
        """What this request meets. It counts as seen by every rule that matches it up to the one that is met."""
        if not self._rules and not self._buckets:
            return None
        request = f"{method} {path}"
        delay = 0.0
        met: FaultRule | None = None
        for state in self._rules:
            if state.rule.kind == "clock" or (met and state.rule.kind != "latency"):
                continue
            if state.pattern.match(request) and state.applies(self._random.random):
                if state.rule.kind == "latency":
                    delay += _seconds(state.rule)
                else:
                    met = state.rule
        if met:
            return RequestFault(met.kind, delay, _seconds(met), met.retry_after, met.shape)
        refused = self._exceeded_limit(request)
        if refused:
            return RequestFault("429", delay, 0.0, refused.retry_after)
        return RequestFault("", delay) if delay else None

    def counts(self) -> list[dict[str, Any]]:
        """Every rule and limit with how many requests it saw and how many met it."""
        rules = [vars(state.rule) | {"seen": state.seen, "met": state.met} for state in self._rules]
        return rules + [vars(bucket.limit) | {"seen": bucket.seen, "met": bucket.met} for bucket in self._buckets]

    def _exceeded_limit(self, request: str) -> RateLimit | None:
        """Take from every bucket of this request, or from none if one of them is empty."""
        now = self._monotonic()
        matching = [bucket for bucket in self._buckets if any(pattern.match(request) for pattern in bucket.patterns)]
        for bucket in matching:
            bucket.seen += 1
            bucket.refill(now)
        empty = next((bucket for bucket in matching if bucket.tokens < 1), None)
        if empty:
            empty.met += 1
            return empty.limit
        for bucket in matching:
            bucket.tokens -= 1
        return None


@dataclass
class _RuleState:
    rule: FaultRule
    pattern: re.Pattern[str]
    seen: int = 0
    met: int = 0

    def applies(self, random_number: Callable[[], float]) -> bool:
        self.seen += 1
        rule = self.rule
        if (
            self.seen <= rule.after
            or (rule.count is not None and self.met >= rule.count)
            or random_number() >= rule.rate
        ):
            return False
        self.met += 1
        return True


@dataclass
class _TokenBucket:
    limit: RateLimit
    patterns: list[re.Pattern[str]]
    tokens: float
    filled_at: float
    seen: int = field(default=0)
    met: int = field(default=0)

    def refill(self, now: float) -> None:
        gained = (now - self.filled_at) * self.limit.requests / self.limit.seconds
        self.tokens = min(self.limit.requests, self.tokens + gained)
        self.filled_at = now


def _seconds(rule: FaultRule) -> float:
    return _DEFAULT_SECONDS.get(rule.kind, 0.0) if rule.seconds is None else rule.seconds


def _pattern(match: str) -> re.Pattern[str]:
    return re.compile(translate(match if " " in match else f"* {match}"))
