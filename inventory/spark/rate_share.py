"""How many requests a second each of several tasks may send, so that together they stay at what one API permits. Pure.

Nobody tells what that is: the tasks find it out, each with a limiter of its own, and what they found comes back here.
"""

from dataclasses import dataclass

from inventory.transport.limiter import INITIAL_RATE, MAX_RATE, MIN_RATE, Limiter

HEADROOM_FACTOR = 1.5
"""How far above its share a task may go, so that it is noticed when a server permits more than before."""


@dataclass(frozen=True)
class RateShare:
    """What one task has of an API."""

    rate: float
    """Requests a second to begin with."""
    ceiling: float
    searching: bool
    """Whether nothing is known of the limit yet."""

    def limiter(self) -> Limiter:
        """For the task, which may be elsewhere."""
        return Limiter(ceiling=self.ceiling, rate=self.rate, searching=self.searching)


class RateBudget:
    """That of one API. `ceiling` in requests a second is never exceeded by all tasks together; None: as it permits."""

    def __init__(self, ceiling: float | None = None) -> None:
        self._ceiling = ceiling
        self.rate = min(INITIAL_RATE, ceiling or INITIAL_RATE)
        """What is believed to be permitted, requests a second."""
        self._searching = True
        self._lent: list[RateShare] = []

    def lend(self, tasks: int) -> RateShare:
        """The share of one task, where this and `tasks` - 1 others are about to begin."""
        rate = max(MIN_RATE, self.rate - sum(share.rate for share in self._lent)) / tasks
        if self._ceiling is not None:
            ceiling = max(self._ceiling - sum(share.ceiling for share in self._lent), self._ceiling / 1000) / tasks
        else:
            ceiling = MAX_RATE / tasks if self._searching else rate * HEADROOM_FACTOR
        share = RateShare(min(rate, ceiling), ceiling, self._searching)
        self._lent.append(share)
        return share

    def release(self, share: RateShare, *, requests: int = 0, rate_limited: int = 0, rate: float | None = None) -> None:
        """A task has ended; `rate` is what its limiter found, None if nobody knows."""
        self._lent.remove(share)
        self._searching = self._searching and not rate_limited
        if requests and rate is not None:
            self.rate = min(self._ceiling or MAX_RATE, MAX_RATE, max(MIN_RATE, self.rate + rate - share.rate))
