"""The lab's clock and a run's deadline."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from labkit.clock import ClockError, Deadline, clock_starting_at, now, require_local_workspace


def clock_url(**answer: str) -> str:
    return f"data:application/json,{quote(json.dumps(answer))}"


def test_lab_clock_is_converted_to_utc_in_whole_milliseconds() -> None:
    url = clock_url(now="2026-11-01T09:00:00.123456+02:00")
    assert now({"LAB_CLOCK": url}) == datetime(2026, 11, 1, 7, 0, 0, 123_000, UTC)


@pytest.mark.parametrize("environ", [{}, {"LAB_CLOCK": ""}])
def test_without_lab_clock_the_machines_clock_is_used(environ: dict[str, str]) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    shown = now(environ)
    assert (before <= shown <= datetime.now(UTC), shown.microsecond % 1000, shown.tzinfo) == (True, 0, UTC)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("data:,x", 'LAB_CLOCK data:,x does not return {"now": ISO} '),
        ("data:,{}", "LAB_CLOCK data:,{} does not return "),
        (clock_url(now="soon"), "does not return"),
        (clock_url(now="2026-11-01T09:00:00"), "returns a time without a time zone (2026-11-01 09:00:00)."),
    ],
)
def test_an_unusable_clock_is_reported_in_one_sentence(url: str, sentence: str) -> None:
    with pytest.raises(ClockError) as raised:
        now({"LAB_CLOCK": url})
    assert sentence in str(raised.value) and str(raised.value).endswith(".")


def test_an_advancing_clock_is_monotonic() -> None:
    instant = datetime(2026, 11, 1, tzinfo=UTC)
    clock = clock_starting_at(instant)
    first, second = clock(), clock()
    assert instant <= first <= second < instant + timedelta(minutes=1)


def test_a_deadline_counts_from_its_creation_down_to_zero() -> None:
    seconds = iter([100.0, 110.0, 110.0, 140.0, 140.0])
    deadline = Deadline(timedelta(seconds=30), timer=lambda: next(seconds))
    seen = [(deadline.elapsed.seconds, deadline.remaining.seconds) for _ in range(2)]
    assert seen == [(10, 20), (40, 0)]


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("http://127.0.0.1:8765", True),
        ("localhost:8765", True),
        ("http://[::1]:8765", True),
        ("", True),
        ("https://lab.example", False),
        ("https://127.lab.example", False),
    ],
)
def test_lab_clock_requires_a_workspace_on_this_machine(host: str, is_here: bool) -> None:
    with nullcontext() if is_here else pytest.raises(ClockError, match="is a remote host; unset LAB_CLOCK"):
        require_local_workspace({"LAB_CLOCK": "http://127.0.0.1:1/clock"}, host)
