"""Sessions and used time, derived from events alone."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.domain.uptime import (
    NEUTRAL_EVENTS,
    RUNNING_HINTS,
    Event,
    Observation,
    Restart,
    Role,
    Session,
    Timeline,
    close_open_session,
    counted_from,
    day_bounds,
    estimate_reasons,
    reconcile,
    sessions_of,
    timeline_of,
    used_on,
)
from example_counts import at_most_examples

JERUSALEM = ZoneInfo("Asia/Jerusalem")
H, MIN = timedelta(hours=1), timedelta(minutes=1)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + minutes * MIN


def events(*rows: tuple[float, str] | tuple[float, str, str]) -> list[Event]:
    return [Event(at(row[0]), row[1], row[2] if len(row) > 2 else None) for row in rows]


def test_uptime_lasts_from_running_to_terminating() -> None:
    reported = events((0, "STARTING", "ana@x"), (5, "RUNNING"), (65, "TERMINATING"))

    assert sessions_of(reported) == (Session(at(5), at(65), "ana@x"),)


def test_a_restart_does_not_end_a_session() -> None:
    reported = events(
        (0, "CREATING", "admin@x"), (5, "RUNNING"), (30, "RESTARTING", "ana@x"), (35, "RUNNING"), (60, "TERMINATING")
    )

    assert sessions_of(reported) == (Session(at(5), at(60), "admin@x", restarts=(Restart(at(30), "ana@x"),)),)


def test_a_failed_launch_is_not_uptime() -> None:
    assert sessions_of([*events((0, "STARTING", "ana@x")), Event(at(9), "TERMINATING", failed=True)]) == ()


def test_a_cancelled_launch_is_an_estimate_of_zero() -> None:
    (session,) = sessions_of(events((0, "STARTING", "ana@x"), (9, "TERMINATING", "ana@x")))

    reason = "whether it reached RUNNING was not among the events"
    assert session == Session(at(9), at(9), "ana@x", estimate=reason)


def test_a_running_cluster_has_an_open_session() -> None:
    assert sessions_of(events((0, "STARTING", "ana@x"), (5, "RUNNING"))) == (Session(at(5), None, "ana@x"),)


def test_a_session_ends_at_its_last_event_before_a_second_start() -> None:
    reported = events(
        (0, "STARTING", "ana@x"),
        (5, "RUNNING"),
        (20, "DRIVER_HEALTHY"),
        (90, "STARTING", "ben@x"),
        (95, "RUNNING"),
        (99, "TERMINATING"),
    )

    reason = "its end was not among the events; it was started again"
    # The cluster may have run until the new start: if that is after midnight, the day has an estimate of its own.
    until = at(90) - timedelta(milliseconds=1)
    assert sessions_of(reported) == (
        Session(at(5), at(20), "ana@x", estimate=reason),
        Session(until, until, "ana@x", estimate=reason),
        Session(at(95), at(99), "ben@x"),
    )


@pytest.mark.parametrize("zone", [JERUSALEM, UTC, ZoneInfo("Australia/Lord_Howe")], ids=str)
@pytest.mark.parametrize(
    "reported",
    [
        events(
            (0, "STARTING", "a@x"), (5, "RUNNING"), (5000, "STARTING", "b@x"), (5005, "RUNNING"), (5009, "TERMINATING")
        ),
        events((0, "STARTING", "a@x"), (5, "RUNNING"), (9, "TERMINATING"), (5009, "TERMINATING")),
    ],
    ids=["no event of the end", "no event of the start"],
)
def test_every_day_with_unknown_uptime_is_an_estimate(reported: list[Event], zone: ZoneInfo) -> None:
    sessions = sessions_of(reported)
    day, last = at(9).astimezone(zone).date(), at(4999).astimezone(zone).date()

    while day <= last:
        begins, ends = day_bounds(day, zone)
        assert any(s.estimate and s.start < ends and s.end and s.end > begins for s in sessions), day
        day += timedelta(days=1)


@pytest.mark.parametrize("late", ["NODES_LOST", "EXPANDED_DISK", "DRIVER_HEALTHY", "PINNED", "SOMETHING_NEW"])
def test_an_event_after_terminating_starts_no_session(late: str) -> None:
    reported = events((0, "STARTING", "a@x"), (5, "RUNNING"), (9, "TERMINATING"), (10, late))

    assert sessions_of(reported) == (Session(at(5), at(9), "a@x"),)


def test_a_missing_running_is_inferred_from_running_only_events() -> None:
    reported = events((0, "STARTING", "a@x"), (7, "UPSIZE_COMPLETED"), (30, "TERMINATING"))

    assert sessions_of(reported) == (Session(at(7), at(30), "a@x", estimate="its RUNNING was not among the events"),)


def test_a_later_running_event_replaces_an_inferred_start() -> None:
    reported = events((0, "STARTING", "a@x"), (4, "DRIVER_HEALTHY"), (5, "RUNNING"), (30, "TERMINATING"))
    later = events((0, "STARTING", "a@x"), (24, "DRIVER_HEALTHY"), (25, "RUNNING"), (30, "TERMINATING"))

    assert sessions_of(reported) == (Session(at(5), at(30), "a@x"),)
    assert sessions_of(later) == (Session(at(25), at(30), "a@x"),)


@pytest.mark.parametrize(
    ("last", "end"),
    [
        (Event(NOON + 25 * H, "RESTARTING"), None),
        (Event(NOON + 25 * H, "TERMINATING"), NOON + 25 * H),
        (Event(NOON + 25 * H, "TERMINATING", idle=20 * MIN), NOON + 25 * H),
    ],
)
def test_an_event_a_day_after_a_launch_implies_uptime_since_then(last: Event, end: datetime | None) -> None:
    (session,) = sessions_of([*events((0, "STARTING", "a@x")), last])

    assert (session.start, session.end) == (NOON, end)
    assert session.estimate


def test_a_running_only_event_implies_a_session_with_estimated_start() -> None:
    reported = events((0, "STARTING", "a@x"), (5, "RUNNING"), (9, "TERMINATING"), (20, "RESIZING"), (40, "TERMINATING"))
    reason, since = "its start was not among the events", at(9) + timedelta(milliseconds=1)

    assert sessions_of(reported) == (
        Session(at(5), at(9), "a@x"),
        Session(since, since, estimate=reason),
        Session(at(20), at(40), estimate=reason),
    )


def test_an_earlier_launch_remains_an_estimate_after_an_exact_one() -> None:
    reported = events((0, "STARTING", "a@x"), (30, "STARTING", "b@x"), (34, "DRIVER_HEALTHY"), (35, "RUNNING"))

    reason = "whether it reached RUNNING was not among the events"
    assert sessions_of(reported) == (Session(at(0), at(0), "a@x", estimate=reason), Session(at(35), None, "b@x"))


def test_termination_by_inactivity_implies_a_minimum_uptime() -> None:
    reported = [*events((0, "STARTING", "a@x")), Event(at(40), "TERMINATING", idle=20 * MIN)]

    # The cluster may have run before, too: if the launch was before midnight, its day has an estimate of its own.
    assert sessions_of(reported) == (
        Session(at(0), at(0), "a@x", estimate="whether it reached RUNNING was not among the events"),
        Session(at(20), at(40), "a@x", estimate="its RUNNING was not among the events"),
    )


def test_a_failure_may_end_an_unreported_launch() -> None:
    reported = [*events((0, "STARTING", "a@x"), (5, "RUNNING")), Event(at(40), "TERMINATING", failed=True)]
    reason = "it ended by a failure; until when it ran was not among the events"

    assert sessions_of(reported) == (Session(at(5), at(40), "a@x", estimate=reason),)


def test_a_failed_restart_is_the_exact_end_of_a_session() -> None:
    reported = [
        *events((0, "STARTING", "a@x"), (5, "RUNNING"), (30, "RESTARTING", "b@x")),
        Event(at(40), "TERMINATING", failed=True),
    ]

    assert sessions_of(reported) == (Session(at(5), at(40), "a@x", (Restart(at(30), "b@x"),)),)


def test_a_session_is_an_estimate_if_only_the_list_has_its_start() -> None:
    closed = timeline_of(events((0, "STARTING", "a@x"), (5, "RUNNING"), (50, "TERMINATING")))
    still_open = timeline_of(events((0, "STARTING", "a@x"), (5, "RUNNING"), (50, "DRIVER_HEALTHY")))
    stopped = Observation(at(60), running=False, started=at(30), terminated=at(51))
    running = Observation(at(60), running=True, started=at(30))

    inside = "the list shows that it was started in between, and neither that nor an end was among the events"
    assert reconcile(closed, (stopped,)) == (Session(at(5), at(50), "a@x", estimate=inside),)
    since = "the list shows a start that was not among the events"
    assert reconcile(still_open, (running,)) == (Session(at(5), None, "a@x", estimate=since),)


def test_a_restart_slightly_later_in_the_list_is_the_same_restart() -> None:
    reported = timeline_of(events((0, "STARTING", "a@x"), (5, "RUNNING"), (30, "RESTARTING", "b@x"), (34, "RUNNING")))
    seen = Observation(at(60), running=True, started=at(30) + timedelta(milliseconds=300))

    assert reconcile(reported, (seen,)) == (Session(at(5), None, "a@x", (Restart(at(30), "b@x"),)),)


def test_a_start_in_the_list_is_found_despite_a_late_event() -> None:
    reported = timeline_of(events((0, "STARTING", "a@x"), (5, "RUNNING"), (9, "TERMINATING"), (40, "NODES_LOST")))
    seen = Observation(at(60), running=False, started=at(30), terminated=at(50))

    assert reconcile(reported, (seen,))[-1] == Session(
        at(30), at(50), estimate="it was not among the events; taken from the cluster list"
    )


def test_the_number_of_workers_is_known_from_its_event_on() -> None:
    reported = [
        Event(at(0), "STARTING", "a@x"),
        Event(at(5), "RUNNING", workers=1),
        Event(at(9), "UPSIZE_COMPLETED", workers=2),
    ]

    assert sessions_of(reported) == (Session(at(5), None, "a@x", workers=((at(5), 1), (at(9), 2))),)


def test_a_deleted_cluster_ran_until_it_was_last_seen_running() -> None:
    open_session = sessions_of(events((0, "STARTING", "a@x"), (5, "RUNNING")))

    assert close_open_session(open_session, at(33), "gone") == (Session(at(5), at(33), "a@x", estimate="gone"),)


def test_an_open_session_ends_if_the_list_shows_a_stopped_cluster() -> None:
    open_session = timeline_of(events((0, "STARTING", "a@x"), (5, "RUNNING")))
    seen = (Observation(at(15), running=True), Observation(at(30), running=False, terminated=at(22)))

    (session,) = reconcile(open_session, seen)

    assert (session.end, session.estimate is not None) == (at(22), True)


def test_a_running_cluster_without_events_has_an_estimated_session() -> None:
    (session,) = reconcile(Timeline(), (Observation(at(30), running=True, started=at(12)),))

    assert (session.start, session.end, session.estimate is not None) == (at(12), None, True)


@pytest.mark.parametrize(
    ("role", "restarts", "expected"),
    [
        (Role.STUDENT, (), at(0)),
        (Role.UNKNOWN, (), at(0)),
        (Role.STAFF, (), None),
        (Role.STAFF, (Restart(at(7), None), Restart(at(9), "ana@x", Role.STUDENT)), at(9)),
        (Role.STAFF, (Restart(at(7), "staff@x", Role.STAFF), Restart(at(9), "who@x")), at(9)),
    ],
)
def test_a_session_counts_from_the_first_start_by_a_non_staff_user(
    role: Role, restarts: tuple[Restart, ...], expected: datetime | None
) -> None:
    session = Session(at(0), None, "somebody@x", restarts, role=role)

    assert counted_from(session) == expected
    assert counted_from(session, count_all=True) == at(0)


def test_a_session_across_midnight_is_split_between_the_days() -> None:
    night = Session(datetime(2026, 1, 10, 20, tzinfo=UTC), datetime(2026, 1, 11, 1, tzinfo=UTC))

    used = [used_on(date(2026, 1, day), [night], now=NOON, tz=JERUSALEM) for day in (9, 10, 11, 12)]

    assert used == [0 * H, 2 * H, 3 * H, 0 * H]


def test_the_day_of_a_clock_change_has_23_or_25_hours() -> None:
    always = Session(datetime(2026, 1, 1, tzinfo=UTC))

    used = [used_on(day, [always], now=NOON, tz=JERUSALEM) for day in (date(2026, 3, 27), date(2026, 10, 25))]

    assert used == [23 * H, 25 * H]


def test_an_open_session_counts_until_now() -> None:
    open_session = Session(at(0))

    assert used_on(NOON.date(), [open_session], now=at(15), tz=JERUSALEM) == 15 * MIN


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Event], list[Session]]:
    """Generate a complete history and its sessions."""
    reported: list[Event] = []
    truth: list[Session] = []
    clock = datetime(2026, 10, 20, tzinfo=UTC)

    def passes() -> datetime:
        nonlocal clock
        clock += timedelta(milliseconds=draw(st.integers(1, 10**8)))
        return clock

    for _ in range(draw(st.integers(0, 6))):
        user = draw(st.sampled_from(["ana@x", "staff@x", None]))
        reported.append(Event(passes(), draw(st.sampled_from(["STARTING", "CREATING"])), user))
        if draw(st.integers(0, 4)) == 0:
            reported.append(Event(passes(), "TERMINATING", failed=True))
            continue
        start = passes()
        reported.append(Event(start, "RUNNING"))
        restarts = []
        for kind in draw(st.lists(st.sampled_from(["RESTARTING", "RESIZING", "EDITED", "UNHEARD_OF"]), max_size=4)):
            reported.append(Event(passes(), kind, "ben@x"))
            if kind == "RESTARTING":
                restarts.append(Restart(clock, "ben@x"))
                reported.append(Event(passes(), "RUNNING"))
        reported.append(Event(passes(), "TERMINATING"))
        truth.append(Session(start, clock, user, tuple(restarts)))
        if draw(st.booleans()):
            reported.append(Event(passes(), draw(st.sampled_from(["NODES_LOST", "EXPANDED_DISK"]))))
    return reported, truth


@at_most_examples(25)
@given(histories(), st.randoms(use_true_random=False))
def test_a_complete_history_is_exact_in_any_order_with_duplicates(
    history: tuple[list[Event], list[Session]], chance: random.Random
) -> None:
    reported, truth = history
    shuffled = reported + chance.sample(reported, len(reported) // 2)
    chance.shuffle(shuffled)

    assert sessions_of(shuffled) == tuple(truth)


def test_the_session_of_simultaneous_launches_does_not_depend_on_set_order() -> None:
    # The order of a set of strings differs between processes and, among many pairs, within one.
    for name in "abcdefghijklnopqrstuvwxyz":
        story = events((0, "STARTING", "m@x"), (0, "STARTING", f"{name}@x"), (1, "RUNNING"), (60, "TERMINATING"))

        assert [session.started_by for session in sessions_of(story)] == [max("m@x", f"{name}@x")]


@at_most_examples(25)
@given(histories(), st.data())
def test_a_wrong_figure_is_always_marked_as_an_estimate(
    history: tuple[list[Event], list[Session]], data: st.DataObject
) -> None:
    reported, truth = history
    if not reported:
        return
    missing = data.draw(st.integers(0, len(reported) - 1))
    lost = reported[missing].at
    # An edit, and an event of an unknown type, prove nothing about the cluster's state.
    known = [event.at for event in reported if event.type not in ("EDITED", "UNHEARD_OF")]
    around = min((at for at in known if at > lost), default=lost) - max((at for at in known if at < lost), default=lost)
    now = reported[-1].at
    found = reconcile(timeline_of(reported[:missing] + reported[missing + 1 :]), (Observation(now, running=False),))

    def total(sessions: tuple[Session, ...] | list[Session]) -> timedelta:
        return sum(((session.end or now) - session.start for session in sessions), timedelta())

    wrong = total(found) != total(truth)
    assert not wrong or any(session.estimate for session in found)
    assert total(found) >= total(truth) - around


@at_most_examples(25)
@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_the_days_of_a_time_zone_are_contiguous(day: date) -> None:
    assert day_bounds(day, JERUSALEM)[1] == day_bounds(day + timedelta(days=1), JERUSALEM)[0]


FAILURE = Event(at(16), "TERMINATING", failed=True)


@pytest.mark.parametrize("between", [*sorted(RUNNING_HINTS | NEUTRAL_EVENTS), "A_TYPE_OF_TOMORROW", ""])
def test_a_launch_ended_by_a_launch_failure_is_not_uptime(between: str) -> None:
    reported = [*events((0, "STARTING", "ana@x"), (6, "ADD_NODES_FAILED"), (8, between)), FAILURE]

    assert sessions_of(reported) == ()
    assert (
        reconcile(timeline_of(reported), (Observation(at(30), running=False, started=at(0), terminated=at(17)),)) == ()
    )


@pytest.mark.parametrize(
    ("proof", "start", "restarts"),
    [("RUNNING", 8, ()), ("RESIZING", 8, ()), ("UPSIZE_COMPLETED", 8, ()), ("RESTARTING", 8, (Restart(at(8), None),))],
)
def test_a_running_only_event_overrides_a_launch_failure(
    proof: str, start: float, restarts: tuple[Restart, ...]
) -> None:
    (session,) = sessions_of([*events((0, "STARTING", "ana@x"), (8, proof)), FAILURE])

    assert (session.start, session.end, session.restarts) == (at(start), at(16), restarts)


def test_a_running_cluster_in_the_list_overrides_a_launch_failure() -> None:
    reported = timeline_of([*events((0, "STARTING", "ana@x"), (8, "METASTORE_DOWN")), FAILURE])
    seen = (Observation(at(10), running=True), Observation(at(30), running=False, started=at(0), terminated=at(17)))

    assert reconcile(reported, seen) == (
        Session(at(10), at(16), "ana@x", estimate="its RUNNING was not among the events"),
    )


@pytest.mark.parametrize(
    "end",
    [Event(at(16), "TERMINATING", "ana@x"), Event(at(16), "TERMINATING", failed=True, may_have_run=True)],
    ids=["by a person", "by a failure of running clusters"],
)
def test_an_inferred_session_is_kept_if_no_launch_failure_ends_it(end: Event) -> None:
    reported = [*events((0, "STARTING", "ana@x"), (8, "DRIVER_UNAVAILABLE"), (9, "METASTORE_DOWN")), end]

    (session,) = sessions_of(reported)

    assert (session.start, session.end, session.estimate is not None) == (at(8), at(16), True)


def test_hints_become_a_session_only_if_the_list_shows_uptime() -> None:
    reported = timeline_of(events((0, "STARTING", "ana@x"), (8, "METASTORE_DOWN"), (9, "DRIVER_UNAVAILABLE")))
    reason = "its RUNNING was not among the events"

    assert reported.sessions == ()
    assert reconcile(reported, (Observation(at(10), running=False, started=at(0)),)) == ()
    assert reconcile(reported, (Observation(at(10), running=True, started=at(0)),)) == (
        Session(at(8), None, "ana@x", estimate=reason),
    )
    (ended,) = reconcile(reported, (Observation(at(30), running=False, started=at(0), terminated=at(17)),))
    assert (ended.start, ended.end, ended.estimate is not None) == (at(8), at(17), True)


def test_an_unknown_event_type_does_not_prove_uptime() -> None:
    reported = events((0, "STARTING", "ana@x"), (3, "A_TYPE_OF_TOMORROW"), (9, "TERMINATING", "ana@x"))

    assert sessions_of(reported) == sessions_of([reported[0], reported[2]])


def test_a_start_cancelled_at_once_is_not_an_estimate() -> None:
    early = sessions_of(events((0, "STARTING", "ana@x"), (0.5, "TERMINATING", "ana@x")))
    late = sessions_of(events((0, "STARTING", "ana@x"), (9, "TERMINATING", "ana@x")))

    assert ([s.end - s.start for s in early if s.end], estimate_reasons(early)) == ([timedelta()], ())
    assert estimate_reasons(late) == ("whether it reached RUNNING was not among the events",)


TROUBLED = st.lists(
    st.tuples(st.floats(0.1, 90), st.sampled_from([*sorted(RUNNING_HINTS | NEUTRAL_EVENTS), "A_TYPE_OF_TOMORROW"])),
    max_size=8,
)


@given(trouble=TROUBLED, lasts=st.floats(91, 300), before=st.booleans())
def test_launch_failures_never_count(trouble: list[tuple[float, str]], lasts: float, before: bool) -> None:
    """Uptime before the failed launch is not affected."""
    earlier = events((-60, "STARTING", "ana@x"), (-55, "RUNNING"), (-30, "TERMINATING")) if before else []
    launch = [*events((0, "STARTING", "ana@x"), *trouble), Event(at(lasts), "TERMINATING", failed=True)]

    assert sessions_of([*earlier, *launch]) == sessions_of(earlier)
