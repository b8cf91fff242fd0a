"""The event list of a cluster: what happened when, in both paging forms, and disturbed on request."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.clusters.events import TYPES
from emulator.clusters.lifecycle import work
from emulator.clusters.uptime import uptime
from emulator.models.clusters import Cluster, EventFault
from emulator_process import EmulatorProcess
from in_process_workspace import CLUSTERS, SPEC, Desk

ADMIN = "admin@lab.example"
SCALING: dict[str, Any] = {"num_workers": None, "autoscale": {"min_workers": 1, "max_workers": 4}}


def cluster_of(desk: Desk, cluster_id: str) -> Cluster:
    return desk.workspace.state.clusters.by_id[cluster_id]


def test_a_life_is_told_with_exact_times(desk: Desk) -> None:
    t = desk.now
    cluster_id = desk.running()
    desk.advance(10)
    desk.post("edit", cluster_id, **(SPEC | {"num_workers": 2}))
    desk.advance(10)
    desk.post("resize", cluster_id, num_workers=3)
    desk.advance(10)
    desk.post("delete", cluster_id)
    desk.advance(10)
    desk.post("start", cluster_id)
    desk.advance(3600 + 2)
    told = [(event["timestamp"] - t, event["type"]) for event in desk.events(cluster_id)]
    assert told == [
        (0, "CREATING"), (2_000, "RUNNING"), (2_000, "DRIVER_HEALTHY"),
        (12_000, "EDITED"), (12_000, "RESTARTING"), (14_000, "RUNNING"), (14_000, "DRIVER_HEALTHY"),
        (22_000, "RESIZING"), (24_000, "UPSIZE_COMPLETED"),
        (32_000, "TERMINATING"), (42_000, "STARTING"), (44_000, "RUNNING"), (44_000, "DRIVER_HEALTHY"),
        (3_644_000, "TERMINATING"),
    ]  # fmt: skip


def test_details_say_who_how_many_and_why(desk: Desk) -> None:
    cluster_id = desk.running()
    desk.post("resize", cluster_id, num_workers=3)
    desk.advance(2)
    desk.post("edit", cluster_id, **(SPEC | {"num_workers": 2, "custom_tags": {"a": "b"}}))
    desk.advance(2)
    desk.post("delete", cluster_id)
    told = {event["type"]: event["details"] for event in desk.events(cluster_id)}
    assert told["CREATING"]["user"] == ADMIN
    assert told["CREATING"]["cluster_size"] == {"num_workers": 1}
    assert told["RUNNING"] == {"current_num_workers": 2, "target_num_workers": 2, "user": ADMIN}
    assert told["RESIZING"] == {
        "cause": "USER_REQUEST", "current_num_workers": 1, "target_num_workers": 3, "user": ADMIN,
    }  # fmt: skip
    assert told["EDITED"]["previous_cluster_size"] == {"num_workers": 3}
    assert "custom_tags" not in told["EDITED"]["previous_attributes"]
    assert told["EDITED"]["attributes"]["custom_tags"] == {"a": "b"}
    assert told["TERMINATING"] == {
        "reason": {"code": "USER_REQUEST", "type": "SUCCESS", "parameters": {"username": ADMIN}},
        "user": ADMIN,
    }


def test_init_scripts_and_pins_are_told(desk: Desk) -> None:
    cluster_id = desk.running(init_scripts=[{"workspace": {"destination": "/Shared/init.sh"}}])
    desk.post("pin", cluster_id)
    desk.post("pin", cluster_id)
    desk.post("unpin", cluster_id)
    assert desk.types(cluster_id) == [
        "CREATING", "INIT_SCRIPTS_STARTED", "INIT_SCRIPTS_FINISHED", "RUNNING", "DRIVER_HEALTHY", "PINNED", "UNPINNED",
    ]  # fmt: skip


def test_work_makes_an_autoscaling_cluster_grow_and_rest_makes_it_shrink(desk: Desk) -> None:
    cluster_id = desk.running(**SCALING)
    t, cluster = desk.now, cluster_of(desk, cluster_id)
    work(desk.workspace, cluster, desk.workspace.administrator, 600, t)
    desk.advance(300)
    assert (cluster.state, cluster.workers) == ("RUNNING", 4)
    desk.advance(600)
    assert (cluster.state, cluster.workers) == ("RUNNING", 1)
    told = [
        (event["timestamp"] - t, event["type"], event["details"]["target_num_workers"])
        for event in desk.events(cluster_id, start_time=t + 1)
    ]
    assert told == [(30_000, "RESIZING", 4), (32_000, "UPSIZE_COMPLETED", 4), (750_000, "RESIZING", 1)]
    causes = {event["details"].get("cause") for event in desk.events(cluster_id, event_types=["RESIZING"])}
    assert causes == {"AUTOSCALE"}


def test_short_work_scales_nothing(desk: Desk) -> None:
    cluster_id = desk.running(**SCALING)
    work(desk.workspace, cluster_of(desk, cluster_id), desk.workspace.administrator, 29, desk.now)
    desk.advance(60)
    assert "RESIZING" not in desk.types(cluster_id)


def many(desk: Desk, pins: int = 30) -> str:
    cluster_id = desk.running()
    for _ in range(pins):
        desk.advance(1)
        desk.post("pin", cluster_id)
        desk.post("unpin", cluster_id)
    return cluster_id


def test_the_newest_come_first_fifty_at_a_time_and_next_page_repeats_everything(desk: Desk) -> None:
    cluster_id = many(desk)
    t = desk.now
    page = desk.ask("POST", f"{CLUSTERS}events", {"cluster_id": cluster_id, "event_types": ["PINNED", "UNPINNED"]})
    assert (len(page["events"]), page["total_count"]) == (50, 60)
    assert page["events"][0]["timestamp"] == t
    assert page["next_page"] == {
        "cluster_id": cluster_id, "event_types": ["PINNED", "UNPINNED"], "order": "DESC",
        "offset": 50, "limit": 50, "end_time": t,
    }  # fmt: skip
    desk.advance(5)
    desk.post("pin", cluster_id)
    rest = desk.ask("POST", f"{CLUSTERS}events", page["next_page"])
    assert (len(rest["events"]), rest["total_count"]) == (10, 60)
    assert "next_page" not in rest


def test_tokens_page_too_but_never_with_next_page(desk: Desk) -> None:
    cluster_id = many(desk)
    body = {"cluster_id": cluster_id, "page_size": 40, "order": "ASC"}
    first = desk.ask("POST", f"{CLUSTERS}events", body)
    second = desk.ask("POST", f"{CLUSTERS}events", {"cluster_id": cluster_id, "page_token": first["next_page_token"]})
    again = desk.ask("POST", f"{CLUSTERS}events", {"cluster_id": cluster_id, "page_token": second["prev_page_token"]})
    assert "next_page" not in first
    assert "next_page_token" not in second
    assert first["events"] + second["events"] == desk.events(cluster_id, limit=7)
    assert again["events"] == first["events"]


def test_time_limits_include_their_ends(desk: Desk) -> None:
    cluster_id = desk.running()
    t = desk.now
    assert desk.types(cluster_id, start_time=t, end_time=t) == ["RUNNING", "DRIVER_HEALTHY"]
    assert desk.types(cluster_id, start_time=t + 1) == []
    assert desk.types(cluster_id, end_time=t - 1) == ["CREATING"]


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
def test_a_query_that_is_none_is_refused(desk: Desk, fields: dict[str, object], words: str) -> None:
    refused = desk.refusal("POST", f"{CLUSTERS}events", {"cluster_id": desk.running()} | fields)
    assert refused == (400, "INVALID_PARAMETER_VALUE", words)


def test_the_types_are_those_of_the_sdk() -> None:
    from databricks.sdk.service.compute import EventType

    assert {type.value for type in EventType} == TYPES
    assert len(TYPES) == 35


def test_dropped_events_are_never_listed_and_the_truth_stays(desk: Desk) -> None:
    desk.workspace.state.clusters.disturb_events([EventFault("dropped", count=1)])
    cluster_id = desk.stopped()
    desk.post("start", cluster_id)
    desk.advance(62)
    desk.post("delete", cluster_id)
    assert [type for type in desk.types(cluster_id) if type in ("RUNNING", "TERMINATING")] == [
        "RUNNING", "RUNNING", "TERMINATING",
    ]  # fmt: skip
    assert uptime(desk.workspace.state, cluster_id, 0, desk.now)[0] == 120_000 + 60_000


def test_delayed_events_come_later_with_their_true_time(desk: Desk) -> None:
    desk.workspace.state.clusters.disturb_events([EventFault("delayed", types=["TERMINATING"], seconds=300)])
    cluster_id = desk.running()
    ended = desk.now
    desk.post("delete", cluster_id)
    desk.advance(299)
    assert "TERMINATING" not in desk.types(cluster_id)
    desk.advance(1)
    assert [event["timestamp"] for event in desk.events(cluster_id, event_types=["TERMINATING"])] == [ended]


def test_stragglers_arrive_after_terminating(desk: Desk) -> None:
    desk.workspace.state.clusters.disturb_events([EventFault("late", cluster="cluster_*", seconds=30)])
    cluster_id, other = desk.stopped(), desk.stopped(cluster_name="other")
    desk.advance(30)
    assert desk.types(cluster_id)[-2:] == ["TERMINATING", "EXPANDED_DISK"]
    desk.post("start", cluster_id)
    desk.advance(2)
    desk.post("delete", cluster_id)
    ended = desk.now
    desk.advance(60)
    last = desk.events(cluster_id)[-1]
    assert (last["timestamp"], last["type"]) == (ended + 30_000, "NODES_LOST")
    assert desk.types(other)[-1] == "TERMINATING"


def test_a_rate_disturbs_that_share_of_events_the_same_way_each_time() -> None:
    def kept() -> list[int]:
        desk = Desk()
        desk.workspace.state.clusters.disturb_events([EventFault("dropped", types=["PINNED"], rate=0.5)])
        return [event["timestamp"] for event in desk.events(many(desk, 200), event_types=["PINNED"], limit=500)]

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
