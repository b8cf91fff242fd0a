"""Selects the requests that get a fault. `server` injects the faults."""

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
"""Kinds that change the response."""
_DEFAULT_SECONDS = {"latency": 0.05, "hang": 90.0}
"""Default durations in seconds; a hang exceeds the timeouts of all clients (65 for the provider)."""


@dataclass(frozen=True, kw_only=True)
class FaultRule:
    """A fault for some requests."""

    match: str = "*"
    """Method and path with wildcards, such as `POST /api/2.1/clusters/*`; without a method, all methods match."""
    kind: FaultKind
    rate: float = 1.0
    """The share of matching requests that get the fault."""
    retry_after: int | None = None
    """Seconds in the header `Retry-After`; None means no header."""
    seconds: float | None = None
    """Duration of a latency or a hang in seconds; for `clock`, how far the clock behind LAB_CLOCK is ahead."""
    shape: str | None = None
    """For `malformed`: one of `faulty_responses.MALFORMED_SHAPES`."""
    after: int = 0
    """Number of matching requests to skip first."""
    count: int | None = None
    """Maximum number of requests that get the fault; None means no limit."""


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """A token bucket: `requests` per `seconds`, all at once or spread."""

    match: tuple[str, ...]
    """Patterns as in a rule, which share the bucket."""
    requests: int
    seconds: float = 1.0
    retry_after: int | None = None


@dataclass(frozen=True)
class RequestFault:
    """The fault of one request."""

    kind: str = ""
    """One of KINDS except latency; empty if the request is only delayed."""
    delay: float = 0.0
    """Delay before the request is handled, in seconds."""
    seconds: float = 0.0
    retry_after: int | None = None
    shape: str | None = None

    @property
    def status(self) -> int:
        """The status that replaces the real one; 0 if the fault affects the connection."""
        return _STATUS.get(self.kind) or (int(self.kind) if self.kind in _ERRORS else 0)

    def body(self) -> dict[str, Any]:
        code, message = _ERRORS[self.kind]
        return {"error_code": code, "message": message, "details": []}

    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class Faults:
    """The active rules and rate limits. The first rule that applies decides; latencies are added.

    `monotonic` returns the time in seconds for refilling buckets. It is the machine's time, not the emulator's clock,
    because clients wait by the machine's time.
    """

    def __init__(self, seed: str | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._random = random.Random(seed)
        self._monotonic = monotonic
        self._rules: list[_RuleState] = []
        self._buckets: list[_TokenBucket] = []

    def set(self, rules: Iterable[FaultRule], limits: Iterable[RateLimit] = ()) -> None:
        """Replace the active rules and limits, with counts at zero and full buckets."""
        now = self._monotonic()
        self._rules = [_RuleState(rule, _pattern(rule.match)) for rule in rules]
        self._buckets = [
            _TokenBucket(limit, [_pattern(m) for m in limit.match], limit.requests, now) for limit in limits
        ]

    @property
    def clock_ahead(self) -> float:
        """Seconds by which the clock behind LAB_CLOCK is ahead of the workspace's."""
        return sum(state.rule.seconds or 0.0 for state in self._rules if state.rule.kind == "clock")

    def find_fault(self, method: str, path: str) -> RequestFault | None:
        """Return the fault for this request, or None. All matching rules up to the applied one count the request as
        seen."""
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
        """Return all rules and limits with the number of requests `seen`, and the number that `met` the fault."""
        rules = [vars(state.rule) | {"seen": state.seen, "met": state.met} for state in self._rules]
        return rules + [vars(bucket.limit) | {"seen": bucket.seen, "met": bucket.met} for bucket in self._buckets]

    def _exceeded_limit(self, request: str) -> RateLimit | None:
        """Take a token from each bucket for this request, or return the limit of an empty bucket and take none."""
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
