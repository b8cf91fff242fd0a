"""The event list of a cluster: times, both ways of paging, event faults."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.clusters.events import TYPES
from emulator.clusters.lifecycle import simulate_work
from emulator.metering.uptime import uptime
from emulator.models.clusters import Cluster, EventFault
from emulator_process import EmulatorProcess
from in_process_workspace import CLUSTERS, SPEC, InProcessWorkspace

ADMIN = "admin@lab.example"
SCALING: dict[str, Any] = {"num_workers": None, "autoscale": {"min_workers": 1, "max_workers": 4}}


def cluster_of(workspace: InProcessWorkspace, cluster_id: str) -> Cluster:
    return workspace.emulated.state.clusters.by_id[cluster_id]


def test_events_have_exact_times(workspace: InProcessWorkspace) -> None:
    t = workspace.now
    cluster_id = workspace.create_running()
    workspace.advance(10)
    workspace.post("edit", cluster_id, **(SPEC | {"num_workers": 2}))
    workspace.advance(10)
    workspace.post("resize", cluster_id, num_workers=3)
    workspace.advance(10)
    workspace.post("delete", cluster_id)
    workspace.advance(10)
    workspace.post("start", cluster_id)
    workspace.advance(3600 + 2)
    recorded = [(event["timestamp"] - t, event["type"]) for event in workspace.events(cluster_id)]
    assert recorded == [
        (0, "CREATING"), (2_000, "RUNNING"), (2_000, "DRIVER_HEALTHY"),
        (12_000, "EDITED"), (12_000, "RESTARTING"), (14_000, "RUNNING"), (14_000, "DRIVER_HEALTHY"),
        (22_000, "RESIZING"), (24_000, "UPSIZE_COMPLETED"),
        (32_000, "TERMINATING"), (42_000, "STARTING"), (44_000, "RUNNING"), (44_000, "DRIVER_HEALTHY"),
        (3_644_000, "TERMINATING"),
    ]  # fmt: skip


def test_event_details_have_user_worker_numbers_and_reason(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    workspace.post("resize", cluster_id, num_workers=3)
    workspace.advance(2)
    workspace.post("edit", cluster_id, **(SPEC | {"num_workers": 2, "custom_tags": {"a": "b"}}))
    workspace.advance(2)
    workspace.post("delete", cluster_id)
    recorded = {event["type"]: event["details"] for event in workspace.events(cluster_id)}
    assert recorded["CREATING"]["user"] == ADMIN
    assert recorded["CREATING"]["cluster_size"] == {"num_workers": 1}
    assert recorded["RUNNING"] == {"current_num_workers": 2, "target_num_workers": 2, "user": ADMIN}
    assert recorded["RESIZING"] == {
        "cause": "USER_REQUEST", "current_num_workers": 1, "target_num_workers": 3, "user": ADMIN,
    }  # fmt: skip
    assert recorded["EDITED"]["previous_cluster_size"] == {"num_workers": 3}
    assert "custom_tags" not in recorded["EDITED"]["previous_attributes"]
    assert recorded["EDITED"]["attributes"]["custom_tags"] == {"a": "b"}
    assert recorded["TERMINATING"] == {
        "reason": {"code": "USER_REQUEST", "type": "SUCCESS", "parameters": {"username": ADMIN}},
        "user": ADMIN,
    }


def test_init_scripts_and_pins_are_recorded(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running(init_scripts=[{"workspace": {"destination": "/Shared/init.sh"}}])
    workspace.post("pin", cluster_id)
    workspace.post("pin", cluster_id)
    workspace.post("unpin", cluster_id)
    assert workspace.types(cluster_id) == [
        "CREATING", "INIT_SCRIPTS_STARTED", "INIT_SCRIPTS_FINISHED", "RUNNING", "DRIVER_HEALTHY", "PINNED", "UNPINNED",
    ]  # fmt: skip


def test_an_autoscaling_cluster_grows_with_work_and_shrinks_when_idle(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running(**SCALING)
    t, cluster = workspace.now, cluster_of(workspace, cluster_id)
    simulate_work(workspace.emulated, cluster, workspace.emulated.administrator, 600, t)
    workspace.advance(300)
    assert (cluster.state, cluster.workers) == ("RUNNING", 4)
    workspace.advance(600)
    assert (cluster.state, cluster.workers) == ("RUNNING", 1)
    recorded = [
        (event["timestamp"] - t, event["type"], event["details"]["target_num_workers"])
        for event in workspace.events(cluster_id, start_time=t + 1)
    ]
    assert recorded == [(30_000, "RESIZING", 4), (32_000, "UPSIZE_COMPLETED", 4), (750_000, "RESIZING", 1)]
    causes = {event["details"].get("cause") for event in workspace.events(cluster_id, event_types=["RESIZING"])}
    assert causes == {"AUTOSCALE"}


def test_short_work_causes_no_scaling(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running(**SCALING)
    simulate_work(
        workspace.emulated, cluster_of(workspace, cluster_id), workspace.emulated.administrator, 29, workspace.now
    )
    workspace.advance(60)
    assert "RESIZING" not in workspace.types(cluster_id)


def many(workspace: InProcessWorkspace, pins: int = 30) -> str:
    cluster_id = workspace.create_running()
    for _ in range(pins):
        workspace.advance(1)
        workspace.post("pin", cluster_id)
        workspace.post("unpin", cluster_id)
    return cluster_id


def test_events_are_paged_newest_first_and_next_page_repeats_the_query(workspace: InProcessWorkspace) -> None:
    cluster_id = many(workspace)
    t = workspace.now
    page = workspace.call(
        "POST", f"{CLUSTERS}events", {"cluster_id": cluster_id, "event_types": ["PINNED", "UNPINNED"]}
    )
    assert (len(page["events"]), page["total_count"]) == (50, 60)
    assert page["events"][0]["timestamp"] == t
    assert page["next_page"] == {
        "cluster_id": cluster_id, "event_types": ["PINNED", "UNPINNED"], "order": "DESC",
        "offset": 50, "limit": 50, "end_time": t,
    }  # fmt: skip
    workspace.advance(5)
    workspace.post("pin", cluster_id)
    rest = workspace.call("POST", f"{CLUSTERS}events", page["next_page"])
    assert (len(rest["events"]), rest["total_count"]) == (10, 60)
    assert "next_page" not in rest


def test_events_can_be_paged_by_token_alone(workspace: InProcessWorkspace) -> None:
    cluster_id = many(workspace)
    body = {"cluster_id": cluster_id, "page_size": 40, "order": "ASC"}
    first = workspace.call("POST", f"{CLUSTERS}events", body)
    second = workspace.call(
        "POST", f"{CLUSTERS}events", {"cluster_id": cluster_id, "page_token": first["next_page_token"]}
    )
    again = workspace.call(
        "POST", f"{CLUSTERS}events", {"cluster_id": cluster_id, "page_token": second["prev_page_token"]}
    )
    assert "next_page" not in first
    assert "next_page_token" not in second
    assert first["events"] + second["events"] == workspace.events(cluster_id, limit=7)
    assert again["events"] == first["events"]


def test_time_limits_of_an_event_query_are_inclusive(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    t = workspace.now
    assert workspace.types(cluster_id, start_time=t, end_time=t) == ["RUNNING", "DRIVER_HEALTHY"]
    assert workspace.types(cluster_id, start_time=t + 1) == []
    assert workspace.types(cluster_id, end_time=t - 1) == ["CREATING"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"limit": 501}, "limit must be between 1 and 500, not 501"),
        ({"limit": 0}, "limit must be between 1 and 500, not 0"),
        ({"offset": -1}, "offset must be at least 0, not -1"),
        ({"order": "UP"}, "order must be ASC or DESC, not 'UP'"),
        ({"event_types": ["TERMINATED"]}, "Unknown event type: TERMINATED"),
        ({"page_token": "x"}, "Invalid page token."),
    ],
)
def test_an_invalid_event_query_is_rejected(
    workspace: InProcessWorkspace, fields: dict[str, object], words: str
) -> None:
    refused = workspace.refusal("POST", f"{CLUSTERS}events", {"cluster_id": workspace.create_running()} | fields)
    assert refused == (400, "INVALID_PARAMETER_VALUE", words)


def test_the_event_types_equal_the_sdk_s_event_types() -> None:
    from databricks.sdk.service.compute import EventType

    assert {type.value for type in EventType} == TYPES
    assert len(TYPES) == 35


def test_dropped_events_are_never_listed_and_uptime_is_unchanged(workspace: InProcessWorkspace) -> None:
    workspace.emulated.state.clusters.set_event_faults([EventFault("dropped", count=1)])
    cluster_id = workspace.create_stopped()
    workspace.post("start", cluster_id)
    workspace.advance(62)
    workspace.post("delete", cluster_id)
    assert [type for type in workspace.types(cluster_id) if type in ("RUNNING", "TERMINATING")] == [
        "RUNNING", "RUNNING", "TERMINATING",
    ]  # fmt: skip
    assert uptime(workspace.emulated.state.clusters, cluster_id, 0, workspace.now)[0] == 120_000 + 60_000


def test_delayed_events_are_listed_later_with_their_original_time(workspace: InProcessWorkspace) -> None:
    workspace.emulated.state.clusters.set_event_faults([EventFault("delayed", types=["TERMINATING"], seconds=300)])
    cluster_id = workspace.create_running()
    ended = workspace.now
    workspace.post("delete", cluster_id)
    workspace.advance(299)
    assert "TERMINATING" not in workspace.types(cluster_id)
    workspace.advance(1)
    assert [event["timestamp"] for event in workspace.events(cluster_id, event_types=["TERMINATING"])] == [ended]


def test_late_events_follow_terminating(workspace: InProcessWorkspace) -> None:
    workspace.emulated.state.clusters.set_event_faults([EventFault("late", cluster="cluster_*", seconds=30)])
    cluster_id, other = workspace.create_stopped(), workspace.create_stopped(cluster_name="other")
    workspace.advance(30)
    assert workspace.types(cluster_id)[-2:] == ["TERMINATING", "EXPANDED_DISK"]
    workspace.post("start", cluster_id)
    workspace.advance(2)
    workspace.post("delete", cluster_id)
    ended = workspace.now
    workspace.advance(60)
    last = workspace.events(cluster_id)[-1]
    assert (last["timestamp"], last["type"]) == (ended + 30_000, "NODES_LOST")
    assert workspace.types(other)[-1] == "TERMINATING"


def test_a_rate_affects_a_reproducible_share_of_events() -> None:
    def kept() -> list[int]:
        workspace = InProcessWorkspace()
        workspace.emulated.state.clusters.set_event_faults([EventFault("dropped", types=["PINNED"], rate=0.5)])
        return [
            event["timestamp"] for event in workspace.events(many(workspace, 200), event_types=["PINNED"], limit=500)
        ]

    first = kept()
    assert 60 < len(first) < 140
    assert kept() == first


def test_the_sdk_reads_all_pages(emulator: EmulatorProcess) -> None:
    from databricks.sdk.service.compute import EventType, GetEventsOrder

    client = emulator.client()
    cluster_id = emulator.request("POST", "/api/2.1/clusters/create", SPEC)[1]["cluster_id"]
    for _ in range(4):
        client.clusters.pin(cluster_id)
        client.clusters.unpin(cluster_id)
    found = [event.type for event in client.clusters.events(cluster_id, order=GetEventsOrder.ASC, limit=3)]
    pins = [EventType.PINNED, EventType.UNPINNED] * 4
    assert found == [EventType.CREATING, EventType.RUNNING, EventType.DRIVER_HEALTHY, *pins]
