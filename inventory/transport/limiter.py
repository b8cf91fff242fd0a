"""Finds the request rate that an API permits. Pure: the clock is an argument, nothing sleeps.

Additive increase, multiplicative decrease, with three refinements that keep rate-limited responses rare: the rate falls
to the recently accepted rate instead of to half; a rate-limited response to a request sent before the last decrease is
ignored; and growth accelerates while nothing is rate limited, so that a server that recovers is soon fully used again.
"""

from collections import deque
from dataclasses import dataclass

INITIAL_RATE = 100.0
"""The initial rate in requests per second."""
MIN_RATE = 0.5
MAX_RATE = 5000.0
"""The highest rate in requests per second; far more than a client can send."""
WINDOW_SECONDS = 1.0
"""The period in seconds over which accepted requests are counted."""
BURST_SECONDS = 0.02
"""Seconds by which a request may be early: workers do not wake up to the millisecond."""
DECREASE_FACTOR = 0.85
"""The maximum share of the rate that remains after a rate-limited response."""
MIN_DECREASE_FACTOR = 0.5
"""The minimum share that remains, however few requests were accepted; the maximum when the search ends."""
MIN_SEARCH_SECONDS = 0.5
"""Seconds of search after which the number of accepted requests shows the permitted rate."""
MIN_SEARCH_DECREASE_FACTOR = 0.2
"""The minimum share that remains after the decrease that ends the search."""
MIN_UTILISATION = 0.4
"""The rate grows only if at least this share of it is used; lower use shows nothing about the limit."""
SAFETY_FACTOR = 0.97
"""The new rate after a rate-limited response, as a share of the accepted rate."""
SEARCH_DELAY_SECONDS = 0.6
"""Seconds for which the initial rate is kept. The limit of a server that permits half of it, and accumulates tokens for
a second, is then found with few rate-limited responses; for other servers the rate soon grows."""
SEARCH_GROWTH = 1.6
"""Growth per second, as a share of the rate, from then until the first rate-limited response: fivefold per second."""
INITIAL_GROWTH = 0.005
"""Growth in the first second without a rate-limited response; it doubles every DOUBLING_SECONDS."""
GROWTH_AFTER_SEARCH = 0.02
"""Growth in the first second after the decrease that ends the search, which may have been too large."""
DOUBLING_SECONDS = 4.0
MAX_GROWTH = 0.5
MAX_PAUSE_SECONDS = 300.0
"""Maximum pause in seconds, even if Retry-After asks for more."""


@dataclass
class Limiter:
    """The limiter for one API. `ceiling`, in requests per second, is never exceeded.

    Call `acquire(now)` before each request until it returns 0, then `record_success` or `record_rate_limit` after it.
    """

    ceiling: float = MAX_RATE
    rate: float = INITIAL_RATE
    searching: bool = True
    """Whether the limit is still unknown, so that the rate grows fast until the first rate-limited response."""

    def __post_init__(self) -> None:
        if self.ceiling <= 0:
            raise ValueError("the ceiling must be above zero")
        self.rate = min(self.rate, self.ceiling)
        self.rate_limited = 0
        self._next_slot = float("-inf")
        self._paused_until = float("-inf")
        self._decreased_at = float("-inf")
        self._grown_at: float | None = None
        self._started_at: float | None = None
        self._success_count = 0
        self._growth = INITIAL_GROWTH
        self._recent_successes: deque[float] = deque()

    def acquire(self, now: float) -> float:
        """Return 0 and take the next slot, or return the seconds to wait before the next call."""
        due = max(self._paused_until, self._next_slot - BURST_SECONDS)
        if now < due:
            return due - now
        self._next_slot = max(self._next_slot, now) + 1 / self.rate
        return 0.0

    def record_success(self, now: float) -> None:
        """Record that the server accepted the rate of a request, whatever the status."""
        self._recent_successes.append(now)
        self._drop_old_successes(now)
        elapsed = 0.0 if self._grown_at is None else now - self._grown_at
        self._grown_at = now
        if self._started_at is None:
            self._started_at = now
        self._success_count += 1
        if self.searching and now - self._started_at < SEARCH_DELAY_SECONDS:
            return
        # Lower use shows nothing about the limit.
        if (
            now - self._decreased_at < WINDOW_SECONDS
            or len(self._recent_successes) < MIN_UTILISATION * self.rate * WINDOW_SECONDS
        ):
            return
        since_decrease = now - self._decreased_at
        growth = (
            SEARCH_GROWTH
            if self.searching
            else min(MAX_GROWTH, self._growth * 2 ** min(60.0, since_decrease / DOUBLING_SECONDS))
        )
        # A long pause does not justify a jump, so at most a tenth of a second counts.
        self.rate = min(self.ceiling, MAX_RATE, self.rate * (1 + growth * min(elapsed, 0.1)))

    def record_rate_limit(self, now: float, *, sent_at: float, retry_after: float | None = None) -> None:
        """Record a 429 for a request that was sent at `sent_at`; `retry_after` is the header's value in seconds."""
        self.rate_limited += 1
        if retry_after is not None:
            self._paused_until = max(self._paused_until, now + min(max(retry_after, 0.0), MAX_PAUSE_SECONDS))
        if sent_at <= self._decreased_at:
            return
        self._drop_old_successes(now)
        accepted_rate, min_factor = SAFETY_FACTOR * len(self._recent_successes) / WINDOW_SECONDS, MIN_DECREASE_FACTOR
        if self.searching and self._started_at is not None and now - self._started_at > MIN_SEARCH_SECONDS:
            # Most servers accumulate unused tokens for a second; the counted requests used these up as well.
            accepted_rate, min_factor = (
                self._success_count / (now - self._started_at + WINDOW_SECONDS),
                MIN_SEARCH_DECREASE_FACTOR,
            )
        upper_bound = self.rate * (MIN_DECREASE_FACTOR if self.searching else DECREASE_FACTOR)
        self.rate = min(self.ceiling, max(MIN_RATE, self.rate * min_factor, min(upper_bound, accepted_rate)))
        self._growth = GROWTH_AFTER_SEARCH if self.searching else INITIAL_GROWTH
        self.searching = False
        self._decreased_at = now
        self._next_slot = max(self._next_slot, now + 1 / self.rate)

    def _drop_old_successes(self, now: float) -> None:
        while self._recent_successes and self._recent_successes[0] <= now - WINDOW_SECONDS:
            self._recent_successes.popleft()
