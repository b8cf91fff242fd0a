"""How many workers a backup or a restore has for each API, and the rate at which each of them begins."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inventory.transport.limiter import Limiter
from inventory.transport.worker_pool import Pool

TRANSFER_WORKERS = 32
"""Workers for what comes and goes as whole files."""
REQUEST_WORKERS = 12
"""Workers for everything else. Those for DBFS each hold a block several times, and are enough for its limit."""
PUBLISHED_RATES = {"export": 60.0, "import": 30.0, "dbfs": 30.0}
"""Requests a second that an Azure workspace permits: where to begin, not where to end."""
DEFAULT_RATE = 50.0
"""Of all others nothing is known."""


@dataclass(frozen=True)
class RequestPacing:
    """How fast requests are sent and repeated."""

    initial_rate: float | None = None
    """Requests a second to begin with; None: what is known of the API."""
    jitter: Callable[[], float] = random.random
    """Gives numbers from 0 to 1, by which the delay before a retry is drawn."""


DEFAULT_PACING = RequestPacing()


def pools_and_limiters(workers: Mapping[str, int], rate: float | None) -> tuple[list[Pool], dict[str, Limiter]]:
    """A pool and a limiter for each API; `rate` in requests a second is that of `limiter_of`."""
    return [Pool([api], number) for api, number in workers.items()], {api: limiter_for(api, rate) for api in workers}


def limiter_for(api: str, rate: float | None) -> Limiter:
    """Begins at `rate` requests a second, or at what is known of the API."""
    return Limiter(rate=PUBLISHED_RATES.get(api, DEFAULT_RATE) if rate is None else rate)
