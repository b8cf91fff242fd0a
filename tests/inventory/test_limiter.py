"""The limiter finds the permitted rate and follows its changes."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.scan.scan_work import INITIAL_RATES
from inventory.transport.limiter import BURST_SECONDS, MIN_RATE, Limiter
from inventory.tree.listing import Source

pytestmark = pytest.mark.waits

LATENCY = 0.04


@dataclass
class Server:
    """A token bucket, as used by servers; `rate` is a function of the time. Time only passes in `run`."""

    rate: Callable[[float], float]
    retry_after: float | None = None
    tokens: float = 0.0
    filled_at: float = 0.0
    sent: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def accepts(self, now: float) -> bool:
        rate = self.rate(now)
        self.tokens = min(rate, self.tokens + (now - self.filled_at) * rate)
        self.filled_at = now
        self.sent.append(now)
        if self.tokens < 1:
            self.refused.append(now)
            return False
        self.tokens -= 1
        return True

    def run(self, limiter: Limiter, seconds: float, workers: int = 64) -> Server:
        """Let this many workers send requests as fast as the limiter permits."""
        now = 0.0
        flying: list[tuple[float, float, bool]] = []
        while now < seconds:
            wait = limiter.acquire(now) if len(flying) < workers else float("inf")
            if wait == 0:
                heapq.heappush(flying, (now + LATENCY, now, self.accepts(now)))
                continue
            now = min(now + wait, flying[0][0] if flying else float("inf"))
            while flying and flying[0][0] <= now:
                _, sent_at, accepted = heapq.heappop(flying)
                if accepted:
                    limiter.record_success(now)
                else:
                    limiter.record_rate_limit(now, sent_at=sent_at, retry_after=self.retry_after)
        return self

    def got(self, begin: float, end: float) -> int:
        """Return the number of requests accepted between two times."""
        return sum(begin <= at < end for at in self.sent) - sum(begin <= at < end for at in self.refused)


@pytest.mark.parametrize("rate", [5, 30, 100, 300, 1000])
def test_the_permitted_rate_is_found_and_used(rate):
    server = Server(lambda now: rate, tokens=rate).run(Limiter(), 120)

    assert server.got(10, 120) >= 0.97 * 110 * rate
    assert sum(at < 10 for at in server.refused) <= 15 + 0.1 * rate
    assert sum(at >= 10 for at in server.refused) <= 0.02 * sum(at >= 10 for at in server.sent)


def test_two_thousand_requests_take_little_more_than_the_minimum_time():
    server = Server(lambda now: 100, tokens=100).run(Limiter(), 20 * 1.05)

    assert server.got(0, 21) >= 2000
    assert len(server.refused) < 20


def constant(rate: float) -> Callable[[float], float]:
    return lambda now: rate


def test_two_thousand_folders_are_listed_with_few_rate_limited_requests():
    limits: dict[Source, tuple[int, int]] = {"dbfs": (30, 440), "workspace": (100, 1560)}
    refused = 0
    for source, (rate, folders) in limits.items():
        server = Server(constant(rate), tokens=rate)
        server.run(Limiter(rate=INITIAL_RATES[source]), 1.05 * folders / rate)
        assert server.got(0, 1.05 * folders / rate) >= folders
        refused += len(server.refused)
    assert refused < 0.01 * 2000


def test_a_server_without_a_limit_gets_two_thousand_requests_in_4_s():
    server = Server(lambda now: 1e9, tokens=1e9).run(Limiter(rate=INITIAL_RATES["workspace"]), 4)
    assert len(server.sent) > 2000


def test_a_server_that_recovers_is_soon_fully_used_again():
    server = Server(lambda now: 20 if now < 60 else 200, tokens=20).run(Limiter(), 120)

    assert server.got(100, 120) >= 0.9 * 20 * 200


def test_the_rate_falls_when_the_server_permits_less():
    server = Server(lambda now: 200 if now < 30 else 10, tokens=200).run(Limiter(), 90)

    assert server.got(45, 90) >= 0.9 * 45 * 10
    assert sum(at > 45 for at in server.refused) <= 0.05 * sum(at > 45 for at in server.sent)


def test_no_request_is_sent_before_retry_after_is_over():
    limiter = Limiter()
    assert limiter.acquire(0.0) == 0
    limiter.record_rate_limit(0.1, sent_at=0.0, retry_after=5)

    assert limiter.acquire(0.2) == pytest.approx(4.9)
    assert limiter.acquire(5.2) == 0


def test_requests_sent_before_a_decrease_do_not_decrease_the_rate_again():
    limiter = Limiter(rate=100)
    limiter.record_rate_limit(1.0, sent_at=0.9)
    fallen = limiter.rate
    for late in (0.91, 0.95, 1.0):
        limiter.record_rate_limit(1.04, sent_at=late)
    assert (limiter.rate, limiter.rate_limited) == (fallen, 4)


def test_the_rate_does_not_grow_while_little_of_it_is_used():
    limiter = Limiter(rate=100)
    limiter.record_rate_limit(0.0, sent_at=-0.1)
    before = limiter.rate
    for second in range(1, 100):
        assert limiter.acquire(float(second)) == 0
        limiter.record_success(second + LATENCY)
    assert limiter.rate == before


def test_a_ceiling_must_be_above_zero():
    with pytest.raises(ValueError, match="above zero"):
        Limiter(ceiling=0)


STEPS = st.tuples(st.sampled_from(["ask", "allowed", "refused"]), st.floats(0, 3), st.none() | st.floats(-5, 600))


@given(st.lists(STEPS, max_size=300), st.floats(0.2, 200))
def test_the_ceiling_is_never_exceeded(steps, ceiling):
    limiter = Limiter(ceiling=ceiling)
    now, sent = 0.0, []
    for step, pause, retry_after in steps:
        now += pause * 10 / ceiling
        if step == "allowed":
            limiter.record_success(now)
        elif step == "refused":
            limiter.record_rate_limit(now, sent_at=now - LATENCY, retry_after=retry_after)
        while limiter.acquire(now) == 0:
            sent.append(now)
        assert min(MIN_RATE, ceiling) <= limiter.rate <= ceiling
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first <= (sent[last] - sent[first] + BURST_SECONDS) * ceiling + 1e-6


@given(st.lists(STEPS, max_size=100))
def test_a_slot_becomes_free_within_the_maximum_pause(steps):
    limiter = Limiter()
    now = 0.0
    for step, pause, retry_after in steps:
        now += pause
        if step == "allowed":
            limiter.record_success(now)
        elif step == "refused":
            limiter.record_rate_limit(now, sent_at=now, retry_after=retry_after)
        assert limiter.acquire(now) <= 300 + 1 / MIN_RATE
