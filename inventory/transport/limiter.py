"""How fast one API may be asked, found out by asking. Pure: the clock is an argument, nothing sleeps.

Additive increase, multiplicative decrease, with three refinements that keep refusals rare: the rate falls to what the
server let through lately and not to half; refusals of requests that were sent before the last fall do not count again;
and the longer nothing is refused, the larger the steps up become, so that a server that recovers is soon used again.
"""

from collections import deque
from dataclasses import dataclass

START = 100.0
"""Requests a second to begin with."""
FLOOR = 0.5
CEILING = 5000.0
"""No rate is ever set above this; it is far beyond what a client can send."""
WINDOW = 1.0
"""Seconds over which it is counted what the server let through."""
BURST = 0.02
"""Seconds by which requests may run ahead of an even spacing: workers do not wake up to the millisecond."""
FALL = 0.85
"""The rate after a refusal is at most this share of the old one."""
DEEPEST_FALL = 0.5
"""And at least this share, however little got through; the first fall, after a search, is at least so."""
LEAST_SEARCH = 0.5
"""Seconds after which what was let through tells the permitted rate."""
SEARCH_FALL = 0.2
"""At least this share is left by the first fall, which ends the search."""
SHARE_USED = 0.4
"""The rate grows only while at least this share of it is asked for: who asks for less learns nothing of the limit."""
MARGIN = 0.97
"""The share of what got through that is asked for after a refusal."""
SEARCH_AFTER = 0.6
"""Seconds for which the first rate is kept: a server that permits half of it, and saves up for a second, is then found
out with few refusals, and all others are soon asked more."""
SEARCH_STEP = 1.6
"""Share of the rate that is added a second from then until the first refusal: it grows to its fivefold in a second."""
FIRST_STEP = 0.005
"""Share of the rate that is added in the first second without a refusal; it doubles every DOUBLING seconds."""
SECOND_STEP = 0.02
"""The same after the fall that ends the search, which may have been too deep."""
DOUBLING = 4.0
LARGEST_STEP = 0.5
LONGEST_PAUSE = 300.0
"""Seconds; a server that asks for more with Retry-After is asked again after this."""


@dataclass
class Limiter:
    """The state for one API. `ceiling` in requests a second is never exceeded, whatever the server permits.

    Ask `wait(now)` before every request until it answers 0, which takes a turn; tell `allowed` or `refused` after it.
    """

    ceiling: float = CEILING
    rate: float = START
    searching: bool = True
    """Whether nothing is known of the limit yet: the rate then grows by doubling, until the first refusal."""

    def __post_init__(self) -> None:
        if self.ceiling <= 0:
            raise ValueError("the ceiling has to be above zero")
        self.rate = min(self.rate, self.ceiling)
        self.refusals = 0
        self._next = float("-inf")
        self._paused_until = float("-inf")
        self._fell_at = float("-inf")
        self._stepped_at: float | None = None
        self._began_at: float | None = None
        self._found = 0
        self._first_step = FIRST_STEP
        self._passed: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until it is worth asking again, or 0: send now, the turn is taken."""
        due = max(self._paused_until, self._next - BURST)
        if now < due:
            return due - now
        self._next = max(self._next, now) + 1 / self.rate
        return 0.0

    def allowed(self, now: float) -> None:
        """The server did not mind the rate of a request, whatever else it answered."""
        self._passed.append(now)
        self._forget(now)
        since = 0.0 if self._stepped_at is None else now - self._stepped_at
        self._stepped_at = now
        if self._began_at is None:
            self._began_at = now
        self._found += 1
        if self.searching and now - self._began_at < SEARCH_AFTER:
            return
        # Who asks for less than is permitted learns nothing about what is permitted.
        if now - self._fell_at < WINDOW or len(self._passed) < SHARE_USED * self.rate * WINDOW:
            return
        quiet = now - self._fell_at
        step = SEARCH_STEP if self.searching else min(LARGEST_STEP, self._first_step * 2 ** min(60.0, quiet / DOUBLING))
        # A long silence is no reason for a leap: at most a tenth of a second's growth at once.
        self.rate = min(self.ceiling, CEILING, self.rate * (1 + step * min(since, 0.1)))

    def refused(self, now: float, *, sent_at: float, retry_after: float | None = None) -> None:
        """The server answered 429 to a request sent at `sent_at`; `retry_after` in seconds, if it said so."""
        self.refusals += 1
        if retry_after is not None:
            self._paused_until = max(self._paused_until, now + min(max(retry_after, 0.0), LONGEST_PAUSE))
        if sent_at <= self._fell_at:
            return
        self._forget(now)
        through, deepest = MARGIN * len(self._passed) / WINDOW, DEEPEST_FALL
        if self.searching and self._began_at is not None and now - self._began_at > LEAST_SEARCH:
            # Servers save up what is not asked for, mostly for a second: that was used up as well.
            through, deepest = self._found / (now - self._began_at + WINDOW), SEARCH_FALL
        most = self.rate * (DEEPEST_FALL if self.searching else FALL)
        self.rate = min(self.ceiling, max(FLOOR, self.rate * deepest, min(most, through)))
        self._first_step = SECOND_STEP if self.searching else FIRST_STEP
        self.searching = False
        self._fell_at = now
        self._next = max(self._next, now + 1 / self.rate)

    def _forget(self, now: float) -> None:
        while self._passed and self._passed[0] <= now - WINDOW:
            self._passed.popleft()
