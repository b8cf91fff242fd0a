"""How fast one API may be asked, found out by asking. Pure: the clock is an argument, nothing sleeps.

Additive increase, multiplicative decrease, with three refinements that keep refusals rare: the rate falls to what the
server let through lately and not to half; refusals of requests that were sent before the last fall do not count again;
and the longer nothing is refused, the larger the steps up become, so that a server that recovers is soon used again.
"""

from collections import deque
from dataclasses import dataclass

INITIAL_RATE = 100.0
"""Requests a second to begin with."""
MIN_RATE = 0.5
MAX_RATE = 5000.0
"""No rate is ever set above this; it is far beyond what a client can send."""
WINDOW_SECONDS = 1.0
"""Seconds over which it is counted what the server let through."""
BURST_SECONDS = 0.02
"""Seconds by which requests may run ahead of an even spacing: workers do not wake up to the millisecond."""
DECREASE_FACTOR = 0.85
"""The rate after a refusal is at most this share of the old one."""
MIN_DECREASE_FACTOR = 0.5
"""And at least this share, however little got through; the first fall, after a search, is at least so."""
MIN_SEARCH_SECONDS = 0.5
"""Seconds after which what was let through tells the permitted rate."""
MIN_SEARCH_DECREASE_FACTOR = 0.2
"""At least this share is left by the first fall, which ends the search."""
MIN_UTILISATION = 0.4
"""The rate grows only while at least this share of it is asked for: who asks for less learns nothing of the limit."""
SAFETY_FACTOR = 0.97
"""The share of what got through that is asked for after a refusal."""
SEARCH_DELAY_SECONDS = 0.6
"""Seconds for which the first rate is kept: a server that permits half of it, and saves up for a second, is then found
out with few refusals, and all others are soon asked more."""
SEARCH_GROWTH = 1.6
"""Share of the rate that is added a second from then until the first refusal: it grows to its fivefold in a second."""
INITIAL_GROWTH = 0.005
"""Share of the rate that is added in the first second without a refusal; it doubles every DOUBLING seconds."""
GROWTH_AFTER_SEARCH = 0.02
"""The same after the fall that ends the search, which may have been too deep."""
DOUBLING_SECONDS = 4.0
MAX_GROWTH = 0.5
MAX_PAUSE_SECONDS = 300.0
"""Seconds; a server that asks for more with Retry-After is asked again after this."""


@dataclass
class Limiter:
    """The state for one API. `ceiling` in requests a second is never exceeded, whatever the server permits.

    Ask `wait(now)` before every request until it answers 0, which takes a turn; tell `allowed` or `refused` after it.
    """

    ceiling: float = MAX_RATE
    rate: float = INITIAL_RATE
    searching: bool = True
    """Whether nothing is known of the limit yet: the rate then grows by doubling, until the first refusal."""

    def __post_init__(self) -> None:
        if self.ceiling <= 0:
            raise ValueError("the ceiling has to be above zero")
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
        """Seconds until it is worth asking again, or 0: send now, the turn is taken."""
        due = max(self._paused_until, self._next_slot - BURST_SECONDS)
        if now < due:
            return due - now
        self._next_slot = max(self._next_slot, now) + 1 / self.rate
        return 0.0

    def record_success(self, now: float) -> None:
        """The server did not mind the rate of a request, whatever else it answered."""
        self._recent_successes.append(now)
        self._drop_old_successes(now)
        elapsed = 0.0 if self._grown_at is None else now - self._grown_at
        self._grown_at = now
        if self._started_at is None:
            self._started_at = now
        self._success_count += 1
        if self.searching and now - self._started_at < SEARCH_DELAY_SECONDS:
            return
        # Who asks for less than is permitted learns nothing about what is permitted.
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
        # A long silence is no reason for a leap: at most a tenth of a second's growth at once.
        self.rate = min(self.ceiling, MAX_RATE, self.rate * (1 + growth * min(elapsed, 0.1)))

    def record_rate_limit(self, now: float, *, sent_at: float, retry_after: float | None = None) -> None:
        """The server answered 429 to a request sent at `sent_at`; `retry_after` in seconds, if it said so."""
        self.rate_limited += 1
        if retry_after is not None:
            self._paused_until = max(self._paused_until, now + min(max(retry_after, 0.0), MAX_PAUSE_SECONDS))
        if sent_at <= self._decreased_at:
            return
        self._drop_old_successes(now)
        accepted_rate, min_factor = SAFETY_FACTOR * len(self._recent_successes) / WINDOW_SECONDS, MIN_DECREASE_FACTOR
        if self.searching and self._started_at is not None and now - self._started_at > MIN_SEARCH_SECONDS:
            # Servers save up what is not asked for, mostly for a second: that was used up as well.
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
