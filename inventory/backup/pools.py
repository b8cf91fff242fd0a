"""Worker counts and initial request rates of backups and restores, by API."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inventory.transport.limiter import Limiter
from inventory.transport.worker_pool import Pool

TRANSFER_WORKERS = 32
"""Number of workers for requests that transfer whole files."""
REQUEST_WORKERS = 12
"""Number of workers for other requests; enough for the limit of DBFS, whose workers hold several copies of a block."""
PUBLISHED_RATES = {"export": 60.0, "import": 30.0, "dbfs": 30.0}
"""Requests per second that an Azure workspace permits, by API; initial values, not ceilings."""
DEFAULT_RATE = 50.0
"""Initial requests per second for all other APIs, whose limits are unknown."""


@dataclass(frozen=True)
class RequestPacing:
    """Initial request rate, and the jitter of retries."""

    initial_rate: float | None = None
    """Initial requests per second; None means the API's default."""
    jitter: Callable[[], float] = random.random
    """Returns numbers from 0 to 1 for the delays before retries."""


DEFAULT_PACING = RequestPacing()


def pools_and_limiters(workers: Mapping[str, int], rate: float | None) -> tuple[list[Pool], dict[str, Limiter]]:
    """Return a pool and a limiter for each API; see `limiter_for` about `rate`."""
    return [Pool([api], number) for api, number in workers.items()], {api: limiter_for(api, rate) for api in workers}


def limiter_for(api: str, rate: float | None) -> Limiter:
    """Return a limiter that starts at `rate` requests per second, or at the API's default."""
    return Limiter(rate=PUBLISHED_RATES.get(api, DEFAULT_RATE) if rate is None else rate)
