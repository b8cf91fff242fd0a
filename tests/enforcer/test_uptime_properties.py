"""For any history of clusters and any times of polls, the ledger's uptime equals the workspace's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings

from cluster_histories import EmulatorTwoClusters, History, InProcessTwoClusters, event_faults, histories, perform
from emulator.base.clock import to_millis
from emulator.metering.uptime import uptime
from emulator.models.clusters import EventFault
from emulator_process import EmulatorProcess
from enforcer.domain import timestamps
from enforcer.domain.uptime import Session, day_bounds, used_on
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger, open_ledger
from enforcer.settings import Settings, load_settings
from enforcer.tick.collect import collect, record_uptime
from enforcer.workspace.client import Workspace
from example_counts import exactly_examples
from ledgers import clear
from sdk_in_process import InProcessSdkClient

MS = timedelta(milliseconds=1)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Yield a ledger that is emptied for every history."""
    with closing(open_ledger(str(tmp_path_factory.mktemp("ledger") / "uptimes.db"))) as ledger:
        ledger.database.execute_sql("PRAGMA synchronous = off")
        yield ledger


def settings_of(history: History) -> Settings:
    return load_settings({"LAB_TIMEZONE": history.zone, "LAB_COURSE": "94290", "LAB_TERM": "2026w"})


def days(history: History, now: datetime) -> list[date]:
    """Return every local day of the history."""
    zone = ZoneInfo(history.zone)
    first, last = history.begins.astimezone(zone).date(), now.astimezone(zone).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def sessions_reported(ledger: Ledger, now: datetime, cluster_id: str) -> list[Session]:
    begins = datetime(2000, 1, 1, tzinfo=UTC)
    return queries.sessions(ledger, begins=begins, ends=now + MS, cluster_ids=[cluster_id]).get(cluster_id, [])


def live(ledger: Ledger, world: Any, history: History, workspace: Workspace, now: Any) -> None:
    """Perform the history with its polls, and poll once more at its end."""
    for step in history.steps:
        if step[0] == "poll":
            record_uptime(ledger, workspace, workspace.clusters(now=now()), is_first=False, now=now())
        perform(world, history, step)
    collect(ledger, workspace, settings_of(history), now=now())


@settings(exactly_examples(2000, acceptance=20_000), phases=[Phase.reuse, Phase.generate, Phase.shrink])
@given(history=histories)
def test_uptime_is_exact_to_the_millisecond_in_generated_histories(ledger: Ledger, history: History) -> None:
    clear(ledger)
    world = InProcessTwoClusters(history)
    clusters = world.workspace.emulated.state.clusters

    def now() -> datetime:
        return timestamps.from_millis(world.workspace.now)

    live(ledger, world, history, Workspace(cast(Any, InProcessSdkClient(world.workspace))), now)

    for cluster_id in world.clusters:
        reported = sessions_reported(ledger, now(), cluster_id)
        ground_truth = clusters.sessions.get(cluster_id, [])
        assert [
            (s.start, s.end, s.started_by, [(r.at, r.user) for r in s.restarts], s.estimate)
            for s in reported
            if s.start != s.end
        ] == [
            (
                timestamps.from_millis(s.start),
                None if s.end is None else timestamps.from_millis(s.end),
                s.started_by,
                [(timestamps.from_millis(r.at), r.user) for r in s.restarts],
                None,
            )
            for s in ground_truth
            if s.start != s.end
        ]
        for day in days(history, now()):
            begins, ends = day_bounds(day, ZoneInfo(history.zone))
            ours = used_on(day, reported, now=now(), tz=ZoneInfo(history.zone)) // MS
            assert (
                ours
                == uptime(
                    world.workspace.emulated.state.clusters,
                    cluster_id,
                    to_millis(begins),
                    min(to_millis(ends), world.workspace.now),
                )[0]
            )


