"""Random cluster histories: actions by students and staff, and the times of polls."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from hypothesis import strategies as st

from emulator.api.errors import ApiError
from emulator.clusters.lifecycle import simulate_work
from emulator.models.clusters import EventFault, LaunchFailure
from emulator_process import EmulatorProcess
from in_process_workspace import CLUSTERS, InProcessWorkspace

SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000
USER_NAMES = ("ana@lab.example", "staff@lab.example")
TAGS = {"origin": "terraform", "lab_course": "94290", "lab_term": "2026w"}

Step = tuple[str, int, int, int]
"""Action, cluster number, user number, and the milliseconds until the next step."""


@dataclass(frozen=True)
class History:
    zone: str
    begins: datetime
    idle_minutes: int
    """Idle time before autotermination; 0 disables it."""
    steps: tuple[Step, ...]


ZONES = ("Asia/Jerusalem", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
ACTIONS = (
    "start", "start", "start", "work", "work", "delete", "delete", "restart", "resize", "edit",
    "fail to launch", "fail in error", "poll", "poll", "poll", "wait",
)  # fmt: skip
# Days around each change of daylight saving time in the zones above, and days without one.
NEAR_CHANGES = tuple(
    datetime(2031, month, day, 21, tzinfo=UTC)
    for month, day in [(3, 8), (3, 26), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1), (12, 31), (6, 10)]
)

delays = st.integers(0, 4 * SECOND) | st.integers(0, 3 * HOUR) | st.integers(0, 3 * DAY)
steps: st.SearchStrategy[Step] = st.tuples(st.sampled_from(ACTIONS), st.integers(0, 1), st.integers(0, 1), delays)
histories: st.SearchStrategy[History] = st.builds(
    History,
    zone=st.sampled_from(ZONES),
    begins=st.sampled_from(NEAR_CHANGES),
    idle_minutes=st.sampled_from([0, 10, 60]),
    steps=st.lists(steps, min_size=1, max_size=12).map(tuple),
)


LOST_EVENT_TYPES = (
    ("TERMINATING",), ("RUNNING",), ("STARTING",), ("RESTARTING",), ("RESIZING",), ("TERMINATING", "STARTING"),
    ("RUNNING", "DRIVER_HEALTHY"), ("STARTING", "RUNNING", "DRIVER_HEALTHY"),
)  # fmt: skip
"""Events that may be missing together: each session still has a start event or an end event."""
lost_events = st.builds(
    EventFault,
    mode=st.just("dropped"),
    types=st.sampled_from(LOST_EVENT_TYPES).map(list),
    rate=st.sampled_from([0.3, 1.0]),
)
delayed_events = st.builds(
    EventFault,
    mode=st.just("delayed"),
    types=st.sampled_from([*LOST_EVENT_TYPES, ()]).map(list),
    rate=st.sampled_from([0.3, 1.0]),
    seconds=st.sampled_from([5.0, 600.0, 7200.0]),
)
late_events = st.builds(
    EventFault, mode=st.just("late"), rate=st.just(0.5), seconds=st.sampled_from([0.5, 60.0, 600.0])
)
event_faults: st.SearchStrategy[tuple[EventFault, ...]] = st.tuples(lost_events | delayed_events, late_events)


class TwoClusterWorkspace(Protocol):
    """A workspace with two lab clusters and the users who may use them."""

    clusters: list[str]

    def call(self, person: int, verb: str, body: Mapping[str, Any]) -> None: ...

    def work(self, person: int, cluster_id: str, seconds: float) -> None: ...

    def fail_launch(self, ends_in: str) -> None: ...

    def pass_time(self, milliseconds: int) -> None: ...


def cluster_spec(number: int, history: History) -> dict[str, Any]:
    """Return the definition of the cluster with this number."""
    return {
        "cluster_name": f"cluster_{number:02}",
        "spark_version": "15.4.x-scala2.12",
        "node_type_id": "Standard_DS3_v2",
        "autoscale": {"min_workers": 1, "max_workers": 3},
        "autotermination_minutes": history.idle_minutes,
        "custom_tags": {**TAGS, "lab_group": f"group_{number:02}"},
    }


def perform(world: TwoClusterWorkspace, history: History, step: Step) -> None:
    """Perform the step, unless the workspace refuses it, and advance the clock."""
    verb, number, person, wait = step
    cluster_id = world.clusters[number]
    match verb:
        case "start" | "delete" | "restart":
            world.call(person, verb, {"cluster_id": cluster_id})
        case "resize":
            world.call(person, verb, {"cluster_id": cluster_id, "num_workers": wait % 4})
        case "edit":
            world.call(person, verb, {"cluster_id": cluster_id, **cluster_spec(number, history)})
        case "work":
            world.work(person, cluster_id, wait / SECOND / 2 + 1)
        case "fail to launch":
            world.fail_launch("TERMINATED")
        case "fail in error":
            world.fail_launch("ERROR")
    world.pass_time(wait)


class InProcessTwoClusters:
    """An emulated workspace in this process."""

    def __init__(self, history: History) -> None:
        self.workspace = InProcessWorkspace(start=history.begins)
        self._people = [self.workspace.create_user(name) for name in USER_NAMES]
        self.clusters = []
        for number in range(2):
            self.clusters.append(
                str(self.workspace.call("POST", f"{CLUSTERS}create", cluster_spec(number, history))["cluster_id"])
            )
            for person in self._people:
                self.workspace.grant(self.clusters[number], person, "CAN_MANAGE")

    def call(self, person: int, verb: str, body: Mapping[str, Any]) -> None:
        with suppress(ApiError):
            self.workspace.call("POST", CLUSTERS + verb, dict(body), self._people[person])

    def work(self, person: int, cluster_id: str, seconds: float) -> None:
        workspace = self.workspace.emulated
        now = workspace.catch_up()
        with suppress(ApiError):
            simulate_work(workspace, workspace.state.clusters.by_id[cluster_id], self._people[person], seconds, now)

    def fail_launch(self, ends_in: Any) -> None:
        self.workspace.emulated.state.clusters.set_launch_failures([LaunchFailure(ends_in=ends_in)])

    def pass_time(self, milliseconds: int) -> None:
        clock = self.workspace.emulated.clock
        clock.move_to(clock.now() + milliseconds)
        self.workspace.emulated.catch_up()


class EmulatorTwoClusters:
    """An emulator in a separate process, over HTTP, with a frozen clock (`--speed 0`)."""

    def __init__(self, history: History, emulator: EmulatorProcess) -> None:
        self.emulator = emulator
        emulator.control("POST", "reset")
        self._now = history.begins
        emulator.control("POST", "clock", {"now": history.begins.isoformat()})
        self._tokens = [
            emulator.control("POST", "users", {"user_name": name, "admin": True})["token"] for name in USER_NAMES
        ]
        self.clusters = [
            emulator.request("POST", f"{CLUSTERS}create", cluster_spec(number, history))[1]["cluster_id"]
            for number in range(2)
        ]

    def call(self, person: int, verb: str, body: Mapping[str, Any]) -> None:
        self.emulator.request("POST", CLUSTERS + verb, body, token=self._tokens[person])

    def work(self, person: int, cluster_id: str, seconds: float) -> None:
        body = {"cluster_id": cluster_id, "seconds": seconds, "token": self._tokens[person]}
        self.emulator.request("POST", "/_emulator/work", body)

    def fail_launch(self, ends_in: str) -> None:
        self.emulator.control("POST", "faults", {"rules": [{"kind": "launch_failure", "ends_in": ends_in}]})

    def pass_time(self, milliseconds: int) -> None:
        if milliseconds:
            self.emulator.control("POST", "clock", {"advance_seconds": milliseconds / SECOND})
