"""Choice of the clock, times too uncertain for stops, and held stops of most running clusters."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulated_course import EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.domain.quota import Action, Restrict, Stop
from enforcer.ledger.database import Ledger, open_copy
from enforcer.operations.markers import Marker
from enforcer.settings import MassStopThreshold
from enforcer.tick.mass_stop import PollHistory, clusters_to_hold
from enforcer.tick.run import TickResult, plan_tick, run_tick
from enforcer.workspace.client import Workspace
from enforcer.workspace.server_time import ServerTimestamp, TickTime, clock_problem, parse_date_header, tick_time
from example_counts import exactly_examples
from fake_mail_service import FakeMailService
from in_process_course import SETTINGS, InProcessCourse
from labkit.clock import Deadline
from ledgers import clear

M, S, H = timedelta(minutes=1), timedelta(seconds=1), timedelta(hours=1)
T = datetime(2026, 11, 2, 10, tzinfo=UTC)
NONE = timedelta()


def timestamp(shown: datetime | None, after: timedelta = NONE) -> ServerTimestamp:
    return ServerTimestamp(shown, after)


# --- choice of the clock


@pytest.mark.parametrize(
    ("machine", "shown", "expected"),
    [
        (T, T, TickTime(T, True)),
        (T + 120 * S, T, TickTime(T + 120 * S, True)),
        (T - 120 * S, T, TickTime(T - 120 * S, True)),
        (T, None, TickTime(T, False)),
    ],
)
def test_a_clock_skew_up_to_two_minutes_keeps_the_machine_clock(
    machine: datetime, shown: datetime | None, expected: TickTime
) -> None:
    assert tick_time(machine, timestamp(shown)) == expected


def test_a_clock_skew_over_two_minutes_selects_the_workspace_clock() -> None:
    ahead, behind = tick_time(T + 4 * H, timestamp(T)), tick_time(T - 121 * S, timestamp(T))

    assert (ahead.now, ahead.is_confirmed, behind.now, behind.is_confirmed) == (T, False, T, False)
    assert ahead.notice == (
        "this machine's clock is 4:00 hours ahead of the workspace's clock, which is used instead; "
        "synchronise this machine's clock"
    )
    assert behind.notice and "2 minutes behind" in behind.notice


def test_the_machine_clock_is_used_if_no_date_was_requested() -> None:
    assert tick_time(T, None) == TickTime(T, True)


@given(header=st.text(max_size=30) | st.none() | st.integers() | st.just(format_datetime(T, usegmt=True)))
def test_an_invalid_date_header_is_parsed_as_none(header: object) -> None:
    assert parse_date_header(header) is None or isinstance(header, str)
    assert parse_date_header("Mon, 02 Nov 2026 10:00:00 GMT") == T


# --- times too uncertain for stops


@pytest.mark.parametrize(
    ("server_timestamps", "newest", "rehearsal", "is_doubted"),
    [
        ([], None, False, False),
        ([timestamp(T)], T, False, False),
        ([timestamp(T), timestamp(T + 5 * S, 5 * S)], T + 119 * S, False, False),
        ([timestamp(None)], None, False, True),
        ([timestamp(T), timestamp(None, S)], None, False, True),
        ([timestamp(T)], T + 3 * M, False, True),
        ([], T + 3 * M, False, True),
        ([timestamp(T), timestamp(T + H, 5 * S)], None, False, True),
        ([timestamp(T), timestamp(T - H, 5 * S)], None, False, True),
        ([timestamp(T), timestamp(T + H, 5 * S)], None, True, False),
        ([timestamp(T), timestamp(T - H, 5 * S)], None, True, True),
    ],
)
def test_a_missing_outdated_or_inconsistent_time_prevents_stops(
    server_timestamps: list[ServerTimestamp], newest: datetime | None, rehearsal: bool, is_doubted: bool
) -> None:
    assert (clock_problem(server_timestamps, now=T, newest=newest, is_rehearsal=rehearsal) is not None) == is_doubted


@pytest.fixture(scope="module")
def lab() -> InProcessCourse:
    """The first cluster is past its limit, the second is not."""
    lab = InProcessCourse(2, soft=150 * M, hard=180 * M)
    lab.start(lab.clusters[0])
    lab.workspace.advance(100 * 60)
    lab.start(lab.clusters[1])
    lab.workspace.advance(85 * 60)
    return lab


@pytest.fixture(scope="module")
def memory():
    with closing(open_copy("no such ledger")) as ledger:
        yield ledger


@settings(exactly_examples(50, acceptance=2000))
@given(off=st.timedeltas(-24 * H, 24 * H))
def test_clock_skew_of_up_to_a_day_does_not_affect_stops(lab: InProcessCourse, memory: Ledger, off: timedelta) -> None:
    clear(memory)
    shown = lab.now().replace(microsecond=0)
    time = tick_time(lab.now() + off, timestamp(shown))
    result = plan_tick(SETTINGS, memory, lab.connect(), now=time.now)

    stopped = [action.cluster_id for action in result.actions if isinstance(action, Stop)]
    assert stopped == [lab.clusters[0]], (off, time)
    assert (time.notice is None) == (abs(lab.now() + off - shown) <= 2 * M)


# --- mass-stop protection


def due(*ids: str) -> list[Action]:
    return [Stop(id, f"group of {id}", None) for id in ids]  # type: ignore[arg-type]


FIVE = tuple("abcde")
RECENT = PollHistory(last_poll=T - 15 * M)


@pytest.mark.parametrize(
    ("ids", "running", "memory", "confirmed", "held"),
    [
        pytest.param(FIVE, FIVE, RECENT, True, FIVE, id="all of five"),
        pytest.param(FIVE, tuple("abcdefghi"), RECENT, True, FIVE, id="five of nine"),
        pytest.param(FIVE, tuple("abcdefghij"), RECENT, True, (), id="only half"),
        pytest.param(tuple("abcd"), tuple("abcd"), RECENT, True, (), id="only four"),
        pytest.param(FIVE, FIVE, PollHistory(T - 15 * M, near=frozenset("c")), True, (), id="one was near its limit"),
        pytest.param(FIVE, FIVE, PollHistory(T - 15 * M, held=frozenset(FIVE)), True, (), id="held at the poll before"),
        pytest.param(FIVE, FIVE, PollHistory(T - 40 * M), True, (), id="after a gap, the clock confirmed"),
        pytest.param(FIVE, FIVE, PollHistory(T - 40 * M), False, FIVE, id="after a gap, the clock not confirmed"),
        pytest.param(FIVE, FIVE, PollHistory(), True, (), id="the first poll ever"),
    ],
)
def test_stops_are_held_if_most_running_clusters_were_far_from_limits(
    ids: tuple[str, ...], running: tuple[str, ...], memory: PollHistory, confirmed: bool, held: tuple[str, ...]
) -> None:
    found = clusters_to_hold(due(*ids), running, memory, MassStopThreshold(), now=T, is_confirmed=confirmed)

    assert found == frozenset(held)


def test_the_mass_stop_threshold_is_configurable() -> None:
    assert clusters_to_hold(
        due(*"ab"), "abcd", RECENT, MassStopThreshold(2, 0.4), now=T, is_confirmed=True
    ) == frozenset("ab")


@pytest.fixture
def six() -> InProcessCourse:
    return InProcessCourse(6, soft=150 * M, hard=180 * M)


def tick(
    ledger: Ledger, lab: InProcessCourse, workspace: Workspace, mail: FakeMailService, *, stop_now: bool = False
) -> TickResult:
    return run_tick(SETTINGS, ledger, workspace, mail, now=lab.now(), deadline=Deadline(M), stop_now=stop_now)


def limit(lab: InProcessCourse, soft: int, hard: int) -> None:
    """Deploy these limits for a day, in minutes."""
    lab.limits |= {"soft_minutes": soft, "hard_minutes": hard}
    lab.write_course()


def mistype(lab: InProcessCourse, ledger: Ledger, workspace: Workspace) -> None:
    """Run all clusters for an hour with polls, then deploy a limit of half an hour."""
    for cluster in lab.clusters:
        lab.start(cluster)
    for _ in range(4):
        lab.workspace.advance(15 * 60)
        tick(ledger, lab, workspace, FakeMailService())
    limit(lab, 20, 30)
    lab.workspace.advance(60)


def kinds(result: TickResult) -> set[type]:
    return {type(action) for action in result.actions}


def test_a_mistyped_limit_is_reported_before_it_stops_all_groups(ledger: Ledger, six: InProcessCourse) -> None:
    workspace = six.connect()
    mistype(six, ledger, workspace)

    held = tick(ledger, six, workspace, FakeMailService())
    six.workspace.advance(60)
    sooner = tick(ledger, six, workspace, FakeMailService())
    six.workspace.advance(60)
    workspace.calls.clear()
    after = tick(ledger, six, workspace, FakeMailService())

    assert (kinds(held) & {Stop, Restrict}, kinds(sooner) & {Stop, Restrict}) == (set(), set())
    assert "6 clusters are due to be stopped at once" in held.hold_notice and "cluster_001" in held.hold_notice
    assert held.hold_notice in held.failures
    assert (kinds(after), workspace.calls["clusters/events"], after.hold_notice) == ({Restrict, Stop}, 6, "")


def test_a_limit_corrected_in_time_stops_no_group(ledger: Ledger, six: InProcessCourse) -> None:
    workspace = six.connect()
    mistype(six, ledger, workspace)
    held = tick(ledger, six, workspace, FakeMailService())

    limit(six, 150, 180)
    six.workspace.advance(120)
    corrected = tick(ledger, six, workspace, FakeMailService())

    assert [kinds(result) & {Stop, Restrict} for result in (held, corrected)] == [set(), set()]


def test_no_stop_is_held_with_stop_now(ledger: Ledger, six: InProcessCourse) -> None:
    workspace = six.connect()
    mistype(six, ledger, workspace)

    result = tick(ledger, six, workspace, FakeMailService(), stop_now=True)

    assert (kinds(result), result.hold_notice) == ({Restrict, Stop}, "")


def test_a_marker_remains_until_it_is_cleared(tmp_path) -> None:
    place = str(tmp_path / "ledger" / "uptimes.db")
    first = Marker(place, "clock")
    assert first.read() is None
    first.write({"notice": "it is wrong"})

    assert Marker(place, "clock").read() == {"notice": "it is wrong"}
    assert Marker(place, "other").read() is None
    Marker(place, "clock").clear()
    assert first.read() is None


# --- the whole program


@pytest.mark.process
def test_a_clock_hours_ahead_does_not_shift_the_time_of_stops(frozen_emulator: EmulatorProcess, tmp_path: Path) -> None:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path, groups=1)
    lab.environment |= {
        "AZURE_EMAIL_CONNECTION_STRING": frozen_emulator.mail_connection_string,
        "AZURE_EMAIL_SENDER": "lab@example.ac.il",
        "ADMIN_EMAIL": "admin@example.ac.il",
        "REQUESTS_CA_BUNDLE": frozen_emulator.mail_ca,
    }
    lab.poll()
    lab.start("group_01")
    lab.advance_minutes(100)
    frozen_emulator.control("POST", "faults", {"profile": "clock-ahead"})

    early, again = lab.run("poll"), lab.run("poll")
    before = lab.state("group_01")
    lab.advance_minutes(81)
    lab.run("poll")

    assert (early.status, again.status) == (0, 0)
    assert "this machine's clock is 4:00 hours ahead of the workspace's" in early.err
    assert (before, lab.state("group_01"), lab.level("group_01")) == ("RUNNING", "TERMINATED", "CAN_ATTACH_TO")
    subjects = [mail["subject"] for mail in frozen_emulator.control("GET", "mail")]
    assert len([subject for subject in subjects if "clock" in subject]) == 1
    assert len([subject for subject in subjects if "is off" in subject]) == 1


@pytest.mark.process
def test_responses_without_a_date_stop_no_group(frozen_emulator: EmulatorProcess, tmp_path: Path) -> None:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path, groups=1)
    lab.start("group_01")
    lab.advance_minutes(181)
    frozen_emulator.control("POST", "faults", {"rules": [{"kind": "no_date", "match": "GET /api/*"}]})

    done = lab.run("poll")

    assert (done.status, lab.state("group_01")) == (1, "RUNNING")
    assert "no valid Date header" in done.err


@pytest.mark.process
def test_lab_clock_is_rejected_for_a_remote_workspace(frozen_emulator: EmulatorProcess, tmp_path: Path) -> None:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path, groups=1)

    done = lab.run("poll", DATABRICKS_HOST="https://adb-1.2.azuredatabricks.net")

    assert (done.status, "LAB_CLOCK is for rehearsals on this machine" in done.err) == (2, True)