@settings(exactly_examples(300, acceptance=5000), phases=[Phase.reuse, Phase.generate, Phase.shrink])
@given(history=histories, faults=event_faults)
def test_an_error_from_missing_events_is_bounded_by_the_gap(
    ledger: Ledger, history: History, faults: tuple[EventFault, ...]
) -> None:
    clear(ledger)
    world, undisturbed = InProcessTwoClusters(history), InProcessTwoClusters(history)
    world.workspace.emulated.state.clusters.set_event_faults(deepcopy(list(faults)))

    def now() -> datetime:
        return timestamps.from_millis(world.workspace.now)

    live(ledger, world, history, Workspace(cast(Any, InProcessSdkClient(world.workspace))), now)
    for step in history.steps:
        perform(undisturbed, history, step)

    zone = ZoneInfo(history.zone)
    for number, cluster_id in enumerate(world.clusters):
        reported = sessions_reported(ledger, now(), cluster_id)
        happened = undisturbed.workspace.events(undisturbed.clusters[number])
        known = {(event["timestamp"], event["type"]) for event in world.workspace.events(cluster_id)}
        gaps = silences(happened, known, world.workspace.now)
        for day in days(history, now()):
            begins, ends = (to_millis(instant) for instant in day_bounds(day, zone))
            ours = used_on(day, reported, now=now(), tz=zone) // MS
            ground_truth = uptime(
                world.workspace.emulated.state.clusters, cluster_id, begins, min(ends, world.workspace.now)
            )[0]
            if ours != ground_truth:
                gap = sum(max(0, min(last, ends) - max(first, begins)) for first, last in gaps)
                assert is_marked(reported, day, zone, now()) or has_secret(happened, known), (day, ours, ground_truth)
                assert ground_truth - ours <= gap, (day, ours, ground_truth, gap)


def silences(happened: list[dict[str, Any]], known: set[tuple[int, str]], now: int) -> list[tuple[int, int]]:
    """Return the intervals between reported events that contain unreported ones; they do not overlap."""
    timestamps = sorted(event["timestamp"] for event in happened if (event["timestamp"], event["type"]) in known)
    found = set()
    for event in happened:
        if (event["timestamp"], event["type"]) not in known:
            before = max((at for at in timestamps if at <= event["timestamp"]), default=0)
            after = min((at for at in timestamps if at > event["timestamp"]), default=now)
            found.add((before, after))
    return sorted(found)


def has_secret(happened: list[dict[str, Any]], known: set[tuple[int, str]]) -> bool:
    """Return whether an end and the next start are both unreported and the events around them look like one session:
    the second launch was cancelled, or the first was about to reach RUNNING again. Unless the cluster list shows that
    launch in time, two sessions cannot be distinguished from one."""
    moved = ("CREATING", "STARTING", "RUNNING", "TERMINATING", "RESTARTING", "RESIZING")
    reported = [(e["type"], (e["timestamp"], e["type"]) in known) for e in happened if e["type"] in moved]
    return any(
        reported[at : at + 2] == [("TERMINATING", False), ("STARTING", False)]
        and (
            reported[at + 2 : at + 3] == [("TERMINATING", True)]
            or (reported[at + 2 : at + 3] == [("RUNNING", True)] and reported[at - 1][0] in ("RESTARTING", "RESIZING"))
        )
        for at in range(1, len(reported))
    )


def is_marked(reported: list[Session], day: date, zone: ZoneInfo, now: datetime) -> bool:
    """Return whether the day has an estimate."""
    begins, ends = day_bounds(day, zone)
    return any(s.estimate and s.start < ends and (s.end or now) >= begins for s in reported)


@pytest.fixture(scope="module")
def frozen_emulator() -> Iterator[EmulatorProcess]:
    """An emulator whose clock only the test moves."""
    with EmulatorProcess(["--speed", "0"]) as emulator:
        yield emulator


@settings(exactly_examples(30, acceptance=100), phases=[Phase.reuse, Phase.generate])
@given(history=histories)
def test_uptime_over_http_is_exact_to_the_millisecond(
    ledger: Ledger, frozen_emulator: EmulatorProcess, history: History
) -> None:
    clear(ledger)
    world = EmulatorTwoClusters(history, frozen_emulator)
    workspace = Workspace(cast(Any, frozen_emulator.client()))

    def now() -> datetime:
        return datetime.fromisoformat(frozen_emulator.control("GET", "clock")["now"])

    live(ledger, world, history, workspace, now)

    zone = ZoneInfo(history.zone)
    for cluster_id in world.clusters:
        reported = sessions_reported(ledger, now(), cluster_id)
        for day in days(history, now()):
            begins, ends = day_bounds(day, zone)
            asked = urlencode({"cluster_id": cluster_id, "from": begins.isoformat(), "to": ends.isoformat()})
            ground_truth = frozen_emulator.control("GET", f"uptime?{asked}")["milliseconds"]
            assert used_on(day, reported, now=now(), tz=zone) // MS == ground_truth
