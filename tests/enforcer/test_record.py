"""Storing events poll by poll gives the same sessions as storing them all at once, and writes only changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.domain.observations import ObservedCluster, RawEvent
from enforcer.domain.timestamps import to_millis
from enforcer.domain.uptime import Event, Observation, Session
from enforcer.ledger import queries, record
from enforcer.ledger.database import Ledger
from enforcer.ledger.record import EventBatch
from example_counts import at_most_examples
from ledgers import clear

T = datetime(2030, 11, 3, 8, tzinfo=UTC)
M, H = timedelta(minutes=1), timedelta(hours=1)
LATER = T + 1000 * H


@pytest.fixture
def ledger(module_ledger: Ledger) -> Ledger:
    clear(module_ledger)
    return module_ledger


def list_shows(ledger: Ledger, *, at: datetime, running: bool, since: datetime | None = T) -> None:
    observation = Observation(at, running, since, None if running else at)
    record.observe(
        ledger, [ObservedCluster("1", "cluster_01", "group_01", "94290", "2030w", "terraform", observation, "")], now=at
    )


def read(ledger: Ledger, *events: Event, moved: str = "1", at: datetime = LATER) -> None:
    record.add_events(ledger, [EventBatch("1", [RawEvent(event, "{}") for event in events], moved)], read_to=at)


def kept(ledger: Ledger) -> list[tuple[Session, datetime | None]]:
    found = queries.sessions(ledger, begins=T - 1000 * H, ends=LATER + H).get("1", [])
    return [(session, session.last_reported) for session in found]


types = st.sampled_from(
    ["STARTING", "RUNNING", "TERMINATING", "RESTARTING", "RESIZING", "NODES_LOST", "DRIVER_HEALTHY", "CREATING"]
)
# There are few instants, so that some events are simultaneous and some sessions have zero length.
events = st.builds(
    Event,
    at=st.integers(0, 12).map(lambda minutes: T + minutes * M),
    type=types,
    user=st.sampled_from([None, "ana@x"]),
    idle=st.sampled_from([None, 2 * M]),
)
polls = st.lists(st.tuples(st.lists(events, max_size=6), st.booleans(), st.integers(0, 12)), min_size=1, max_size=5)


@at_most_examples(50)
@given(polls=polls)
def test_incremental_sessions_equal_sessions_from_all_events(
    module_ledger: Ledger, polls: list[tuple[list[Event], bool, int]]
) -> None:
    ledger = module_ledger
    clear(ledger)
    for number, (reported, running, started) in enumerate(polls):
        list_shows(ledger, at=T + (number + 13) * M, running=running, since=T + started * M)
        read(ledger, *reported, moved=str(started))
    grown = kept(ledger)

    record.rebuild(ledger, "1", since=0)

    assert grown == kept(ledger)


def test_an_exact_session_is_corrected_by_a_late_event(ledger: Ledger) -> None:
    list_shows(ledger, at=LATER, running=False)
    read(ledger, Event(T, "STARTING"), Event(T + M, "RUNNING"), Event(T + 9 * M, "TERMINATING"))
    read(ledger, Event(T + H, "STARTING"), Event(T + H + M, "RUNNING"), Event(T + 2 * H, "TERMINATING"))

    read(ledger, Event(T + 5 * M, "RESTARTING", "noa@x"))

    assert [(s.start, s.end, [r.user for r in s.restarts]) for s, _ in kept(ledger)] == [
        (T + M, T + 9 * M, ["noa@x"]),
        (T + H + M, T + 2 * H, []),
    ]


@pytest.mark.parametrize("module_ledger", ["sqlite"], indirect=True)
def test_a_poll_without_changes_only_stores_its_own_row(ledger: Ledger) -> None:
    events = [Event(T, "STARTING"), Event(T + M, "RUNNING")]
    list_shows(ledger, at=T + 2 * M, running=True)
    read(ledger, *events, at=T + 2 * M)
    written = ledger.database.connection().total_changes

    list_shows(ledger, at=T + 3 * M, running=True)
    read(ledger, *events, at=T + 3 * M)

    # The poll stores the observed cluster, and up to when its events were read.
    assert ledger.database.connection().total_changes - written == 2
    assert queries.clusters(ledger)["1"].events_read_to == T + 3 * M


def test_a_killed_run_is_completed_by_the_next_run(ledger: Ledger) -> None:
    list_shows(ledger, at=T + 2 * M, running=True)
    read(ledger, Event(T, "STARTING"), Event(T + M, "RUNNING"))
    list_shows(ledger, at=T + H, running=False)

    list_shows(ledger, at=T + H + M, running=False)
    read(ledger)

    (session, _) = kept(ledger)[0]
    assert (session.end, session.estimate) == (
        T + H + M,
        "its end was not among the events; taken from the cluster list",
    )


@pytest.mark.parametrize("module_ledger", ["sqlite"], indirect=True)
def test_stored_events_are_read_only_since_the_last_exact_session(ledger: Ledger) -> None:
    list_shows(ledger, at=LATER, running=False)
    day = timedelta(days=1)
    read(
        ledger,
        *(
            Event(T + number * day + after, type)
            for number in range(40)
            for after, type in ((M, "STARTING"), (2 * M, "RUNNING"), (H, "TERMINATING"))
        ),
    )
    asked: list[tuple[object, ...]] = []

    ledger.database.connection().set_trace_callback(asked.append)
    read(ledger, Event(T + 41 * day, "STARTING"), Event(T + 41 * day + M, "RUNNING"))
    ledger.database.connection().set_trace_callback(None)

    last_end = to_millis(T + 39 * day + H)
    assert [text for text in asked if "FROM event" in str(text) and f"at >= {last_end} " in str(text)]
    assert not [text for text in asked if "at >= 0" in str(text)]
    assert len(kept(ledger)) == 41
