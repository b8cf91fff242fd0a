"""How many workers a backup or a restore has for each API, and the rate at which each of them begins."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inventory.transport.limiter import Limiter
from inventory.transport.worker_pool import Pool

FETCHERS = 32
"""Workers for what comes and goes as whole files."""
ASKERS = 12
"""Workers for everything else. Those for DBFS each hold a block several times, and are enough for its limit."""
PUBLISHED = {"export": 60.0, "import": 30.0, "dbfs": 30.0}
"""Requests a second that an Azure workspace permits: where to begin, not where to end."""
START = 50.0
"""Of all others nothing is known."""


@dataclass(frozen=True)
class Pace:
    """How fast requests are sent and repeated."""

    rate: float | None = None
    """Requests a second to begin with; None: what is known of the API."""
    chance: Callable[[], float] = random.random
    """Gives numbers from 0 to 1, by which the delay before a retry is drawn."""


PACE = Pace()


def pools_and_limiters(workers: Mapping[str, int], rate: float | None) -> tuple[list[Pool], dict[str, Limiter]]:
    """A pool and a limiter for each API; `rate` in requests a second is that of `limiter_of`."""
    return [Pool([api], number) for api, number in workers.items()], {api: limiter_of(api, rate) for api in workers}


def limiter_of(api: str, rate: float | None) -> Limiter:
    """Begins at `rate` requests a second, or at what is known of the API."""
    return Limiter(rate=PUBLISHED.get(api, START) if rate is None else rate)
