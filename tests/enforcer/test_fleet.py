"""The loop of a fleet: each lab gets its turns, and a failure in one lab affects no other. Without workspaces."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import pytest

from enforcer.domain.course import Course
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import Calendar, Quota
from enforcer.domain.snapshot import Snapshot
from enforcer.fleet import run
from enforcer.fleet.labs_file import LabEntry
from enforcer.fleet.run import Fleet
from enforcer.ledger.lock import LedgerSettingsError
from enforcer.operations.watch import TickSummary
from enforcer.settings import SettingsError
from labkit.extras import cli

START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
M = timedelta(minutes=1)


class FleetClock:
    """A clock that advances a quarter of a minute with each reading, and ends the fleet after some time."""

    def __init__(self, minutes: int) -> None:
        self.time, self.ends = START, START + minutes * M
        self.end: Callable[[], None] = lambda: None

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=15)
        if self.time >= self.ends:
            self.end()
        return self.time


class StubService:
    """Ticks that have nothing to do, or run a function of the test."""

    def __init__(self, clock: FleetClock, acts: Callable[[], object] = lambda: None) -> None:
        self._clock, self._acts = clock, acts
        self.ticks = self.lists = 0
        self.crashes: list[str] = []

    def clusters(self, moment: datetime) -> Iterable[ObservedCluster]:
        self.lists += 1
        return ()

    def tick(self, budget: timedelta) -> TickSummary:
        assert timedelta(seconds=10) <= budget <= timedelta(seconds=30)
        self.ticks += 1
        self._acts()
        calendar = Calendar(UTC, date(2026, 11, 1), date(2026, 12, 1), 6)
        course = Course("1", "t", "Lab", calendar, False, {})
        snapshot = Snapshot(self._clock.time, course, Quota(M, M), (), {}, (), None)
        return TickSummary(snapshot)

    def report_crash(self, error: BaseException) -> None:
        self.crashes.append(str(error))


def fails(error: BaseException) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


class FleetOfStubs:
    """A fleet of two good labs and one lab whose settings or ticks fail."""

    def __init__(self, minutes: int, *, tick: Callable[[], object] = lambda: None, settings: str = "") -> None:
        self.clock = FleetClock(minutes)
        self.services: dict[str, list[StubService]] = {"good": [], "bad": [], "other": []}
        self.settings = settings
        self._tick = tick
        self.alive = 0
        entries = [LabEntry(name, f"labs.toml, {name}", None, "p") for name in self.services]
        self.fleet = Fleet(entries, self._make, now=self.clock, alive=self._note_alive, step_seconds=0.002)
        self.clock.end = self.fleet.stop

    def _make(self, entry: LabEntry) -> StubService:
        if entry.name == "bad" and self.settings:
            raise SettingsError([self.settings])
        service = StubService(self.clock, self._tick if entry.name == "bad" else lambda: None)
        self.services[entry.name].append(service)
        return service

    def _note_alive(self) -> None:
        self.alive += 1

    def ticks(self, name: str) -> int:
        return sum(service.ticks for service in self.services[name])

    def run(self) -> None:
        self.fleet.run()


def test_labs_tick_every_15_minutes_and_list_every_minute() -> None:
    fleet = FleetOfStubs(60)

    fleet.run()

    for (service,) in fleet.services.values():
        assert 3 <= service.ticks <= 5
        assert 30 <= service.lists <= 60
    assert fleet.alive > 100
    assert fleet.fleet.summary.turns == sum(one.ticks + one.lists for (one,) in fleet.services.values())


@pytest.mark.parametrize("error", [SystemExit(2), LedgerSettingsError("no such folder"), SettingsError(["wrong"])])
def test_invalid_settings_are_read_again_and_other_labs_are_not_affected(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = FleetOfStubs(60, tick=fails(error))

    fleet.run()

    assert 3 <= len(fleet.services["bad"]) <= 5, "its settings are read every 15 minutes"
    assert [fleet.ticks(name) >= 3 for name in ("good", "other")] == [True, True]
    printed = capsys.readouterr().err
    assert isinstance(error, SystemExit) or printed.startswith("bad: "), printed


def test_a_lab_without_settings_is_watched_as_soon_as_they_are_valid(capsys: pytest.CaptureFixture[str]) -> None:
    fleet = FleetOfStubs(60, settings="LAB_TERM is missing")
    earlier = fleet.clock.end

    def correct() -> None:
        fleet.settings = ""
        fleet.clock.ends += 30 * M
        fleet.clock.end = earlier

    fleet.clock.end = correct
    fleet.run()

    assert len(fleet.services["bad"]) == 1 and fleet.ticks("bad") >= 1
    assert set(capsys.readouterr().err.splitlines()) == {"bad: LAB_TERM is missing"}


def test_a_crash_is_reported_for_its_lab_and_retried_after_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    fleet = FleetOfStubs(30, tick=fails(RuntimeError("broken")))

    with caplog.at_level(logging.ERROR):
        fleet.run()

    (service,) = fleet.services["bad"]
    assert service.ticks >= 15 and service.crashes == ["broken"] * service.ticks
    assert [fleet.ticks(name) >= 1 for name in ("good", "other")] == [True, True]


def test_a_lab_that_blocks_delays_no_other_lab_and_is_not_interrupted() -> None:
    release = threading.Event()
    fleet = FleetOfStubs(60, tick=lambda: release.wait(30))

    def end() -> None:
        release.set()
        fleet.fleet.stop()

    fleet.clock.end = end
    fleet.run()

    assert fleet.ticks("bad") == 1
    assert [fleet.ticks(name) >= 3 for name in ("good", "other")] == [True, True]


@pytest.mark.waits
def test_the_watchdog_is_not_notified_while_a_turn_hangs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()
    fleet = FleetOfStubs(100_000, tick=lambda: release.wait(30))
    watching = threading.Thread(target=fleet.run)
    watching.start()
    until(lambda: fleet.alive > 0)
    # Longer than a turn of the other labs, even on a busy machine.
    monkeypatch.setattr(run, "HUNG_AFTER_SECONDS", 1.0)
    until(lambda: bool(errors(caplog)))
    alive = fleet.alive
    time.sleep(0.2)

    assert errors(caplog) == ["bad: the turn hangs; systemd will restart the watch"]
    assert fleet.alive == alive
    release.set()
    until(lambda: fleet.alive > alive)
    fleet.fleet.stop()
    watching.join()


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_turn_that_begins_late_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    clock = FleetClock(10)
    release = threading.Event()

    def make(entry: LabEntry) -> StubService:
        return StubService(clock, lambda: release.wait(30) if entry.name == "a" else None)

    entries = [LabEntry(name, f"labs.toml, {name}", None, "p") for name in ("a", "b")]
    fleet = Fleet(entries, make, now=clock, alive=lambda: None, workers=1, step_seconds=0.002)

    def end() -> None:
        if not release.is_set():
            clock.ends += 3 * M
            release.set()
        else:
            fleet.stop()

    clock.end = end
    fleet.run()

    assert fleet.summary.longest_wait >= 9 * M
    assert any("late, because the turns of other labs took long" in record.getMessage() for record in caplog.records)


def test_lines_begin_with_the_name_of_the_lab(capsys: pytest.CaptureFixture[str]) -> None:
    def act() -> None:
        cli.fail("the ledger cannot be opened")

    fleet = FleetOfStubs(5, tick=act)

    fleet.run()

    assert capsys.readouterr().err.splitlines() == ["bad: the ledger cannot be opened"]
