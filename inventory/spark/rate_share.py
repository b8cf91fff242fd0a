"""Divides the request rate of an API among tasks, so that together they stay within its limit. Pure.

The limit is unknown: each task finds it with its own limiter and reports the rate when it ends.
"""

from dataclasses import dataclass

from inventory.transport.limiter import INITIAL_RATE, MAX_RATE, MIN_RATE, Limiter

HEADROOM_FACTOR = 1.5
"""How far a task may exceed its share, so that a higher limit is noticed."""


@dataclass(frozen=True)
class RateShare:
    """One task's share of an API's rate."""

    rate: float
    """Initial requests per second."""
    ceiling: float
    searching: bool
    """Whether the limit is still unknown."""

    def limiter(self) -> Limiter:
        """Return a limiter with this share, for use in the task."""
        return Limiter(ceiling=self.ceiling, rate=self.rate, searching=self.searching)


class RateBudget:
    """The rate of one API. All tasks together never exceed `ceiling` requests per second; None means no ceiling."""

    def __init__(self, ceiling: float | None = None) -> None:
        self._ceiling = ceiling
        self.rate = min(INITIAL_RATE, ceiling or INITIAL_RATE)
        """Estimate of the permitted rate in requests per second."""
        self._searching = True
        self._lent: list[RateShare] = []

    def lend(self, tasks: int) -> RateShare:
        """Return one task's share if `tasks` tasks are about to start, including this one."""
        rate = max(MIN_RATE, self.rate - sum(share.rate for share in self._lent)) / tasks
        if self._ceiling is not None:
            ceiling = max(self._ceiling - sum(share.ceiling for share in self._lent), self._ceiling / 1000) / tasks
        else:
            ceiling = MAX_RATE / tasks if self._searching else rate * HEADROOM_FACTOR
        share = RateShare(min(rate, ceiling), ceiling, self._searching)
        self._lent.append(share)
        return share

    def release(self, share: RateShare, *, requests: int = 0, rate_limited: int = 0, rate: float | None = None) -> None:
        """Take back the share of a finished task. `rate` is the rate that its limiter found; None means unknown."""
        self._lent.remove(share)
        self._searching = self._searching and not rate_limited
        if requests and rate is not None:
            self.rate = min(self._ceiling or MAX_RATE, MAX_RATE, max(MIN_RATE, self.rate + rate - share.rate))
